//! What a copy connects and how.

use crate::connect::Endpoint;
use crate::pg::{ServerVersion, Sides};
use crate::selection::TableRules;
use crate::transfer::Ledger;

/// The databases between which rows are copied, and how.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// The database read.
    pub source: Endpoint,
    /// The database written.
    pub target: Endpoint,
    /// The version of the target.
    pub target_version: ServerVersion,
    /// The number of workers, at least 1.
    pub jobs: usize,
    /// Whether only the rows of extensions' configuration tables are wanted.
    pub only_configuration: bool,
    /// What of the tables' rows is copied.
    pub rules: TableRules,
    /// Tables of more bytes are copied in parts of at most so many; None decides by the sizes.
    pub split_larger_than: Option<u64>,
    /// The ledger of committed work.
    pub ledger: Ledger,
}

impl CopyRequest {
    /// Returns both endpoints.
    pub(super) fn endpoints(&self) -> Sides<&Endpoint> {
        Sides {
            source: &self.source,
            target: &self.target,
        }
    }
}
