//! Changes of definitions at every moment between the checks and the last row. No row may get lost.
//!
//! Pauses are natural ones: the question, a lock that somebody holds, an old transaction that the
//! slot has to wait for, a gate on the target.

use std::io::Write as _;

use crate::support::command::Running;
use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::others::{
    begin, commit, in_background, old_transaction, slot_waits, waiters, with_prepared_transactions,
};
use crate::support::route::{Route, common};
use crate::support::{database, run, value, wait_for};

const TABLES: &str = "
    CREATE TABLE public.changed AS SELECT n FROM generate_series(1, 100) n;
    CREATE TABLE public.emptied AS SELECT n FROM generate_series(1, 200) n;
    CREATE TABLE public.dropped AS SELECT n FROM generate_series(1, 300) n;
    CREATE TABLE public.renamed AS SELECT n FROM generate_series(1, 400) n;
    CREATE TABLE public.log (what text);
    ALTER TABLE public.changed REPLICA IDENTITY FULL;
    ALTER TABLE public.emptied REPLICA IDENTITY FULL;
    ALTER TABLE public.dropped REPLICA IDENTITY FULL;
    ALTER TABLE public.renamed REPLICA IDENTITY FULL;
    ALTER TABLE public.log REPLICA IDENTITY FULL;";

/// All that may happen to a definition.
const DDL: &str = "
    ALTER TABLE public.changed ALTER n TYPE text;
    TRUNCATE public.emptied;
    DROP TABLE public.dropped;
    ALTER TABLE public.renamed RENAME TO other;
    CREATE TABLE public.renamed AS SELECT n FROM generate_series(1, 7) n;
    CREATE TABLE public.made AS SELECT n FROM generate_series(1, 9) n;
    ALTER TABLE public.renamed REPLICA IDENTITY FULL;
    ALTER TABLE public.made REPLICA IDENTITY FULL;";

async fn equal(route: &Route, name: &str) {
    let (source, target) = (route.source.url(name), route.target.url(name));
    // Our own publication is no definition of the source's.
    route.remove_run(name).await;
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
}

/// A run of `init` that has been checked and awaits the answer.
fn asked(route: &Route, name: &str) -> (Running, std::process::ChildStdin) {
    let (running, stdin) = route.command("init", &[name], &["--no-sync"]).start_open();
    running.wait_for_error("[y/N]:");
    (running, stdin)
}

#[tokio::test]
async fn changes_between_the_checks_and_the_locks_are_copied() {
    let route = &with_prepared_transactions();
    let name = route.fresh("early").await;
    run(&route.source.url(&name), TABLES).await;
    let (running, mut stdin) = asked(route, &name);
    run(&route.source.url(&name), DDL).await;
    stdin.write_all(b"y\n").unwrap();
    running.finish().expect(0);
    equal(route, &name).await;
}

#[tokio::test]
async fn changes_between_list_and_lock_are_copied() {
    let route = &with_prepared_transactions();
    let name = route.fresh("listed").await;
    let url = route.source.url(&name);
    run(&url, TABLES).await;
    let (running, mut stdin) = asked(route, &name);
    let changing = begin(&url, DDL).await;
    stdin.write_all(b"y\n").unwrap();
    waiters(&url, 1).await;
    commit(changing).await;
    running.finish().expect(0);
    equal(route, &name).await;
}

#[tokio::test]
async fn a_table_made_while_the_slot_waits_is_copied() {
    let route = &with_prepared_transactions();
    let name = route.fresh("made").await;
    let url = route.source.url(&name);
    run(&url, TABLES).await;
    let old = old_transaction(route).await;
    let running = route.replicate(&name, &[]).start();
    slot_waits(route).await;
    run(
        &url,
        "CREATE TABLE public.made (n int PRIMARY KEY); INSERT INTO public.made SELECT generate_series(1, 9)",
    )
    .await;
    commit(old).await;
    running.finish().expect(0);
    equal(route, &name).await;
}

#[tokio::test]
async fn changes_while_the_slot_waits_go_first() {
    let route = &with_prepared_transactions();
    let name = route.fresh("held").await;
    let url = route.source.url(&name);
    run(&url, TABLES).await;
    let old = old_transaction(route).await;
    let running = route.replicate(&name, &[]).start();
    slot_waits(route).await;
    // No table is locked yet.
    in_background(&url, DDL).join().await;
    commit(old).await;
    running.finish().expect(0);
    equal(route, &name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_with_ddl_does_not_hang_the_slot() {
    let route = &with_prepared_transactions();
    let name = route.fresh("writer").await;
    let url = route.source.url(&name);
    run(&url, TABLES).await;
    let old = old_transaction(route).await;
    let running = route.replicate(&name, &[]).start();
    slot_waits(route).await;
    let change = in_background(
        &url,
        "BEGIN; INSERT INTO public.log VALUES ('begun'); TRUNCATE public.emptied; COMMIT",
    );
    change.join().await;
    commit(old).await;
    running.finish().expect(0);
    equal(route, &name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_during_the_copy_wait_if_locks_are_kept() {
    let route = &with_prepared_transactions();
    let name = route.fresh("copying").await;
    let url = route.source.url(&name);
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let held = "held int GENERATED ALWAYS AS (public.gate(n)) STORED";
    let slow = "INSERT INTO public.gated VALUES (1);
                CREATE SEQUENCE public.numbers;";
    let gated = format!("CREATE TABLE public.gated (n int, {held});");
    run(&url, &[TABLES, &gate.function(), &gated, slow].join(" ")).await;
    let running = route.init(&name, &["--jobs", "1", "--keep-locks"]).start();
    gate.reached(&name).await;
    // What no lock protects may change at once, and what is locked waits.
    run(
        &url,
        "DROP SEQUENCE public.numbers; CREATE TABLE public.late (n int)",
    )
    .await;
    let change = in_background(&url, "TRUNCATE public.emptied, public.gated");
    running.wait_for_error("waits for a lock on public.emptied");
    gate.open().await;
    let done = running.finish().expect(0);
    change.join().await;
    let target = route.target.url(&name);
    assert_eq!(
        value(&target, "SELECT count(*) FROM public.emptied").await,
        "200"
    );
    assert_eq!(
        value(&target, "SELECT count(*) FROM public.gated").await,
        "1"
    );
    assert!(done.all().contains("numbers"), "{}", done.all());
}

/// Without the locks a table may have been emptied before it was read, at the snapshot without a trace.
#[tokio::test]
async fn locks_that_are_lost_before_the_last_row_fail_the_copy() {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("unlocked").await;
    let fill = gate.function()
        + "CREATE TABLE public.gated (n int, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
           INSERT INTO public.gated VALUES (1);";
    let url = route.source.url(&name);
    run(&url, &fill).await;
    let running = route.init(&name, &["--jobs", "1"]).start();
    gate.reached(&name).await;
    let holders = "FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                   WHERE l.relation = 'public.gated'::regclass AND a.state = 'idle in transaction'";
    let session = database(&url).await;
    wait_for(
        &session,
        &format!("SELECT count(pg_terminate_backend(pid)) > 0 {holders}"),
    )
    .await;
    wait_for(&session, &format!("SELECT count(*) = 0 {holders}")).await;
    gate.open().await;
    running.finish().expect(1);
}

/// Three workers of which one builds: the source is free of us, whoever waits.
#[tokio::test]
async fn nothing_is_held_on_the_source_while_indexes_are_built() {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("freed").await;
    let fill = gate.function()
        + "CREATE TABLE public.s AS SELECT n FROM generate_series(1, 100) n;
           CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n;
           CREATE TABLE public.u AS SELECT n FROM generate_series(1, 100) n;
           SELECT lo_from_bytea(0, 'x') FROM generate_series(1, 10);
           CREATE INDEX ON public.t (public.gate(n));";
    run(&route.source.url(&name), &fill).await;
    let running = route.init(&name, &["--jobs", "3"]).start();
    gate.reached(&name).await;
    wait_for(&database(&route.source.url("postgres")).await, &free(&name)).await;
    gate.open().await;
    running.finish().expect(0);
}

/// Many small things to read are less work than one index, which would keep the source's snapshot.
#[tokio::test]
async fn an_index_that_takes_long_begins_once_all_is_read_if_there_is_one_worker() {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("reading").await;
    let fill = gate.function()
        + "CREATE TABLE public.t (n int, filler text);
           CREATE INDEX ON public.t (public.gate(n)) WHERE n = 1;
           INSERT INTO public.t SELECT n, repeat('x', 1000) FROM generate_series(1, 400) n;
           SELECT lo_from_bytea(0, 'x') FROM generate_series(1, 500);";
    run(&route.source.url(&name), &fill).await;
    let running = route.init(&name, &["--jobs", "1"]).start();
    gate.reached(&name).await;
    wait_for(&database(&route.source.url("postgres")).await, &free(&name)).await;
    gate.open().await;
    running.finish().expect(0);
    equal(route, &name).await;
}

/// A worker turns to an index while large objects wait, which another worker then reads: it lets go of
/// what it has read with, however long its index takes.
#[tokio::test]
async fn a_worker_that_builds_lets_go_of_the_source_once_all_is_read() {
    let route = common();
    let rows = Gate::shut(&route.target.url("postgres")).await;
    let index = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("letting").await;
    // One worker meets `rows`, the other copies the rest and is then held at the first of two batches of
    // large objects. The index wants all rows, and is more work than the second batch.
    let fill = rows.function().replace("gate(", "of_rows(")
        + &index.function()
        + "CREATE TABLE public.large (n int, filler text, held int GENERATED ALWAYS AS (public.of_rows(n)) STORED);
           CREATE TABLE public.t (n int, filler text);
           CREATE INDEX ON public.t (public.gate(n)) WHERE n = 1;
           INSERT INTO public.t SELECT n, repeat('x', 1000) FROM generate_series(1, 400) n;
           INSERT INTO public.large SELECT n, repeat('x', 1000) FROM generate_series(1, 1200) n;
           SELECT lo_from_bytea(0, 'x') FROM generate_series(1, 500);";
    run(&route.source.url(&name), &fill).await;
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    run(&route.target.url("postgres"), &create).await;
    let objects = begin(
        &route.target.url(&name),
        "LOCK TABLE pg_catalog.pg_largeobject IN SHARE MODE",
    )
    .await;
    let running = route.init(&name, &["--jobs", "2"]).start();
    rows.reached(&name).await;
    let target = database(&route.target.url("postgres")).await;
    let held = format!(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '{name}'"
    );
    wait_for(&target, &held).await;
    rows.open().await;
    let builds = format!(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '{name}' AND query ~ 'CREATE INDEX'"
    );
    wait_for(&target, &builds).await;
    commit(objects).await;
    wait_for(&database(&route.source.url("postgres")).await, &free(&name)).await;
    index.open().await;
    running.finish().expect(0);
    equal(route, &name).await;
}

/// Whether no session is in a transaction on a database, or keeps old rows from being cleared away.
fn free(name: &str) -> String {
    format!(
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{name}' AND state <> 'idle')
            AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{name}' AND backend_xmin IS NOT NULL)"
    )
}
