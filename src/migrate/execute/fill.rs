//! Fills one database of the target: it is created or found empty, copied into, and removed again after a failure where
//! this run created it.

use std::time::{Duration, Instant};

use crate::checkpoint::{Closed, Origin, Recorder};
use crate::cluster::contents::Contents;
use crate::connect::Endpoint;
use crate::event::{Event, Phase, Warning, WithCauses as _};
use crate::migrate::error::Error;
use crate::migrate::execute::drop::{Expected, drop_database, enter};
use crate::migrate::execute::empty::{Cleared, clear};
use crate::migrate::execute::run::phase;
use crate::migrate::execute::{contents, database, existing};
use crate::migrate::journal::Filling;
use crate::migrate::planned::PlannedDatabase;
use crate::migrate::report::DatabaseReport;
use crate::migrate::target_action::Fate;
use crate::migrate::target_cluster::TargetCluster;
use crate::migrate::{Options, journal};
use crate::pg::Side;
use crate::pg::{Oid, Sql};
use crate::task::Scope;
use crate::transfer::Ledger;

/// Creates the database and fills it; again, where DDL on the source has ended a short copy.
pub(crate) async fn filled(
    planned: &mut PlannedDatabase,
    create: &Sql,
    cluster: &TargetCluster,
    options: &Options,
    scope: &Scope,
) -> Result<(Oid, DatabaseReport, Option<Closed>), Error> {
    let name = planned.name().to_owned();
    let mut restarts = options.locks.restarts;
    loop {
        let making = make_database(planned, create, options);
        let oid = phase(scope, Some(&name), Phase::Database, making).await?;
        let again = planned.before.again();
        let since = Instant::now();
        let copying = contents(planned, cluster, options, scope);
        let broken = match Box::pin(copying).await {
            Ok((done, recorded)) => return Ok((oid, done, recorded)),
            Err(broken) => broken,
        };
        let is_repeated = broken.is_yielding() && restarts > 0 && since.elapsed() < SHORT_COPY;
        if !is_repeated || !begins_again(planned, oid, options).await {
            return Err(failed(planned, oid, options, broken).await);
        }
        restarts -= 1;
        planned.before = again;
        let restart = Warning::CopyRestarts {
            database: name.clone(),
            cause: broken.cause().to_string(),
            remaining: restarts,
        };
        scope.events.emit(Event::Warning(restart)).await;
    }
}

/// A copy that has run for less than this begins again when it has ended for DDL.
const SHORT_COPY: Duration = Duration::from_secs(60);

/// Removes what a copy that ended for DDL has left, as far as that goes at once, and decides how the database
/// is created for the next one. Whether there can be one.
async fn begins_again(planned: &mut PlannedDatabase, oid: Oid, options: &Options) -> bool {
    const WHY: &str = "DDL on the source ended the copy";
    if planned.fate.uses_existing() {
        planned.seal = planned.record.seal(planned);
        planned.fate = Fate::Clear { oid, why: WHY };
        return true;
    }
    if !remove(planned, oid, options).await {
        return false;
    }
    planned.fate = Fate::Create;
    let removed = planned.record.removed(planned);
    removed
        .inspect_err(|error| tracing::warn!(%error, "what was removed could not be recorded"))
        .is_ok()
}

/// Creates or empties the database, and begins the journal of what this run creates in it.
async fn make_database(
    planned: &PlannedDatabase,
    create: &Sql,
    options: &Options,
) -> Result<Oid, Error> {
    let record = &planned.record;
    // What is created is recorded as created, regardless of what happens meanwhile.
    let (place, target) = (planned.target().as_str(), &options.target.despite_stop());
    match &planned.fate {
        Fate::Use => {
            let existing = planned.existing.as_ref();
            let oid = existing.expect("a database that is used exists").oid;
            begin_journal(planned, target, (oid, planned.used())).await?;
            record.begun(planned, oid, planned.used())?;
            return Ok(oid);
        }
        Fate::Clear { oid, .. } => {
            let cleared = Cleared {
                database: (place, *oid),
                extensions: &planned.installed,
                seal: planned.seal.as_deref(),
            };
            clear(target, cleared).await?;
            begin_journal(planned, target, (*oid, planned.used())).await?;
            record.begun(planned, *oid, planned.used())?;
            return Ok(*oid);
        }
        Fate::Replace { oid, digest, .. } => {
            drop_database(target, (place, *oid), Expected::Shown { digest }).await?;
        }
        Fate::Remake { oid, .. } => {
            let seal = planned.seal.as_deref();
            drop_database(target, (place, *oid), Expected::Ours { seal }).await?;
            record.removed(planned)?;
        }
        Fate::Create | Fate::Keep { .. } => {}
    }
    database::create(target, place, create).await?;
    let oid = database::find_oid(target, place).await?;
    let replaced = || Error::Replaced {
        database: place.to_owned(),
    };
    let oid = oid.ok_or_else(replaced)?;
    begin_journal(planned, target, (oid, Origin::Made)).await?;
    record.begun(planned, oid, Origin::Made)?;
    Ok(oid)
}

/// Begins the journal. A database that existed must still be empty after that: everything that comes later is
/// not in the journal, and so nobody takes it for ours.
async fn begin_journal(
    planned: &PlannedDatabase,
    target: &Endpoint,
    (oid, origin): (Oid, Origin),
) -> Result<(), Error> {
    let name = planned.target().as_str();
    let is_used = origin != Origin::Made;
    let filling = Filling {
        run: planned.record.tag().number,
        database: oid.0,
        origin,
    };
    let session = enter(target, (name, oid)).await?;
    let refused = |source| Error::Database {
        what: "begin the journal in",
        database: name.to_owned(),
        source,
    };
    let opened = journal::open(&session, is_used, Some(&filling)).await;
    opened.map_err(refused)?;
    let examine = Error::examine(Side::Target);
    if !is_used || Contents::load(&session).await.map_err(examine)?.is_empty() {
        return Ok(());
    }
    let objects = journal::newest(&session).await.map_err(examine)?;
    journal::discard(&session).await.map_err(refused)?;
    Err(Error::NotEmpty {
        database: name.to_owned(),
        objects: objects.map_or_else(String::new, |objects| objects.to_string()),
    })
}

/// Why a database's contents did not become what they should.
pub(crate) enum Broken {
    /// The copy failed.
    Copy(contents::Failure),
    /// Something around it failed.
    Around(Error),
}

impl Broken {
    fn is_yielding(&self) -> bool {
        matches!(self, Self::Copy(failure) if failure.is_yielding())
    }

    /// Why, in words.
    fn cause(&self) -> String {
        match self {
            Self::Copy(failure) => failure.to_string(),
            Self::Around(error) => error.to_string(),
        }
    }
}

impl<E: Into<Error>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Around(error.into())
    }
}

/// Fills the database, and records what is done in it.
async fn contents(
    planned: &mut PlannedDatabase,
    cluster: &TargetCluster,
    options: &Options,
    scope: &Scope,
) -> Result<(DatabaseReport, Option<Closed>), Broken> {
    let inside = options.target.with_database(planned.target().as_str());
    // It stops with the run, and when what is done cannot be recorded any more.
    let own = scope.child();
    let recorder = planned
        .record
        .follow(planned, &inside, own.stop.clone())
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
    let copied = Box::pin(contents::contents(
        planned,
        before,
        (cluster, options),
        &own,
    ))
    .await;
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
        // The first cause is reported: the recorder's, where it has stopped the copy.
        (Err(failure), Ok(_)) => Err(Broken::Copy(failure)),
        (Err(failure), Err(_)) if !was_stopped => Err(Broken::Copy(failure)),
        (_, Err(error)) => Err(error.into()),
    }
}

/// Cleans up after a failed copy and says what became of the target database.
pub(crate) async fn failed(
    planned: &PlannedDatabase,
    oid: Oid,
    options: &Options,
    broken: Broken,
) -> Error {
    let name = planned.name();
    let is_made = !planned.fate.uses_existing();
    let removed = is_made && remove(planned, oid, options).await;
    if removed && let Err(error) = planned.record.removed(planned) {
        // The next run finds the database gone, regardless of what is recorded of it.
        tracing::warn!(%error, database = name, "what was removed could not be recorded");
    }
    match broken {
        Broken::Copy(failure) => failure.into_error(name, removed),
        Broken::Around(error) => error,
    }
}

/// Removes a database that this run has created, so that no half-copied one remains. Whether it did.
async fn remove(planned: &PlannedDatabase, oid: Oid, options: &Options) -> bool {
    let place = planned.target().as_str();
    let seal = planned.record.seal(planned);
    let expected = Expected::Ours {
        seal: seal.as_deref(),
    };
    let target = options.target.despite_stop();
    match Box::pin(drop_database(&target, (place, oid), expected)).await {
        Ok(()) => true,
        Err(error) => {
            let error = error.chain();
            tracing::warn!(
                error,
                database = place,
                "the incomplete database could not be removed"
            );
            false
        }
    }
}
