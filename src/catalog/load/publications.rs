//! Reads publications with their tables and schemas.

use std::collections::HashMap;

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Publication, PublishedSchema, PublishedTable};
use crate::connect::Session;
use crate::pg::{Ident, Oid};

const WHAT: &str = "publications";

/// Publications of this program's own runs bear names that begin so; they are never copied.
const OWN_PREFIX: &str = "seren_replication";

/// Reads the publications of users.
pub(super) async fn load_publications(session: &Session) -> Result<Vec<Publication>, Error> {
    let mut tables = load_tables(session).await?;
    let mut schemas = load_schemas(session).await?;
    let rows = query(session, WHAT, include_str!("../sql/publications.sql"), &[]).await?;
    let publication = |row| {
        let row = Columns::new(WHAT, row);
        let id = row.id(Class::Publication)?;
        Ok(Publication {
            id,
            name: row.name("name")?,
            owner: row.name("owner")?,
            all_tables: row.value("all_tables")?,
            operations: row.value("operations")?,
            via_root: row.value("via_root")?,
            generated_columns: row.value("generated_columns")?,
            tables: tables.remove(&id.oid).unwrap_or_default(),
            schemas: schemas.remove(&id.oid).unwrap_or_default(),
        })
    };
    let publications: Result<Vec<_>, Error> = rows.iter().map(publication).collect();
    let mut publications = publications?;
    publications.retain(|publication| !publication.name.as_str().starts_with(OWN_PREFIX));
    Ok(publications)
}

type ByPublication<T> = HashMap<Oid, Vec<T>>;

async fn load_tables(session: &Session) -> Result<ByPublication<PublishedTable>, Error> {
    let text = include_str!("../sql/publication_tables.sql");
    let mut tables = ByPublication::new();
    for row in &query(session, WHAT, text, &[]).await? {
        let row = Columns::new(WHAT, row);
        let columns: Vec<&str> = row.value("columns")?;
        let table = PublishedTable {
            id: row.id(Class::PublicationRelation)?,
            name: row.qualified("schema", "name")?,
            columns: columns.into_iter().map(Ident::from_catalog).collect(),
            condition: row.optional_sql("condition")?,
        };
        let publication = row.oid("publication")?;
        tables
            .entry(publication)
            .or_insert_with(Vec::new)
            .push(table);
    }
    Ok(tables)
}

async fn load_schemas(session: &Session) -> Result<ByPublication<PublishedSchema>, Error> {
    let mut schemas = ByPublication::new();
    if !session.version().has_publication_filters() {
        return Ok(schemas);
    }
    let text = include_str!("../sql/publication_schemas.sql");
    for row in &query(session, WHAT, text, &[]).await? {
        let row = Columns::new(WHAT, row);
        let schema = PublishedSchema {
            id: row.id(Class::PublicationSchema)?,
            name: row.name("name")?,
        };
        let publication = row.oid("publication")?;
        schemas
            .entry(publication)
            .or_insert_with(Vec::new)
            .push(schema);
    }
    Ok(schemas)
}
