//! Phases 5 to 13 of `init`.

use std::future::Future;
use std::time::Instant;

use super::clear::clear;
use super::fate::Fate;
use super::prepare::{PlannedDatabase, Prepared};
use super::report::{DatabaseReport, Report};
use super::resume::{self, Record};
use super::roles::{self, TargetCluster};
use super::turn::Turn;
use super::{Error, Options, copy, database, existing};
use crate::checkpoint::{Closed, Origin, Recorder};
use crate::ddl::object::database::{DatabaseOptions, render_create, render_finish};
use crate::event::{Event, Phase};
use crate::pg::Sql;
use crate::snapshot::Ledger;
use crate::task::Scope;

/// Carries out what [`prepare`](super::prepare()) planned. The user has agreed.
///
/// # Errors
/// The first phase that failed. Databases finished before stay; the one at hand is removed if this
/// run has made it. No slot, session or lock remains.
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
    let planned = prepared.databases;
    let cluster = prepared.cluster;
    let cluster = cluster.expect("a plan without errors has read the roles");
    let assumption = cluster.assume();
    let lent = resume::lent(&assumption, &cluster.options.target.connected_as);
    let record = Record::begin(prepared.resume, &planned, lent)?;
    let making = async {
        let differences = roles::make(&cluster, options).await?;
        roles::act(&assumption.grants, options).await?;
        Ok::<_, Error>(differences)
    };
    let working = async {
        let differences = phase(scope, None, Phase::Roles, making).await?;
        let place = (&cluster, &record);
        let (databases, kept) = databases(planned, place, options, scope).await?;
        Ok::<_, Error>(Report {
            databases,
            kept,
            differences,
            elapsed: begun.elapsed(),
        })
    };
    let done = Box::pin(working).await;
    // Also after a failure: nobody wants to stay a member of everyone.
    let ended = roles::act(&record.give_back(&cluster, &assumption), options).await;
    let ended = ended.and_then(|()| record.given_back());
    let report = done?;
    ended?;
    Ok(report)
}

/// What became of the databases: those that were copied, and those that were kept.
async fn databases(
    planned: Vec<PlannedDatabase>,
    place: (&TargetCluster, &Record),
    options: &Options,
    scope: &Scope,
) -> Result<(Vec<DatabaseReport>, Vec<String>), Error> {
    let is_kept = |planned: &PlannedDatabase| matches!(planned.fate, Fate::Keep { .. });
    let (kept, planned): (Vec<_>, Vec<_>) = planned.into_iter().partition(is_kept);
    let kept = kept.iter().map(|planned| planned.name().to_owned());
    let mut reports = Vec::with_capacity(planned.len());
    for planned in planned {
        reports.push(one_database(planned, place, options, scope).await?);
    }
    Ok((reports, kept.collect()))
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
    let _turn = Turn::take(&options.target, &name).await?;
    let wanted = DatabaseOptions {
        name: &planned.database.name,
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
    let target = &options.target;
    match planned.fate {
        Fate::Use => {
            let existing = planned.existing.as_ref();
            let oid = existing.expect("a database that is used exists").oid;
            return record.begun(name, oid, used(planned));
        }
        Fate::Clear { oid, .. } => {
            clear(&target.with_database(name), oid, &planned.installed).await?;
            return record.begun(name, oid, used(planned));
        }
        Fate::Replace { .. } => database::drop_database(target, name).await?,
        Fate::Remake { oid, .. } => {
            database::drop_own(target, name, oid).await?;
            record.removed(name)?;
        }
        Fate::Create | Fate::Keep { .. } => {}
    }
    database::create(target, name, create).await?;
    let oid = database::find_oid(target, name).await?;
    let replaced = || Error::Replaced {
        database: name.to_owned(),
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
    let inside = options.target.with_database(planned.name());
    // It stops with the run, and when what is done cannot be recorded any more.
    let own = scope.child();
    let recorder = record.follow(&inside, own.stop.clone()).await?;
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
    let removed = is_made && database::remove(&options.target, name).await;
    if removed && let Err(error) = record.removed(name) {
        // The next run finds the database gone, whatever is recorded of it.
        tracing::warn!(%error, database = name, "what was removed could not be recorded");
    }
    match broken {
        Broken::Copy(failure) => failure.into_error(name, removed),
        Broken::Around(error) => error,
    }
}
