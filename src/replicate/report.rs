//! What `sync` reports.

use std::time::Duration;

use super::error::Error;
use crate::pg::{Ident, QualifiedName, SlotName};
use crate::status::Lag;

/// What `sync` has done.
#[derive(Debug, Default)]
pub struct Report {
    /// The databases that are replicated, by name.
    pub databases: Vec<SyncedDatabase>,
    /// The databases that are not, or have not caught up.
    pub failures: Vec<FailedDatabase>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A database whose replication did not start, or has not caught up.
#[derive(Debug)]
pub struct FailedDatabase {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// Why.
    pub error: Error,
}

/// A database whose replication runs and has caught up.
#[derive(Clone, Debug)]
pub struct SyncedDatabase {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// The subscription.
    pub subscription: Ident,
    /// The publications that it asks for.
    pub publications: Vec<Ident>,
    /// The slot that it reads from.
    pub slot: Option<SlotName>,
    /// What was changed, a line for each change; nothing where all was running.
    pub changes: Vec<String>,
    /// Tables that have joined.
    pub added: Vec<QualifiedName>,
    /// How far the target was behind at the end.
    pub lag: Lag,
    /// The tables that are replicated.
    pub tables: usize,
    /// How long it took to catch up.
    pub elapsed: Duration,
}

/// What `sync` would do.
#[derive(Clone, Debug)]
pub struct Planned {
    /// A line for each change; nothing where all is running.
    pub changes: Vec<String>,
}

impl Planned {
    /// What was prepared.
    pub fn new(prepared: &super::plan::Prepared) -> Self {
        Self {
            changes: prepared.describe(),
        }
    }
}
