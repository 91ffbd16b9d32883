//! Loads the target's side of a replication.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::error::Error;
use super::facts::{SubscribedTable, TableState, TargetFacts, Worker, WorkerUse};
use super::report::Names;
use super::source::read_lsn;
use crate::connect::{self, Session};
use crate::logical::{FoundSubscription, load_subscriptions, read_table_name};
use crate::pg::{Oid, Side, SlotName, Sql};

/// Loads what the target shows of a replication.
///
/// # Errors
/// The server refused a query.
pub(super) async fn load_target(session: &Session, names: &Names) -> Result<TargetFacts, Error> {
    let wrap = Error::query(Side::Target);
    let found = load_subscriptions(session).await.map_err(wrap)?;
    let Some(subscription) = choose_subscription(found, names) else {
        return Ok(TargetFacts::default());
    };
    load_facts(session, subscription).await.map_err(wrap)
}

/// Chooses the subscription that reads from the slot; without one, that of the name.
fn choose_subscription(found: Vec<FoundSubscription>, names: &Names) -> Option<FoundSubscription> {
    let slot = names.slot.as_ref().map(SlotName::as_str);
    let reads = |one: &FoundSubscription| slot.is_some() && one.slot.as_deref() == slot;
    let by_slot = found.iter().position(reads);
    let by_name = || found.iter().position(|one| one.name == names.subscription);
    let place = by_slot.or_else(by_name)?;
    found.into_iter().nth(place)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Ident;

    fn subscription(name: &str, slot: Option<&str>) -> FoundSubscription {
        FoundSubscription {
            oid: Oid(1),
            name: Ident::from_catalog(name),
            is_enabled: true,
            slot: slot.map(str::to_owned),
            publications: Vec::new(),
            is_marked: true,
            owner: Ident::from_catalog("me"),
            is_owner_superuser: true,
        }
    }

    #[test]
    fn the_slot_goes_before_the_name() {
        let names = Names {
            publication: Ident::from_catalog("p"),
            subscription: Ident::from_catalog("ours"),
            slot: Some(SlotName::new("s").unwrap()),
        };
        let chosen = |found: &[(&str, Option<&str>)]| {
            let found = found.iter().map(|(name, slot)| subscription(name, *slot));
            let chosen = choose_subscription(found.collect(), &names);
            chosen.map(|one| one.name.as_str().to_owned())
        };
        let theirs = ("theirs", Some("s"));
        assert_eq!(
            chosen(&[("ours", Some("x")), theirs]).as_deref(),
            Some("theirs")
        );
        assert_eq!(chosen(&[("ours", None)]).as_deref(), Some("ours"));
        assert_eq!(chosen(&[("theirs", Some("x"))]), None);
    }
}
