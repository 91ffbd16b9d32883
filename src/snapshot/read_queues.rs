//! What is still to be read from the source: pure.

use super::next_task::OpenWork;
use crate::snapshot::large_objects::queue::LargeObjectQueue;
use crate::snapshot::rows::queue::CopyQueue;

/// The queues of rows and of large objects. One lock protects both, so that a choice between them holds until
/// the task is taken.
#[derive(Debug)]
pub(super) struct ReadQueues {
    pub(super) rows: CopyQueue,
    pub(super) large_objects: LargeObjectQueue,
}

impl ReadQueues {
    /// Describes the open work. `step` is the critical path of the next step; `is_built`: all steps have ended.
    pub(super) fn open_work(&self, step: Option<u64>, is_built: bool) -> OpenWork {
        OpenWork {
            rows: self.rows.next_critical_path(),
            large_objects: self.large_objects.next_critical_path(),
            step,
            is_reading: self.large_objects.is_reading() || self.rows.is_reading(),
            is_finished: is_built && self.is_finished(),
        }
    }

    /// Whether nothing waits to be read from the source.
    pub(super) fn all_taken(&self) -> bool {
        let next = self.rows.next_critical_path();
        !self.rows.has_last() && next.is_none() && self.large_objects.next_critical_path().is_none()
    }

    /// Whether all rows and large objects have arrived.
    pub(super) fn is_finished(&self) -> bool {
        self.large_objects.is_finished() && self.rows.is_finished()
    }
}
