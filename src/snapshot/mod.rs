//! The snapshot engine: a consistent point on the source, and everything below it on the target.
//!
//! It exposes phases, not one run; `migrate` calls them in order. What holds between them:
//!
//! - the tables that the snapshot shows are locked, compared with it, and stay locked until their rows are
//!   out ([`establish`]);
//! - whoever waits for a lock of ours gets it: the work ends ([`watch_waiters`]);
//! - every lane reads at the same snapshot, kept importable by two lease sessions;
//! - a table's rows are committed as one transaction, after both servers have counted the same
//!   number of them ([`load()`]);
//! - nothing counts as done before the target has flushed it ([`Flush`]).

mod crew;
mod definitions;
mod durable;
mod error;
mod evaluation;
mod large_objects;
mod ledger;
mod load;
mod load_state;
mod lock_table;
mod need;
mod point;
mod rows;
mod sequences;
mod stall;
mod statistics;
mod worker;

pub use definitions::{
    Mismatch, Reason, Refusal, Refused, Section, Site, Skipped, Tables, run_section,
};
pub use durable::Flush;
pub use error::Error;
pub use evaluation::Evaluation;
pub use large_objects::{
    CopiedObjects, LargeObjectBatch, LargeObjectPage, complete_large_object_batch,
    copy_large_object_batch, plan_large_objects,
};
pub use ledger::{Fact, Ledger};
pub use load::{Load, Loaded, load};
pub use need::{SOURCE_NEED, TARGET_NEED};
pub use point::{
    Basis, Before, Hold, PointKind, WatchedSlots, establish, renamed_since, watch_waiters,
};
pub use rows::{
    CopiedTable, CopyJob, CopyRequest, Format, Range, Splitting, Whole, find_unreadable_row,
    plan_copies, plan_rows,
};
pub use sequences::{CopiedSequences, WhichSequences, copy_sequences};
pub use statistics::{analyze, carry_all, carry_statistics, carryable_statistics};
