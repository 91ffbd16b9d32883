use std::time::Duration;

use crate::pg::Lsn;
use crate::snapshot::CopiedTable;

/// What a run of `init` did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Per database, in the order of the run.
    pub databases: Vec<DatabaseReport>,
    /// Databases that the interrupted run had finished, and that were left alone.
    pub kept: Vec<String>,
    /// What differs on the target on purpose, with the reason.
    pub differences: Vec<String>,
    /// The whole run.
    pub elapsed: Duration,
}

/// What was copied of one database.
#[derive(Clone, Debug)]
pub struct DatabaseReport {
    /// Its name.
    pub name: String,
    /// The log position of the copy; none without replication.
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
