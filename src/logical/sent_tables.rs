//! Tables as publications send them and subscriptions know them.

use std::collections::BTreeSet;

use tokio_postgres::Row;

use super::found::FoundPublication;
use super::listed::ListedTables;
use super::mark::Copied;
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};

/// Loads the tables of publications as a subscription receives them: partitions as their root where that is published.
///
/// # Errors
/// The server refused the query.
pub async fn load_sent_tables(
    session: &Session,
    publications: &[&Ident],
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT schemaname::text AS schema_name, tablename::text AS name \
           FROM pg_catalog.pg_publication_tables WHERE pubname = ANY ($1::text[]::name[])",
    );
    let names: Vec<&str> = publications.iter().map(|name| name.as_str()).collect();
    let rows = session.query(&sql, &[&names]).await?;
    Ok(rows.iter().map(read_table_name).collect())
}

/// Loads the tables that a subscription of the session's database knows.
///
/// # Errors
/// The server refused the query.
pub async fn load_subscribed_tables(
    session: &Session,
    subscription: Oid,
) -> Result<BTreeSet<QualifiedName>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT n.nspname::text AS schema_name, c.relname::text AS name \
           FROM pg_catalog.pg_subscription_rel s \
           JOIN pg_catalog.pg_class c ON c.oid = s.srrelid \
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
          WHERE s.srsubid = $1::oid",
    );
    let rows = session.query(&sql, &[&subscription.0]).await?;
    Ok(rows.iter().map(read_table_name).collect())
}

/// Reads the name of a table from the columns `schema_name` and `name`.
pub fn read_table_name(row: &Row) -> QualifiedName {
    let (schema, name): (String, String) = (row.get("schema_name"), row.get("name"));
    QualifiedName::from_catalog(schema, name)
}

/// Finds what somebody else has changed of a publication of ours since it was marked, in words.
///
/// # Errors
/// The server refused the query.
pub async fn find_listed_changes(
    session: &Session,
    found: &FoundPublication,
) -> Result<Vec<String>, connect::Error> {
    let copied = found.mark.as_ref().and_then(|mark| mark.copied.as_ref());
    let Some(listed) = copied.and_then(Copied::listed) else {
        return Ok(Vec::new());
    };
    let existing = match listed.tables.is_subset(&found.listed.tables) {
        true => listed.tables.clone(),
        false => load_existing(session, &listed).await?,
    };
    let differences = listed.compare(&found.listed, &existing);
    Ok(differences.without_added().describe())
}

async fn load_existing(
    session: &Session,
    listed: &ListedTables,
) -> Result<BTreeSet<Oid>, connect::Error> {
    let sql = Sql::fixed("SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY ($1::oid[])");
    let oids: Vec<u32> = listed.tables.iter().map(|oid| oid.0).collect();
    let rows = session.query(&sql, &[&oids]).await?;
    Ok(rows.iter().map(|row| Oid(row.get(0))).collect())
}
