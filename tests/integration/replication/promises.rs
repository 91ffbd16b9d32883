//! Exit 0 means that every slot and every publication of the run exists and can be used, at the end and not
//! only at the beginning.

use std::io::Write as _;

use seren_replicator::connect::Session;
use tokio::sync::Mutex;

use crate::support::command::{Finished, Program, Running};
use crate::support::gate::Gate;
use crate::support::route::{Route, common, older};
use crate::support::{database, run, text, value, wait_for};

const LEFT: &str = "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots \
                    WHERE database = current_database())";

const DROP_SLOT: &str = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
                         WHERE database = current_database()";

async fn is_made(route: &Route, name: &str) -> bool {
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    value(&route.target.url("postgres"), &made).await == "1"
}

/// A database with a property that is set on the target last of all.
async fn with_setting(route: &Route) -> String {
    let name = route.fresh("promise").await;
    let fill = "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1);
                CREATE TABLE public.u (id int PRIMARY KEY);";
    run(&route.source.url(&name), fill).await;
    let set = format!("ALTER DATABASE {name} SET work_mem = '5MB'");
    run(&route.source.url("postgres"), &set).await;
    name
}

/// One test at a time locks a catalog of the whole cluster: two of them could wait for each other.
static CATALOGS: Mutex<()> = Mutex::const_new(());

/// A run that has been confirmed, on a target where nobody may write to this catalog.
async fn behind_catalog(
    route: &Route,
    name: &str,
    (catalog, more): (&str, &[&str]),
) -> (Running, Session) {
    let (running, mut stdin) = route.command("init", &[name], more).start_open();
    // Its checks wait for databases that other runs are about to drop.
    running.wait_for_error("[y/N]");
    let holder = database(&route.target.url("postgres")).await;
    let lock = format!("BEGIN; LOCK TABLE pg_catalog.{catalog} IN SHARE MODE");
    holder.batch(&text(&lock)).await.unwrap();
    stdin.write_all(b"y\n").unwrap();
    (running, holder)
}

async fn wait_for_statement(route: &Route, statement: &str) {
    let waits = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{statement}%'"
    );
    wait_for(&database(&route.target.url("postgres")).await, &waits).await;
}

/// Lets a copy come to its very last statement on the target, does something on the source, and lets it end.
async fn at_the_end(route: &Route, statement: &str) -> (String, Finished) {
    let name = with_setting(route).await;
    let _alone = CATALOGS.lock().await;
    let (running, holder) = behind_catalog(route, &name, ("pg_db_role_setting", &[])).await;
    wait_for_statement(route, &format!("ALTER DATABASE \"{name}\" SET")).await;
    run(&route.source.url(&name), statement).await;
    holder.batch(&text("COMMIT")).await.unwrap();
    (name, running.finish())
}

#[tokio::test]
async fn a_slot_that_is_lost_at_the_very_end_is_no_success() {
    for route in [common(), older()] {
        let (name, failed) = at_the_end(route, DROP_SLOT).await;
        failed
            .expect(1)
            .assert_prints(&["was dropped by somebody else"]);
        assert_eq!(value(&route.source.url(&name), LEFT).await, "0");
        assert!(!is_made(route, &name).await);
    }
}

/// Sets a setting of a cluster, and waits until sessions see it.
async fn configure(admin: &str, name: &str, setting: &str) {
    run(admin, &format!("ALTER SYSTEM SET {name} = '{setting}'")).await;
    run(admin, "SELECT pg_reload_conf()").await;
    let current = format!("SELECT current_setting('{name}')");
    let seen = || {
        let (admin, current) = (admin.to_owned(), current.clone());
        async move { value(&admin, &current).await == setting }
    };
    crate::support::wait_until_true("the setting is loaded", seen).await;
}

#[tokio::test]
async fn a_slot_that_is_invalidated_at_the_very_end_is_no_success() {
    let route = Route::of_majors([18, 18]);
    let name = with_setting(&route).await;
    let admin = route.source.url("postgres");
    let (running, holder) = behind_catalog(&route, &name, ("pg_db_role_setting", &[])).await;
    wait_for_statement(&route, &format!("ALTER DATABASE \"{name}\" SET")).await;
    configure(&admin, "idle_replication_slot_timeout", "1s").await;
    // A run that has noticed has removed the slot already.
    let none_serves =
        "SELECT count(*) FILTER (WHERE invalidation_reason IS NULL) FROM pg_replication_slots";
    let is_invalid = || {
        let admin = admin.clone();
        async move {
            // A checkpoint looks for idle slots.
            run(&admin, "CHECKPOINT").await;
            value(&admin, none_serves).await == "0"
        }
    };
    crate::support::wait_until_true("the slot is invalid", is_invalid).await;
    holder.batch(&text("COMMIT")).await.unwrap();
    let failed = running.finish().expect(1);
    failed.assert_prints(&["replication slot seren_", "idle"]);
    assert_eq!(value(&route.source.url(&name), LEFT).await, "0");
    assert!(!is_made(&route, &name).await);
}

#[tokio::test]
async fn a_slot_that_was_replaced_is_no_success() {
    let again = "SELECT pg_create_logical_replication_slot(slot_name, 'pgoutput') FROM \
        (SELECT slot_name, pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
          WHERE database = current_database() OFFSET 0) s";
    // On shared clusters the new slot would wait for transactions of other tests, and the run would miss the slot first.
    let route = &Route::of_majors([17, 17]);
    let (name, failed) = at_the_end(route, again).await;
    failed
        .expect(1)
        .assert_prints(&["instead of the consistent point"]);
    assert_eq!(value(&route.source.url(&name), LEFT).await, "0");
}

#[tokio::test]
async fn a_publication_that_was_changed_is_no_success() {
    for (statement, reason) in [
        (
            "ALTER PUBLICATION seren_replication_pub DROP TABLE public.t",
            "it lacks 1 table",
        ),
        (
            "ALTER PUBLICATION seren_replication_pub SET (publish = 'insert')",
            "does not send every operation",
        ),
        (
            "CREATE TABLE public.v (id int PRIMARY KEY); ALTER PUBLICATION seren_replication_pub ADD TABLE public.v",
            "it also lists 1 table",
        ),
        ("DROP PUBLICATION seren_replication_pub", "was dropped"),
    ] {
        let (name, failed) = at_the_end(common(), statement).await;
        failed
            .expect(1)
            .assert_prints(&["cannot be followed", reason]);
        assert_eq!(value(&common().source.url(&name), LEFT).await, "0");
    }
}

#[tokio::test]
async fn what_the_application_does_with_its_tables_is_no_failure() {
    let renamed = "ALTER TABLE public.t RENAME TO renamed; DROP TABLE public.u";
    let (name, done) = at_the_end(common(), renamed).await;
    done.expect(0);
    assert_eq!(value(&common().source.url(&name), LEFT).await, "2");
}

/// Two databases, the second of which waits at the gate.
struct Two<'a> {
    route: &'a Route,
    names: [String; 2],
    machine: tempfile::TempDir,
}

impl<'a> Two<'a> {
    async fn new(route: &'a Route, gate: &Gate) -> Self {
        let names = [route.fresh("first").await, route.fresh("second").await];
        let fill = "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1);";
        run(&route.source.url(&names[0]), fill).await;
        let second = gate.function() + fill + "CREATE INDEX ON public.t (public.gate(id));";
        run(&route.source.url(&names[1]), &second).await;
        let machine = tempfile::tempdir().unwrap();
        Self {
            route,
            names,
            machine,
        }
    }

    fn init(&self, more: &[&str]) -> Program {
        let names = self.names.each_ref().map(String::as_str);
        let more = [&["--yes"], more].concat();
        self.route
            .command("init", &names, &more)
            .state(&self.machine)
    }

    async fn started(&self, gate: &Gate, more: &[&str]) -> Running {
        let running = self.init(more).start();
        gate.reached(&self.names[1]).await;
        running
    }

    fn source(&self, database: usize) -> String {
        self.route.source.url(&self.names[database])
    }

    async fn ends_well(&self) {
        self.init(&["--drop-existing"]).run().expect(0);
        for database in 0..2 {
            assert_eq!(value(&self.source(database), LEFT).await, "2");
        }
    }
}

#[tokio::test]
async fn the_slot_of_a_finished_database_is_watched_while_the_next_is_copied() {
    for route in [common(), older()] {
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let two = Two::new(route, &gate).await;
        let running = two.started(&gate, &[]).await;
        run(&two.source(0), DROP_SLOT).await;
        let failed = running.finish().expect(1);
        failed.assert_prints(&["was dropped by somebody else", "cannot be followed"]);
        for database in 0..2 {
            assert_eq!(value(&two.source(database), LEFT).await, "0");
        }
        gate.open().await;
        let refused = two.init(&[]).run().expect(1);
        refused.assert_prints(&["its changes since then are lost", "--drop-existing"]);
        two.ends_well().await;
    }
}

#[tokio::test]
async fn slots_of_finished_databases_go_with_a_run_that_retains_too_much() {
    let route = Route::of_majors([17, 17]);
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let two = Two::new(&route, &gate).await;
    let limit = ["--max-retained-wal", "20MB"];
    let running = two.started(&gate, &limit).await;
    let door = route.source.url("postgres");
    let write = "CREATE TABLE public.log AS SELECT repeat(md5(n::text), 10) FROM generate_series(1, 100000) n";
    run(&door, write).await;
    running
        .finish()
        .expect(1)
        .assert_prints(&["more than the limit of"]);
    let left = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(value(&door, left).await, "0");
    // A repetition that keeps the first database keeps its slot only within the limit.
    let two = Two::new(&route, &gate).await;
    let running = two.started(&gate, &[]).await;
    running.signal("KILL");
    running.finish().expect(137);
    run(&door, &write.replace("public.log", "public.more")).await;
    two.init(&limit)
        .run()
        .expect(1)
        .assert_prints(&["more than the limit of"]);
    assert_eq!(value(&two.source(0), LEFT).await, "0");
}

#[tokio::test]
async fn a_repetition_looks_at_what_it_keeps() {
    for (statement, reason) in [
        (DROP_SLOT, "was dropped by somebody else"),
        (
            "ALTER PUBLICATION seren_replication_pub DROP TABLE public.t",
            "it lacks 1 table",
        ),
    ] {
        let route = common();
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let two = Two::new(route, &gate).await;
        let running = two.started(&gate, &[]).await;
        running.signal("KILL");
        running.finish().expect(137);
        gate.open().await;
        run(&two.source(0), statement).await;
        let refused = two.init(&[]).run().expect(1);
        refused.assert_prints(&["its changes since then are lost", reason]);
        two.ends_well().await;
    }
}

#[tokio::test]
async fn a_repetition_turns_the_slots_that_it_keeps_into_failover_slots() {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let two = Two::new(route, &gate).await;
    let running = two.started(&gate, &[]).await;
    running.signal("KILL");
    running.finish().expect(137);
    gate.open().await;
    let repeated = two.init(&["--failover-slot"]).run().expect(0);
    repeated.assert_prints(&["is turned into a failover slot"]);
    let slots = "SELECT count(*) FROM pg_replication_slots WHERE failover AND database = current_database()";
    for database in 0..2 {
        assert_eq!(value(&two.source(database), slots).await, "1");
    }
}

#[tokio::test]
async fn a_database_counts_as_finished_only_after_its_publication_is_complete() {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let two = Two::new(route, &gate).await;
    let running = two.started(&gate, &[]).await;
    let source = two.source(1);
    let holder = database(&source).await;
    let lock = "BEGIN; LOCK TABLE pg_catalog.pg_description IN SHARE MODE";
    holder.batch(&text(lock)).await.unwrap();
    gate.open().await;
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database() AND query LIKE 'COMMENT ON PUBLICATION%'";
    wait_for(&database(&source).await, waits).await;
    running.signal("KILL");
    running.finish().expect(137);
    holder.batch(&text("COMMIT")).await.unwrap();
    let quiet = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() \
                   AND query LIKE 'COMMENT ON PUBLICATION%' AND pid <> pg_backend_pid()";
    wait_for(&database(&source).await, quiet).await;
    let again = two.init(&[]).run().expect(0);
    let kept = format!("{}: keep", two.names[1]);
    assert!(!again.all().contains(&kept), "{}", again.all());
    let complete =
        "SELECT obj_description(oid, 'pg_publication')::json ->> 'complete' FROM pg_publication";
    assert_eq!(value(&source, complete).await, "true");
}

/// Lets a run create its publications, creates a table, and lets the run continue to the consistent point.
async fn created_late(route: &Route, table: &str, more: &[&str]) -> (String, Finished) {
    let name = route.fresh("late").await;
    let source = route.source.url(&name);
    run(&source, "CREATE TABLE public.t (id int PRIMARY KEY)").await;
    let _alone = CATALOGS.lock().await;
    let (running, holder) = behind_catalog(route, &name, ("pg_database", more)).await;
    wait_for_statement(route, &format!("CREATE DATABASE \"{name}\"")).await;
    run(&source, table).await;
    holder.batch(&text("COMMIT")).await.unwrap();
    (name, running.finish())
}

#[tokio::test]
async fn a_table_created_after_the_publication_is_published_too() {
    let table = "CREATE TABLE public.late (id int PRIMARY KEY); INSERT INTO public.late VALUES (1); \
                 DROP TABLE public.t";
    for route in [common(), older()] {
        let (name, done) = created_late(route, table, &[]).await;
        done.expect(0);
        let source = route.source.url(&name);
        let published = "SELECT string_agg(tablename, ',') FROM pg_publication_tables";
        assert_eq!(value(&source, published).await, "late");
        let rows = value(&route.target.url(&name), "SELECT count(*) FROM public.late").await;
        assert_eq!(rows, "1");
        // The slot decodes it from its consistent point on.
        run(&source, "INSERT INTO public.late VALUES (2)").await;
        let changes = "SELECT count(*) FROM pg_replication_slots s, LATERAL \
            pg_logical_slot_peek_binary_changes(s.slot_name, NULL, NULL, 'proto_version', '1', \
              'publication_names', 'seren_replication_pub') c \
            WHERE s.database = current_database() AND get_byte(c.data, 0) = ascii('I')";
        assert_eq!(value(&source, changes).await, "1");
    }
}

#[tokio::test]
async fn a_table_created_after_the_publication_without_an_identity_ends_the_run() {
    let route = common();
    let bare = "CREATE TABLE public.bare (n int)";
    let (name, failed) = created_late(route, bare, &[]).await;
    let reason = "table public.bare has no primary key and no other replica identity";
    failed
        .expect(1)
        .assert_prints(&[reason, "--replica-identity-full"]);
    let source = route.source.url(&name);
    assert_eq!(value(&source, LEFT).await, "0");
    let full = ["--replica-identity-full"];
    let (name, done) = created_late(route, bare, &full).await;
    done.expect(0);
    let identity = "SELECT relreplident FROM pg_class WHERE relname = 'bare'";
    assert_eq!(value(&route.source.url(&name), identity).await, "f");
    assert_eq!(value(&route.target.url(&name), identity).await, "d");
    route.remove_run(&name).await;
    assert_eq!(value(&route.source.url(&name), identity).await, "d");
}

#[tokio::test]
async fn a_source_that_gives_up_idle_slots_is_refused() {
    let route = Route::of_majors([18, 18]);
    let name = route.fresh("idle").await;
    let admin = route.source.url("postgres");
    configure(&admin, "idle_replication_slot_timeout", "1h").await;
    for command in [&["validate"][..], &["init", "--yes"]] {
        let refused = route.command(command[0], &[&name], &command[1..]);
        let refused = refused.run().expect(1);
        refused.assert_prints(&[
                "idle_replication_slot_timeout is 1h",
                "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_catalog.pg_reload_conf();",
            ],
        );
    }
    route.init(&name, &[]).run().expect(0);
}
