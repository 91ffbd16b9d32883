//! What writes: all phases of `init` after the confirmation, from the publications to the flush.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::catalog::load::cached::CachedCatalog;
use crate::checkpoint::Membership;
use crate::cluster::RunInstant;
use crate::cluster::promise::{self, Promise};
use crate::cluster::run_lock::{LockKey, RunLocks};
use crate::ddl::cluster::TemporaryMemberships;
use crate::ddl::cluster::database::{
    DatabaseOptions, FinishStatement, Omission, render_create, render_finish,
};
use crate::event::{Event, Note, Phase, RemovedReplication};
use crate::migrate::error::Error;
use crate::migrate::execute::complete::complete_databases;
use crate::migrate::execute::execution::{DatabaseRun, Execution};
use crate::migrate::execute::failover::enable_failover;
use crate::migrate::execute::fill::Filled;
use crate::migrate::execute::phase::run_phase;
use crate::migrate::execute::publication::{self, Held, Withdrawal};
use crate::migrate::execute::slot_guard::Foundation;
use crate::migrate::execute::{database, roles};
use crate::migrate::lock_keys::lock_keys;
use crate::migrate::options::Options;
use crate::migrate::planned::{PlannedDatabase, Prepared};
use crate::migrate::record::{self, Record};
use crate::migrate::report::{DatabaseReport, KeptSlot, Report};
use crate::migrate::resume::RunStart;
use crate::migrate::target_action::TargetAction;
use crate::pg::{Lsn, Sides};
use crate::snapshot::{self, WatchedSlots};
use crate::task::Scope;

/// Carries out what [`prepare`](crate::migrate::prepare()) planned. The user has agreed.
///
/// # Errors
/// The first phase that failed, or a lock, slot or publication of the run that was lost. Databases finished
/// before stay, with slot and publication, also one without objects that the target has refused; the current one is
/// removed if this run has created it. Of it and those to come no slot, publication, session or lock remains.
///
/// # Panics
/// The findings of `prepared` refuse the run.
pub async fn execute(
    prepared: Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Report, Error> {
    assert_eq!(
        prepared.errors(),
        0,
        "refused findings end a run before it begins"
    );
    if options.definitions_only {
        return Box::pin(complete_databases(prepared, options, scope)).await;
    }
    let begun = Instant::now();
    // First of all: nothing that another run may be at is even looked at again.
    let foundation = Foundation {
        locks: scope
            .events
            .reporting(
                "the locks of this run",
                take_locks(&prepared.databases, options),
            )
            .await?,
        slots: WatchedSlots::default(),
    };
    let Prepared {
        databases,
        cluster,
        resume,
        definitions,
        instant,
        ..
    } = prepared;
    let is_kept = |planned: &PlannedDatabase| matches!(planned.action, TargetAction::Keep { .. });
    let (kept, planned): (Vec<_>, Vec<_>) = databases.into_iter().partition(is_kept);
    let promises: Vec<Promise> = kept.iter().filter_map(|one| one.promise.clone()).collect();
    for promise in &promises {
        foundation.slots.add(&promise.slot);
    }
    let cluster = cluster.expect("a plan without errors has read the roles");
    let mut report = Report {
        kept: kept.iter().map(PlannedDatabase::kept).collect(),
        ..Report::default()
    };
    let memberships = cluster.plan_memberships();
    let member = &cluster.options.target.connected_as;
    let start = plan_start(
        &planned,
        record::granted_memberships(&memberships, member),
        options,
        instant.as_ref(),
    );
    let done = match Record::begin_run(resume, &start) {
        Ok(record) => {
            let work = RunWork {
                execution: Execution {
                    options,
                    cluster: &cluster,
                    record: &record,
                    slots: &foundation.slots,
                },
                planned: &planned,
                kept: &kept,
                memberships: &memberships,
                definitions,
            };
            Box::pin(run_guarded(work, promises, &foundation, &mut report, scope)).await
        }
        Err(error) => Err(error),
    };
    foundation.locks.release().await;
    done?;
    report.elapsed = begun.elapsed();
    Ok(report)
}

/// What is recorded before the run writes anything.
fn plan_start(
    planned: &[PlannedDatabase],
    memberships: impl Iterator<Item = Membership>,
    options: &Options,
    instant: Option<&RunInstant>,
) -> RunStart {
    RunStart {
        instant: instant.map(|instant| instant.as_str().to_owned()),
        databases: planned.iter().map(PlannedDatabase::start).collect(),
        memberships: memberships.collect(),
        adopted: options.replication.adopt.clone(),
    }
}

/// What a run is to do.
struct RunWork<'a> {
    execution: Execution<'a>,
    planned: &'a [PlannedDatabase],
    /// Databases that an earlier run has finished.
    kept: &'a [PlannedDatabase],
    /// How our role comes to act for others.
    memberships: &'a TemporaryMemberships,
    /// The definitions that the checks have read, by the source's database.
    definitions: BTreeMap<String, CachedCatalog>,
}

/// Takes the locks of a run on both servers, also for databases that it only keeps.
pub(super) async fn take_locks(
    databases: &[PlannedDatabase],
    options: &Options,
) -> Result<RunLocks, Error> {
    let mut keys: Sides<Vec<LockKey>> = Sides::default();
    for planned in databases {
        let database = lock_keys(options, &planned.database);
        keys.source.extend(database.source);
        keys.target.push(database.target);
    }
    Ok(RunLocks::acquire(options.servers().map(Some), &keys).await?)
}

/// Does everything that writes, from the publications on. Ends with a look at everything that the run
/// promises.
async fn run_guarded(
    work: RunWork<'_>,
    mut promises: Vec<Promise>,
    foundation: &Foundation,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let options = work.execution.options;
    let mut held = Vec::new();
    let guard = scope.child();
    let working = Box::pin(publish_and_copy(work, &mut held, report, &guard));
    let despite_stop = &options.despite_stop();
    let mut done = foundation.run_guarded(options, &guard, working).await;
    if done.is_ok() {
        promises.extend(
            finished_databases(&held, report).map(|(held, point)| held.promise(point, true)),
        );
        let checking = keep_promises(&promises, foundation, despite_stop);
        let what = "a last look at slots and publications";
        done = scope.events.reporting(what, checking).await;
    }
    if let Err(error) = &done {
        let remains = Remains {
            held: &held,
            finished: report.databases.len(),
            promises: &promises,
        };
        let cleaning = Box::pin(clean_up(remains, error, despite_stop, scope));
        let what = "the removal of slots and publications";
        scope.events.reporting(what, cleaning).await;
    }
    done
}

/// Enables failover for slots that are kept, creates the publications, then copies. What is published is in `held`, also after an error.
async fn publish_and_copy(
    work: RunWork<'_>,
    held: &mut Vec<Option<Held>>,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    enable_failover(work.kept, work.execution.options).await?;
    if work.execution.options.replicate {
        let publishing = publication::publish_databases(work.planned, work.execution, held, scope);
        Box::pin(run_phase(scope, None, Phase::Publication, publishing)).await?;
    } else {
        held.resize_with(work.planned.len(), || None);
    }
    Box::pin(copy_all(work, held, report, scope)).await
}

/// What was copied, with its consistent point.
fn finished_databases<'a>(
    held: &'a [Option<Held>],
    report: &'a Report,
) -> impl Iterator<Item = (&'a Held, Option<Lsn>)> {
    let databases = report.databases.iter().map(|one| one.consistent_point);
    let pairs = held.iter().zip(databases);
    pairs.filter_map(|(held, point)| Some((held.as_ref()?, point)))
}

/// The last act of a run: each promise is looked at on the servers.
async fn keep_promises(
    promises: &[Promise],
    foundation: &Foundation,
    options: &Options,
) -> Result<(), Error> {
    for promise in promises {
        promise::require_promise(promise, options.servers()).await?;
    }
    Ok(foundation.locks.check_held().await?)
}

/// What a failed run has on the source.
struct Remains<'a> {
    held: &'a [Option<Held>],
    /// How many of them are of databases that are copied whole.
    finished: usize,
    promises: &'a [Promise],
}

/// Takes back what serves no more, and says what stays.
async fn clean_up(remains: Remains<'_>, error: &Error, options: &Options, scope: &Scope) {
    let held = remains.held;
    let (finished, open) = held.split_at(remains.finished.min(held.len()));
    publication::withdraw_all(open.iter().flatten(), scope).await;
    let lost = error.lost_slot();
    let is_held = |promise: &&Promise| held.iter().flatten().any(|one| *one.slot() == promise.slot);
    let kept = remains.promises.iter().filter(|one| !is_held(one));
    for promise in kept.filter(|promise| lost == Some(&promise.slot)) {
        publication::give_up(promise, options, scope).await;
    }
    for held in finished.iter().flatten() {
        let broken = is_broken(held, remains.promises, options);
        let (database, slot) = (held.database().to_owned(), held.slot().clone());
        let note = if lost == Some(held.slot()) || broken.await {
            if publication::withdraw(held, scope).await != Withdrawal::Removed {
                continue;
            }
            Note::ReplicationRemoved(RemovedReplication {
                database,
                slot,
                publication: held.publication().clone(),
            })
        } else {
            Note::SlotRemains { database, slot }
        };
        scope.events.emit(Event::Note(note)).await;
    }
}

/// Whether a finished database cannot be followed any more. What cannot be asked is left as it is.
async fn is_broken(held: &Held, promises: &[Promise], options: &Options) -> bool {
    let mut promises = promises.iter();
    let Some(promise) = promises.find(|one| one.database == held.database()) else {
        return false;
    };
    matches!(promise::check_promise(promise, options.servers()).await, Ok(broken) if !broken.is_empty())
}

/// Does the phases after the publications. What is finished is in the report, also after an error.
async fn copy_all(
    work: RunWork<'_>,
    held: &[Option<Held>],
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let Execution {
        options,
        cluster,
        record,
        ..
    } = work.execution;
    let memberships = work.memberships;
    let done = Box::pin(create_roles_and_databases(work, held, report, scope)).await;
    // Also after a failure: nobody wants to stay a member of everyone.
    let revokes = record.pending_revokes(cluster, memberships);
    let ended = roles::run_memberships(&revokes, &options.despite_stop()).await;
    let ended = ended.and_then(|()| record.record_revoked());
    done?;
    ended
}

async fn create_roles_and_databases(
    work: RunWork<'_>,
    held: &[Option<Held>],
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let RunWork {
        execution,
        planned,
        kept: _,
        memberships,
        mut definitions,
    } = work;
    let creating = create_roles(execution, memberships);
    report.differences = run_phase(scope, None, Phase::Roles, creating).await?;
    let options = execution.options;
    for (planned, held) in planned.iter().zip(held) {
        let held = held.as_ref();
        let publisher = held.and_then(Held::publisher);
        let definitions = definitions.remove(planned.name());
        let run = DatabaseRun::new(execution, planned, publisher, definitions);
        let done = copy_database(run, held, scope).await?;
        if let Some(held) = held {
            report.slots.push(KeptSlot {
                database: held.database().to_owned(),
                slot: held.slot().clone(),
                is_failover: held.is_failover(),
                publications: held.publications(),
            });
        }
        report.databases.push(done);
        if options.on_refusal.fails() {
            fail_incomplete(report)?;
        }
    }
    Ok(())
}

/// Fails the run if the last database is kept without what the target has refused.
fn fail_incomplete(report: &mut Report) -> Result<(), Error> {
    let Some(last) = report.databases.last_mut() else {
        return Ok(());
    };
    let Some(refused) = last.refused.take() else {
        return Ok(());
    };
    let refused = Arc::try_unwrap(refused).expect("the report is the only one that has it");
    Err(Error::Incomplete {
        database: last.name.clone(),
        file: last.missing_file.clone(),
        source: Box::new(snapshot::Error::Refused(Box::new(refused))),
    })
}

/// Creates the roles, and makes our role a member of those that it acts for; returns what differs.
async fn create_roles(
    execution: Execution<'_>,
    memberships: &TemporaryMemberships,
) -> Result<Vec<String>, Error> {
    let differences = roles::create_roles(execution.cluster, execution.options).await?;
    roles::run_memberships(&memberships.grants, execution.options).await?;
    Ok(differences)
}

/// Creates, fills and finishes one database.
async fn copy_database(
    mut run: DatabaseRun<'_>,
    held: Option<&Held>,
    scope: &Scope,
) -> Result<DatabaseReport, Error> {
    if scope.stop.is_cancelled() {
        return Err(Error::Stopped);
    }
    let begun = Instant::now();
    let planned = run.planned;
    let Execution {
        options, cluster, ..
    } = run.execution;
    let wanted = DatabaseOptions {
        name: planned.target(),
        locale: options.cluster.locale.as_deref(),
        existing: planned.existing.as_ref(),
        script: &cluster.options,
    };
    let create = render_create(&planned.database, wanted)?;
    let finish = render_finish(&planned.database, wanted);
    let Filled {
        oid,
        report,
        recorded,
    } = Box::pin(run.fill(&create, scope)).await?;
    let finishing = finish_database(run.execution, planned, &finish.statements);
    let what = format!("the settings of database {}", planned.target().as_str());
    let refused = match scope.events.reporting(what, finishing).await {
        Ok(refused) => refused,
        Err(error) => return Err(run.clean_up_failed(oid, error.into()).await),
    };
    let following = finish_replication(held, report.consistent_point, run.execution);
    let what = format!("the slot of database {}", planned.name());
    let followed = scope.events.reporting(what, following).await;
    if let Err(error) = followed {
        return Err(run.clean_up_failed(oid, error.into()).await);
    }
    let recorded_missing = run
        .execution
        .record
        .record_missing(&planned.pair(), report.refused.as_deref());
    let missing_file = match recorded_missing {
        Ok(file) => file,
        Err(error) => return Err(run.clean_up_failed(oid, error.into()).await),
    };
    if let Some(recorded) = recorded {
        let (tables, point) = (report.tables.len(), report.consistent_point);
        recorded.finish(tables, report.rows(), point).await?;
    }
    let mut differences = report.differences;
    let omissions = finish.omissions.iter().chain(&refused);
    differences.extend(omissions.map(ToString::to_string));
    Ok(DatabaseReport {
        elapsed: begun.elapsed(),
        differences,
        missing_file,
        ..report
    })
}

/// Applies the settings of the database; returns what was refused that may be.
async fn finish_database(
    execution: Execution<'_>,
    planned: &PlannedDatabase,
    statements: &[FinishStatement],
) -> Result<Vec<Omission>, Error> {
    let target = execution.options.target.despite_stop();
    database::finish_database(&target, planned.target().as_str(), statements).await
}

/// Checks whether the database can be followed from its consistent point, and says so in its mark. All of
/// this comes before it counts as finished.
async fn finish_replication(
    held: Option<&Held>,
    point: Option<Lsn>,
    execution: Execution<'_>,
) -> Result<(), Error> {
    let Some(held) = held else {
        return Ok(());
    };
    let promise = held.promise(point, false);
    promise::require_promise(&promise, execution.options.servers()).await?;
    held.mark_complete(point).await?;
    execution.record.record_published(&promise)
}
