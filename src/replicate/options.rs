use std::path::PathBuf;
use std::time::Duration;

use super::followed::Followed;
use crate::connect::{Endpoint, SubscriptionSource};
use crate::pg::Sides;

/// What `sync` is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The two servers.
    pub servers: Sides<Endpoint>,
    /// The databases, with the clusters.
    pub followed: Followed,
    /// Where states are; none where nothing says it.
    pub state_root: Option<PathBuf>,
    /// How the target's server reaches the source, if not as this program does.
    pub subscription_source: Option<SubscriptionSource>,
    /// Whether the target's server may copy all rows where no slot exists.
    pub copy_data: bool,
    /// How long to wait until the target has caught up.
    pub timeout: Duration,
    /// How much WAL a slot may retain before a warning, in bytes.
    pub max_retained_wal: Option<u64>,
}
