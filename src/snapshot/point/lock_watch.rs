//! Checks of the locks until all rows are read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::consistent_point::ConsistentPoint;
use super::listed_tables::{ListedTable, list_tables};
use crate::connect::{Endpoint, Purpose};
use crate::pg::{Oid, QualifiedName};
use crate::snapshot::error::Error;

/// How often the lock session gets traffic.
const LOOK: Duration = Duration::from_secs(2);

/// Keeps the lock session alive; returns only if its locks are lost.
pub(crate) async fn keep_locks(point: &ConsistentPoint) -> Error {
    let Some(locks) = &point.hold.locks else {
        return std::future::pending().await;
    };
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        if let Err(lost) = locks.touch().await {
            return lost;
        }
    }
}

/// Checks that the locks have lasted until all rows were read. A lost lock session is never replaced, so one
/// answer of it proves that. Otherwise a table could have been emptied or rewritten before it was read, and at
/// the snapshot it would look empty.
///
/// # Errors
/// The session, and with it the locks, is gone.
pub(crate) async fn check_still_locked(point: &ConsistentPoint) -> Result<(), Error> {
    match &point.hold.locks {
        Some(locks) => locks.touch().await,
        None => Ok(()),
    }
}

/// Checks that no table without a lock was rewritten or altered while it was read: its rows may then have
/// been missing under the snapshot.
///
/// # Errors
/// [`Error::Changed`], or the source cannot be asked.
pub(crate) async fn check_unlocked_tables(
    source: &Endpoint,
    point: &ConsistentPoint,
    copied: impl Iterator<Item = &QualifiedName>,
) -> Result<(), Error> {
    let unlocked = select_unlocked(point, &copied.collect());
    if unlocked.is_empty() {
        return Ok(());
    }
    let opened = source.session(Purpose::Introspect).await;
    let session = opened.map_err(Error::Connect)?;
    let listed = list_tables(&session, &BTreeSet::new()).await;
    let now = listed.map_err(Error::Lock)?;
    let now: HashMap<Oid, &ListedTable> = now.iter().map(|table| (table.oid, table)).collect();
    let changed = |table: &&ListedTable| now.get(&table.oid) != Some(table);
    match unlocked.into_iter().find(changed) {
        None => Ok(()),
        Some(table) => Err(Error::Changed {
            table: table.name.clone(),
        }),
    }
}

/// Selects the copied tables without a lock, and the chunks of hypertables.
fn select_unlocked<'p>(
    point: &'p ConsistentPoint,
    copied: &HashSet<&QualifiedName>,
) -> Vec<&'p ListedTable> {
    let timescale = point.catalog.timescale.iter();
    let chunks = timescale.flat_map(|timescale| timescale.internals.keys());
    let chunks: HashSet<Oid> = chunks.map(|id| id.oid).collect();
    let is_read =
        |table: &&ListedTable| copied.contains(&table.name) || chunks.contains(&table.oid);
    point.hold.unlocked.iter().filter(is_read).collect()
}
