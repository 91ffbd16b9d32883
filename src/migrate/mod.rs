//! `init`: the phases of a copy in their order, and the only place that calls several engines.
//!
//! ```text
//! check ─▶ plan ─▶ (the caller confirms) ─▶ publications ─▶ roles
//!   then for each database, in name order:
//!   database ─▶ basis ─▶ pre-data ─▶ data ─▶ post-data ─▶ values ─▶ statistics
//! ```
//!
//! [`prepare`] writes nothing; [`execute`] is called only after the user has agreed. A database that
//! a failed run has made is removed again: a half-copied database never passes for a whole one.

mod check;
mod copy;
mod database;
mod door;
mod dry_run;
mod error;
mod execute;
mod existing;
mod guard;
mod options;
mod prepare;
mod rate;
mod replication;
mod report;
mod roles;
mod select;
mod teardown;

pub use check::{Finding, Level, ServerFacts, Side};
pub use dry_run::render_dry_run;
pub use error::Error;
pub use execute::execute;
pub use options::{ClusterOptions, Options, ReplicationOptions, automatic_jobs};
pub use prepare::{Fate, PlannedDatabase, Prepared, prepare};
pub use rate::measure_rate;
pub use report::{DatabaseReport, KeptSlot, Report};
pub use select::select;
pub use teardown::{
    Leftover, Leftovers, Object, TeardownOptions, Unreachable, find_leftovers, remove_leftovers,
};
