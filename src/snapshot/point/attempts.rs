//! The attempts at a consistent point, and how much each of them does beside DDL.

use tokio::time::{Duration, Instant};

use crate::connect::locks::SILENCE;
use crate::event::Event;
use crate::snapshot::error::Error;
use crate::task::Scope;

/// The pause between two attempts, during which whoever waited for us gets what it waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// For how long an attempt fails for a session that waits for us at its end. Later the copy begins all the same: where
/// somebody always waits, it ends with that session's name.
const SETTLING: Duration = Duration::from_secs(15);

/// Disturbed attempts after which the tables are locked ahead of the snapshot.
const GAPS: u32 = 2;

/// What an attempt does.
#[derive(Clone, Copy, Debug)]
pub(in crate::snapshot) struct Effort {
    /// Whether a session that waits at its end counts.
    pub(in crate::snapshot) is_patient: bool,
    /// Whether the tables are locked while the slot is being created, and not only then.
    pub(in crate::snapshot) is_ahead: bool,
}

/// The attempts so far.
pub(in crate::snapshot) struct Attempts {
    begun: Instant,
    limit: Duration,
    disturbed: u32,
    /// How many of the last failed because a definition was gone.
    pub(in crate::snapshot) vanished: u32,
    /// When it was last reported that there is another one.
    told: Option<Instant>,
}

impl Attempts {
    /// None so far, of those that `limit` leaves time for.
    pub(in crate::snapshot) fn new(limit: Duration) -> Self {
        Self {
            begun: Instant::now(),
            limit,
            disturbed: 0,
            vanished: 0,
            told: None,
        }
    }

    /// What the next one does.
    pub(in crate::snapshot) fn effort(&self) -> Effort {
        Effort {
            is_patient: self.begun.elapsed() < SETTLING,
            is_ahead: self.disturbed >= GAPS,
        }
    }

    /// Pauses after one that was disturbed by `what`.
    ///
    /// # Errors
    /// There is no time for another one; or a stop.
    pub(in crate::snapshot) async fn after(
        &mut self,
        what: String,
        scope: &Scope,
    ) -> Result<(), Error> {
        self.disturbed += 1;
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        if self.begun.elapsed() >= self.limit {
            let seconds = self.begun.elapsed().as_secs();
            return Err(Error::Unsettled { what, seconds });
        }
        if self.told.is_none_or(|told| told.elapsed() >= SILENCE) {
            self.told = Some(Instant::now());
            let note = format!(
                "definitions changed while the snapshot was made ({what}); beginning again, for up to {} s",
                self.limit.as_secs()
            );
            scope.events.emit(Event::Note(note)).await;
        }
        crate::snapshot::rows::lane::pause(PAUSE, scope).await
    }
}
