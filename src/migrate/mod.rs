//! `init`: the phases of a copy in their order, and the only place that calls several engines.
//!
//! ```text
//! check ─▶ plan ─▶ (the caller confirms) ─▶ publications ─▶ roles
//!   then for each database, in name order:
//!   database ─▶ basis ─▶ pre-data ─▶ data ─▶ post-data ─▶ values ─▶ statistics
//! ```
//!
//! [`prepare`] writes nothing; [`execute`] is called only after the user has agreed. A database that
//! a failed run has made is removed again: a half-copied database never passes for a whole one. What is
//! about to be done and what is done is recorded ([`checkpoint`](crate::checkpoint)), so that the same
//! command goes on after a run that was killed.

mod adopt;
mod check;
mod clear;
mod copy;
mod database;
mod door;
mod drop;
mod dry_run;
mod error;
mod execute;
mod existing;
mod extensions;
mod fate;
mod fill;
mod guard;
mod journal;
mod options;
mod plan_replication;
mod pre_data;
mod prepare;
mod promise;
mod rate;
mod repeats;
mod replication;
mod report;
mod resume;
mod roles;
mod run_lock;
mod select;
mod teardown;

pub use check::{Finding, Level, ServerFacts, Side, examine_comparison};
pub use door::refuse_pooler;
pub use dry_run::render_dry_run;
pub use error::Error;
pub use execute::execute;
pub use fate::Fate;
pub use options::{
    ClusterOptions, DDL_RESTARTS, LockOptions, Options, ReplicationOptions, StateOptions,
    automatic_jobs,
};
pub use prepare::{PlannedDatabase, Prepared, prepare};
pub use promise::Broken;
pub use rate::measure_rate;
pub use report::{DatabaseReport, KeptSlot, Report};
pub use select::select;
pub use teardown::{
    Leftover, Leftovers, Object, TeardownOptions, Unreachable, Which, find_leftovers,
    remove_leftovers,
};
