//! How many workers compare. One that a server has no connection for leaves its work to the others.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::error::Error;
use crate::event::{Event, WithCauses as _};
use crate::task::Scope;

/// The workers of a database.
#[derive(Debug, Default)]
pub(super) struct Crew {
    active: AtomicUsize,
    wanted: AtomicUsize,
    is_reported: AtomicBool,
}

impl Crew {
    /// Counts one more worker, of as many as are wanted.
    pub(super) fn join(&self, wanted: usize) {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Whether a worker that lacks a connection ends: others remain. Reported once.
    pub(super) async fn leave(&self, error: &Error, scope: &Scope) -> bool {
        let order = Ordering::Relaxed;
        let leave = |active: usize| (active > 1).then(|| active - 1);
        if self.active.fetch_update(order, order, leave).is_err() {
            return false;
        }
        if !self.is_reported.swap(true, order) {
            let text = format!(
                "{}; continuing with fewer than the {} workers of --jobs",
                error.chain(),
                self.wanted.load(order)
            );
            scope.events.emit(Event::Warning(text)).await;
        }
        true
    }
}
