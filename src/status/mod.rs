//! The state of a replication: what both servers show, how far the target is behind, and what needs attention.
//!
//! ```text
//! Watcher ─ Probe (two sessions a database) ─ facts ─┬─ lag, measured end to end
//!                                                    ├─ tables that are not replicated as they should be
//!                                                    └─ judge (pure) ─▶ findings, verdict ─▶ Report
//! ```
//!
//! Nothing is written. The distance of positions in bytes is no measure of the lag: WAL of other databases counts in it.
//! So the lag is a time: the end of the source's WAL is read, and the time until the target has applied that is taken.
//! A subscriber acknowledges a position when it has applied all transactions before it (manual, "Streaming Replication
//! Protocol", Standby status update).

mod cause;
mod error;
mod facts;
mod judge;
mod lag;
mod options;
mod probe;
mod report;
#[cfg(test)]
pub(crate) mod samples;
mod source;
mod tables;
mod target;
mod watcher;

pub use error::Error;
pub use facts::{
    Sender, SenderLags, SourceFacts, SubscribedTable, TableState, TargetFacts, Worker, WorkerUse,
};
pub(crate) use judge::{copy_again, judge_retained};
pub use options::{FollowedDatabase, Options};
pub use report::{
    DatabaseStatus, Lag, LagTime, Names, Observation, Outcome, Report, TableTrouble, TroubledTable,
    Verdict,
};
pub use watcher::Watcher;
