//! SIGINT and SIGTERM in every phase: nothing of the run remains on either server.

use std::time::{Duration, Instant};

use crate::support::command::Running;
use crate::support::gate::Gate;
use crate::support::others::old_transaction;
use crate::support::route::{Route, common};
use crate::support::times::within;
use crate::support::{database, run, text, wait_for};

/// How long a stop may take on a machine of its own.
const STOP: Duration = Duration::from_secs(5);

/// Sends a signal and expects the end in time, with nothing left on either server.
async fn stops(running: Running, (signal, code): (&str, i32), route: &Route, name: &str) {
    let asked = Instant::now();
    running.signal(signal);
    let stopped = running.finish().expect(code);
    within(STOP, asked, &stopped.stderr);
    assert!(stopped.stderr.contains("stopped"), "{}", stopped.stderr);
    let gone = format!(
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{name}')
            AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE database = '{name}')"
    );
    wait_for(&database(&route.source.url("postgres")).await, &gone).await;
    let never = format!("SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')");
    wait_for(&database(&route.target.url("postgres")).await, &never).await;
}

#[tokio::test]
async fn a_signal_while_rows_are_copied_stops_both_sides() {
    let route = common();
    for signal in [("INT", 130), ("TERM", 143)] {
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let name = route.fresh("data").await;
        let fill = gate.function()
            + "CREATE TABLE public.t (n int, filler text, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
               INSERT INTO public.t SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n;
               CREATE TABLE public.u AS SELECT n FROM generate_series(1, 1000) n;";
        // The function must not wait on the source: its locks are other ones.
        run(&route.source.url(&name), &fill).await;
        let running = route.init(&name, &[]).start();
        gate.reached(&name).await;
        stops(running, signal, route, &name).await;
    }
}

/// Starts a copy that builds an index, which waits at the gate.
async fn start_index_build(route: &Route, gate: &Gate, name: &str) -> Running {
    let fill = gate.function()
        + "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n;
           CREATE INDEX ON public.t (public.gate(n));";
    run(&route.source.url(name), &fill).await;
    let running = route.init(name, &[]).start();
    gate.reached(name).await;
    running
}

#[tokio::test]
async fn a_signal_while_an_index_is_built_stops_it() {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("index").await;
    let running = start_index_build(route, &gate, &name).await;
    stops(running, ("INT", 130), route, &name).await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let route = Route::of_majors([17, 17]);
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = route.fresh("twice").await;
    let running = start_index_build(&route, &gate, &name).await;
    // A server that does not answer holds up the clean stop.
    let postmaster = route.target.pid().unwrap().to_string();
    let tell = |signal: &str| {
        let status = std::process::Command::new("kill")
            .args(["-s", signal, &postmaster])
            .status();
        assert!(status.unwrap().success());
    };
    tell("STOP");
    running.signal("INT");
    running.wait_for_error("press Ctrl-C again to end at once");
    let asked = Instant::now();
    running.signal("TERM");
    let stopped = running.finish();
    tell("CONT");
    let stopped = stopped.expect(143);
    within(Duration::from_secs(2), asked, &stopped.stderr);
    let uncleared = "stopped before cleanup was complete";
    assert!(stopped.stderr.contains(uncleared), "{}", stopped.stderr);
}

#[tokio::test]
async fn a_signal_while_the_slot_waits_for_an_old_transaction_leaves_no_slot() {
    let route = &Route::of_majors([14, 16]);
    let name = route.fresh("slot").await;
    run(
        &route.source.url(&name),
        "CREATE TABLE public.t (n int PRIMARY KEY)",
    )
    .await;
    let old = old_transaction(route).await;
    let running = route.replicate(&name, &[]).start();
    running.wait_for_error("the slot waits for an older transaction: pid");
    stops(running, ("TERM", 143), route, &name).await;
    drop(old);
}

#[tokio::test]
async fn a_signal_while_a_table_is_locked_by_another_ends_the_wait() {
    let route = &Route::of_majors([14, 16]);
    let name = route.fresh("locked").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.t AS SELECT 1 AS n").await;
    let (running, mut stdin) = route.command("init", &[&name], &["--no-sync"]).start_open();
    running.wait_for_error("[y/N]:");
    let holder = database(&url).await;
    let lock = "BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE";
    holder.batch(&text(lock)).await.unwrap();
    std::io::Write::write_all(&mut stdin, b"y\n").unwrap();
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted";
    wait_for(&database(&url).await, waits).await;
    let asked = Instant::now();
    running.signal("INT");
    let stopped = running.finish().expect(130);
    within(STOP, asked, &stopped.stderr);
}

#[tokio::test]
async fn a_signal_while_large_objects_are_listed_ends_that_on_the_source() {
    let route = &Route::of_majors([14, 16]);
    let name = route.fresh("listed").await;
    let url = route.source.url(&name);
    run(&url, "SELECT lo_from_bytea(0, 'x')").await;
    let (running, mut stdin) = route
        .command("init", &[&name], &["--no-sync", "--jobs", "1"])
        .start_open();
    running.wait_for_error("[y/N]:");
    let holder = database(&url).await;
    let lock = "BEGIN; LOCK TABLE pg_catalog.pg_largeobject_metadata IN ACCESS EXCLUSIVE MODE";
    holder.batch(&text(lock)).await.unwrap();
    std::io::Write::write_all(&mut stdin, b"y\n").unwrap();
    let reads = format!(
        "FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'SELECT oid FROM pg_catalog.pg_largeobject_metadata%'"
    );
    let watcher = database(&route.source.url("postgres")).await;
    let waits = format!("SELECT count(*) = 1 {reads} AND wait_event_type = 'Lock'");
    wait_for(&watcher, &waits).await;
    running.signal("INT");
    running.finish().expect(130);
    wait_for(&watcher, &format!("SELECT count(*) = 0 {reads}")).await;
}

#[tokio::test]
async fn a_signal_while_the_checks_wait_for_a_lock_ends_them() {
    let route = &Route::of_majors([14, 16]);
    let name = route.fresh("checked").await;
    let url = route.source.url(&name);
    run(&url, "CREATE TABLE public.t AS SELECT 1 AS n").await;
    let holder = database(&url).await;
    let lock = "BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE";
    holder.batch(&text(lock)).await.unwrap();
    let running = route.command("validate", &[&name], &[]).start();
    let watcher = database(&url).await;
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted";
    wait_for(&watcher, waits).await;
    running.signal("TERM");
    running.finish().expect(143);
    wait_for(
        &watcher,
        "SELECT count(*) = 0 FROM pg_locks WHERE NOT granted",
    )
    .await;
}
