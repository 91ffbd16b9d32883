use std::fmt;

/// A stage of `init`, in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Both servers and the selection are examined; nothing is written.
    Check,
    /// Publications on the source.
    Publication,
    /// Roles of the cluster.
    Roles,
    /// The target database is created.
    Database,
    /// Locks, slot, snapshot, catalog: the consistent point.
    ConsistentPoint,
    /// Definitions that the rows depend on.
    PreData,
    /// Rows, large objects and sequence values.
    Data,
    /// Indexes, keys, triggers, policies.
    PostData,
    /// `ANALYZE`.
    Statistics,
    /// Event triggers. They would fire on all statements before, and on logins.
    EventTriggers,
    /// The target confirms that everything is on its disk.
    Flush,
}

/// The name of the phase, on screens and in errors.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Check => "checks",
            Self::Publication => "publications",
            Self::Roles => "roles",
            Self::Database => "database",
            Self::ConsistentPoint => "consistent point",
            Self::PreData => "definitions",
            Self::Data => "rows",
            Self::PostData => "indexes, keys and triggers",
            Self::Statistics => "statistics",
            Self::EventTriggers => "event triggers",
            Self::Flush => "flush to disk",
        })
    }
}
