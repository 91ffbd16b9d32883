//! `teardown`: removes what runs between two clusters have left on them, and nothing else. Data,
//! databases and roles stay.
//!
//! The mark of our publication records whose an object is. So does the name of a slot, which is a digest of
//! the pair. Without the target that name cannot be computed: then only the marks count.
//!
//! A run is removed only if the local state records it, or if the user names it or its slot: its target may
//! no longer exist. The objects of a running run, which its locks on the servers show, are never removed.

mod error;
mod find;
mod leftover;
mod leftovers;
mod marked;
mod options;
mod orphan;
mod other_copy;
mod reached;
mod remove;
mod run_filter;
mod seen;
mod source_pair;
mod source_runs;
mod source_side;
mod statements;
mod sync_slots;
mod target_side;
pub(crate) mod unrecorded;

pub use error::Error;
pub use find::find_leftovers;
pub use leftover::{Leftover, Object};
pub use leftovers::{Leftovers, Unreachable};
pub use options::{TeardownOptions, Which};
pub use remove::remove_leftovers;
