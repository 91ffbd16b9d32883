//! How far a database's comparison has come, summed over its readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{Event, Events};
use crate::pg::Side;

/// A counter shared by the readers of a database; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    database: String,
    events: Events,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    pub(super) fn new(database: &str, events: &Events) -> Self {
        Self(Arc::new(Counters {
            database: database.to_owned(),
            events: events.clone(),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }))
    }

    /// Adds what a reader has read since its last report. The target's is not shown: it runs in parallel.
    pub(super) fn add_read(&self, side: Side, rows: u64, bytes: usize) {
        if side == Side::Target {
            return;
        }
        let counters = &self.0;
        let bytes = bytes as u64;
        counters.events.tick(Event::VerifyProgress {
            database: counters.database.clone(),
            rows: counters.rows.fetch_add(rows, Ordering::Relaxed) + rows,
            bytes: counters.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes,
        });
    }
}
