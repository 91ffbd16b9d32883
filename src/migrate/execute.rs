//! Phases 5 to 13 of `init`.

use std::future::Future;
use std::time::Instant;

use super::prepare::{Fate, PlannedDatabase, Prepared};
use super::replication::{self, Held};
use super::report::{DatabaseReport, KeptSlot, Report};
use super::roles::{self, TargetCluster};
use super::{Error, Options, copy, database, existing};
use crate::ddl::object::database::{DatabaseOptions, render_create, render_finish};
use crate::event::{Event, Phase};
use crate::pg::Sql;
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
    mut prepared: Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Report, Error> {
    assert_eq!(
        prepared.errors(),
        0,
        "refused findings end a run before it begins"
    );
    let begun = Instant::now();
    let mut report = Report::default();
    let held = if options.replicate {
        let publishing = replication::publish(&mut prepared.databases, options, scope);
        phase(scope, None, Phase::Publication, publishing).await?
    } else {
        prepared.databases.iter().map(|_| None).collect()
    };
    let copied = Box::pin(copy_all(prepared, &held, options, &mut report, scope)).await;
    if let Err(error) = copied {
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
    prepared: Prepared,
    held: &[Option<Held>],
    options: &Options,
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    let cluster = prepared
        .cluster
        .as_ref()
        .expect("a plan without errors has read the roles");
    let assumption = cluster.assume();
    let making = async {
        let differences = roles::make(cluster, options).await?;
        roles::act(&assumption.grants, options).await?;
        Ok::<_, Error>(differences)
    };
    report.differences = phase(scope, None, Phase::Roles, making).await?;
    let planned = prepared.databases.into_iter().zip(held);
    let done = databases(planned, (cluster, options), report, scope).await;
    // Also after a failure: nobody wants to stay a member of everyone.
    let ended = roles::act(&assumption.revokes, options).await;
    done?;
    ended
}

async fn databases(
    planned: impl Iterator<Item = (PlannedDatabase, &Option<Held>)>,
    (cluster, options): (&TargetCluster, &Options),
    report: &mut Report,
    scope: &Scope,
) -> Result<(), Error> {
    for (planned, held) in planned {
        let done = one_database(planned, cluster, options, scope).await?;
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
    cluster: &TargetCluster,
    options: &Options,
    scope: &Scope,
) -> Result<DatabaseReport, Error> {
    if scope.stop.is_cancelled() {
        return Err(Error::Stopped);
    }
    let before = std::mem::take(&mut planned.before);
    let planned = &planned;
    let name = planned.target().as_str();
    let begun = Instant::now();
    let wanted = DatabaseOptions {
        name: planned.target(),
        locale: options.cluster.locale.as_deref(),
        existing: planned.existing.as_ref(),
        script: &cluster.options,
    };
    let create = render_create(&planned.database, wanted)?;
    let finish = render_finish(&planned.database, wanted);
    phase(
        scope,
        Some(name),
        Phase::Database,
        make_database(planned, &create, options),
    )
    .await?;
    let inside = options.target.with_database(name);
    let defaults = match planned.fate {
        Fate::Use => existing::set_defaults_aside(&inside, &cluster.options).await?,
        Fate::Create | Fate::Replace { .. } => Vec::new(),
    };
    let copied = Box::pin(copy::contents(planned, before, (cluster, options), scope)).await;
    let brought = existing::bring_defaults_back(&inside, &defaults).await;
    let done = match copied {
        Ok(done) => done,
        Err(error) => return Err(failed(planned, options, error).await),
    };
    brought?;
    let refused = database::finish(&options.target, name, &finish.statements).await?;
    let mut differences = done.differences;
    let omissions = finish.omissions.iter().chain(&refused);
    differences.extend(omissions.map(ToString::to_string));
    Ok(DatabaseReport {
        elapsed: begun.elapsed(),
        differences,
        ..done
    })
}

async fn make_database(
    planned: &PlannedDatabase,
    create: &Sql,
    options: &Options,
) -> Result<(), Error> {
    let name = planned.target().as_str();
    match planned.fate {
        Fate::Use => return Ok(()),
        Fate::Replace { .. } => database::drop_database(&options.target, name).await?,
        Fate::Create => {}
    }
    database::create(&options.target, name, create).await
}

/// Clears up after a failed copy and says what became of the target database.
async fn failed(planned: &PlannedDatabase, options: &Options, error: copy::Failure) -> Error {
    let made = planned.fate != Fate::Use;
    let removed = if made {
        database::remove(&options.target, planned.target().as_str()).await
    } else {
        false
    };
    error.into_error(planned.name(), removed)
}
