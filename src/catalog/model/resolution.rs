//! How a definition finds operators that its text does not name with their schema.

use std::collections::BTreeMap;

use crate::pg::{Ident, Sql};

/// The address of an object, which any server of the same definitions understands
/// (`pg_identify_object_as_address`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The kind, e.g. `table constraint`.
    pub kind: String,
    /// The parts of its name.
    pub names: Vec<String>,
    /// What else identifies it, e.g. the types of arguments.
    pub arguments: Vec<String>,
}

/// The operators, and the functions outside `pg_catalog`, that a server recorded for expressions. The key
/// is the kind of node that calls them and their identity, the value the number of such nodes.
pub type Calls = BTreeMap<(String, String), i64>;

/// What a definition needs in order to mean the same when it is parsed again.
///
/// `IS DISTINCT FROM`, `NULLIF`, `CASE x WHEN`, `JOIN USING` and comparisons of rows have no syntax for an operator's
/// schema. So the parser looks for the operator in the search path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The schemas of its operators outside `pg_catalog`; its text is printed under this path.
    pub path: Vec<Ident>,
    /// Where it is found.
    pub address: Address,
    /// What the source recorded for it.
    pub calls: Calls,
    /// A condition on the rows of its table that has the same expressions, where it has a table.
    pub condition: Option<Sql>,
}
