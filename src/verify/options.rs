use crate::connect::{ConnectionNeed, Endpoint};
use crate::pg::Sides;
use crate::selection::TableScope;

/// Connections of a comparison to the source: the snapshot's session, the one that looks for sessions that
/// wait for our locks, and a reader for each worker.
pub const SOURCE_NEED: ConnectionNeed = ConnectionNeed {
    fixed: 2,
    per_worker: 1,
};

/// Connections to the target: the snapshot's session, and a reader for each worker.
pub const TARGET_NEED: ConnectionNeed = ConnectionNeed {
    fixed: 1,
    per_worker: 1,
};

/// What to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// The two clusters; their databases only serve to connect.
    pub servers: Sides<Endpoint>,
    /// The databases, in the order of the report.
    pub databases: Vec<DatabasePair>,
    /// Tables compared at the same time, each on one connection per side; at least 1.
    pub jobs: usize,
    /// Whether what only the target has, and other types of columns, count as differences.
    pub strict: bool,
}

/// A database of the source, and its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabasePair {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// Which of its tables are compared, and the rules of their rows.
    pub scope: TableScope,
}
