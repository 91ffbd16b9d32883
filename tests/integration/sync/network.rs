//! A failing network between the target's server and the source, and other faults on the way of a subscription.

use super::{Copied, TABLE};
use crate::support::command::Finished;
use crate::support::cut::Line;
use crate::support::route::Route;
use crate::support::rows::row_diff;
use crate::support::{database, run, value, wait_for, wait_until_true};
use seren_replicator::sandbox::Cluster;

/// How often the connection fails in a test.
const FAULTS: usize = 4;

/// Ends every process that sends changes.
const CUT_ALL: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'";

/// Both servers give up a silent connection soon: `wal_receiver_timeout` and `wal_sender_timeout`.
fn impatient() -> Route {
    Route::start([17, 17].map(|major| {
        Cluster::builder(major)
            .with_setting("wal_receiver_timeout", "3s")
            .with_setting("wal_sender_timeout", "3s")
            .with_setting("wal_retrieve_retry_interval", "200ms")
    }))
}

/// The connection string of the subscription over a line.
fn over(line: &Line) -> String {
    let port = line.port();
    format!("host=127.0.0.1 port={port} user=postgres sslmode=disable connect_timeout=5")
}

/// A database whose changes come over a line.
async fn synced_over<'r>(route: &'r Route, line: &Line) -> Copied<'r> {
    let copied = Copied::new(route, "app", TABLE).await;
    let source = over(line);
    copied.sync(&["--subscription-source", &source]).expect(0);
    copied
}

/// Runs `status` often while a fault lasts: with rows that the target does not have, it never says that it has caught up.
/// A worker that cannot connect is started again and again, and may be seen while it tries. The last output.
async fn expect_behind(copied: &Copied<'_>, words: &str) -> Finished {
    let mut last = None;
    wait_until_true(words.to_owned(), async || {
        let status = copied.status();
        assert!(matches!(status.code, 3 | 4), "{}", status.all());
        assert!(!status.stdout.contains("CAUGHT UP"), "{}", status.all());
        let has_words = status.stdout.contains(words);
        last = Some(status);
        has_words
    })
    .await;
    last.unwrap()
}

async fn expect_recovered(copied: &Copied<'_>) {
    wait_until_true("status is well", async || copied.status().code == 0).await;
    let differences = row_diff(&copied.source(), &copied.target()).await;
    assert_eq!(differences, Vec::<String>::new());
}

/// Rows of one transaction from this number on.
fn insert(from: usize) -> String {
    format!(
        "INSERT INTO public.t SELECT g, repeat(md5(g::text), 20) FROM generate_series({from}, {from} + 999) g"
    )
}

#[tokio::test]
async fn a_subscription_whose_connection_is_cut_continues_where_it_was() {
    let route = impatient();
    let line = Line::to(route.source.port());
    let copied = synced_over(&route, &line).await;
    assert_ne!(line.connections(), 0);
    for round in 1..=FAULTS {
        copied.on_source(&insert(round * 10_000)).await;
        line.cut();
        copied.on_source(&insert(round * 10_000 + 5_000)).await;
        line.cut();
        expect_recovered(&copied).await;
    }
}

#[tokio::test]
async fn a_subscription_whose_connection_stalls_is_behind_until_it_is_released() {
    let route = impatient();
    let line = Line::to(route.source.port());
    let copied = synced_over(&route, &line).await;
    for round in 1..=2 {
        line.stall();
        copied.on_source(&insert(round * 10_000)).await;
        expect_behind(&copied, "LAGGING").await;
        // The servers give the connection up, and a new one meets the same stall.
        expect_behind(&copied, "NOT ACTIVE").await;
        copied
            .on_source("DELETE FROM public.t WHERE id % 7 = 0")
            .await;
        expect_behind(
            &copied,
            "the apply worker of subscription seren_replication_sub",
        )
        .await;
        line.release();
        expect_recovered(&copied).await;
    }
}

#[tokio::test]
async fn a_subscription_that_cannot_connect_is_named_and_continues_afterwards() {
    let route = impatient();
    let line = Line::to(route.source.port());
    let copied = synced_over(&route, &line).await;
    // Nothing listens at its port any more.
    drop(line);
    copied.on_source(CUT_ALL).await;
    copied.on_source(&insert(10_000)).await;
    let status = expect_behind(&copied, "does not run").await;
    status.assert_prints(&["NOT ACTIVE", "connection string"]);
    let words = "the apply worker of subscription seren_replication_sub does not run";
    wait_until_true(words, async || {
        let stuck = copied.sync(&["--timeout", "60"]).expect(1);
        stuck.all().contains(words)
    })
    .await;
    let direct = format!(
        "ALTER SUBSCRIPTION seren_replication_sub CONNECTION 'host={} port={} user=postgres dbname={}'",
        value(&copied.source(), "SHOW unix_socket_directories").await,
        route.source.port(),
        copied.name
    );
    copied.on_target(&direct).await;
    copied.sync(&[]).expect(0);
    expect_recovered(&copied).await;
}

#[tokio::test]
async fn a_changed_password_stops_the_worker_until_the_subscription_has_the_new_one() {
    let [source, target] = [17, 17].map(Cluster::builder);
    let source = source.with_hba_line("host all follower 127.0.0.1/32 scram-sha-256");
    let target = target.with_setting("wal_retrieve_retry_interval", "200ms");
    let route = Route::start([source, target]);
    let copied = Copied::new(&route, "app", TABLE).await;
    copied
        .on_source("CREATE ROLE follower SUPERUSER LOGIN PASSWORD 'first-word'")
        .await;
    let own = |password: &str| {
        let port = route.source.port();
        format!("host=127.0.0.1 port={port} user=follower password={password} sslmode=disable")
    };
    copied
        .sync(&["--yes", "--subscription-source", &own("first-word")])
        .expect(0);
    copied
        .on_source("ALTER ROLE follower PASSWORD 'second-word'")
        .await;
    copied.on_source(CUT_ALL).await;
    copied.on_source(&insert(10_000)).await;
    expect_behind(&copied, "does not run")
        .await
        .assert_prints(&["NOT ACTIVE", "connection string"]);
    let stuck = copied.sync(&["--timeout", "60"]).expect(1);
    assert!(!stuck.all().contains("first-word"), "{}", stuck.all());
    let repair = format!(
        "ALTER SUBSCRIPTION seren_replication_sub CONNECTION '{} dbname={}'",
        own("second-word"),
        copied.name
    );
    copied.on_target(&repair).await;
    copied.sync(&[]).expect(0);
    expect_recovered(&copied).await;
}

#[tokio::test]
async fn a_slot_that_the_source_has_given_up_is_broken_with_its_cause() {
    let [source, target] = [17, 17].map(Cluster::builder);
    let source = source
        .with_setting("max_slot_wal_keep_size", "1MB")
        .with_setting("max_wal_size", "32MB")
        .with_setting("min_wal_size", "32MB");
    let route = Route::start([source, target]);
    let copied = Copied::synced(&route, "app", TABLE).await;
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
        .await;
    let session = database(&copied.source()).await;
    wait_for(
        &session,
        "SELECT bool_and(NOT active) FROM pg_replication_slots",
    )
    .await;
    let lost = "SELECT bool_or(wal_status = 'lost') FROM pg_replication_slots";
    wait_until_true("the slot is lost", async || {
        run(&copied.source(), &insert_and_switch()).await;
        value(&copied.source(), lost).await == "t"
    })
    .await;
    copied
        .status()
        .expect(4)
        .assert_prints(&["BROKEN", "is lost", "wal_removed", "teardown"]);
    copied
        .sync(&[])
        .expect(1)
        .assert_prints(&["is lost", "teardown", "init"]);
    copied.command("teardown", &["--yes"]).expect(0);
}

/// Fills a segment of WAL and ends it.
fn insert_and_switch() -> String {
    "INSERT INTO public.t SELECT -g, repeat('x', 100) FROM generate_series(1, 20000) g; DELETE FROM public.t WHERE id < 0;
     SELECT pg_switch_wal(); CHECKPOINT"
        .to_owned()
}
