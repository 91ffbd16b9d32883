//! Definitions on the target: sections of the script, run by several sessions at once.

mod analyze;
mod compared;
pub(super) mod gaps;
mod message;
pub(super) mod run;
mod schedule;
pub(super) mod section;
pub(super) mod section_run;
pub(super) mod target;
mod transaction;
mod verdict;

pub use run::run_section;
pub use section::Section;
pub use target::BuildTarget;
