use std::time::Duration;

use crate::pg::{Lsn, SlotName};
use crate::snapshot::CopiedTable;

/// What a run of `init` did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Per database, in the order of the run.
    pub databases: Vec<DatabaseReport>,
    /// Databases that the interrupted run had finished, and that were left alone.
    pub kept: Vec<String>,
    /// Slots that stay on the source, in the same order.
    pub slots: Vec<KeptSlot>,
    /// What differs on the target on purpose, with the reason.
    pub differences: Vec<String>,
    /// The whole run.
    pub elapsed: Duration,
}

/// A slot that stays: it retains WAL on the source from its consistent point on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSlot {
    /// The source's database.
    pub database: String,
    /// The slot.
    pub slot: SlotName,
}

/// What was copied of one database.
#[derive(Clone, Debug)]
pub struct DatabaseReport {
    /// Its name.
    pub name: String,
    /// The LSN of the copy; none without replication.
    pub consistent_point: Option<Lsn>,
    /// Every table with rows of its own.
    pub tables: Vec<CopiedTable>,
    /// Definitions made, by statement.
    pub statements: usize,
    /// Sequences set.
    pub sequences: usize,
    /// Large objects copied.
    pub large_objects: usize,
    /// What differs on the target on purpose, with the reason.
    pub differences: Vec<String>,
    /// From the creation of the database to its last commit.
    pub elapsed: Duration,
}

impl DatabaseReport {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes of COPY data of all tables.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }
}
