//! The observation of one database: two sessions, which stay open between two looks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cause::find_causes;
use super::error::Error;
use super::facts::{SourceFacts, TargetFacts};
use super::judge::{Seen, judge};
use super::lag::{Measured, Measurement, distance};
use super::options::{FollowedDatabase, Options};
use super::report::{DatabaseStatus, Lag, LagTime, Observation, Outcome};
use super::source::load_source;
use super::tables::{SeenTables, find_troubled};
use super::target::load_target;
use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::{Side, Sides};
use crate::task::Scope;

/// The time between two looks for a worker that does not run.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a worker is looked for whose errors were counted before: the target starts one that fails again after
/// `wal_retrieve_retry_interval`, 5 s by default. One that has not read from the slot until then cannot connect.
const RETRY: Duration = Duration::from_secs(6);

/// Observes one database.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) database: FollowedDatabase,
    endpoints: Sides<Endpoint>,
    sessions: Option<Sides<Session>>,
    lag_limit: Duration,
    heartbeat: bool,
    max_retained_wal: Option<u64>,
}

/// What both servers have shown.
struct Looked {
    source: SourceFacts,
    target: TargetFacts,
}

impl Probe {
    pub(super) fn new(database: &FollowedDatabase, options: &Options) -> Self {
        let Sides { source, target } = &options.servers;
        Self {
            endpoints: Sides {
                source: source.with_database(&database.source),
                target: target.with_database(&database.target),
            },
            database: database.clone(),
            sessions: None,
            lag_limit: options.lag_limit,
            heartbeat: options.heartbeat,
            max_retained_wal: options.max_retained_wal,
        }
    }

    /// Looks at both servers. What cannot be asked is part of the result; its sessions are opened again the next time.
    ///
    /// # Errors
    /// The scope was stopped.
    pub(super) async fn observe(&mut self, scope: &Scope) -> Result<DatabaseStatus, Error> {
        let observed = tokio::select! {
            biased;
            () = scope.stop.cancelled() => return Err(Error::Stopped),
            observed = Box::pin(self.try_observe(scope)) => observed,
        };
        let outcome = match observed {
            Ok(observation) => Outcome::Observed(Box::new(observation)),
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => {
                self.sessions = None;
                Outcome::Unknown(Arc::new(error))
            }
        };
        Ok(DatabaseStatus {
            source: self.database.source.clone(),
            target: self.database.target.clone(),
            outcome,
        })
    }

    async fn try_observe(&mut self, scope: &Scope) -> Result<Observation, Error> {
        let sessions = match self.sessions.take() {
            Some(sessions) => sessions,
            None => self.open_sessions().await?,
        };
        let observed = self.observe_on(sessions.as_ref(), scope).await;
        self.sessions = Some(sessions);
        observed
    }

    async fn open_sessions(&self) -> Result<Sides<Session>, Error> {
        let Sides { source, target } = &self.endpoints;
        let (source, target) = tokio::join!(
            source.session(Purpose::Introspect),
            target.session(Purpose::Introspect)
        );
        Ok(Sides {
            source: source.map_err(Error::connect(Side::Source))?,
            target: target.map_err(Error::connect(Side::Target))?,
        })
    }

    async fn observe_on(
        &self,
        sessions: Sides<&Session>,
        scope: &Scope,
    ) -> Result<Observation, Error> {
        let database = &self.database;
        let first = self.look(sessions).await?;
        let tables = SeenTables::load(sessions, database, (&first.source, &first.target)).await?;
        let (measured, last) = self.measure(sessions, &first, scope).await?;
        let Looked { source, target } = last.as_ref().unwrap_or(&first);
        let troubled = find_troubled(&tables, source, target);
        let causes = match measured.lag.time {
            LagTime::Exceeds(_) | LagTime::Unknown if target.subscription.is_some() => {
                find_causes(sessions, &tables, target).await?
            }
            LagTime::Within(_) | LagTime::Exceeds(_) | LagTime::Unknown => Vec::new(),
        };
        let judgment = judge(Seen {
            database: &database.source,
            target_database: &database.target,
            names: &database.names,
            source,
            target,
            before: &first.target,
            measured,
            troubled: &troubled,
            causes: &causes,
            max_retained_wal: self.max_retained_wal,
        });
        Ok(Observation {
            names: database.names.clone(),
            source: source.clone(),
            target: target.clone(),
            lag: measured.lag,
            tables: troubled,
            findings: judgment.findings,
            verdict: judgment.verdict,
        })
    }

    async fn look(&self, sessions: Sides<&Session>) -> Result<Looked, Error> {
        let names = &self.database.names;
        let (source, target) = tokio::join!(
            load_source(sessions.source, names),
            load_target(sessions.target, names)
        );
        Ok(Looked {
            source: source?,
            target: target?,
        })
    }

    /// Measures the lag, and looks again unless the target is level: a worker that fails is absent most of the time,
    /// and appears for a moment.
    async fn measure(
        &self,
        sessions: Sides<&Session>,
        first: &Looked,
        scope: &Scope,
    ) -> Result<(Measured, Option<Looked>), Error> {
        let nothing = Measured {
            lag: Lag {
                time: LagTime::Unknown,
                bytes: distance(&first.source),
            },
            has_moved: false,
        };
        let is_enabled = first
            .target
            .subscription
            .as_ref()
            .is_some_and(|one| one.is_enabled);
        let (Some(slot), true, true) = (
            &self.database.names.slot,
            first.source.slot.is_some() && !first.source.is_standby,
            is_enabled,
        ) else {
            return Ok((nothing, None));
        };
        let begun = Instant::now();
        let looked = self.look_for_reader(sessions, first).await?;
        if !is_read(looked.as_ref().unwrap_or(first)) {
            return Ok((nothing, looked));
        }
        let measurement = Measurement {
            source: sessions.source,
            slot,
            limit: self.lag_limit.saturating_sub(begun.elapsed()).max(PAUSE),
            heartbeat: self.heartbeat,
        };
        let source = &looked.as_ref().unwrap_or(first).source;
        let measured = measurement.measure(source, scope).await?;
        if matches!(measured.lag.time, LagTime::Within(_)) {
            return Ok((measured, looked));
        }
        let again = self.look(sessions).await?;
        Ok((measured, Some(again)))
    }

    /// Looks until somebody reads from the slot, an error of the worker is counted, or the time is over; the last look.
    async fn look_for_reader(
        &self,
        sessions: Sides<&Session>,
        first: &Looked,
    ) -> Result<Option<Looked>, Error> {
        let begun = Instant::now();
        let errors = first.target.apply_errors();
        let limit = match errors {
            Some(1..) => self.lag_limit.max(RETRY),
            Some(_) | None => self.lag_limit,
        };
        let mut looked: Option<Looked> = None;
        while begun.elapsed() < limit {
            let last = looked.as_ref().unwrap_or(first);
            if is_read(last) || last.target.apply_errors() > errors {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            looked = Some(self.look(sessions).await?);
        }
        Ok(looked)
    }
}

/// Whether somebody reads from the slot.
fn is_read(looked: &Looked) -> bool {
    let slot = looked.source.slot.as_ref();
    slot.is_some_and(|slot| slot.active_pid.is_some())
}
