use super::{ObjectId, Table};
use crate::pg::{Ident, Sql};

/// A schema (namespace).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// Its owner.
    pub owner: Ident,
}

/// An installed extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its row.
    pub id: ObjectId,
    /// Its name.
    pub name: Ident,
    /// The schema that holds its objects.
    pub schema: Ident,
    /// The installed version, which the target need not have.
    pub version: String,
    /// Its tables whose rows belong to the user (`pg_extension_config_dump`).
    pub config: Vec<ConfigTable>,
}

/// A table or sequence of an extension whose content belongs to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigTable {
    /// The relation; for a sequence a table without columns.
    pub table: Table,
    /// Which rows: a `WHERE` clause, or nothing for all.
    pub condition: Option<Sql>,
}
