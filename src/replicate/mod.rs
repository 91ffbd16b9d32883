//! `sync`: the target follows the source by the server's own logical replication.
//!
//! ```text
//! find_followed ─▶ prepare (read-only) ─▶ findings, plan ─▶ execute ─▶ wait until caught up ─▶ Report
//!  state, marks     what exists, decide      the user        subscription    status::Watcher
//! ```
//!
//! A subscription is created on the slot that `init` has left, without a copy (manual, "CREATE SUBSCRIPTION": `create_slot`
//! and `copy_data` are off). So replication starts exactly where the copy has ended. Whether it does is checked on the
//! source first: the slot is still at the consistent point, and the publication lists the tables that were copied.
//! Repeating the command repairs what is missing and changes nothing else.

mod additions;
mod decide;
mod error;
mod execute;
mod followed;
mod found;
mod give_up;
mod hidden;
mod initial;
mod options;
mod plan;
mod reach;
mod recorded;
mod report;
mod run;
mod subscriber;
mod wait;

pub use error::{Error, SubscriptionPlace};
pub use followed::{Asked, Followed, Replicated, find_followed};
pub use give_up::{describe_given_up, give_up_slot};
pub use options::Options;
pub use plan::{Prepared, prepare};
pub use report::{FailedDatabase, Planned, Report, SyncedDatabase};
pub use run::execute;
