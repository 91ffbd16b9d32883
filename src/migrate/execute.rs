//! Phases 5 to 13 of `init`.

use std::future::Future;
use std::time::Instant;

use super::clear::clear;
use super::fate::Fate;
use super::prepare::{PlannedDatabase, Prepared};
use super::replication::{self, Held};
use super::report::{DatabaseReport, KeptSlot, Report};
use super::resume::{self, Record};
use super::roles::{self, TargetCluster};
use super::turn::Turn;
use super::{Error, Options, copy, database, existing};
use crate::checkpoint::{Closed, Origin, Recorder};
use crate::ddl::object::database::{DatabaseOptions, render_create, render_finish};
use crate::ddl::object::membership::Assumption;
use crate::event::{Event, Phase};
use crate::pg::Sql;
use crate::snapshot::Ledger;
use crate::task::Scope;

/// Carries out what [`prepare`](super::prepare()) planned. The user has agreed.
///
/// # Errors
/// The first phase that failed. Databases finished before stay, with slot and publication; the one at
/// hand is removed if this run has made it. Of it and those to come no slot, publication, session or
/// lock remains.
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
    let begun = Instant::now();
    let is_kept = |planned: &PlannedDatabase| matches!(planned.fate, Fate::Keep { .. });
    let (kept, mut planned): (Vec<_>, Vec<_>) = prepared.databases.into_iter().partition(is_kept);
    let cluster = prepared.cluster;
    let cluster = cluster.expect("a plan without errors has read the roles");
    let assumption = cluster.assume();
    let lent = resume::lent(&assumption, &cluster.options.target.connected_as);
    let record = Record::begin(prepared.resume, &planned, lent)?;
    let mut report = Report {
        kept: kept.iter().map(|one| one.name().to_owned()).collect(),
        ..Report::default()
    };
    let held = if options.replicate {
        let publishing = replication::publish(&mut planned, options, scope);
        phase(scope, None, Phase::Publication, publishing).await?
    } else {
        planned.iter().map(|_| None).collect()
    };
    let place = (&cluster, &record, &assumption);
    let working = copy_all((planned, &held), place, options, &mut report, scope);
    if let Err(error) = Box::pin(working).await {
        let (finished, open) = held.split_at(report.databases.len());
        replication::withdraw(open, scope).await;
        for held in finished.iter().flatten() {
            let text = format!(
                "database {} is copied whole: its replication slot {} stays and keeps log on the source; \
                 remove it with teardown unless its replication is to follow",
                held.database(),
                held.slot()
            );
            scope.events.emit(Event::Note(text)).await;
        }
        return Err(error);
    }
    report.elapsed = begun.elapsed();
    Ok(report)
}

/// The phases after the publications. What is finished is in the report, also after an error.
async fn copy_all(
    (planned, held): (Vec<PlannedDatabase>, &[Option<Held>]),
    (cluster, record, assumption): (&TargetCluster, &Record, &Assumption),
    options: &Options,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let making = async {
        let differences = roles::make(cluster, options).await?;
        roles::act(&assumption.grants, options).await?;
        Ok::<_, Error>(differences)
    };
    let working = async {
        report.differences = phase(scope, None, Phase::Roles, making).await?;
        let planned = planned.into_iter().zip(held);
        databases(planned, (cluster, record), options, report, scope).await
    };
    let done = Box::pin(working).await;
    // Also after a failure: nobody wants to stay a member of everyone.
    let ended = roles::act(&record.give_back(cluster, assumption), options).await;
    let ended = ended.and_then(|()| record.given_back());
    done?;
    ended
}

async fn databases(
    planned: impl Iterator<Item = (PlannedDatabase, &Option<Held>)>,
    place: (&TargetCluster, &Record),
    options: &Options,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    for (planned, held) in planned {
        let done = one_database(planned, place, options, scope).await?;
        if let Some(held) = held {
            replication::complete(held, scope).await?;
            report.slots.push(KeptSlot {
                database: held.database().to_owned(),
                slot: held.slot().clone(),
            });
        }
        report.databases.push(done);
    }
    Ok(())
}

/// Emits the beginning and the end of a phase around work.
pub(super) async fn phase<T, E>(
    scope: &Scope,
    database: Option<&str>,
    phase: Phase,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let database = database.map(str::to_owned);
    let begun = Instant::now();
    scope
        .events
        .emit(Event::PhaseStarted {
            database: database.clone(),
            phase,
        })
        .await;
    let done = work.await?;
    let elapsed = begun.elapsed();
    scope
        .events
        .emit(Event::PhaseFinished {
            database,
            phase,
            elapsed,
        })
        .await;
    Ok(done)
}

async fn one_database(
    mut planned: PlannedDatabase,
    (cluster, record): (&TargetCluster, &Record),
    options: &Options,
    scope: &Scope,
) -> Result<DatabaseReport, Error> {
    if scope.stop.is_cancelled() {
        return Err(Error::Stopped);
    }
    let begun = Instant::now();
    let name = planned.name().to_owned();
    let place = planned.target().as_str().to_owned();
    let _turn = Turn::take(&options.target, &place).await?;
    let wanted = DatabaseOptions {
        name: planned.target(),
        locale: options.cluster.locale.as_deref(),
        existing: planned.existing.as_ref(),
        script: &cluster.options,
    };
    let create = render_create(&planned.database, wanted)?;
    let finish = render_finish(&planned.database, wanted);
    let making = make_database(&planned, &create, record, options);
    phase(scope, Some(&name), Phase::Database, making).await?;
    let copying = contents(&mut planned, (cluster, record), options, scope);
    let (done, recorded) = match Box::pin(copying).await {
        Ok(done) => done,
        Err(broken) => return Err(failed(&planned, record, options, broken).await),
    };
    let refused = database::finish(&options.target, &name, &finish.statements).await?;
    if let Some(recorded) = recorded {
        let (tables, point) = (done.tables.len(), done.consistent_point);
        recorded.finish(tables, done.rows(), point).await?;
    }
    let mut differences = done.differences;
    let omissions = finish.omissions.iter().chain(&refused);
    differences.extend(omissions.map(ToString::to_string));
    Ok(DatabaseReport {
        elapsed: begun.elapsed(),
        differences,
        ..done
    })
}

/// Sees to it that the database stands and is empty; then it is ours.
async fn make_database(
    planned: &PlannedDatabase,
    create: &Sql,
    record: &Record,
    options: &Options,
) -> Result<(), Error> {
    let name = planned.name();
    let (place, target) = (planned.target().as_str(), &options.target);
    match planned.fate {
        Fate::Use => {
            let existing = planned.existing.as_ref();
            let oid = existing.expect("a database that is used exists").oid;
            return record.begun(name, oid, used(planned));
        }
        Fate::Clear { oid, .. } => {
            clear(&target.with_database(place), oid, &planned.installed).await?;
            return record.begun(name, oid, used(planned));
        }
        Fate::Replace { .. } => database::drop_database(target, place).await?,
        Fate::Remake { oid, .. } => {
            database::drop_own(target, place, oid).await?;
            record.removed(name)?;
        }
        Fate::Create | Fate::Keep { .. } => {}
    }
    database::create(target, place, create).await?;
    let oid = database::find_oid(target, place).await?;
    let replaced = || Error::Replaced {
        database: place.to_owned(),
    };
    record.begun(name, oid.ok_or_else(replaced)?, Origin::Made)
}

fn used(planned: &PlannedDatabase) -> Origin {
    let names = planned.installed.iter();
    let extensions = names.map(|name| name.as_str().to_owned()).collect();
    Origin::Used { extensions }
}

/// Why a database's contents did not become what they should.
enum Broken {
    /// The copy failed.
    Copy(copy::Failure),
    /// Something around it failed.
    Around(Error),
}

impl<E: Into<Error>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Around(error.into())
    }
}

/// Fills the database, and records what is done in it.
async fn contents(
    planned: &mut PlannedDatabase,
    (cluster, record): (&TargetCluster, &Record),
    options: &Options,
    scope: &Scope,
) -> Result<(DatabaseReport, Option<Closed>), Broken> {
    let inside = options.target.with_database(planned.target().as_str());
    // It stops with the run, and when what is done cannot be recorded any more.
    let own = scope.child();
    let recorder = record
        .follow(planned.name(), &inside, own.stop.clone())
        .await?;
    planned.ledger = recorder
        .as_ref()
        .map_or_else(Ledger::none, Recorder::ledger);
    let defaults = if planned.fate.uses_existing() {
        existing::set_defaults_aside(&inside, &cluster.options).await?
    } else {
        Vec::new()
    };
    let before = std::mem::take(&mut planned.before);
    let copied = Box::pin(copy::contents(planned, before, (cluster, options), &own)).await;
    let was_stopped = own.stop.is_cancelled() && !scope.stop.is_cancelled();
    let brought = existing::bring_defaults_back(&inside, &defaults).await;
    let closed = match recorder {
        Some(recorder) => recorder.close().await.map(Some),
        None => Ok(None),
    };
    match (copied, closed) {
        (Ok(done), Ok(closed)) => {
            brought?;
            Ok((done, closed))
        }
        // The first cause is told: the recorder's, where it has stopped the copy.
        (Err(failure), Ok(_)) => Err(Broken::Copy(failure)),
        (Err(failure), Err(_)) if !was_stopped => Err(Broken::Copy(failure)),
        (_, Err(error)) => Err(error.into()),
    }
}

/// Clears up after a failed copy and says what became of the target database.
async fn failed(
    planned: &PlannedDatabase,
    record: &Record,
    options: &Options,
    broken: Broken,
) -> Error {
    let name = planned.name();
    let is_made = !planned.fate.uses_existing();
    let removed = is_made && database::remove(&options.target, planned.target().as_str()).await;
    if removed && let Err(error) = record.removed(name) {
        // The next run finds the database gone, whatever is recorded of it.
        tracing::warn!(%error, database = name, "what was removed could not be recorded");
    }
    match broken {
        Broken::Copy(failure) => failure.into_error(name, removed),
        Broken::Around(error) => error,
    }
}
