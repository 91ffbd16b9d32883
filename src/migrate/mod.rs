//! `init`: the phases of a copy in their order, and the only place that calls several engines.
//!
//! ```text
//! check ─▶ plan ─▶ (the caller confirms) ─▶ publications ─▶ roles
//!   then for each database, in name order:
//!   database ─▶ consistent point ─▶ pre-data ─▶ data ─▶ post-data ─▶ values ─▶ statistics
//! ```
//!
//! [`prepare`] writes nothing; [`execute()`] is called only after the user has agreed. A database that
//! a failed run created is dropped: a half-copied database never passes for a whole one. One that has all its rows, and
//! lacks only optional objects that the target has refused, may be kept. What is
//! about to be done and what is done is recorded ([`checkpoint`](crate::checkpoint)), so that the same
//! command continues after a run that was killed.

mod check;
mod dry_run;
mod error;
mod execute;
mod journal;
mod lock_keys;
mod missing_text;
mod on_refusal;
mod options;
mod plan;
mod planned;
mod proposal;
mod record;
mod repeats;
mod replication;
mod report;
mod resume;
mod target_action;
mod target_cluster;
mod target_use;

pub use check::{ComparedServer, examine_comparison};
pub use dry_run::render_dry_run;
pub use error::Error;
pub use execute::run::execute;
pub use on_refusal::{OnRefusal, RefusalQuestion};
pub use options::{
    ClusterOptions, DDL_RESTARTS, LockOptions, Options, ReplicationOptions, StateOptions,
    automatic_jobs,
};
pub use plan::prepare::prepare;
pub use plan::rate::measure_rate;
pub use planned::{Dropped, PlannedDatabase, Prepared, SourceChanges};
pub use proposal::{DatabaseTable, Proposal};
pub use report::{DatabaseReport, KeptDatabase, KeptSlot, Report};
pub use resume::load_recorded_instant;
pub use target_action::TargetAction;
