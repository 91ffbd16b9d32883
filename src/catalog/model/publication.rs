use super::ObjectId;
use crate::pg::{Ident, QualifiedName, Sql};

/// A set of tables whose changes are sent to subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its owner.
    pub owner: Ident,
    /// Whether every table belongs to it, also those that are created later.
    pub all_tables: bool,
    /// Which changes are sent, as the option `publish` lists them.
    pub operations: String,
    /// Whether changes of partitions are sent as the root's; since 13.
    pub via_root: bool,
    /// Whether stored generated columns are sent; since 18.
    pub generated_columns: bool,
    /// Its tables, by name.
    pub tables: Vec<PublishedTable>,
    /// The schemas all of whose tables belong to it, by name; since 15.
    pub schemas: Vec<PublishedSchema>,
}

/// A table of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTable {
    /// The row that says so.
    pub id: ObjectId,
    /// The table.
    pub name: QualifiedName,
    /// The columns that are sent; empty: all. Since 15.
    pub columns: Vec<Ident>,
    /// Which rows are sent; since 15.
    pub condition: Option<Sql>,
}

/// A schema of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSchema {
    /// The row that says so.
    pub id: ObjectId,
    /// The schema.
    pub name: Ident,
}
