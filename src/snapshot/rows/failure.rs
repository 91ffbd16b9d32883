//! Why an attempt to copy a batch failed.

use crate::pg::QualifiedName;
use crate::snapshot::error::Error;
use crate::wire::{self, Copied};

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct CopyFailure {
    pub(crate) error: Error,
    /// The same batch may succeed on new connections.
    pub(crate) is_transient: bool,
    /// The transaction whose commit was sent and not answered.
    pub(crate) undecided: Option<String>,
    /// The rows of that transaction.
    pub(crate) copied: Vec<Copied>,
}

impl CopyFailure {
    /// A failure of which nothing is in doubt.
    pub(crate) fn new(error: Error, is_transient: bool) -> Self {
        Self {
            error,
            is_transient,
            undecided: None,
            copied: Vec::new(),
        }
    }

    /// The end of an attempt by a stop.
    pub(crate) fn stopped() -> Self {
        Self::new(Error::Stopped, false)
    }

    /// A failure outside of a table's copy, such as a refused connection.
    pub(crate) fn around_copy(error: Error) -> Self {
        let is_transient = if let Error::Connect(source) | Error::Lease(source) = &error {
            source.is_transient()
        } else if let Error::Lane(source) = &error {
            source.is_transient()
        } else {
            matches!(&error, Error::Renamed { .. })
        };
        Self::new(error, is_transient)
    }

    /// A failure of a statement around a table's copy.
    pub(crate) fn of_table(table: &QualifiedName, source: wire::Error) -> Self {
        let is_transient = source.is_transient();
        let table = table.clone();
        Self::new(Error::Table { table, source }, is_transient)
    }
}
