//! Steps as the schedule sees them.

use crate::ddl::Stage;
use crate::pg::Oid;

/// One step as the schedule sees it; its number is its place in the script's section.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScheduledStep {
    /// Steps of the section that it depends on.
    pub(crate) needs: Vec<usize>,
    /// Higher stages wait for lower ones.
    pub(crate) stage: Stage,
    /// Relations that no other worker may read or lock meanwhile.
    pub(crate) locks: Vec<Oid>,
    /// Relations that no other worker may lock meanwhile.
    pub(crate) reads: Vec<Oid>,
    /// No other step runs meanwhile.
    pub(crate) runs_alone: bool,
    /// It has a transaction of its own.
    pub(crate) is_single: bool,
    /// It has a transaction of its own, which begins when those before it have ended.
    pub(crate) is_compared: bool,
    /// Entries of the server's lock table that it may take.
    pub(crate) cost: usize,
    /// Bytes that it reads.
    pub(crate) weight: u64,
    /// It waits for the rows of several tables, and does not count as work that waits for one of them.
    pub(crate) spans_tables: bool,
    /// The rows that must have arrived before.
    pub(crate) rows: RequiredRows,
}

/// The rows that a step waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RequiredRows {
    /// Those of these relations, as far as they are copied at all.
    Of(Vec<Oid>),
    /// All.
    #[default]
    All,
}
