//! Starts the replication of all databases, side by side. One that fails does not keep the others from it.

use std::time::Instant;

use futures_util::{StreamExt as _, stream};

use super::error::Error;
use super::followed::AT_ONCE;
use super::options::Options;
use super::plan::{PlannedDatabase, Prepared, prepare};
use super::report::{FailedDatabase, Report, SyncedDatabase};
use super::wait::{CaughtUp, wait_for_database};
use crate::checkpoint;
use crate::cluster::Level;
use crate::cluster::run_lock::{LockKey, RunLocks};
use crate::pg::Sides;
use crate::task::Scope;

/// Carries out what was prepared, and waits until every database has caught up. Locks keep other runs away until all
/// changes are done; nothing is locked during the wait. A database that fails is part of the report.
///
/// # Errors
/// Another run is at work, or the scope was stopped. What was started stays.
pub async fn execute(
    prepared: Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Report, Error> {
    let begun = Instant::now();
    let servers = options.servers.as_ref().map(Some);
    let locks = RunLocks::acquire(servers, &lock_keys(&prepared.databases)).await?;
    let prepared = match prepare_again(options, scope).await {
        Ok(prepared) => prepared,
        Err(error) => {
            locks.release().await;
            return Err(error);
        }
    };
    // What this creates is known as ours from before its creation.
    if let Err(error) = record_runs(&prepared.databases, options) {
        locks.release().await;
        return Err(error);
    }
    let changed = change_databases(prepared.databases, options, scope).await;
    locks.release().await;
    let waited = stream::iter(changed)
        .map(|(planned, changed)| async {
            match changed {
                Ok(()) => {
                    let waited = Box::pin(wait_for_database(&planned, options, scope)).await;
                    (planned, waited)
                }
                Err(error) => (planned, Err(error)),
            }
        })
        .buffered(WAITING)
        .collect::<Vec<_>>()
        .await;
    let mut report = Report::default();
    for (planned, outcome) in waited {
        match outcome {
            Ok(caught_up) => report.databases.push(report_database(&planned, &caught_up)),
            Err(error) if error.is_stop() => return Err(error),
            Err(error) => report.failures.push(FailedDatabase {
                source: planned.replicated.database.source.clone(),
                target: planned.replicated.database.target.clone(),
                error,
            }),
        }
    }
    report.elapsed = begun.elapsed();
    Ok(report)
}

/// How many databases are waited for at the same time: all, since each has a time limit.
const WAITING: usize = 1024;

/// Records the runs of the publications that are to be created, for `teardown`.
fn record_runs(databases: &[PlannedDatabase], options: &Options) -> Result<(), Error> {
    let new = databases.iter().filter_map(|one| one.publication.as_ref());
    let numbers: Vec<String> = new.map(|one| one.run_number().to_owned()).collect();
    if let (Some(root), Some(pair), false) = (
        &options.state_root,
        &options.followed.pair,
        numbers.is_empty(),
    ) {
        checkpoint::record_numbers(root, pair, numbers)?;
    }
    Ok(())
}

/// Checks everything once more, now that no other run can change it: the user was asked in between.
async fn prepare_again(options: &Options, scope: &Scope) -> Result<Prepared, Error> {
    let prepared = Box::pin(prepare(options, scope)).await?;
    let errors = prepared.findings.iter();
    let errors = errors.filter(|finding| finding.level == Level::Error);
    let reasons: Vec<String> = errors.map(|finding| finding.message.clone()).collect();
    match reasons.is_empty() {
        true => Ok(prepared),
        false => Err(Error::Changed {
            reasons: reasons.join("; "),
        }),
    }
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

/// Changes all databases; what came of each.
async fn change_databases(
    databases: Vec<PlannedDatabase>,
    options: &Options,
    scope: &Scope,
) -> Vec<(PlannedDatabase, Result<(), Error>)> {
    stream::iter(databases)
        .map(|planned| async {
            let changed = Box::pin(planned.execute(options, scope)).await;
            (planned, changed)
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

fn report_database(planned: &PlannedDatabase, caught_up: &CaughtUp) -> SyncedDatabase {
    let database = &planned.replicated.database;
    SyncedDatabase {
        source: database.source.clone(),
        target: database.target.clone(),
        subscription: planned.subscription().clone(),
        publications: planned.step.publications().to_vec(),
        slot: database.names.slot.clone(),
        changes: planned.describe(),
        added: planned.additions.published.tables.iter().cloned().collect(),
        lag: caught_up.lag,
        tables: caught_up.tables,
        elapsed: caught_up.elapsed,
    }
}
