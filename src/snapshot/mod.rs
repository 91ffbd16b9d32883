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

mod ahead;
mod analysis;
mod attempts;
mod basis;
mod board;
mod build;
mod carry_statistics;
mod commit;
mod configuration;
mod copies;
mod copy;
mod crew;
mod durable;
mod encoding;
mod error;
mod evaluation;
mod kept;
mod lane;
mod large_objects;
mod lease;
mod ledger;
mod load;
mod lock;
mod lock_table;
mod meanings;
mod need;
mod object_lane;
mod objects;
mod opened;
mod plan;
mod settled;
mod slot_creation;
mod slot_watch;
mod split;
mod stall;
mod statistics;
mod unreadable_row;
mod values;
mod waiters;
mod worker;

pub use basis::{Basis, Before, Hold, PointKind, establish};
pub use build::{Mismatch, Reason, Refusal, Refused, Section, Site, Skipped, Tables, run_section};
pub use carry_statistics::{carry_statistics, carryable_statistics};
pub use copy::{CopiedTable, CopyRequest, plan_rows};
pub use durable::Flush;
pub use error::Error;
pub use evaluation::Evaluation;
pub use large_objects::{
    LargeObjectBatch, LargeObjectPage, complete_large_object_batch, copy_large_object_batch,
    plan_large_objects,
};
pub use ledger::{Fact, Ledger};
pub use load::{Load, Loaded, load};
pub use need::{SOURCE_NEED, TARGET_NEED};
pub use objects::CopiedObjects;
pub use plan::{CopyJob, Format, plan_copies};
pub use settled::renamed_since;
pub use slot_watch::{SlotFault, WatchedSlots, judge_slot};
pub use split::{Range, Splitting, Whole};
pub use statistics::{analyze, carry_all};
pub use unreadable_row::find_unreadable_row;
pub use values::{CopiedSequences, WhichSequences, copy_sequences};
pub use waiters::watch_waiters;
