//! The consistent point of one database: its slot, its snapshot, the locks on the tables that it shows, and
//! what is watched until the rows are out.

pub(super) mod attempts;
pub(super) mod establish;
pub(super) mod kept_locks;
pub(super) mod lease;
pub(super) mod lock;
pub(super) mod locks_ahead;
pub(super) mod renames;
pub(super) mod sessions;
pub(super) mod slot_creation;
pub(super) mod slot_watch;
pub(super) mod waiters;

pub use establish::{Basis, Before, Hold, PointKind, establish};
pub use renames::renamed_since;
pub use slot_watch::WatchedSlots;
pub use waiters::watch_waiters;
