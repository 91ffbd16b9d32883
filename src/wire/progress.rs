//! What pumps have moved, for whoever shows it or waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pack::Packed;

/// What all pumps of a run have moved so far; written by them, read by whoever shows it. Rows of
/// copies that fail later are included.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    bytes: AtomicU64,
    moved: AtomicU64,
    whole: Option<Arc<Self>>,
}

impl Progress {
    /// One that counts towards another as well.
    pub fn within(whole: &Arc<Self>) -> Self {
        Self {
            whole: Some(Arc::clone(whole)),
            ..Self::default()
        }
    }

    /// Rows handed on.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes of COPY data handed on.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How often anything came from a source or went to a target.
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Takes back what was counted and was no row.
    pub(super) fn without(&self, frames: u64) {
        self.rows.fetch_sub(frames, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.without(frames);
        }
    }

    pub(super) fn add(&self, packed: &Packed) {
        self.rows.fetch_add(packed.frames, Ordering::Relaxed);
        self.bytes.fetch_add(packed.bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.add(packed);
        }
    }

    pub(super) fn note_movement(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }
}
