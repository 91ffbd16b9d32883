//! Copies without the objects that the target refuses, on request.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::route::{Route, shared};
use crate::support::terminal::ENTER;
use crate::support::{database, run, value, wait_for};

/// What the target refuses: an index on a function that is no longer immutable, a unique index with duplicates, a check
/// that rows violate, and a view whose function its version lacks.
const SOURCE: &str = "
    CREATE FUNCTION public.g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION public.even(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
    CREATE TABLE public.t (n int PRIMARY KEY, m int, CONSTRAINT is_even CHECK (public.even(n)));
    INSERT INTO public.t SELECT n, n FROM generate_series(1, 100) n;
    CREATE INDEX by_g ON public.t (public.g(n));
    CREATE UNIQUE INDEX once ON public.t (public.h(n));
    CREATE INDEX plain ON public.t (m);
    COMMENT ON INDEX public.by_g IS 'by g';
    CREATE VIEW public.old AS SELECT pg_is_in_backup() AS busy, n FROM public.t;
    CREATE VIEW public.older AS SELECT n FROM public.old;
    GRANT SELECT ON public.old TO PUBLIC;
    CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) FROM public.t;
    CREATE OR REPLACE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
    CREATE OR REPLACE FUNCTION public.even(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RETURN $1 % 2 = 0; END';
    ALTER FUNCTION public.g(int) VOLATILE;";

/// Indexes, views and whether constraints are valid, in the order of their names.
const OBJECTS: &str = "SELECT string_agg(name, ' ' ORDER BY name COLLATE \"C\") FROM (
    SELECT relname::text AS name FROM pg_class WHERE relkind IN ('i', 'v', 'm') AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT conname || ' ' || convalidated FROM pg_constraint WHERE conname = 'is_even') objects";

/// The file with the refused statements of a database.
fn missing_file(machine: &TempDir, database: &str) -> PathBuf {
    let root = machine.path().join("postgres-seren-replicator");
    let folders = root.read_dir().unwrap();
    let mut files = folders.map(|folder| {
        let name = format!("missing-{database}.sql");
        folder.unwrap().path().join(name)
    });
    files.next().unwrap()
}

#[tokio::test]
async fn refused_objects_are_skipped_on_request_and_everything_else_is_copied() {
    let route = shared([14, 17]);
    let name = route.filled("partial", SOURCE).await;
    route.init(&name, &[]).run().expect(1);

    let machine = tempfile::tempdir().unwrap();
    let flags = ["--skip-failed-objects", "--output", "json"];
    let done = route.init(&name, &flags).state(&machine).run().expect(7);
    let target = route.target.url(&name);
    assert_eq!(
        value(&target, OBJECTS).await,
        "counted is_even false plain t_pkey"
    );
    assert_eq!(value(&target, "SELECT count(*) FROM public.t").await, "100");
    let statistics = "SELECT reltuples FROM pg_class WHERE oid = 'public.t'::regclass";
    assert_eq!(value(&target, statistics).await, "100");

    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["exit_code"], 7);
    assert_eq!(
        report["error"]["message"],
        "7 objects are missing: the target has refused them, or what they depend on"
    );
    let failed = report["databases"][0]["failed_objects"].as_array().unwrap();
    let objects = |is_refused: bool| {
        let list = failed.iter();
        let list = list.filter(|one| one["needs"].is_null() == is_refused);
        let mut names: Vec<_> = list.map(|one| one["object"].as_str().unwrap()).collect();
        names.sort_unstable();
        names.join(", ")
    };
    assert_eq!(
        objects(true),
        "index public.by_g on public.t, index public.once on public.t, validation of constraint is_even on public.t, \
         view public.old"
    );
    assert_eq!(
        objects(false),
        "index public.by_g on public.t, privileges on public.old, view public.older"
    );
    assert!(failed.iter().any(|one| one["sqlstate"] == "23505"));
    let file = missing_file(&machine, &name);
    assert_eq!(
        report["databases"][0]["missing_file"],
        file.to_str().unwrap()
    );
    let statements = std::fs::read_to_string(file).unwrap();
    for text in [
        "-- index public.by_g on public.t\n-- ERROR 42P17: ",
        "CREATE INDEX \"by_g\" ON \"public\".\"t\"",
        "-- ERROR 23505: ",
        "-- next: the copied rows contain duplicates",
        "-- next: copied rows violate the constraint",
        "-- ERROR 42883: function pg_is_in_backup() does not exist",
        "-- view public.older: depends on view public.old",
    ] {
        assert!(statements.contains(text), "{text}: {statements}");
    }
}

#[tokio::test]
async fn the_report_for_people_lists_what_is_missing_and_what_to_do() {
    let route = shared([14, 17]);
    let name = route.filled("listed", SOURCE).await;
    let done = route.init(&name, &["--skip-failed-objects"]).run();
    done.expect(7).assert_prints(&[
        "7 missing objects",
        "refused: view public.old",
        "next: the copied rows contain duplicates: on the target, correct all but one of them or delete them",
        "view public.older: not attempted, needs view public.old",
        "statements: ",
    ]);
}

/// Each of these fails the run, also on request.
const REQUIRED: &[(&str, &str)] = &[
    (
        "policy own on public.t",
        "CREATE TABLE public.t (n int PRIMARY KEY);
         CREATE POLICY own ON public.t USING (NOT pg_is_in_backup());
         ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
         GRANT SELECT ON public.t TO PUBLIC;
         GRANT UPDATE (n) ON public.t TO PUBLIC;",
    ),
    (
        "table public.t",
        "CREATE TABLE public.t (n int PRIMARY KEY, b bool DEFAULT pg_is_in_backup());",
    ),
    (
        "index public.once on public.t",
        "CREATE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
         CREATE TABLE public.t (n int, m int NOT NULL GENERATED ALWAYS AS (public.h(n)) STORED CONSTRAINT once UNIQUE);
         INSERT INTO public.t SELECT generate_series(1, 10);
         CREATE OR REPLACE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';",
    ),
    (
        "index public.by_g on public.u",
        "CREATE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
         CREATE TABLE public.u (n int, m int NOT NULL GENERATED ALWAYS AS (public.h(n)) STORED);
         CREATE UNIQUE INDEX by_g ON public.u (m);
         ALTER TABLE public.u REPLICA IDENTITY USING INDEX by_g;
         INSERT INTO public.u SELECT generate_series(1, 10);
         CREATE OR REPLACE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';",
    ),
];

#[tokio::test]
async fn what_is_required_fails_the_run_even_on_request() {
    let route = shared([14, 17]);
    for (object, statements) in REQUIRED {
        let name = route.filled("required", statements).await;
        let failed = route
            .init(&name, &["--skip-failed-objects"])
            .run()
            .expect(1);
        failed.assert_prints(&[&format!("refused: {object}")]);
    }
}

#[tokio::test]
async fn nothing_is_granted_on_a_table_whose_policy_is_refused() {
    let route = shared([14, 17]);
    let (_, statements) = REQUIRED[0];
    let name = route.filled("granted", statements).await;
    // A database that exists is filled and never dropped.
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    run(&route.target.url("postgres"), &create).await;
    let failed = route
        .init(&name, &["--skip-failed-objects"])
        .run()
        .expect(1);
    failed.assert_prints(&[
        "refused: policy own on public.t",
        "privileges on public.t: not attempted, needs policy own on public.t",
    ]);
    let granted = "SELECT concat_ws(' ', relrowsecurity, relacl::text, attacl::text)
                     FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'n'
                    WHERE pg_class.oid = 'public.t'::regclass";
    assert_eq!(value(&route.target.url(&name), granted).await, "t");
}

/// Removes every cause on the target.
const MEND: &str = "
    ALTER FUNCTION public.g(int) IMMUTABLE;
    CREATE OR REPLACE FUNCTION public.h(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    DELETE FROM public.t WHERE n % 2 = 1;
    CREATE FUNCTION pg_catalog.pg_is_in_backup() RETURNS bool LANGUAGE sql AS 'SELECT false';";

#[tokio::test]
async fn a_repeated_run_creates_only_what_is_missing() {
    let route = shared([14, 17]);
    let name = route.filled("completed", SOURCE).await;
    let machine = tempfile::tempdir().unwrap();
    let first = route.init(&name, &["--skip-failed-objects"]);
    first.state(&machine).run().expect(7);
    let again = || {
        let again = route.init(&name, &["--definitions-only"]);
        again.state(&machine).run()
    };
    again()
        .expect(7)
        .assert_prints(&["7 missing objects", "refused: view public.old"]);

    let target = route.target.url(&name);
    // Somebody has created one of them by hand, and other rows are not touched.
    run(&target, "CREATE INDEX once ON public.t (n, m)").await;
    run(&target, "INSERT INTO public.t VALUES (1000, 1)").await;
    let done = again().expect(7);
    done.assert_prints(&[
        "create 7 missing objects",
        "index public.once on public.t: it exists, and was neither changed nor compared",
        "6 missing objects",
    ]);
    let file = missing_file(&machine, &name);
    let statements = std::fs::read_to_string(&file).unwrap();
    assert!(!statements.contains("once"), "{statements}");

    run(&target, MEND).await;
    again().expect(0);
    assert_eq!(
        value(&target, OBJECTS).await,
        "by_g counted is_even true old older once plain t_pkey"
    );
    let attached = "SELECT obj_description('public.by_g'::regclass) || (relacl::text LIKE '%=r/%')
                      FROM pg_class WHERE oid = 'public.old'::regclass";
    assert_eq!(value(&target, attached).await, "by gtrue");
    assert_eq!(value(&target, "SELECT count(*) FROM public.t").await, "51");
    assert!(!file.exists());
    again()
        .expect(0)
        .assert_prints(&["nothing is missing of it"]);
}

#[tokio::test]
async fn missing_objects_are_created_beside_an_active_subscription() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let source = route.source.url("app");
    let fill = "
        CREATE FUNCTION public.g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
        CREATE TABLE public.t (n int PRIMARY KEY);
        CREATE INDEX by_g ON public.t (public.g(n));
        INSERT INTO public.t SELECT generate_series(1, 10);
        ALTER FUNCTION public.g(int) VOLATILE;";
    run(&source, fill).await;
    let machine = tempfile::tempdir().unwrap();
    let first = route.replicate("app", &["--skip-failed-objects"]);
    first.state(&machine).run().expect(7);
    let conninfo = format!(
        "host={} port={} user=postgres dbname=app",
        value(&source, "SHOW unix_socket_directories").await,
        value(&source, "SHOW port").await
    );
    let slot = value(&source, "SELECT slot_name FROM pg_replication_slots").await;
    let target = route.target.url("app");
    let subscribe = format!(
        "CREATE SUBSCRIPTION follows CONNECTION '{conninfo}' PUBLICATION seren_replication_pub \
         WITH (create_slot = false, slot_name = '{slot}', copy_data = false)"
    );
    run(&target, &subscribe).await;
    let active = "SELECT bool_and(active) FROM pg_replication_slots";
    wait_for(&database(&source).await, active).await;

    run(&target, "ALTER FUNCTION public.g(int) IMMUTABLE").await;
    let again = route.replicate("app", &["--definitions-only"]);
    again.state(&machine).run().expect(0);
    let indexes = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 't'";
    assert_eq!(value(&target, indexes).await, "by_g t_pkey");
    run(&source, "INSERT INTO public.t VALUES (11)").await;
    let arrived = "SELECT count(*) = 11 FROM public.t";
    wait_for(&database(&target).await, arrived).await;
    assert_eq!(
        value(&source, "SELECT bool_and(active) FROM pg_replication_slots").await,
        "t"
    );
}

#[tokio::test]
async fn only_a_recorded_copy_of_the_same_selection_is_completed() {
    let route = shared([14, 17]);
    let name = route.filled("unrecorded", SOURCE).await;
    let machine = tempfile::tempdir().unwrap();
    let again = |more: &[&str]| {
        let again = route.init(&name, &[&["--definitions-only"], more].concat());
        again.state(&machine).run()
    };
    again(&[])
        .expect(1)
        .assert_prints(&["the state directory records no complete copy of it"]);
    let first = route.init(&name, &["--skip-failed-objects"]);
    first.state(&machine).run().expect(7);
    again(&["--no-owner"])
        .expect(1)
        .assert_prints(&["now without owners"]);
    again(&["--drop-existing"]).expect(2);
    assert_eq!(
        value(&route.target.url(&name), OBJECTS).await,
        "counted is_even false plain t_pkey"
    );
}

/// What the target refuses only after the rows.
const LATE: &str = "
    CREATE FUNCTION public.g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE TABLE public.t (n int PRIMARY KEY);
    CREATE INDEX by_g ON public.t (public.g(n));
    INSERT INTO public.t SELECT generate_series(1, 10);
    ALTER FUNCTION public.g(int) VOLATILE;";

const COUNT: &str = "SELECT count(*) FROM public.t";

#[tokio::test]
async fn a_script_keeps_the_copied_database_for_a_repetition_and_fails() {
    let route = shared([17, 17]);
    let name = route.filled("kept", LATE).await;
    let machine = tempfile::tempdir().unwrap();
    let first = route.replicate(&name, &[]).state(&machine).run().expect(1);
    first.assert_prints(&[
        &format!(
            "database {name} was copied and is kept without some objects; their statements are in"
        ),
        "refused: index public.by_g on public.t",
        "--definitions-only",
    ]);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    assert_eq!(value(&target, COUNT).await, "10");
    let slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
    assert_eq!(value(&source, slots).await, "1");

    let repeated = route.replicate(&name, &[]).state(&machine).run().expect(1);
    repeated.assert_prints(&[
        "is not empty",
        "--definitions-only to create what the target had refused",
    ]);
    run(&target, "ALTER FUNCTION public.g(int) IMMUTABLE").await;
    let completed = route.replicate(&name, &["--definitions-only"]);
    completed.state(&machine).run().expect(0);
    let indexes = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 't'";
    assert_eq!(value(&target, indexes).await, "by_g t_pkey");
    let dropped = route.command("teardown", &[&name], &["--yes"]);
    dropped.state(&machine).run().expect(0);
}

#[tokio::test]
async fn a_kept_database_counts_as_finished_when_the_run_is_resumed() {
    let route = Route::of_majors([17, 17]);
    for (name, fill) in [("a", LATE), ("b", "CREATE TABLE public.t AS SELECT 1 AS n")] {
        route.create(name).await;
        run(&route.source.url(name), fill).await;
    }
    let machine = tempfile::tempdir().unwrap();
    let copy = |more: &[&str]| {
        let flags = [&["--yes", "--no-sync"], more].concat();
        let copy = route.command("init", &["a", "b"], &flags);
        copy.state(&machine).run()
    };
    copy(&[]).expect(1);
    let resumed = copy(&[]).expect(7);
    resumed.assert_prints(&[
        "a: kept, finished by the interrupted run without 1 object that the target had refused",
    ]);
    assert_eq!(value(&route.target.url("b"), COUNT).await, "1");
    run(
        &route.target.url("a"),
        "ALTER FUNCTION public.g(int) IMMUTABLE",
    )
    .await;
    copy(&["--definitions-only"]).expect(0);
}

/// Sessions of the program on the source that have a snapshot, a transaction or a lock of a table.
const HELD: &str = "SELECT count(*) FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND (a.state LIKE '%in transaction%'
       OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.granted
                   AND l.relation = 'public.t'::regclass))";

#[tokio::test]
async fn on_a_terminal_the_user_decides_when_the_source_is_released() {
    const KEEP: &str = "Keep the database without them? [Y/n]:";
    let route = shared([17, 17]);
    for (answer, code, copies) in [("n", 1, "0"), ("y", 7, "1"), ("", 7, "1")] {
        let name = route.filled("asked_to_keep", LATE).await;
        let mut asked = route.command("init", &[&name], &[]).on_terminal(120);
        asked.wait_for_last_row("Proceed with replication? [y/N]:");
        asked.press("y");
        asked.press(ENTER);
        asked.wait_for_last_row(KEEP);
        // The server ends a session a little later than the program.
        let released = format!("SELECT ({HELD}) = 0");
        wait_for(&database(&route.source.url(&name)).await, &released).await;
        asked.press(answer);
        asked.press(ENTER);
        let ended = asked.finish().expect(code);
        assert!(ended.has_same_modes);
        let copied = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        assert_eq!(
            value(&route.target.url("postgres"), &copied).await,
            copies,
            "{answer}"
        );
        let slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
        assert_eq!(
            value(&route.source.url(&name), slots).await,
            copies,
            "{answer}"
        );
        route.remove_run(&name).await;
    }
}

#[tokio::test]
async fn the_limit_of_retained_wal_holds_while_the_user_is_asked() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let source = route.source.url("app");
    run(&source, LATE).await;
    let limit = ["--max-retained-wal", "20MB"];
    let mut asked = route.command("init", &["app"], &limit).on_terminal(120);
    asked.wait_for_last_row("Proceed with replication? [y/N]:");
    asked.press("y");
    asked.press(ENTER);
    asked.wait_for_last_row("Keep the database without them? [Y/n]:");
    let write = "CREATE TABLE public.log AS SELECT repeat(md5(n::text), 10) FROM generate_series(1, 100000) n";
    run(&source, write).await;
    let ended = asked.finish().expect(1);
    assert!(ended.shows("raise --max-retained-wal"), "{:#?}", ended.rows);
    assert!(ended.has_same_modes);
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(value(&source, slots).await, "0");
}
