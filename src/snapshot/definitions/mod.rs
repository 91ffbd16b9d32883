//! Definitions on the target: sections of the script, run by several sessions at once.

pub(super) mod analyze;
pub(super) mod compared;
pub(super) mod lane;
pub(super) mod message;
pub(super) mod refusal;
pub(super) mod schedule;
pub(super) mod section;

pub use compared::Mismatch;
pub use refusal::{Reason, Refusal, Refused, Skipped};
pub use section::{Section, Site, Tables, run_section};
