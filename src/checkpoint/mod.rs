//! What a run has done, on this machine's disk, so that the same command resumes after any end.
//!
//! ```text
//! <state folder>/<run id>/state.json     what is done, replaced as a whole
//!                         runs           the numbers of all runs, which name them on the source
//!                         lock           held by the run at work; holds its process id
//! ```
//!
//! The run id comes from the two clusters' system identifiers, never from URL text. The file is written
//! beside the old one, flushed, and renamed over it: a reader finds one or the other. It holds names,
//! numbers and positions, and where the run was started; no password, URL or host of a server.
//!
//! One small file instead of a journal: it lists tables only of the database that is being copied. The
//! [`Recorder`] collects entries while it waits for the target's disk. So the cost of writing does not
//! grow with the number of tables. Entries that a crash loses are copied again.
//!
//! [`decide`] judges what a new run may keep. It is pure.

mod database;
mod decide;
mod entries;
mod error;
mod file;
mod folder;
mod lock;
mod lsn;
mod name;
mod recorder;
mod run;
#[cfg(test)]
mod samples;
mod selection;
mod store;

pub use database::{Database, MissingObject, Origin, Stage, Table};
pub use decide::{Decision, SourceDatabase, Stale, decide};
pub use error::Error;
pub use file::{decode, encode};
pub use folder::{Pair, default_root};
pub use name::Name;
pub use recorder::{Closed, Recorder};
pub use run::{DatabasePair, Membership, Run};
pub use selection::{Chosen, Deviation, Selection};
pub use store::{
    BegunCopy, KnownRuns, Store, find_begun, find_copies, find_unrevoked, read_instant,
    read_known_runs, read_recorded, record_numbers, recorded_slots, remove_state,
};
