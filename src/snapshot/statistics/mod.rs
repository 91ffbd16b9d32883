//! Statistics for the planner: which relations are analysed, and what the source knows already.

pub(super) mod analyze;
pub(super) mod copy;
pub(super) mod import;

pub use copy::{analyze, carry_all};
pub use import::{carry_statistics, carryable_statistics};
