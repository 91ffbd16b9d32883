//! The snapshot engine: a consistent point on the source, and everything below it on the target.
//!
//! It exposes phases, not one run; `migrate` calls them in order. What holds between them:
//!
//! - the tables are locked before the snapshot is made, and stay locked until their rows are out
//!   ([`establish`]);
//! - every lane reads at the same snapshot, kept importable by two lease sessions;
//! - a table's rows are committed as one transaction, after both servers have counted the same
//!   number of them ([`copy_rows`]);
//! - nothing counts as done before the target has flushed it ([`Flush`]).

mod basis;
mod build;
mod copy;
mod durable;
mod error;
mod large_objects;
mod lease;
mod ledger;
mod lock;
mod plan;
mod queue;
mod slot_watch;
mod statistics;
mod values;

pub use basis::{Basis, Before, Hold, PointKind, establish};
pub use build::{Refusal, Refused, Section, Site, Skipped, run_section};
pub use copy::{CopiedTable, CopyRequest, copy_rows};
pub use durable::Flush;
pub use error::Error;
pub use large_objects::{CopiedObjects, copy_large_objects};
pub use ledger::{Fact, Ledger};
pub use lock::Waiter;
pub use plan::{CopyJob, Format, plan_copies};
pub use slot_watch::{SlotFault, watch_slot};
pub use statistics::analyze;
pub use values::{CopiedSequences, copy_sequences};
