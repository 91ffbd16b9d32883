use std::time::Duration;

use super::report::Names;
use crate::connect::Endpoint;
use crate::pg::Sides;
use crate::selection::TableScope;

/// What is observed, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The two servers.
    pub servers: Sides<Endpoint>,
    /// The databases.
    pub databases: Vec<FollowedDatabase>,
    /// How long the lag is measured at most.
    pub lag_limit: Duration,
    /// Whether a message is written to the source's WAL for the measurement.
    pub heartbeat: bool,
    /// How much WAL a slot may retain before a warning, in bytes.
    pub max_retained_wal: Option<u64>,
}

/// A database whose replication is observed.
#[derive(Clone, Debug)]
pub struct FollowedDatabase {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// The objects that replicate it.
    pub names: Names,
    /// The tables that are selected, and their rules; none where that is not known. Then no table is missed.
    pub scope: Option<TableScope>,
}
