//! Comparisons while other sessions write or hold locks, and those that are interrupted.

use std::time::{Duration, Instant};

use seren_replicator::pg::Sql;
use seren_replicator::task::{Background, Scope};
use seren_replicator::verify::{Error, Report, Verdict, compare_databases, exit_code};

use super::report::{assert_all_equal, table};
use crate::support::pair::Pair;
use crate::support::times::within;
use crate::support::wait_until_true;

/// Starts a verification that waits for the lock on table `a` of the source.
async fn waiting(pair: &Pair) -> (Background<Result<Report, Error>>, Scope) {
    let scope = Scope::detached();
    let (options, inner) = (pair.options(), scope.clone());
    let running = Background::spawn(async move { compare_databases(&options, &inner).await });
    pair.wait_for_copy_behind_lock().await;
    (running, scope)
}

/// A session in a transaction that has run `statement` on the source.
async fn transaction(pair: &Pair, statement: &'static str) -> seren_replicator::connect::Session {
    let session = pair.source_session().await;
    session.batch(&Sql::fixed("BEGIN")).await.unwrap();
    session.batch(&Sql::fixed(statement)).await.unwrap();
    session
}

#[tokio::test]
async fn a_table_emptied_behind_the_snapshot_is_not_taken_for_an_empty_one() {
    let pair = Pair::new("truncated").await;
    pair.both("CREATE TABLE a (a int)").await;
    pair.on_source("INSERT INTO a VALUES (1)").await;
    let blocker = transaction(&pair, "TRUNCATE a").await;
    let (running, _) = waiting(&pair).await;
    blocker.batch(&Sql::fixed("COMMIT")).await.unwrap();
    let report = running.join().await.unwrap();
    let verdict = &table(&report, "public.a").verdict;
    assert!(
        matches!(verdict, Verdict::NotCompared(reason) if matches!(**reason, Error::Rewritten { .. })),
        "{report:?}"
    );
    assert_eq!(exit_code(&report), 5);
}

#[tokio::test]
async fn rows_committed_after_the_snapshot_take_no_part() {
    let pair = Pair::new("moment").await;
    pair.both("CREATE TABLE a (a int); CREATE TABLE b (a int)")
        .await;
    let blocker = transaction(&pair, "LOCK TABLE a").await;
    let (running, _) = waiting(&pair).await;
    pair.on_source("INSERT INTO b VALUES (1)").await;
    blocker
        .batch(&Sql::fixed("INSERT INTO a VALUES (1)"))
        .await
        .unwrap();
    blocker.batch(&Sql::fixed("COMMIT")).await.unwrap();
    assert_all_equal(&running.join().await.unwrap(), 2);
    assert_eq!(
        exit_code(&pair.verify().await),
        1,
        "a new snapshot sees them"
    );
}

#[tokio::test]
async fn a_lost_connection_costs_one_table() {
    let pair = Pair::new("killed").await;
    pair.both("CREATE TABLE a (a int); CREATE TABLE b (a int)")
        .await;
    let blocker = transaction(&pair, "LOCK TABLE a").await;
    let (running, _) = waiting(&pair).await;
    pair.terminate_copy_behind_lock().await;
    let report = running.join().await.unwrap();
    drop(blocker);
    assert!(
        matches!(table(&report, "public.a").verdict, Verdict::NotCompared(_)),
        "{report:?}"
    );
    assert!(
        matches!(table(&report, "public.b").verdict, Verdict::Equal(_)),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_stopped_run_leaves_nothing_on_the_servers() {
    let pair = Pair::new("stopped").await;
    pair.both("CREATE TABLE a (a int); CREATE TABLE b (a int)")
        .await;
    let blocker = transaction(&pair, "LOCK TABLE a").await;
    let (running, scope) = waiting(&pair).await;
    let begin = Instant::now();
    scope.stop.cancel();
    assert!(matches!(running.join().await, Err(Error::Stopped)));
    wait_until_true("no session of the run is left", async || {
        pair.sessions().await == 1
    })
    .await;
    within(Duration::from_secs(5), begin, "a stopped comparison");
    drop(blocker);
}
