//! What the target decides about a database.

use crate::catalog::cluster::Database;
use crate::ddl::options::Options;
use crate::pg::Ident;

/// Where a database is stored unless somebody chose another place.
pub(super) const DEFAULT_TABLESPACE: &str = "pg_default";

/// What the target decides about a database.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseOptions<'a> {
    /// Its name on the target.
    pub name: &'a Ident,
    /// A locale of the operating system instead of the source's.
    pub locale: Option<&'a str>,
    /// The database of this name that is used; None for one that is created.
    pub existing: Option<&'a Database>,
    /// The target, and what is copied.
    pub script: &'a Options,
}

/// Whether the target has the database's tablespace and it is wanted.
pub(super) fn uses_tablespace(database: &Database, script: &Options) -> bool {
    database.tablespace.as_str() != DEFAULT_TABLESPACE
        && script.tablespace(Some(&database.tablespace)).is_some()
}
