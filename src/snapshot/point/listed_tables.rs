//! The tables of a database as one transaction sees them.

use std::collections::BTreeSet;

use crate::connect::Session;
use crate::pg::{Oid, QualifiedName, Sql};
use crate::sql;

/// A table as it was when it was listed. Equal values mean: same name, storage and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedTable {
    pub(crate) oid: Oid,
    pub(crate) name: QualifiedName,
    storage: String,
    columns: String,
}

/// The tables to lock, with everything that is compared.
const TABLES: &str = include_str!("sql/tables.sql");

/// Lists the names of the tables as the session's transaction sees them, without the excluded ones. The server
/// computes nothing else.
pub(crate) async fn list_names(
    session: &Session,
    excluded: &BTreeSet<QualifiedName>,
) -> Result<Vec<QualifiedName>, crate::connect::Error> {
    let names = sql!(
        "SELECT nspname, relname FROM (\n{}\n) tables",
        Sql::fixed(TABLES)
    );
    let rows = session.query(&names, &[]).await?;
    let name = |row: &tokio_postgres::Row| {
        QualifiedName::from_catalog(row.get::<_, String>(0), row.get::<_, String>(1))
    };
    let names = rows.iter().map(name);
    Ok(names.filter(|name| !excluded.contains(name)).collect())
}

/// Lists the tables as the session's transaction sees them, without the excluded ones.
pub(crate) async fn list_tables(
    session: &Session,
    excluded: &BTreeSet<QualifiedName>,
) -> Result<Vec<ListedTable>, crate::connect::Error> {
    let rows = session.query(&Sql::fixed(TABLES), &[]).await?;
    let listed = rows.iter().map(|row| ListedTable {
        oid: Oid(row.get(0)),
        name: QualifiedName::from_catalog(row.get::<_, String>(1), row.get::<_, String>(2)),
        storage: row.get(3),
        columns: row.get(4),
    });
    Ok(listed
        .filter(|table| !excluded.contains(&table.name))
        .collect())
}

/// A listed table for tests of what depends on it.
#[cfg(test)]
pub(crate) fn listed(oid: u32, name: &str, storage: &str) -> ListedTable {
    ListedTable {
        oid: Oid(oid),
        name: QualifiedName::from_catalog("s", name),
        storage: storage.to_owned(),
        columns: String::new(),
    }
}
