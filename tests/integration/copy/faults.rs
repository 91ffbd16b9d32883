//! Faults from outside during a copy: a copied table is complete or removed, and the first error is reported.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use seren_replicator::sandbox::Cluster;

use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::wait::wait_until_true;
use crate::support::{run, value};

/// A database whose copy waits at the gate, in the middle of its rows.
async fn gated(route: &Route, gate: &Gate, hint: &str) -> String {
    let name = route.fresh(hint).await;
    let fill = gate.function()
        + "CREATE TABLE public.t (n int, filler text, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
           INSERT INTO public.t SELECT n, repeat('x', 1000) FROM generate_series(1, 3000) n;
           CREATE TABLE public.u AS SELECT n FROM generate_series(1, 1000) n;";
    run(&route.source.url(&name), &fill).await;
    name
}

async fn is_gone(route: &Route, name: &str) {
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &there).await, "0");
    let slots = format!("SELECT count(*) FROM pg_replication_slots WHERE database = '{name}'");
    assert_eq!(value(&route.source.url("postgres"), &slots).await, "0");
}

/// Whether the source's COPY waits until more can be sent: only then can it not tell why it ends.
async fn blocked(route: &Route, name: &str) -> bool {
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%COPY %' AND wait_event = 'ClientWrite'"
    );
    value(&route.source.url("postgres"), &waits).await == "1"
}

/// Ends the COPY of one side, and with it the lane, which is replaced: each row arrives once. A
/// server that waits to send has no way to tell its reason.
async fn cut(side: &str, reason: &str) {
    let route = common();
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = gated(route, &gate, "cut").await;
    // One at a time: nothing reliably distinguishes a copy that has just ended.
    let running = route.init(&name, &["--jobs", "1"]).start();
    gate.reached(&name).await;
    let cluster = if side == "source" {
        &route.source
    } else {
        &route.target
    };
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%COPY %' AND pid <> pg_backend_pid()"
    );
    if side == "source" {
        wait_until_true("a source that waits to send", || blocked(route, &name)).await;
    }
    run(&cluster.url("postgres"), &end).await;
    gate.open().await;
    let done = running.finish().expect(0);
    for text in [reason, side, "trying again"] {
        assert!(done.stderr.contains(text), "{}", done.stderr);
    }
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
}

#[tokio::test]
async fn a_lane_whose_source_connection_ends_is_replaced() {
    cut("source", "the server closed the connection").await;
}

#[tokio::test]
async fn a_lane_whose_target_connection_ends_is_replaced() {
    cut("target", "57P01").await;
}

#[tokio::test]
async fn rows_that_the_target_refuses_are_told_with_the_first_error_and_never_double() {
    let route = common();
    let name = route.fresh("refused").await;
    let source = route.source.url(&name);
    let fill = "CREATE FUNCTION public.even(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
                CREATE TABLE public.t (n int, is_even bool GENERATED ALWAYS AS (public.even(n)) STORED CHECK (is_even));
                INSERT INTO public.t SELECT generate_series(1, 500);
                CREATE OR REPLACE FUNCTION public.even(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0';";
    run(&source, fill).await;
    let failed = route.init(&name, &[]).run().expect(1);
    assert!(failed.stderr.contains("23514"), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("copy table public.t"),
        "{}",
        failed.stderr
    );
    is_gone(route, &name).await;
    run(
        &source,
        "CREATE OR REPLACE FUNCTION public.even(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'",
    )
    .await;
    route.init(&name, &[]).run().expect(0);
    assert_eq!(
        oracle::data_diff(&source, &route.target.url(&name)),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn timeouts_of_roles_and_databases_do_not_break_a_copy() {
    let route = Route::of_majors([17, 17]);
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let name = gated(&route, &gate, "timeouts").await;
    for cluster in [&route.source, &route.target] {
        let settings = "ALTER ROLE postgres SET statement_timeout = '300ms';
                        ALTER ROLE postgres SET lock_timeout = '200ms';
                        ALTER ROLE postgres SET idle_in_transaction_session_timeout = '300ms'";
        run(&cluster.url("postgres"), settings).await;
    }
    let running = route.init(&name, &["--jobs", "1"]).start();
    gate.reached(&name).await;
    // Longer than any of the timeouts: the program reports its progress a few times.
    running.wait_for_error("0 of 2 tables");
    gate.open().await;
    running.finish().expect(0);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
}

#[tokio::test]
async fn many_parents_few_children_self_references_and_cycles_arrive_in_one_attempt() {
    let route = common();
    let name = route.fresh("keys").await;
    let source = route.source.url(&name);
    let fill = "CREATE TABLE public.parents (id int PRIMARY KEY, above int REFERENCES public.parents, favourite int);
                CREATE TABLE public.children (id int PRIMARY KEY, parent int NOT NULL REFERENCES public.parents);
                INSERT INTO public.parents SELECT n, nullif(n - 1, 0), NULL FROM generate_series(1, 150000) n;
                INSERT INTO public.children SELECT n, 150001 - n FROM generate_series(1, 5) n;
                UPDATE public.parents SET favourite = 6 - id WHERE id <= 5;
                ALTER TABLE public.parents ADD FOREIGN KEY (favourite) REFERENCES public.children;";
    run(&source, fill).await;
    route.init(&name, &[]).run().expect(0);
    let target = route.target.url(&name);
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
}

/// Server programs whose files cannot grow beyond 17 MB: enough for log segments, not for a large table.
fn cramped() -> tempfile::TempDir {
    let postmaster = format!("/proc/{}/exe", common().source.pid().unwrap());
    let postgres = fs::read_link(postmaster).unwrap();
    let real = postgres.parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open.clone()).unwrap();
    symlink(real.join("initdb"), folder.path().join("initdb")).unwrap();
    let script = format!(
        "#!/bin/bash\nulimit -f 17408\nexec {}/postgres \"$@\"\n",
        real.display()
    );
    let postgres = folder.path().join("postgres");
    fs::write(&postgres, script).unwrap();
    fs::set_permissions(&postgres, open).unwrap();
    folder
}

#[tokio::test]
async fn a_target_without_room_is_told_and_left_clean() {
    let programs = cramped();
    let target = Cluster::builder(17).with_binaries(programs.path());
    let route = Route::start([Cluster::builder(17), target]);
    let name = route.fresh("full").await;
    let fill = "CREATE TABLE public.t (filler text);
                ALTER TABLE public.t ALTER filler SET STORAGE PLAIN;
                INSERT INTO public.t SELECT repeat('x', 2000) FROM generate_series(1, 12000) n;";
    run(&route.source.url(&name), fill).await;
    let failed = route.init(&name, &[]).run().expect(1);
    assert!(
        failed.stderr.contains("could not extend file"),
        "{}",
        failed.stderr
    );
    assert!(
        failed.stderr.contains("copy table public.t"),
        "{}",
        failed.stderr
    );
    is_gone(&route, &name).await;
}
