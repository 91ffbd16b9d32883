//! Reads publications with their tables and schemas.

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, ObjectId, Publication, PublishedSchema, PublishedTable};
use crate::connect::Session;
use crate::pg::{Ident, Oid, QualifiedName, Sql};

const WHAT: &str = "publications";

/// Reads the publications of users: those of this program's own runs, known by their comment, are
/// never copied.
pub(super) async fn load_publications(session: &Session) -> Result<Vec<Publication>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/publications.sql"), &[]).await?;
    let publication = |row| {
        let row = Columns::new(WHAT, row);
        Ok(Publication {
            id: row.id(Class::Publication)?,
            name: row.name("name")?,
            owner: row.name("owner")?,
            all_tables: row.value("all_tables")?,
            operations: row.value("operations")?,
            via_root: row.value("via_root")?,
            generated_columns: row.value("generated_columns")?,
            tables: row.json("tables")?.into_iter().map(table).collect(),
            schemas: row.json("schemas")?.into_iter().map(schema).collect(),
        })
    };
    rows.iter().map(publication).collect()
}

/// The row, the table's schema and name, which rows, which columns.
type TableEntry = (u32, String, String, Option<String>, Vec<String>);

fn table((oid, schema, name, condition, columns): TableEntry) -> PublishedTable {
    PublishedTable {
        id: ObjectId::new(Class::PublicationRelation, Oid(oid)),
        name: QualifiedName::from_catalog(&schema, &name),
        columns: columns.into_iter().map(Ident::from_catalog).collect(),
        condition: condition.map(Sql::deparsed),
    }
}

fn schema((oid, name): (u32, String)) -> PublishedSchema {
    PublishedSchema {
        id: ObjectId::new(Class::PublicationSchema, Oid(oid)),
        name: Ident::from_catalog(name),
    }
}
