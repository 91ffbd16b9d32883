//! Compares the rows of both sides, table by table, without writing to either.
//!
//! Every table that holds rows of its own is read once per side: ordinary tables, partitions and
//! members of inheritance trees, each `ONLY` itself. Columns are matched by name, generated ones
//! included. A partition or child whose parents are others on the target is a difference: its rows are
//! missing, or are too many, there. The rows are digested here ([`digest`] says how
//! and why that suffices). So neither server computes anything beyond the text of its values. Memory
//! use does not depend on the width of a row or the size of a table.
//!
//! A side is read at one moment: a session per side holds a snapshot, and all its lanes see that.
//! Not compared are materialized views, which are derived, foreign tables, whose rows are
//! elsewhere, and tables that belong to extensions.
//!
//! ```text
//! run ── per database ── View × 2 ── plan_pairs ── workers ── Lane × 2 ── Digester
//!                                                     └── Report ── exit_code
//! ```
//!
//! What cannot be compared is never taken for equal: each table has a verdict, a reason where
//! there is none, and the [`exit_code`] keeps the three apart.

mod database;
pub mod digest;
mod error;
mod lane;
mod partition;
mod plan;
mod progress;
mod report;
mod view;
mod wanted;

pub use digest::{Contents, CutOff, Digest, Digester};
pub use error::{Error, Side};
pub use plan::Mismatch;
pub use report::{
    Class, DatabaseReport, NOT_COVERED, Outcome, Report, TableReport, Totals, Verdict, exit_code,
};

use crate::connect::{ConnectionNeed, Endpoint};
use crate::selection::TableChoice;
use crate::task::Scope;

/// What a comparison opens on the source: the snapshot's session, the one that looks for sessions that wait for
/// our locks, and a reader for each worker.
pub const SOURCE_NEED: ConnectionNeed = ConnectionNeed {
    fixed: 2,
    per_worker: 1,
};

/// What it opens on the target: the snapshot's session, and a reader for each worker.
pub const TARGET_NEED: ConnectionNeed = ConnectionNeed {
    fixed: 1,
    per_worker: 1,
};

/// What to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// The source cluster; its database is only the door.
    pub source: Endpoint,
    /// The target cluster; its database is only the door.
    pub target: Endpoint,
    /// The databases, in the order of the report.
    pub databases: Vec<DatabasePair>,
    /// Tables compared at the same time, each on one connection per side; at least 1.
    pub jobs: usize,
    /// Whether what only the target has, and other types of columns, count as differences.
    pub strict: bool,
}

/// A database of the source, and where it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabasePair {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// Which of its tables are compared.
    pub tables: TableChoice,
}

/// Compares the databases, one after the other.
///
/// Not cancel safe in that statements may continue on the servers until they notice; stopping the
/// scope cancels them.
///
/// # Errors
/// Only [`Error::Stopped`]: the report lists what cannot be compared.
pub async fn run(options: &Options, scope: &Scope) -> Result<Report, Error> {
    let mut report = Report {
        databases: Vec::new(),
        strict: options.strict,
    };
    for pair in &options.databases {
        report
            .databases
            .push(database::compare(pair, options, scope).await?);
    }
    Ok(report)
}
