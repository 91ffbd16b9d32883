//! The objects of the source that are excluded by name.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use crate::cluster::select::ChosenDatabase;
use crate::connect::{Endpoint, Purpose};
use crate::migrate::error::Error;
use crate::pg::{Ident, Side, Sql};
use crate::selection::{NamedObject, ObjectEntry, ObjectKind, OfferedObject, resolve_objects};

/// Finds the objects that entries match, and adds them to the scopes of their databases; returns what could have been
/// meant otherwise.
///
/// # Errors
/// The source cannot be read, or an entry matches nothing, or something that is never excluded.
pub(super) async fn exclude_named(
    source: &Endpoint,
    entries: &[ObjectEntry],
    chosen: &mut [ChosenDatabase],
) -> Result<Vec<String>, Error> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut offered = BTreeMap::new();
    for one in chosen.iter() {
        let name = one.database.name.as_str();
        offered.insert(name.to_owned(), load_objects(source, name).await?);
    }
    let mut resolved = resolve_objects(entries, &offered)?;
    for one in chosen {
        let excluded = resolved.databases.remove(one.database.name.as_str());
        one.scope.objects = excluded.unwrap_or_default();
    }
    Ok(resolved.warnings)
}

async fn load_objects(source: &Endpoint, database: &str) -> Result<Vec<OfferedObject>, Error> {
    let endpoint = source.with_database(database);
    let opened = endpoint.session(Purpose::Introspect).await;
    let session = opened.map_err(Error::connect(Side::Source))?;
    let sql = Sql::fixed(include_str!("../sql/named_objects.sql"));
    let rows = session.query(&sql, &[]).await;
    let rows = rows.map_err(Error::examine(Side::Source))?;
    Ok(rows.iter().map(decode_object).collect())
}

fn decode_object(row: &Row) -> OfferedObject {
    let relation = row.get::<_, Option<String>>("relation_name");
    OfferedObject {
        object: NamedObject {
            kind: decode_kind(row.get("kind")),
            schema: Ident::from_catalog(row.get::<_, String>("schema_name")),
            relation: relation.map(Ident::from_catalog),
            name: Ident::from_catalog(row.get::<_, String>("name")),
        },
        extension: row.get("extension"),
        is_inherited: row.get("is_inherited"),
    }
}

/// Decodes the words of the query.
fn decode_kind(word: &str) -> ObjectKind {
    let mut kinds = ObjectKind::ALL.iter();
    let kind = kinds.find(|kind| kind.to_string() == word);
    *kind.expect("the query names the kinds by their words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_every_kind_by_its_word() {
        let query = include_str!("../sql/named_objects.sql");
        for kind in ObjectKind::ALL {
            assert!(query.contains(&format!("'{kind}'")), "{kind}");
            assert_eq!(decode_kind(&kind.to_string()), *kind);
        }
    }
}
