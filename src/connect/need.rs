//! How many connections a piece of work opens.

/// The connections that a piece of work has open on one server at the same time, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionNeed {
    /// For any number of workers.
    pub fixed: i64,
    /// For each worker.
    pub per_worker: i64,
}

impl ConnectionNeed {
    /// All connections of this many workers.
    pub const fn with(&self, workers: i64) -> i64 {
        self.fixed + self.per_worker * workers
    }

    /// As many workers as this many connections suffice for.
    pub const fn workers(&self, free: i64) -> i64 {
        (free - self.fixed) / self.per_worker
    }
}
