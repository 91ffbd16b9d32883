//! Statistics for the planner: which relations are analyzed, and which statistics the target imports.

pub(super) mod analyze_table;
pub(super) mod copy;
pub(super) mod import;
pub(super) mod plan;

pub use analyze_table::analyze;
pub use copy::copy_statistics;
pub use import::{import_statistics, load_importable_tables};
