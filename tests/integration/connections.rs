//! Limits of connections: the checks report them with both numbers, and a run that meets them goes on with
//! fewer workers.

use std::sync::OnceLock;

use tokio::sync::{Mutex, MutexGuard};

use crate::support::route::Route;
use crate::support::{fresh_name, run};

/// Clusters whose role `mover` is limited, for one test at a time.
async fn limited(source: i32, target: i32) -> (MutexGuard<'static, ()>, &'static Route) {
    static TURN: Mutex<()> = Mutex::const_new(());
    static ROUTE: OnceLock<Route> = OnceLock::new();
    let turn = TURN.lock().await;
    let is_new = ROUTE.get().is_none();
    let route = ROUTE.get_or_init(|| Route::of_majors([13, 17]));
    for (cluster, limit) in [(&route.source, source), (&route.target, target)] {
        let verb = if is_new { "CREATE" } else { "ALTER" };
        let role = format!("{verb} ROLE mover LOGIN CREATEDB CREATEROLE CONNECTION LIMIT {limit}");
        run(&cluster.url("postgres"), &role).await;
    }
    (turn, route)
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
        url.replacen("postgres@", "mover@", 1)
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
    let (_turn, route) = limited(4, 200).await;
    let name = filled(route, "few").await;
    let refused = as_mover(route, "validate", &name, &[]).run().expect(1);
    let said = refused.all();
    assert!(
        said.contains("role mover has 4 free connections; at least 8 are needed"),
        "{said}"
    );
    let limit = format!("ALTER DATABASE \"{name}\" CONNECTION LIMIT 3");
    run(&route.source.url("postgres"), &limit).await;
    let refused = as_mover(route, "init", &name, &["--jobs", "4", "--yes"])
        .run()
        .expect(1);
    let said = refused.all();
    let finding = format!(
        "database {name} has 3 free connections; at least 8 are needed, and 11 for 4 workers"
    );
    assert!(said.contains(&finding), "{said}");
}

#[tokio::test]
async fn fewer_connections_make_fewer_workers() {
    let (_turn, route) = limited(11, 7).await;
    let name = filled(route, "fewer").await;
    let copied = as_mover(route, "init", &name, &["--jobs", "12", "--yes"])
        .run()
        .expect(0);
    let said = &copied.stderr;
    assert!(
        said.contains("role mover has 11 free connections; 19 are needed for 12 workers"),
        "{said}"
    );
    assert!(
        said.contains("continuing with fewer than the 12 workers"),
        "{said}"
    );
    let verified = as_mover_verify(route, &name);
    verified.run().expect(0);
}

fn as_mover_verify(route: &Route, name: &str) -> crate::support::command::Program {
    let urls = [&route.source, &route.target].map(|cluster| {
        let url = cluster.url("postgres");
        url.replacen("postgres@", "mover@", 1)
    });
    Route::command_through(&urls, "verify", (&[name], &["--jobs", "12"]))
}
