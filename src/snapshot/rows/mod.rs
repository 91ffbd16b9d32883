//! Rows: which are copied, in which order, and the lanes that copy them.

pub(super) mod commit;
pub(super) mod configuration;
pub(super) mod encoding;
pub(super) mod lane;
pub(super) mod load_plan;
pub(super) mod meanings;
pub(super) mod plan;
pub(super) mod queue;
pub(super) mod split;
pub(super) mod unreadable_row;

pub use load_plan::{CopiedTable, CopyRequest, plan_rows};
pub use plan::{CopyJob, Format, plan_copies};
pub use split::{Range, Splitting, Whole};
pub use unreadable_row::find_unreadable_row;
