//! Making definitions: what is refused takes down what needs it, and nothing else.

use seren_replicator::catalog::load::reading::Reading;
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::catalog::{self, Catalog};
use seren_replicator::connect::Purpose;
use seren_replicator::ddl::{Options, render_script};
use seren_replicator::event::Phase;
use seren_replicator::pg::{Sql, SqlState};
use seren_replicator::sandbox::Cluster;
use seren_replicator::snapshot::{
    BuildTarget, Error, Evaluation, Refused, Section, Tables, run_section,
};
use seren_replicator::task::Scope;

use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::{database, endpoint, fresh_database, run, text, value};

/// The server keeps objects that depend on a function when it becomes volatile, but does not let them be created again.
const VOLATILE: &str = "
    CREATE FUNCTION public.g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE TABLE public.bad (n int, m int GENERATED ALWAYS AS (public.g(n)) STORED);
    CREATE TABLE public.worse (n int, m int GENERATED ALWAYS AS (public.g(n)) STORED);
    CREATE TABLE public.good (n int PRIMARY KEY);
    CREATE VIEW public.v AS SELECT m FROM public.bad;
    CREATE VIEW public.w AS SELECT m FROM public.v;
    CREATE VIEW public.x AS SELECT n FROM public.good;
    ALTER FUNCTION public.g(int) VOLATILE;";

/// Runs both sections as far as the first goes.
async fn make(source: &str, target: &str, jobs: usize) -> Result<(), Error> {
    let (reader, writer) = (database(source).await, database(target).await);
    let catalog = catalog::load_catalog(&reader).await.unwrap();
    let roles = load_roles(&writer).await.unwrap().roles.into_keys();
    let options = Options::everything(writer.version(), roles.collect());
    let script = render_script(&catalog, &options).unwrap();
    for (phase, statements) in [
        (Phase::PreData, script.pre_data),
        (Phase::PostData, script.post_data),
    ] {
        let target = endpoint(target);
        let section = Section::new(statements, &script.steps, &Tables::default());
        let site = BuildTarget {
            database: target.database().to_owned(),
            target,
            phase,
            evaluation: Evaluation::default(),
        };
        run_section(&site, section, jobs, &Scope::detached()).await?;
    }
    Ok(())
}

fn refused(done: Result<(), Error>) -> Refused {
    match done {
        Err(Error::Refused(refused)) => *refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_needs_a_refused_table_is_not_attempted_and_the_rest_is_made() {
    let source = fresh_database(17, "refused").await;
    run(&source, VOLATILE).await;
    for jobs in [1, 4] {
        let target = fresh_database(17, "refused").await;
        let Refused { refusals, skipped } = refused(make(&source, &target, jobs).await);
        let objects: Vec<_> = refusals.iter().map(|one| one.object.as_str()).collect();
        assert_eq!(objects, ["table public.bad", "table public.worse"]);
        for refusal in &refusals {
            assert_eq!(refusal.answer().unwrap().code.as_str(), "42P17");
            assert!(
                refusal
                    .statement
                    .as_ref()
                    .unwrap()
                    .starts_with("CREATE TABLE")
            );
        }
        let skipped: Vec<_> = skipped
            .iter()
            .map(|one| format!("{} for {}", one.object, one.cause))
            .collect();
        assert_eq!(
            skipped,
            [
                "view public.v for table public.bad",
                "view public.w for table public.bad"
            ]
        );
        let made = "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        assert_eq!(value(&target, made).await, "good,x");
    }
}

#[tokio::test]
async fn a_refused_index_does_not_keep_other_indexes_of_its_table_away() {
    let source = fresh_database(17, "refused").await;
    run(
        &source,
        "CREATE FUNCTION public.g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
         CREATE TABLE public.t (n int PRIMARY KEY, above int REFERENCES public.t, CHECK (n > 0));
         CREATE INDEX a ON public.t (above);
         CREATE INDEX b ON public.t (public.g(n));
         CREATE INDEX c ON public.t (above, n);
         COMMENT ON INDEX public.b IS 'not there';
         COMMENT ON INDEX public.c IS 'there';
         ALTER FUNCTION public.g(int) VOLATILE;",
    )
    .await;
    let target = fresh_database(17, "refused").await;
    let Refused { refusals, skipped } = refused(make(&source, &target, 3).await);
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!(refusals[0].object, "index public.b on public.t");
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    let made = "SELECT string_agg(indexname, ',' ORDER BY indexname) FROM pg_indexes WHERE tablename = 't'";
    assert_eq!(value(&target, made).await, "a,c,t_pkey");
    let comment = "SELECT obj_description('public.c'::regclass)";
    assert_eq!(value(&target, comment).await, "there");
}

#[tokio::test]
async fn refused_definitions_end_a_copy_before_its_rows_with_all_of_them_told() {
    let route = common();
    let name = route.fresh("refused").await;
    run(&route.source.url(&name), VOLATILE).await;
    let failed = route.init(&name, &["--output", "json"]).run().expect(1);
    let report: serde_json::Value = serde_json::from_str(&failed.stdout).unwrap();
    let error = &report["error"];
    assert_eq!(error["refused"].as_array().unwrap().len(), 2);
    assert_eq!(error["refused"][1]["object"], "table public.worse");
    assert_eq!(error["refused"][1]["sqlstate"], "42P17");
    assert_eq!(error["not_attempted"][0]["object"], "view public.v");
    assert_eq!(error["not_attempted"][0]["needs"], "table public.bad");
    for told in [
        "table public.bad",
        "table public.worse",
        "view public.w: not attempted, needs table public.bad",
        "42P17",
        "was removed",
    ] {
        assert!(failed.stderr.contains(told), "{told}: {}", failed.stderr);
    }
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &there).await, "0");
}

#[tokio::test]
async fn many_definitions_arrive_whole_on_several_sessions() {
    let source = fresh_database(17, "many").await;
    let fill = "DO $$ BEGIN
      FOR i IN 1..150 LOOP
        EXECUTE format('CREATE TABLE public.t%s (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, near int, s serial, CHECK (near > 0))', i);
        EXECUTE format('CREATE INDEX ON public.t%s (near)', i);
        EXECUTE format('CREATE VIEW public.v%s AS SELECT a.id FROM public.t%s a JOIN public.t%s b USING (id)', i, i, greatest(i - 1, 1));
        EXECUTE format('COMMENT ON TABLE public.t%s IS %L', i, 'c');
      END LOOP;
      FOR i IN 1..150 LOOP
        EXECUTE format('ALTER TABLE public.t%s ADD FOREIGN KEY (near) REFERENCES public.t%s', i, i % 150 + 1);
      END LOOP;
    END $$";
    run(&source, fill).await;
    for jobs in [1, 4] {
        let target = fresh_database(17, "many").await;
        make(&source, &target, jobs).await.unwrap();
        let (source, target) = (source.clone(), target.clone());
        let diff = tokio::task::spawn_blocking(move || oracle::schema_diff(&source, &target));
        assert_eq!(diff.await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn schema_only_brings_every_definition_and_no_row() {
    let route = common();
    let name = route.fresh("schema").await;
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    let fill = "CREATE TABLE public.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, above int REFERENCES public.t);
                INSERT INTO public.t (above) VALUES (NULL), (1), (2);
                CREATE SEQUENCE public.numbers;
                SELECT nextval('public.numbers'), nextval('public.numbers');
                CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.t;
                CREATE INDEX ON public.m (id);
                COMMENT ON TABLE public.t IS 'c';
                SELECT lo_create(0);";
    run(&source, fill).await;
    let done = route.init(&name, &["--schema-only"]).run().expect(0);
    assert!(!done.all().contains("slot"), "{}", done.all());
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    for (question, answer) in [
        ("SELECT count(*) FROM public.t", "0"),
        ("SELECT is_called FROM public.numbers", "f"),
        (
            "SELECT relispopulated FROM pg_class WHERE relname = 'm'",
            "f",
        ),
        ("SELECT count(*) FROM pg_largeobject_metadata", "0"),
    ] {
        assert_eq!(value(&target, question).await, answer, "{question}");
    }
}

#[tokio::test]
async fn a_dry_run_prints_what_psql_can_run_and_touches_nothing() {
    let route = Route::of_majors([17, 17]);
    let name = "it's \"dry\"";
    route.create(name).await;
    let source = route.source.url(name);
    let fill = "CREATE ROLE dry_owner LOGIN PASSWORD 'canary';
                CREATE TABLE public.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, above int REFERENCES public.t);
                ALTER TABLE public.t OWNER TO dry_owner;
                CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; -- done;
                END $$;
                CREATE VIEW public.v AS SELECT id FROM public.t WHERE id = public.f();
                COMMENT ON VIEW public.v IS E'two\\nlines';
                GRANT SELECT ON public.v TO PUBLIC;
                CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.v;
                CREATE VIEW public.nulls AS SELECT id = NULL AS same, '{NULL}'::text[] AS list FROM public.t;";
    run(&source, fill).await;
    let admin = route.target.url("postgres");
    let count = "SELECT (SELECT count(*) FROM pg_database) + (SELECT count(*) FROM pg_authid)";
    let before = value(&admin, count).await;
    let printed = route
        .command("init", &[name], &["--dry-run", "--no-sync"])
        .run()
        .expect(0);
    assert!(
        printed.stderr.contains("create, 1 table"),
        "{}",
        printed.stderr
    );
    assert!(!printed.all().contains("canary") && !printed.all().contains("SCRAM"));
    assert_eq!(value(&admin, count).await, before);
    let sections: Vec<_> = printed
        .stdout
        .lines()
        .filter(|line| line.starts_with("-- roles") || line.starts_with("-- database "))
        .map(|line| line.rsplit(": ").next().unwrap())
        .collect();
    assert_eq!(sections.len(), 6, "{sections:?}");
    assert_eq!(sections[2..], ["pre-data", "data", "post-data", "settings"]);
    let (script, next) = printed.stdout.rsplit_once("-- next: ").unwrap();
    assert!(
        next.starts_with("postgres-seren-replicator init "),
        "{next}"
    );
    let script = script.to_owned();
    // psql runs it under what a role or a database of the target sets.
    let strange = "ALTER ROLE postgres SET transform_null_equals = on; ALTER ROLE postgres SET array_nulls = off;
                   ALTER ROLE postgres SET default_tablespace = 'pg_global'";
    run(&admin, strange).await;
    let flags = ["--no-sync", "--dry-run", "--output", "json"];
    let json = route.command("init", &[name], &flags).run().expect(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["script"], script);
    let target = route.target.url(name);
    tokio::task::spawn_blocking(move || {
        oracle::psql(&admin, &script);
        assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    })
    .await
    .unwrap();
}

/// Clusters whose lock tables hold a few hundred locks, and a database of more tables.
async fn cramped(tables: u32) -> Route {
    let small = |major| {
        Cluster::builder(major)
            .with_setting("max_locks_per_transaction", "10")
            // Each possible sender has its share of the lock table.
            .with_setting("max_wal_senders", "10")
            .with_setting("max_connections", "20")
    };
    let route = Route::start([small(17), small(17)]);
    route.create("cramped").await;
    for begin in (1..=tables).step_by(100) {
        let fill = format!(
            "DO $$ BEGIN FOR i IN {begin}..{} LOOP
               EXECUTE format('CREATE TABLE public.t%s (id int PRIMARY KEY)', i);
               EXECUTE format('INSERT INTO public.t%s VALUES (%s)', i, i);
             END LOOP; END $$",
            (begin + 99).min(tables)
        );
        run(&route.source.url("cramped"), &fill).await;
    }
    route
}

/// Everything whose printing locks what it reads, on each of so many tables.
async fn add_readers(url: &str, tables: u32) {
    for begin in (1..=tables).step_by(50) {
        let fill = format!(
            "DO $$ BEGIN FOR i IN {begin}..{} LOOP
               EXECUTE format('CREATE VIEW public.v%1$s AS SELECT id FROM public.t%1$s', i);
               EXECUTE format('CREATE RULE r AS ON INSERT TO public.t%1$s DO ALSO
                               DELETE FROM public.t%1$s WHERE id < 0', i);
               EXECUTE format('CREATE POLICY p ON public.t%1$s
                               USING (EXISTS (SELECT FROM public.t%1$s o WHERE o.id > 0))', i);
               EXECUTE format('CREATE FUNCTION public.f%1$s() RETURNS bigint
                               BEGIN ATOMIC SELECT count(*) FROM public.t%1$s; END', i);
             END LOOP; END $$",
            (begin + 49).min(tables)
        );
        run(url, &fill).await;
    }
}

#[tokio::test]
async fn more_tables_than_locks_are_copied_without_locks_and_whole() {
    let route = cramped(2500).await;
    let source = route.source.url("cramped");
    add_readers(&source, 2500).await;
    // It takes more locks than there are, so the test is about what it says.
    let session = database(&source).await;
    let all = "SELECT count(pg_get_viewdef(oid)) FROM pg_class WHERE relkind = 'v'";
    let refused = session.batch(&text(all)).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some(SqlState::OUT_OF_MEMORY));
    // A server sends an error before it releases the locks. At the next answer they are released.
    session.batch(&text("SELECT 1")).await.unwrap();

    let done = route.init("cramped", &[]).run().expect(0);
    assert!(
        done.stderr.contains("max_locks_per_transaction"),
        "{}",
        done.stderr
    );
    let target = route.target.url("cramped");
    let count =
        "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace) || ' '
        || (SELECT count(*) FROM pg_rewrite WHERE rulename = 'r') || ' '
        || (SELECT count(*) FROM pg_policy) || ' '
        || (SELECT count(*) FROM pg_proc WHERE prosqlbody IS NOT NULL AND proname ~ '^f[0-9]+$')";
    assert_eq!(value(&target, count).await, "7500 2500 2500 2500");
    route.command("verify", &["cramped"], &[]).run().expect(0);
    route
        .command(
            "init",
            &["cramped"],
            &["--dry-run", "--drop-existing", "--no-sync"],
        )
        .run()
        .expect(0);
}

#[tokio::test]
async fn a_table_that_is_emptied_while_none_is_locked_is_named() {
    let route = cramped(2500).await;
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let slow = gate.function()
        + "CREATE TABLE public.gated (n int, filler text, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
           INSERT INTO public.gated SELECT n, repeat('x', 1000) FROM generate_series(1, 3000) n;";
    let source = route.source.url("cramped");
    run(&source, &slow).await;
    let running = route.init("cramped", &["--jobs", "1"]).start();
    gate.reached("cramped").await;
    run(&source, "TRUNCATE public.t77").await;
    gate.open().await;
    let failed = running.finish().expect(1);
    assert!(
        failed
            .stderr
            .contains("copy table public.t77: it was rewritten or altered"),
        "{}",
        failed.stderr
    );
}

/// The same by one session, of another name.
async fn alone(url: &str) -> Catalog {
    let session = endpoint(url).session(Purpose::Introspect).await.unwrap();
    let begin = Sql::fixed("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    session.batch(&begin).await.unwrap();
    catalog::load_catalog(&session).await.unwrap()
}

#[tokio::test]
async fn a_catalog_is_read_by_few_statements_however_much_it_holds() {
    let cluster = Cluster::builder(17)
        .with_setting("log_statement", "all")
        .with_setting("log_line_prefix", "%a|")
        .start()
        .unwrap();
    let mut counts = Vec::new();
    for tables in [1, 60] {
        let fill = format!(
            "DO $$ BEGIN FOR i IN 1..{tables} LOOP
               EXECUTE format('CREATE TABLE public.t%s_{tables} (id serial PRIMARY KEY, above int REFERENCES public.t%s_{tables})', i, i);
               EXECUTE format('CREATE VIEW public.v%s_{tables} AS SELECT id FROM public.t%s_{tables}', i, i);
             END LOOP; END $$"
        );
        run(&cluster.url("postgres"), &fill).await;
        let name = format!("reader{tables}");
        let reader = endpoint(&cluster.url("postgres")).with_application_name(&name);
        let alone = alone(&cluster.url("postgres")).await;
        let reading = Reading::begin(&reader, alone.version).await.unwrap();
        assert!(reading.load().await.unwrap() == alone);
        let log = cluster.read_log();
        let own = format!("{name}|");
        let statements = log.lines().filter(|line| line.starts_with(&own));
        counts.push(statements.map(str::to_owned).collect::<Vec<_>>());
    }
    // Two begin, and two prepare their session; eight set and return to savepoints, so that the locks of one query are
    // given back before the next.
    assert_eq!(counts[0].len(), counts[1].len());
    assert!((10..=48).contains(&counts[0].len()), "{:#?}", counts[0]);
}
