//! Loads the target's side of a replication.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::error::Error;
use super::facts::{SubscribedTable, TableState, TargetFacts, Worker, WorkerUse};
use super::report::Names;
use super::source::read_lsn;
use crate::connect::{self, Session};
use crate::logical::{FoundSubscription, load_subscriptions, read_table_name};
use crate::pg::{Oid, Side, Sql};

/// Loads what the target shows of a replication.
///
/// # Errors
/// The server refused a query.
pub(super) async fn load_target(session: &Session, names: &Names) -> Result<TargetFacts, Error> {
    let wrap = Error::query(Side::Target);
    let found = load_subscriptions(session).await.map_err(wrap)?;
    let Some(subscription) = names.choose_subscription(found) else {
        return Ok(TargetFacts::default());
    };
    load_facts(session, subscription).await.map_err(wrap)
}

async fn load_facts(
    session: &Session,
    subscription: FoundSubscription,
) -> Result<TargetFacts, connect::Error> {
    let oid = subscription.oid;
    let workers = Sql::fixed(include_str!("sql/workers.sql"));
    let row = session.query_one(&workers, &[&oid.0]).await?;
    let count = |column: &str| u64::try_from(row.get::<_, i64>(column)).unwrap_or_default();
    Ok(TargetFacts {
        worker: read_worker(&row),
        table_workers: count("table_workers"),
        workers: WorkerUse {
            running: count("all_workers"),
            limit: count("worker_limit"),
        },
        counters: load_counters(session, oid).await?,
        tables: load_tables(session, oid).await?,
        subscription: Some(subscription),
    })
}

fn read_worker(row: &Row) -> Option<Worker> {
    Some(Worker {
        pid: row.get::<_, Option<i32>>("pid")?,
        received: read_lsn(row, "received_lsn"),
        latest_end: read_lsn(row, "latest_end_lsn"),
        latest_end_time: row.get("latest_end_time"),
        blocked_by: row.get("blocked_by"),
    })
}

/// Loads the counters of a subscription; none before 15.
async fn load_counters(
    session: &Session,
    subscription: Oid,
) -> Result<Option<BTreeMap<String, i64>>, connect::Error> {
    if !session.version().has_subscription_counters() {
        return Ok(None);
    }
    let sql = Sql::fixed(include_str!("sql/counters.sql"));
    let rows = session.query(&sql, &[&subscription.0]).await?;
    let counter = |row: &Row| (row.get("name"), row.get("count"));
    Ok(Some(rows.iter().map(counter).collect()))
}

async fn load_tables(
    session: &Session,
    subscription: Oid,
) -> Result<Vec<SubscribedTable>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/tables.sql"));
    let rows = session.query(&sql, &[&subscription.0]).await?;
    let table = |row: &Row| SubscribedTable {
        name: read_table_name(row),
        state: TableState::parse(row.get("state")),
    };
    Ok(rows.iter().map(table).collect())
}
