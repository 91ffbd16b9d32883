use crate::connect::Endpoint;
use crate::selection::Databases;

/// What `init` is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster to copy from; its database is only the door.
    pub source: Endpoint,
    /// The cluster to copy to; its database is only the door.
    pub target: Endpoint,
    /// Which databases.
    pub databases: Databases,
    /// Parallel workers, at least 1.
    pub jobs: usize,
    /// Whether the consistent point is a slot's, so that replication could follow.
    pub replicate: bool,
    /// Whether databases that hold objects are dropped and made again.
    pub drop_existing: bool,
    /// Whether only definitions are made, and no rows copied.
    pub schema_only: bool,
    /// Whether planner statistics are made at the end.
    pub analyze: bool,
}

/// The most workers chosen automatically: more rarely help one pair of servers.
const AUTOMATIC_JOBS: usize = 8;

/// As many workers as this machine has cores, at most 8.
pub fn automatic_jobs() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(AUTOMATIC_JOBS)
}
