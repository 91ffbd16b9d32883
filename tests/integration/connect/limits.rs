//! Connection limits: the checks report the limit and the number needed; a run that reaches a limit continues with
//! fewer workers.

use crate::support::gate::Gate;
use crate::support::route::Route;
use crate::support::{database, fresh_name, run, text, url_as, wait_for, wait_until_true};

/// Own clusters whose role `mover` is limited.
async fn limited(source: i32, target: i32) -> Route {
    let route = Route::of_majors([13, 17]);
    for (cluster, limit) in [(&route.source, source), (&route.target, target)] {
        let role = format!("CREATE ROLE mover LOGIN CREATEDB CREATEROLE CONNECTION LIMIT {limit}");
        run(&cluster.url("postgres"), &role).await;
    }
    route
}

/// A command as the limited role.
fn as_mover(
    route: &Route,
    command: &str,
    name: &str,
    more: &[&str],
) -> crate::support::command::Program {
    let urls = [&route.source, &route.target].map(|cluster| {
        let url = cluster.url("postgres");
        url_as("mover", &url)
    });
    let more = [
        &["--no-owner", "--no-privileges", "--no-roles", "--no-sync"],
        more,
    ]
    .concat();
    Route::command_through(&urls, command, (&[name], &more))
}

/// Tables that are large enough to be copied one by one.
const TABLES: &str = "
    DO $$ BEGIN
      FOR n IN 1..12 LOOP
        EXECUTE format('CREATE TABLE public.t%s AS SELECT g AS id, repeat(''x'', 500) AS filler
                          FROM generate_series(1, 1500) g', n);
        EXECUTE format('CREATE INDEX ON public.t%s (id)', n);
      END LOOP;
    END $$;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO mover;";

async fn filled(route: &Route, hint: &str) -> String {
    let name = fresh_name(hint);
    route.create(&name).await;
    run(&route.source.url(&name), TABLES).await;
    name
}

#[tokio::test]
async fn the_checks_report_limits_with_both_numbers() {
    let route = &limited(4, 200).await;
    let name = filled(route, "few").await;
    let refused = as_mover(route, "validate", &name, &[]).run().expect(1);
    let said = refused.all();
    assert!(
        said.contains("role mover has 4 free connections; at least 10 are needed"),
        "{said}"
    );
    let limit = format!("ALTER DATABASE \"{name}\" CONNECTION LIMIT 3");
    run(&route.source.url("postgres"), &limit).await;
    let refused = as_mover(route, "init", &name, &["--jobs", "4", "--yes"])
        .run()
        .expect(1);
    let said = refused.all();
    let finding = format!(
        "database {name} has 3 free connections; at least 10 are needed, and 13 for 4 workers"
    );
    assert!(said.contains(&finding), "{said}");
}

#[tokio::test]
async fn fewer_connections_make_fewer_workers() {
    let route = &limited(13, 8).await;
    let name = filled(route, "fewer").await;
    let copied = as_mover(route, "init", &name, &["--jobs", "12", "--yes"])
        .run()
        .expect(0);
    let said = &copied.stderr;
    assert!(
        said.contains("role mover has 13 free connections; 21 are needed for 12 workers"),
        "{said}"
    );
    assert!(
        said.contains("the run continues with fewer than 12 workers"),
        "{said}"
    );
    let verified = as_mover_verify(route, &name);
    verified.run().expect(0);
}

/// Four tables with rows that wait at a gate, and six with indexes that do.
fn gated_tables(rows: &Gate, indexes: &Gate) -> String {
    let indexed = indexes
        .function()
        .replace("public.gate", "public.index_gate");
    rows.function()
        + &indexed
        + "DO $$ BEGIN
             FOR n IN 1..6 LOOP
               EXECUTE format('CREATE TABLE public.a%s (id int PRIMARY KEY, filler text)', n);
               EXECUTE format('INSERT INTO public.a%s SELECT g, repeat(''x'', 1900) FROM generate_series(1, 700) g', n);
               EXECUTE format('CREATE INDEX ON public.a%s (public.index_gate(id))', n);
             END LOOP;
             FOR n IN 1..4 LOOP
               EXECUTE format('CREATE TABLE public.b%s (id int PRIMARY KEY, filler text,
                                 gated int GENERATED ALWAYS AS (public.gate(id)) STORED)', n);
               EXECUTE format('INSERT INTO public.b%s SELECT g, repeat(''x'', 1900) FROM generate_series(1, 700) g', n);
             END LOOP;
           END $$;"
}

/// The sessions of this name, and what each last did.
async fn sessions(admin: &str, application: &str) -> Vec<String> {
    let ask = format!(
        "SELECT concat_ws(' ', datname, state, wait_event, left(query, 80)) FROM pg_stat_activity \
          WHERE application_name = '{application}' ORDER BY pid"
    );
    let rows = database(admin).await.rows(&text(&ask)).await.unwrap();
    let line = |row: &tokio_postgres::SimpleQueryRow| row.get(0).unwrap_or_default().to_owned();
    rows.iter().map(line).collect()
}

#[tokio::test]
async fn the_checks_name_as_many_connections_as_a_run_opens() {
    let route = Route::of_majors([17, 17]);
    let admins = [&route.source, &route.target].map(|cluster| cluster.url("postgres"));
    let (rows, indexes) = (Gate::shut(&admins[1]).await, Gate::shut(&admins[1]).await);
    let name = route.fresh("counted").await;
    run(&route.source.url(&name), &gated_tables(&rows, &indexes)).await;
    let application = fresh_name("counting");
    let urls = admins.each_ref().map(|url| {
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}application_name={application}")
    });
    let more = ["--jobs", "4", "--yes"];
    let running = Route::command_through(&urls, "init", (&[&name], &more)).start();
    let waiting = database(&admins[1]).await;
    let at_work = |what: &str, count: &str| {
        format!("SELECT count(*) {count} FROM pg_stat_progress_{what} WHERE datname = '{name}'")
    };
    // All workers write rows.
    wait_for(&waiting, &at_work("copy", "= 4")).await;
    let figures = figures(&route, &name).await;
    // Whatever is not open at every moment is named: what looks after waiters, slots and names.
    wait_until_true("all but two are open at once", async || {
        let open = sessions(&admins[0], &application).await;
        assert!(open.len() <= figures[0], "{}: {open:#?}", figures[0]);
        open.len() + 2 >= figures[0]
    })
    .await;
    let of_rows = sessions(&admins[1], &application).await;
    rows.open().await;
    // Nobody writes rows any more, and workers build, with what they have opened before. How many at once is the
    // schedule's choice.
    wait_for(&waiting, &at_work("copy", "= 0")).await;
    wait_for(&waiting, &at_work("create_index", "> 0")).await;
    let of_indexes = sessions(&admins[1], &application).await;
    indexes.open().await;
    running.finish().expect(0);
    for of_target in [&of_rows, &of_indexes] {
        assert!(
            of_target.len() <= figures[1],
            "{}: {of_target:#?}",
            figures[1]
        );
    }
}

/// The connections for 4 workers that the checks name for each side.
async fn figures(route: &Route, name: &str) -> [usize; 2] {
    for cluster in [&route.source, &route.target] {
        let role = "CREATE ROLE mover LOGIN CREATEDB CREATEROLE CONNECTION LIMIT 4";
        run(&cluster.url("postgres"), role).await;
    }
    let refused = as_mover(route, "init", name, &["--jobs", "4", "--yes"]).run();
    let said = refused.expect(1).all();
    ["source", "target"].map(|side| {
        let of_side = said
            .lines()
            .find(|line| line.contains(&format!("{side}: role mover has")));
        let line = of_side.unwrap_or_else(|| panic!("{side}: {said}"));
        let (before, _) = line.split_once(" for 4 workers").unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn a_comparison_reports_limits_and_continues_with_fewer_workers() {
    let route = &limited(13, 200).await;
    let name = filled(route, "compared").await;
    as_mover(route, "init", &name, &["--jobs", "2", "--yes"])
        .run()
        .expect(0);
    for limit in [4, 3] {
        let role = format!("ALTER ROLE mover CONNECTION LIMIT {limit}");
        run(&route.source.url("postgres"), &role).await;
        let verified = as_mover_verify(route, &name).run().expect(0);
        for part in [
            "free connections; 14 are needed for 12 workers",
            "the run continues with fewer than 12 workers",
        ] {
            let said = &verified.stderr;
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

fn as_mover_verify(route: &Route, name: &str) -> crate::support::command::Program {
    let urls = [&route.source, &route.target].map(|cluster| {
        let url = cluster.url("postgres");
        url_as("mover", &url)
    });
    Route::command_through(&urls, "verify", (&[name], &["--jobs", "12"]))
}
