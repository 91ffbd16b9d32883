//! Lock queues: DDL that conflicts with our locks gets its lock, our readers do not wait behind DDL, and our own waits
//! are limited and reported with the blocker.

use std::io::Write as _;

use seren_replicator::connect::Session;
use seren_replicator::task::Background;

use crate::support::application::Application;
use crate::support::cut::{Break, Fault, Way};
use crate::support::distance::Distance;
use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::others::{
    begin, commit, in_background, old_transaction, roll_back, slot_waits, waiters,
    with_prepared_transactions,
};
use crate::support::route::{RUN, Route};
use crate::support::{database, run, value, wait_for, wait_until};

/// Two tables that one lane copies one after the other; the first is held at the gate.
const TWO_TABLES: &str = "
    CREATE TABLE public.gated (n int PRIMARY KEY, filler text, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
    CREATE TABLE public.wanted (n int PRIMARY KEY, filler text);
    ALTER TABLE public.gated ALTER filler SET STORAGE PLAIN;
    ALTER TABLE public.wanted ALTER filler SET STORAGE PLAIN;
    INSERT INTO public.gated SELECT n, repeat('x', 1000) FROM generate_series(1, 700) n;
    INSERT INTO public.wanted SELECT n, repeat('y', 1000) FROM generate_series(1, 400) n;
    ANALYZE;";

/// A copy whose first table is held, while `wanted` waits for the same lane.
async fn held(route: &Route, more: &[&str]) -> (String, Gate, crate::support::command::Running) {
    let name = route.fresh("queue").await;
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let fill = gate.function() + TWO_TABLES;
    run(&route.source.url(&name), &fill).await;
    let more = [&["--jobs", "1"], more].concat();
    let running = route.replicate(&name, &more).start();
    gate.reached(&name).await;
    (name, gate, running)
}

async fn nothing_left(route: &Route, name: &str) {
    let url = route.source.url(name);
    let left =
        "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots
                         WHERE database = current_database())";
    assert_eq!(value(&url, left).await, "0");
}

fn equal(route: &Route, name: &str) {
    let (source, target) = (route.source.url(name), route.target.url(name));
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
}

/// A reader that came after the DDL, which waits behind it.
fn reader(url: &str) -> Background {
    in_background(url, "SELECT count(*) FROM public.wanted")
}

#[tokio::test(flavor = "multi_thread")]
async fn ddl_that_waits_for_the_copy_ends_it_and_is_named() {
    let route = &with_prepared_transactions();
    let (name, gate, running) = held(route, &["--ddl-restarts", "0"]).await;
    let url = route.source.url(&name);
    let truncate = in_background(&url, "TRUNCATE public.wanted");
    let select = reader(&url);
    // The gate stays shut: only the end of the copy lets them through.
    truncate.join().await;
    select.join().await;
    let ended = running.finish().expect(1);
    for part in [
        "waits for a lock on public.wanted",
        "(TRUNCATE public.wanted)",
        "pid ",
        "--keep-locks",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    nothing_left(route, &name).await;
    drop(gate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_copy_begins_again_after_the_ddl() {
    let route = &with_prepared_transactions();
    let (name, gate, running) = held(route, &[]).await;
    let url = route.source.url(&name);
    let change = "TRUNCATE public.wanted; INSERT INTO public.wanted VALUES (1, 'new')";
    let change = in_background(&url, change);
    running.wait_for_error("the copy restarts");
    change.join().await;
    gate.open().await;
    let done = running.finish().expect(0);
    assert!(
        done.stderr.contains("ends the copy"),
        "the plan says so beforehand: {}",
        done.stderr
    );
    equal(route, &name);
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_locks_let_ddl_wait_and_readers_pass_it() {
    let route = &with_prepared_transactions();
    let (name, gate, running) = held(route, &["--keep-locks"]).await;
    let url = route.source.url(&name);
    let change = in_background(&url, "TRUNCATE public.wanted");
    running.wait_for_error("waits for a lock on public.wanted");
    waiters(&url, 1).await;
    // The lane now reads the table that the DDL waits for.
    gate.open().await;
    running.finish().expect(0);
    change.join().await;
    let target = route.target.url(&name);
    let rows = "SELECT count(*) FROM public.wanted";
    assert_eq!(value(&target, rows).await, "400");
    assert_eq!(value(&url, rows).await, "0");
}

/// Two readers of the checks lock what a view and a policy read; the other one would queue behind the DDL.
#[tokio::test(flavor = "multi_thread")]
async fn the_checks_come_through_beside_ddl() {
    let route = &with_prepared_transactions();
    let name = route.fresh("checks").await;
    let url = route.source.url(&name);
    let definitions = (0..30).map(|number| {
        format!(
            "CREATE VIEW public.v{number} AS SELECT n, m FROM public.t WHERE n > {number};
             CREATE POLICY p{number} ON public.t USING (EXISTS (SELECT FROM public.t x WHERE x.n > {number}));"
        )
    });
    let table = "CREATE TABLE public.t (n int PRIMARY KEY, m int);".to_owned();
    let fill: String = std::iter::once(table).chain(definitions).collect();
    run(&url, &fill).await;
    let application = Application::start(
        &url,
        &["ALTER TABLE public.t ADD x int; ALTER TABLE public.t DROP x"],
    );
    for _ in 0..3 {
        route.command("validate", &[&name], &[]).run().expect(0);
    }
    assert!(application.end().await > 0);
}

async fn prepare(url: &str, gid: &str, sql: &str) {
    run(url, &format!("BEGIN; {sql}; PREPARE TRANSACTION '{gid}'")).await;
}

/// A lock without a session, which nobody would find by process ids.
#[tokio::test]
async fn a_lock_of_a_prepared_transaction_is_named_and_the_wait_limited() {
    let route = &with_prepared_transactions();
    let name = route.fresh("prepared").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.t (n int PRIMARY KEY)").await;
    prepare(
        &url,
        "order 1",
        "LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE",
    )
    .await;
    let refused = route.command("validate", &[&name], &["--max-lock-wait", "1"]);
    let refused = refused.run().expect(1);
    let named =
        "prepared transaction 'order 1' of role postgres holds AccessExclusiveLock on public.t";
    assert!(refused.all().contains(named), "{}", refused.all());
    run(&url, "ROLLBACK PREPARED 'order 1'").await;
}

#[tokio::test]
async fn a_slot_that_waits_for_a_prepared_transaction_ends_and_leaves_nothing() {
    let route = &with_prepared_transactions();
    let name = route.fresh("prepared").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.t (n int PRIMARY KEY)").await;
    prepare(&url, "order 2", "INSERT INTO public.t VALUES (1)").await;
    let ended = route.replicate(&name, &["--max-lock-wait", "1"]).run();
    run(&url, "ROLLBACK PREPARED 'order 2'").await;
    let ended = ended.expect(1);
    let warned = "a prepared transaction holds up the slot: order 2 of role postgres";
    assert!(ended.stderr.contains(warned), "{}", ended.stderr);
    let named =
        "waited 1 s for older transactions (prepared transaction 'order 2' of role postgres";
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
    nothing_left(route, &name).await;
}

/// Publishing takes locks that an index build excludes.
#[tokio::test(flavor = "multi_thread")]
async fn publishing_waits_without_locks_and_names_who_is_in_the_way() {
    let route = &with_prepared_transactions();
    let name = route.fresh("publishing").await;
    let url = route.source.url(&name);
    run(
        &url,
        "CREATE TABLE public.a (n int PRIMARY KEY); CREATE TABLE public.b (n int PRIMARY KEY)",
    )
    .await;
    let other = begin(&url, "LOCK TABLE public.b IN SHARE UPDATE EXCLUSIVE MODE").await;
    let ended = route
        .replicate(&name, &["--max-lock-wait", "1"])
        .run()
        .expect(1);
    let named = "holds ShareUpdateExclusiveLock on public.b";
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
    nothing_left(route, &name).await;
    let running = route.replicate(&name, &["--output", "json"]).start();
    let publication = database(&url).await;
    wait_for(&publication, "SELECT count(*) = 1 FROM pg_publication").await;
    // As an event, which every form of output shows.
    running.wait_for_error("waiting for locks on tables of the publication for");
    running.wait_for_error(named);
    // What needs the other table, which would be locked by the same statement, is not held up.
    run(&url, "TRUNCATE public.a").await;
    commit(other).await;
    running.finish().expect(0);
    equal(route, &name);
}

/// An error that does not go away is reported as what it most often means.
#[tokio::test]
async fn definitions_that_are_gone_when_they_are_printed_are_read_again_and_named() {
    let route = &with_prepared_transactions();
    let name = route.fresh("gone").await;
    let url = route.source.url(&name);
    let fill = "CREATE TABLE public.t (n int PRIMARY KEY);
                CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                CREATE TRIGGER r BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();
                SET allow_system_table_mods = on;
                UPDATE pg_catalog.pg_trigger SET tgfoid = 1 WHERE tgname = 'r';";
    run(&url, fill).await;
    let refused = route.command("validate", &[&name], &[]).run().expect(1);
    let said = refused.all();
    assert!(
        said.contains("changed in each of 10 attempts to read them"),
        "{said}"
    );
    assert!(said.contains("cache lookup failed"), "{said}");
}

async fn locked_after_the_question(
    route: &Route,
) -> (String, Session, crate::support::command::Running) {
    let name = route.fresh("stop").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.t (n int PRIMARY KEY)").await;
    let (running, mut stdin) = route.command("init", &[&name], &[]).start_open();
    running.wait_for_error("[y/N]:");
    let other = begin(&url, "LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE").await;
    stdin.write_all(b"y\n").unwrap();
    (name, other, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_a_lock_is_awaited_leaves_neither_slot_nor_publication() {
    let route = &with_prepared_transactions();
    let (name, other, running) = locked_after_the_question(route).await;
    running.wait_for_error("pid ");
    running.signal("INT");
    running.finish().expect(130);
    nothing_left(route, &name).await;
    drop(other);
}

/// What an application does beside the start of a copy: staging tables, one of which the first snapshot shows, and a
/// new partition, all of which want locks on what is copied.
const STAGING: &str = "
    CREATE TABLE public.parted (n int PRIMARY KEY) PARTITION BY RANGE (n);
    CREATE TABLE public.part_0 PARTITION OF public.parted FOR VALUES FROM (0) TO (10);
    INSERT INTO public.parted SELECT generate_series(0, 9);
    CREATE TABLE public.staging (n int PRIMARY KEY); INSERT INTO public.staging SELECT generate_series(1, 100);
    CREATE VIEW public.inner_view AS SELECT count(*) AS n FROM public.parted;
    CREATE VIEW public.outer_view AS SELECT count(*) AS n FROM public.inner_view;";

const STAGE: &[&str] = &[
    "DROP TABLE public.staging",
    "CREATE TABLE public.staging (n int PRIMARY KEY); INSERT INTO public.staging SELECT generate_series(1, 7)",
    "DROP TABLE public.staging",
    "CREATE TABLE public.part_1 PARTITION OF public.parted FOR VALUES FROM (10) TO (20); \
     INSERT INTO public.parted SELECT generate_series(10, 19)",
    "TRUNCATE public.part_0; INSERT INTO public.part_0 VALUES (5)",
    "CREATE TABLE public.staging (n int PRIMARY KEY); INSERT INTO public.staging SELECT generate_series(1, 3)",
];

async fn copied_with_definitions(route: &Route, name: &str) {
    equal(route, name);
    route.remove_run(name).await;
    let (source, target) = (route.source.url(name), route.target.url(name));
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
}

/// Staging tables and partitions come and go while the slot waits for an old transaction.
async fn staged_while_the_slot_is_awaited(options: &[&str]) {
    let route = &with_prepared_transactions();
    let name = route.fresh("staging").await;
    let url = route.source.url(&name);
    run(&url, STAGING).await;
    let old = old_transaction(route).await;
    let running = route.replicate(&name, options).start();
    slot_waits(route).await;
    for statement in STAGE {
        in_background(&url, statement).join().await;
    }
    commit(old).await;
    running.finish().expect(0);
    copied_with_definitions(route, &name).await;
}

/// The slot waits for an old transaction: no lock of ours is there.
#[tokio::test(flavor = "multi_thread")]
async fn staging_tables_come_and_go_while_the_slot_is_awaited() {
    staged_while_the_slot_is_awaited(&[]).await;
}

/// The same, where DDL is to wait for the copy: before there is one it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_partition_is_copied_with_kept_locks() {
    staged_while_the_slot_is_awaited(&["--keep-locks"]).await;
}

/// The definitions cannot be read to their end, for a lock on a view: each attempt has locked all tables before, and
/// whoever waits for one gets it.
#[tokio::test(flavor = "multi_thread")]
async fn staging_tables_come_and_go_while_definitions_cannot_be_read() {
    let route = &with_prepared_transactions();
    let name = route.fresh("staging").await;
    let url = route.source.url(&name);
    run(&url, STAGING).await;
    let (running, mut stdin) = route.command("init", &[&name], &["--no-sync"]).start_open();
    running.wait_for_error("[y/N]:");
    // What the checks have read does not serve any more.
    run(&url, "CREATE TABLE public.late (n int PRIMARY KEY)").await;
    let view = begin(
        &url,
        "ALTER VIEW public.inner_view SET (security_barrier = true)",
    )
    .await;
    stdin.write_all(b"y\n").unwrap();
    running.wait_for_error("definitions changed while the snapshot was created");
    // Neither a table that is created last nor a change of the view would end an attempt that has begun before: its
    // snapshot is as good, but not equal to the source at the end.
    let (_, others) = STAGE.split_last().unwrap();
    for statement in others {
        in_background(&url, statement).join().await;
    }
    roll_back(view).await;
    running.finish().expect(0);
    copied_with_definitions(route, &name).await;
}

/// Ends the lane of a copy that is held at the gate.
async fn end_lane(url: &str) {
    let lanes = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%public%gated%TO STDOUT%'
                    AND pid <> pg_backend_pid()";
    let session = database(url).await;
    let end = format!("SELECT count(pg_terminate_backend(pid)) > 0 {lanes}");
    wait_for(&session, &end).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lane_with_kept_locks_is_replaced() {
    let route = &with_prepared_transactions();
    let (name, gate, running) = held(route, &["--keep-locks"]).await;
    end_lane(&route.source.url(&name)).await;
    gate.open().await;
    let done = running.finish().expect(0);
    assert!(done.stderr.contains("; trying again"), "{}", done.stderr);
    equal(route, &name);
}

/// The new lane would wait behind the DDL, and that waits for the run.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lane_with_kept_locks_ends_the_run_if_ddl_waits() {
    let route = &with_prepared_transactions();
    let (name, gate, running) = held(route, &["--keep-locks"]).await;
    let url = route.source.url(&name);
    let change = in_background(&url, "TRUNCATE public.wanted");
    running.wait_for_error("waits for a lock on public.wanted");
    end_lane(&url).await;
    gate.open().await;
    change.join().await;
    let ended = running.finish().expect(1);
    let why = "was lost with its locks, and a session now waits for a table";
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
    nothing_left(route, &name).await;
}

/// The rows of the source stay on their way, with the lock of their transaction.
#[tokio::test(flavor = "multi_thread")]
async fn verify_gives_up_a_table_for_which_ddl_waits() {
    let route = &with_prepared_transactions();
    let name = route.fresh("verified").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.wanted (n int PRIMARY KEY); CREATE TABLE public.other (n int PRIMARY KEY)").await;
    route.init(&name, &[]).run().expect(0);
    let distance = Distance::between(route);
    distance.source.plan(Break {
        fault: Fault::Stall,
        way: Way::ToClient,
        since: &["wanted", "TO STDOUT"],
        after: 0,
        connection: None,
        times: 1,
    });
    let verifying = distance.command("verify", &name, &[]).start();
    let line = &distance.source;
    tokio::task::block_in_place(|| {
        wait_until("rows are held", || (line.struck() == 1).then_some(()));
    });
    let change = in_background(&url, "ALTER TABLE public.wanted ADD m int");
    let ended = verifying.finish().expect(5);
    let said = ended.all();
    assert!(
        said.contains("ALTER TABLE public.wanted ADD m int"),
        "{said}"
    );
    // The network is what holds the lock now.
    distance.source.release();
    change.join().await;
}

/// Former replica identities are brought back under a lock that readers exclude.
#[tokio::test(flavor = "multi_thread")]
async fn teardown_names_whose_locks_it_waits_for() {
    let route = &with_prepared_transactions();
    let name = route.fresh("torn").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.plain (n int)").await;
    route
        .replicate(&name, &["--replica-identity-full"])
        .run()
        .expect(0);
    let other = begin(&url, "LOCK TABLE public.plain IN ACCESS SHARE MODE").await;
    let number = value(&url, RUN).await;
    let more = ["--yes", "--run", &number];
    let teardown = || route.command("teardown", &[&name], &more).start();
    let running = teardown();
    running.wait_for_error("waiting for locks on tables that get another replica identity for ");
    running.wait_for_error(" s: pid ");
    running.wait_for_error("holds AccessShareLock on public.plain");
    commit(other).await;
    running.finish().expect(0);
    nothing_left(route, &name).await;
}
