//! The attempts at a consistent point, and the measures of each against DDL.

use tokio::time::{Duration, Instant};

use super::consistent_point::ConsistentPoint;
use crate::event::{Event, Note};
use crate::snapshot::error::Error;
use crate::snapshot::retry::pause;
use crate::task::Scope;

/// The pause between two attempts, in which a session that waited for our locks gets its own.
const PAUSE: Duration = Duration::from_millis(100);

/// How often attempts are reported.
const REPORT_PERIOD: Duration = Duration::from_secs(5);

/// For how long an attempt fails if a session waits for us at its end. Later the copy begins all the same: if
/// a session always waits, the copy ends and names it.
const SETTLING: Duration = Duration::from_secs(15);

/// Disturbed attempts after which the tables are locked before the slot's consistent point.
const GAPS: u32 = 2;

/// The result of one attempt.
pub(crate) enum AttemptResult {
    Settled(Box<ConsistentPoint>),
    /// DDL came between; the text names it.
    Disturbed(String),
    /// A definition no longer existed when it was asked for.
    Vanished(Error),
}

impl AttemptResult {
    pub(crate) fn disturbed(what: &str) -> Self {
        Self::Disturbed(what.to_owned())
    }
}

/// The measures of an attempt against DDL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Whether a session that waits at its end counts.
    pub(crate) is_patient: bool,
    /// Whether the tables are locked while the slot is being created, and not only then.
    pub(crate) is_ahead: bool,
}

/// The attempts so far.
pub(crate) struct Attempts {
    begun: Instant,
    limit: Duration,
    disturbed: u32,
    /// How many of the last attempts failed because a definition no longer existed.
    pub(crate) vanished: u32,
    /// The last report of another attempt.
    reported: Option<Instant>,
}

impl Attempts {
    /// Starts with no attempt; `limit` is the time for all of them.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            begun: Instant::now(),
            limit,
            disturbed: 0,
            vanished: 0,
            reported: None,
        }
    }

    /// Returns the measures of the next attempt.
    pub(crate) fn effort(&self) -> Effort {
        Effort {
            is_patient: self.begun.elapsed() < SETTLING,
            is_ahead: self.disturbed >= GAPS,
        }
    }

    /// Pauses after an attempt that was disturbed by `what`.
    ///
    /// # Errors
    /// There is no time for another one; or a stop.
    pub(crate) async fn pause_after(&mut self, what: String, scope: &Scope) -> Result<(), Error> {
        self.disturbed += 1;
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        if self.begun.elapsed() >= self.limit {
            let seconds = self.begun.elapsed().as_secs();
            return Err(Error::Unsettled { what, seconds });
        }
        if self
            .reported
            .is_none_or(|last| last.elapsed() >= REPORT_PERIOD)
        {
            self.reported = Some(Instant::now());
            let limit_seconds = self.limit.as_secs();
            let note = Note::DefinitionsChanged {
                what,
                limit_seconds,
            };
            scope.events.emit(Event::Note(note)).await;
        }
        pause(PAUSE, scope).await
    }
}
