//! Other sessions during a run: transactions that stay open, statements that have to wait.

use seren_replicator::connect::Session;
use seren_replicator::sandbox::Cluster;
use seren_replicator::task::Background;

use super::route::Route;
use super::{database, run, text, wait_for};

/// Own clusters of majors 14 and 17: whoever has written to a cluster holds up every slot that is created there.
pub(crate) fn with_prepared_transactions() -> Route {
    let prepares = |major| Cluster::builder(major).with_setting("max_prepared_transactions", "5");
    Route::start([14, 17].map(prepares))
}

pub(crate) async fn begin(url: &str, sql: &str) -> Session {
    let session = database(url).await;
    session
        .batch(&text(&format!("BEGIN; {sql}")))
        .await
        .unwrap();
    session
}

pub(crate) async fn commit(session: Session) {
    session.batch(&text("COMMIT")).await.unwrap();
}

pub(crate) async fn roll_back(session: Session) {
    session.batch(&text("ROLLBACK")).await.unwrap();
}

/// A transaction that has written and stays open.
pub(crate) async fn old_transaction(route: &Route) -> Session {
    begin(&route.source.url("postgres"), "SELECT txid_current()").await
}

pub(crate) async fn slot_waits(route: &Route) {
    let session = database(&route.source.url("postgres")).await;
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'";
    wait_for(&session, waits).await;
}

pub(crate) async fn waiters(url: &str, count: u32) {
    let session = database(url).await;
    let waits = format!(
        "SELECT count(*) = {count} FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
    );
    wait_for(&session, &waits).await;
}

/// Runs statements in a session of their own, which may have to wait.
pub(crate) fn in_background(url: &str, sql: &str) -> Background {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    Background::spawn(async move { run(&url, &sql).await })
}
