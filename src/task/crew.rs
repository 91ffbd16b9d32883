//! How many workers there are. Where a server has no connection for another worker, that worker ends and
//! the others do its work; the last one stays.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::scope::Scope;
use crate::event::{Event, Warning, WithCauses as _};

/// Workers that share their work.
#[derive(Debug, Default)]
pub struct Crew {
    wanted: AtomicUsize,
    active: AtomicUsize,
    is_reported: AtomicBool,
}

impl Crew {
    /// A crew in which all wanted workers are at work.
    pub fn of(wanted: usize) -> Self {
        Self {
            wanted: AtomicUsize::new(wanted),
            active: AtomicUsize::new(wanted),
            is_reported: AtomicBool::new(false),
        }
    }

    /// Counts one more worker, of as many as are wanted.
    pub fn join(&self, wanted: usize) {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Whether a worker that lacks a connection ends: others remain. Reported once.
    pub async fn leave<E: std::error::Error>(&self, error: &E, scope: &Scope) -> bool {
        let order = Ordering::Relaxed;
        let leave = |active: usize| (active > 1).then(|| active - 1);
        if self.active.fetch_update(order, order, leave).is_err() {
            return false;
        }
        if !self.is_reported.swap(true, order) {
            let (cause, wanted) = (error.chain(), self.wanted.load(order));
            let fewer = Event::Warning(Warning::FewerWorkers { cause, wanted });
            scope.events.emit(fewer).await;
        }
        true
    }
}
