//! The snapshot engine: a consistent point on the source, and the copy of its state to the target.
//!
//! It provides phases, not one run; `migrate` calls them in order. Between the phases this holds:
//!
//! - The tables that the snapshot shows are locked and compared with it. They stay locked until all rows are
//!   read ([`establish()`]).
//! - A session that waits for a lock of ours gets it: the copy ends ([`watch_waiters`]).
//! - Every row copier reads at the same snapshot, which two lease sessions keep importable.
//! - A table's rows are committed in one transaction, after both servers have counted the same number of them
//!   ([`load()`]).
//! - Nothing counts as finished before the target has flushed it ([`Flush`](crate::transfer::Flush)).
//!
//! # Layers
//!
//! ```text
//! load                      one database, from its plan to the values of its sequences
//! worker                    one worker: takes the next task, with its connections
//! load_state                what the workers share; next_task, read_queues: the choice of a task (pure)
//! definitions               steps: the schedule (pure), and the sessions that run them
//! statistics, sequences     what is copied beside rows
//! rows, large_objects       batches and their order (pure), and the connections that copy them
//! evaluation                the settings under which expressions are evaluated
//! point                     the consistent point: slot, snapshot, locks
//! request, tables, retry, stop, crew, lock_table, error, refusal     used by all of them
//! ```

mod crew;
mod definitions;
mod error;
mod evaluation;
mod large_objects;
mod load;
mod load_state;
mod lock_table;
mod need;
mod next_task;
mod point;
mod read_queues;
mod refusal;
mod request;
mod retry;
mod rows;
mod sequences;
mod statistics;
mod stop;
mod tables;
mod worker;

pub use definitions::{BuildTarget, Section, run_section};
pub use error::Error;
pub use evaluation::Evaluation;
pub use large_objects::{
    CopiedObjects, LargeObjectBatch, LargeObjectPage, complete_large_object_batch,
    copy_large_object_batch, plan_large_objects,
};
pub use load::{Load, Loaded, load};
pub use need::{SOURCE_NEED, TARGET_NEED};
pub use point::{
    CheckedDatabase, ConsistentPoint, NewSlot, SnapshotSource, SourceLocks, WatchedSlots,
    establish, renamed_since, watch_waiters,
};
pub use refusal::{Mismatch, Reason, Refusal, Refused, Skipped};
pub use request::CopyRequest;
pub use rows::{
    CopiedTable, CopyJob, Format, Range, Splitting, Whole, find_unreadable_row, plan_copies,
    plan_rows,
};
pub use sequences::{CopiedSequences, WhichSequences, copy_sequences};
pub use statistics::{analyze, copy_statistics, import_statistics, load_importable_tables};
pub use tables::Tables;
