//! Compares the rows of both sides, table by table, without writing to either.
//!
//! Every table that holds rows of its own is read once per side: ordinary tables, partitions and
//! members of inheritance trees, each `ONLY` itself. Columns are matched by name, generated ones
//! included. A partition or child whose parents are others on the target is a difference: its rows are
//! missing, or are too many, there. The rows are digested here ([`digest`] says how
//! and why that suffices). So neither server computes anything beyond the text of its values. Memory
//! use does not depend on the width of a row or the size of a table.
//!
//! Each side is read at one moment: a session per side holds a snapshot, and all its readers see that.
//! Not compared are materialized views, which are derived, foreign tables, whose rows are
//! elsewhere, and tables that belong to extensions.
//!
//! ```text
//! compare_databases ── per database ── View × 2 ── plan_pairs ── workers ── TableReader × 2 ── Digester
//!                                                     └── Report ── exit_code
//! ```
//!
//! A table that cannot be compared never counts as equal: each table has a verdict, a reason where
//! there is none, and the [`exit_code`] keeps the three apart.

mod database;
pub mod digest;
mod error;
mod options;
mod partition;
mod plan;
mod progress;
mod report;
mod table_reader;
mod view;
mod wanted;

pub use digest::{Contents, CutOff, Digest, Digester};
pub use error::Error;
pub use options::{DatabasePair, Options, SOURCE_NEED, TARGET_NEED};
pub use plan::Mismatch;
pub use report::{
    Class, DatabaseReport, NOT_COVERED, Outcome, Report, TableReport, Totals, Verdict, exit_code,
};

use crate::task::Scope;

/// Compares the databases, one after the other.
///
/// Not cancel safe in that statements may continue on the servers until they notice; stopping the
/// scope cancels them.
///
/// # Errors
/// Only [`Error::Stopped`]: the report lists everything that could not be compared.
pub async fn compare_databases(options: &Options, scope: &Scope) -> Result<Report, Error> {
    let mut report = Report {
        databases: Vec::new(),
        strict: options.strict,
    };
    for pair in &options.databases {
        report
            .databases
            .push(database::compare_database(pair, options, scope).await?);
    }
    Ok(report)
}
