//! Rows: which are copied, in which order, and the workers that copy them.

pub(super) mod batch;
pub(super) mod catalog_versions;
mod commit;
pub(super) mod configuration;
pub(super) mod connections;
pub(super) mod copied;
pub(super) mod encoding;
pub(super) mod failure;
pub(super) mod job;
pub(super) mod lane;
pub(super) mod load_plan;
pub(super) mod plan;
pub(super) mod queue;
pub(super) mod split;
pub(super) mod unreadable_row;
pub(super) mod watch;

pub use copied::CopiedTable;
pub use job::{CopyJob, Format};
pub use load_plan::plan_rows;
pub use plan::plan_copies;
pub use split::{Range, Splitting, Whole};
pub use unreadable_row::find_unreadable_row;
