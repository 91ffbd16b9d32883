use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::pg::{Ident, Lsn, SlotName};
use crate::snapshot::{CopiedTable, Refused};

/// What a run of `init` did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Per database, in the order of the run.
    pub databases: Vec<DatabaseReport>,
    /// Databases that the interrupted run had finished, and that were left alone.
    pub kept: Vec<KeptDatabase>,
    /// Slots that stay on the source, in the same order.
    pub slots: Vec<KeptSlot>,
    /// What differs on the target on purpose, with the reason.
    pub differences: Vec<String>,
    /// The whole run.
    pub elapsed: Duration,
}

impl Report {
    /// Counts the objects that are missing on the target since it has refused them.
    pub fn missing(&self) -> usize {
        let refused = self.databases.iter().filter_map(|one| one.refused.as_ref());
        let refused = refused.map(|one| one.refusals.len() + one.skipped.len());
        let kept = self.kept.iter().map(|one| one.missing);
        refused.chain(kept).sum()
    }
}

/// A database that the interrupted run had finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDatabase {
    /// Its name.
    pub name: String,
    /// How many objects are missing since the target has refused them.
    pub missing: usize,
}

/// A slot that stays: it retains WAL on the source from its consistent point on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSlot {
    /// The source's database.
    pub database: String,
    /// The slot.
    pub slot: SlotName,
    /// Whether it is a failover slot.
    pub is_failover: bool,
    /// The publications to replicate with it.
    pub publications: Vec<Ident>,
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
    /// What the target has refused, and what depends on that; it is missing.
    pub refused: Option<Arc<Refused>>,
    /// The file with the statements that the target has refused.
    pub missing_file: Option<PathBuf>,
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
