//! Ends a run when what it depends on is lost.

use std::future::Future;

use crate::cluster::run_lock::RunLocks;
use crate::migrate::error::Error;
use crate::migrate::options::Options;
use crate::pg::SlotName;
use crate::snapshot::{self, WatchedSlots};
use crate::task::Scope;

/// What a run depends on from its first write to its end.
#[derive(Debug)]
pub(crate) struct Foundation {
    /// Its locks on both sides.
    pub(crate) locks: RunLocks,
    /// All slots that it has created or keeps.
    pub(crate) slots: WatchedSlots,
}

impl Foundation {
    /// Does the work of a run. When a lock or a slot is lost, or a slot retains too much WAL, the work is
    /// stopped through `guard`, which it runs under, and the reason is the error.
    ///
    /// # Errors
    /// Those of the work, or what was lost.
    pub(crate) async fn run_guarded<T>(
        &self,
        options: &Options,
        guard: &Scope,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::pin!(work);
        let limit = options.replication.max_retained_wal;
        let fault = tokio::select! {
            biased;
            done = &mut work => return done,
            lost = self.locks.wait_until_lost() => lost.into(),
            fault = self.slots.watch(&options.source, limit, guard) => Error::from_watch(fault),
        };
        guard.stop.cancel();
        // Why it was stopped counts more than where it was then.
        drop(work.await);
        Err(fault)
    }
}

impl Error {
    fn from_watch(fault: snapshot::Error) -> Self {
        Self::SlotLost {
            source: Box::new(fault),
        }
    }

    /// The slot whose loss has ended the run.
    pub(crate) fn lost_slot(&self) -> Option<&SlotName> {
        let Self::SlotLost { source } = self else {
            return None;
        };
        if let snapshot::Error::SlotFault { slot, .. } = &**source {
            Some(slot)
        } else {
            None
        }
    }
}
