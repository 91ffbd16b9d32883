//! Reads publications with their tables and schemas.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, ObjectId, Publication, PublishedSchema, PublishedTable};
use crate::connect::Session;
use crate::pg::{Ident, Oid, QualifiedName, Sql};

const WHAT: &str = "publications";

/// Reads the publications of users: those of this program's own runs, known by their comment, are
/// never copied.
pub(super) async fn load_publications(session: &Session) -> Result<Vec<Publication>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/publications.sql"), &[]).await?;
    rows.iter()
        .map(|row| read_publication(&Columns::new(WHAT, row)))
        .collect()
}

fn read_publication(row: &Columns<'_>) -> Result<Publication, Error> {
    Ok(Publication {
        id: row.id(Class::Publication)?,
        name: row.name("name")?,
        owner: row.name("owner")?,
        all_tables: row.value("all_tables")?,
        operations: row.value("operations")?,
        via_root: row.value("via_root")?,
        generated_columns: row.value("generated_columns")?,
        tables: row
            .json("tables")?
            .into_iter()
            .map(published_table)
            .collect(),
        schemas: row
            .json("schemas")?
            .into_iter()
            .map(published_schema)
            .collect(),
    })
}

/// A table as the query gives it, a JSON array.
#[derive(serde::Deserialize)]
struct TableEntry {
    oid: u32,
    schema: String,
    name: String,
    condition: Option<String>,
    columns: Vec<String>,
}

/// A schema as the query gives it, a JSON array.
#[derive(serde::Deserialize)]
struct SchemaEntry {
    oid: u32,
    name: String,
}

fn published_table(entry: TableEntry) -> PublishedTable {
    PublishedTable {
        id: ObjectId::new(Class::PublicationRelation, Oid(entry.oid)),
        name: QualifiedName::from_catalog(&entry.schema, &entry.name),
        columns: entry.columns.into_iter().map(Ident::from_catalog).collect(),
        condition: entry.condition.map(Sql::deparsed),
    }
}

fn published_schema(entry: SchemaEntry) -> PublishedSchema {
    PublishedSchema {
        id: ObjectId::new(Class::PublicationSchema, Oid(entry.oid)),
        name: Ident::from_catalog(entry.name),
    }
}
