//! The consistent point of one database: its slot, its snapshot, the locks on the tables that it shows, and
//! what is watched until the rows are out.

mod attempt;
mod attempts;
pub(super) mod consistent_point;
mod definitions;
mod establish;
mod kept_locks;
pub(super) mod lease;
pub(super) mod listed_tables;
pub(super) mod lock;
pub(super) mod lock_watch;
mod locks_ahead;
mod renames;
mod sessions;
mod slot_creation;
mod slot_watch;
mod waiters;

pub use consistent_point::{
    CheckedDatabase, ConsistentPoint, NewSlot, SnapshotSource, SourceLocks,
};
pub use establish::establish;
pub use renames::renamed_since;
pub use slot_watch::WatchedSlots;
pub use waiters::watch_waiters;
