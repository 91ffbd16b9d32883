//! Fills one database of the target: it is created or found empty, copied into, and removed again after a
//! failure where this run created it.

use std::time::{Duration, Instant};

use crate::checkpoint::{Closed, Origin, Recorder};
use crate::cluster::contents::Contents;
use crate::event::{Event, Phase, Warning, WithCauses as _};
use crate::migrate::error::Error;
use crate::migrate::execute::contents::ContentCopy;
use crate::migrate::execute::drop::{Expected, TargetDatabase, drop_database};
use crate::migrate::execute::empty::{Cleared, empty_database};
use crate::migrate::execute::execution::DatabaseRun;
use crate::migrate::execute::failure::Failure;
use crate::migrate::execute::phase::run_phase;
use crate::migrate::execute::{database, existing};
use crate::migrate::journal::{self, Filling};
use crate::migrate::report::DatabaseReport;
use crate::migrate::target_action::TargetAction;
use crate::pg::{Oid, Side, Sql};
use crate::task::Scope;
use crate::transfer::Ledger;

/// A database that was filled.
pub(crate) struct Filled {
    /// Its oid on the target.
    pub(crate) oid: Oid,
    /// What was copied.
    pub(crate) report: DatabaseReport,
    /// Its record, where one is kept.
    pub(crate) recorded: Option<Closed>,
}

/// A copy that has run for less than this begins again when it has ended for DDL.
const SHORT_COPY: Duration = Duration::from_secs(60);

impl DatabaseRun<'_> {
    /// Creates the database and fills it; again, where DDL on the source has ended a short copy.
    ///
    /// # Errors
    /// The database could not be created or filled; what this run has created of it is removed.
    pub(crate) async fn fill(&mut self, create: &Sql, scope: &Scope) -> Result<Filled, Error> {
        let name = self.planned.name();
        let mut restarts = self.execution.options.locks.restarts;
        loop {
            let creating = Box::pin(self.create_database(create));
            let oid = run_phase(scope, Some(name), Phase::Database, creating).await?;
            let since = Instant::now();
            let broken = match Box::pin(self.fill_contents(oid, scope)).await {
                Ok(filled) => return Ok(filled),
                Err(broken) => broken,
            };
            let is_repeated = broken.is_yielding() && restarts > 0 && since.elapsed() < SHORT_COPY;
            if !is_repeated || !self.prepare_again(oid).await {
                return Err(self.clean_up_failed(oid, broken).await);
            }
            restarts -= 1;
            let restart = Warning::CopyRestarts {
                database: name.to_owned(),
                cause: broken.to_string(),
                remaining: restarts,
            };
            scope.events.emit(Event::Warning(restart)).await;
        }
    }

    /// Removes what a copy that ended for DDL has left, as far as that goes at once, and decides how the
    /// database is created for the next one. Returns whether there can be one.
    async fn prepare_again(&mut self, oid: Oid) -> bool {
        const WHY: &str = "DDL on the source ended the copy";
        if self.action.uses_existing() {
            self.seal = self.execution.record.recorded_seal(&self.planned.pair());
            self.action = TargetAction::Empty { oid, why: WHY };
            return true;
        }
        if !self.remove_database(oid).await {
            return false;
        }
        self.action = TargetAction::Create;
        let removed = self.execution.record.record_removed(&self.planned.pair());
        removed
            .inspect_err(|error| tracing::warn!(%error, "what was removed could not be recorded"))
            .is_ok()
    }

    /// Creates or empties the database, and begins the journal of what this run creates in it.
    async fn create_database(&self, create: &Sql) -> Result<Oid, Error> {
        let (planned, record) = (self.planned, self.execution.record);
        // What is created is recorded as created, regardless of what happens meanwhile.
        let target = &self.execution.options.target.despite_stop();
        let name = planned.target().as_str();
        match &self.action {
            TargetAction::UseEmpty => {
                let existing = planned.existing.as_ref();
                let oid = existing.expect("a database that is used exists").oid;
                return self.begin_database(oid, planned.used()).await;
            }
            TargetAction::Empty { oid, .. } => {
                let cleared = Cleared {
                    database: TargetDatabase { name, oid: *oid },
                    extensions: &planned.installed,
                    seal: self.seal.as_deref(),
                };
                empty_database(target, cleared).await?;
                return self.begin_database(*oid, planned.used()).await;
            }
            TargetAction::DropAndCreate {
                oid,
                digest,
                subscribed,
                ..
            } => {
                let database = TargetDatabase { name, oid: *oid };
                let shown = Expected::Shown { digest, subscribed };
                let dropping = drop_database(target, database, shown);
                let what = format!("DROP DATABASE {name}");
                target.events().reporting(what, dropping).await?;
            }
            TargetAction::Recreate { oid, .. } => {
                let database = TargetDatabase { name, oid: *oid };
                let seal = self.seal.as_deref();
                let dropping = drop_database(target, database, Expected::Ours { seal });
                let what = format!("DROP DATABASE {name}");
                target.events().reporting(what, dropping).await?;
                record.record_removed(&planned.pair())?;
            }
            TargetAction::Create | TargetAction::Keep { .. } | TargetAction::Complete { .. } => {}
        }
        let creating = database::create_database(target, name, create);
        let what = format!("CREATE DATABASE {name}");
        target.events().reporting(what, creating).await?;
        let oid = database::find_oid(target, name).await?;
        let replaced = || Error::Replaced {
            database: name.to_owned(),
        };
        self.begin_database(oid.ok_or_else(replaced)?, Origin::Made)
            .await
    }

    /// Begins the journal, and records that everything in the database from now on is ours.
    async fn begin_database(&self, oid: Oid, origin: Origin) -> Result<Oid, Error> {
        self.begin_journal(oid, origin.clone()).await?;
        self.execution
            .record
            .record_begun(&self.planned.pair(), oid, origin)?;
        Ok(oid)
    }

    /// Begins the journal. A database that existed must still be empty after that: everything that comes later is
    /// not in the journal, and so nobody takes it for ours.
    async fn begin_journal(&self, oid: Oid, origin: Origin) -> Result<(), Error> {
        let name = self.planned.target().as_str();
        let is_used = origin != Origin::Made;
        let filling = Filling {
            run: self.execution.record.tag().number,
            database: oid.0,
            origin,
        };
        let target = self.execution.options.target.despite_stop();
        let session = TargetDatabase { name, oid }.open_session(&target).await?;
        let refused = Error::change("begin the journal in", name);
        let opened = journal::open_journal(&session, is_used, Some(&filling)).await;
        opened.map_err(refused)?;
        let examine = Error::examine(Side::Target);
        if !is_used || Contents::load(&session).await.map_err(examine)?.is_empty() {
            return Ok(());
        }
        let objects = journal::load_newest_objects(&session)
            .await
            .map_err(examine)?;
        journal::discard_journal(&session).await.map_err(refused)?;
        Err(Error::NotEmpty {
            database: name.to_owned(),
            objects: objects.map_or_else(String::new, |objects| objects.to_string()),
        })
    }

    /// Fills the database, and records what is done in it.
    async fn fill_contents(&mut self, oid: Oid, scope: &Scope) -> Result<Filled, Failure> {
        let inside = self.target();
        // It stops with the run, and when what is done cannot be recorded any more.
        let own = scope.child();
        let record = self.execution.record;
        let recorder = record
            .start_recorder(&self.planned.pair(), &inside, own.stop.clone())
            .await?;
        let defaults = if self.action.uses_existing() {
            existing::set_defaults_aside(&inside, &self.execution.cluster.options).await?
        } else {
            Vec::new()
        };
        let checked = self.take_checked();
        let copy = ContentCopy {
            run: self,
            endpoints: self.planned.endpoints(self.execution.options),
            ledger: recorder
                .as_ref()
                .map_or_else(Ledger::none, Recorder::ledger),
        };
        let copied = Box::pin(copy.copy_contents(checked, &own)).await;
        let was_stopped = own.stop.is_cancelled() && !scope.stop.is_cancelled();
        let brought = existing::bring_defaults_back(&inside, &defaults).await;
        let closed = match recorder {
            Some(recorder) => recorder.close().await.map(Some),
            None => Ok(None),
        };
        match (copied, closed) {
            (Ok(report), Ok(recorded)) => {
                brought?;
                Ok(Filled {
                    oid,
                    report,
                    recorded,
                })
            }
            // The first cause is reported: the recorder's, where it has stopped the copy.
            (Err(failure), Ok(_)) => Err(failure),
            (Err(failure), Err(_)) if !was_stopped => Err(failure),
            (_, Err(error)) => Err(error.into()),
        }
    }

    /// Cleans up after a failed copy, and returns the error, which says what became of the target database.
    pub(crate) async fn clean_up_failed(&self, oid: Oid, failure: Failure) -> Error {
        let name = self.planned.name();
        let is_created = !self.action.uses_existing();
        let removed = is_created && self.remove_database(oid).await;
        if removed && let Err(error) = self.execution.record.record_removed(&self.planned.pair()) {
            // The next run finds the database gone, regardless of what is recorded of it.
            tracing::warn!(%error, database = name, "what was removed could not be recorded");
        }
        failure.into_error(name, removed)
    }

    /// Removes a database that this run has created, so that no half-copied one remains. Returns whether
    /// it did.
    async fn remove_database(&self, oid: Oid) -> bool {
        let name = self.planned.target().as_str();
        let seal = self.execution.record.recorded_seal(&self.planned.pair());
        let expected = Expected::Ours {
            seal: seal.as_deref(),
        };
        let target = self.execution.options.target.despite_stop();
        let database = TargetDatabase { name, oid };
        let dropping = drop_database(&target, database, expected);
        let what = format!("DROP DATABASE {name}");
        match target.events().reporting(what, dropping).await {
            Ok(()) => true,
            Err(error) => {
                let error = error.chain();
                tracing::warn!(
                    error,
                    database = name,
                    "the incomplete database could not be removed"
                );
                false
            }
        }
    }
}
