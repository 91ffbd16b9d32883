//! What publications list, as the server knows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::Oid;

/// The tables that the publications of a database list, by oid: a renamed table stays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedTables {
    /// All of them.
    pub tables: BTreeSet<Oid>,
    /// Those of which only `INSERT` and `TRUNCATE` are published.
    pub insert_only: BTreeSet<Oid>,
    /// Digests of the filters of those that have one, as the server holds them.
    pub filters: BTreeMap<Oid, String>,
}
