//! How the reports of the commands read: for people as text, for programs as a typed body. One file a command.

mod config;
mod contract;
mod demo;
mod dry_run;
mod finding;
mod init;
mod plan;
mod proposal;
mod sizes;
mod status;
mod status_sides;
mod status_text;
mod sync;
mod table;
mod teardown;
mod validate;
mod verify;
mod verify_text;

pub use config::{ShownConfig, ShownServer};
pub use contract::Report;
pub(super) use contract::{milliseconds, number};
pub use dry_run::DryRun;
pub(super) use finding::FindingBody;
pub use finding::{render_finding, show_findings};
pub use init::{Copied, list_refused_objects};
pub use plan::show_plan;
pub use proposal::{render_proposal, render_question, show_proposal, show_servers};
pub use status::ShownStatus;
pub use sync::ShownSync;
pub use teardown::{TornDown, show_leftovers};
pub use validate::Validation;
