//! Starts the replication of all databases, side by side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::error::Error;
use super::options::Options;
use super::plan::{PlannedDatabase, Prepared, Step};
use super::report::{Report, SyncedDatabase};
use super::wait::{CaughtUp, wait_for_database};
use crate::cluster::run_lock::{LockKey, RunLocks};
use crate::pg::Sides;
use crate::task::{Group, Scope};

/// Carries out what was prepared, and waits until every database has caught up. Locks keep other runs away until all
/// changes are done; nothing is locked during the wait.
///
/// # Errors
/// A server refused a statement, another run is at work, a database does not catch up, or the scope was stopped. What
/// was started stays.
pub async fn execute(
    prepared: Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Report, Error> {
    let begun = Instant::now();
    let servers = options.servers.as_ref().map(Some);
    let locks = RunLocks::acquire(servers, &lock_keys(&prepared.databases)).await?;
    let changed = change_databases(&prepared.databases, options, scope).await;
    locks.release().await;
    changed?;
    let mut caught_up = wait_for_databases(&prepared.databases, options, scope).await?;
    let synced = prepared.databases.iter().filter_map(|one| {
        let source = &one.replicated.database.source;
        Some(report_database(one, caught_up.remove(source)?))
    });
    Ok(Report {
        databases: synced.collect(),
        elapsed: begun.elapsed(),
    })
}

fn lock_keys(databases: &[PlannedDatabase]) -> Sides<Vec<LockKey>> {
    let source = databases.iter().map(|one| {
        let database = &one.replicated.database;
        let publication = &database.names.publication;
        LockKey::of_source(&database.source, one.replicated.oid, publication)
    });
    let target = databases
        .iter()
        .map(|one| LockKey::of_target(&one.replicated.database.target));
    Sides {
        source: source.collect(),
        target: target.collect(),
    }
}

async fn change_databases(
    databases: &[PlannedDatabase],
    options: &Options,
    scope: &Scope,
) -> Result<(), Error> {
    let mut group = Group::new(scope);
    for one in databases {
        let (one, options, scope) = (one.clone(), options.clone(), group.scope().clone());
        group.spawn(async move { Box::pin(one.execute(&options, &scope)).await });
    }
    group.join().await
}

async fn wait_for_databases(
    databases: &[PlannedDatabase],
    options: &Options,
    scope: &Scope,
) -> Result<BTreeMap<String, CaughtUp>, Error> {
    let caught_up = Arc::new(Mutex::new(BTreeMap::new()));
    let mut group = Group::new(scope);
    for one in databases {
        let (one, options, scope) = (one.clone(), options.clone(), group.scope().clone());
        let caught_up = Arc::clone(&caught_up);
        group.spawn(async move {
            let done = Box::pin(wait_for_database(&one, &options, &scope)).await?;
            let mut caught_up = caught_up.lock().unwrap_or_else(PoisonError::into_inner);
            caught_up.insert(one.replicated.database.source.clone(), done);
            Ok::<(), Error>(())
        });
    }
    group.join().await?;
    let mut caught_up = caught_up.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *caught_up))
}

fn report_database(planned: &PlannedDatabase, caught_up: CaughtUp) -> SyncedDatabase {
    let database = &planned.replicated.database;
    let publications = match &planned.step {
        Step::Create(definition) => definition.publications.clone(),
        Step::Repair { publications, .. } => publications.clone(),
    };
    SyncedDatabase {
        source: database.source.clone(),
        target: database.target.clone(),
        subscription: planned.subscription().clone(),
        publications,
        slot: database.names.slot.clone(),
        changes: planned.describe(),
        added: planned.additions.published.tables.iter().cloned().collect(),
        lag: caught_up.lag,
        tables: caught_up.tables,
        elapsed: caught_up.elapsed,
    }
}
