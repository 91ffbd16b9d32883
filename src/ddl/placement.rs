//! Where objects are placed that would close cycles.

use std::collections::BTreeMap;

use crate::catalog::model::ObjectId;

/// Where an object that would close a cycle is placed instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Apart from its table or domain: a table's default before the rows, what is a domain's and
    /// every check after them. The domain itself means its default.
    Separate,
    /// After the rows, because it needs something that is created there.
    Postponed,
    /// A view is created with the right columns and without its query, which follows after the rows.
    /// A routine is created without its body, which follows before the rows.
    Dummy,
    /// A routine is created without its body, which follows after the rows.
    LateBody,
}

/// Where objects that would close cycles are placed.
pub(crate) type Placements = BTreeMap<ObjectId, Placement>;
