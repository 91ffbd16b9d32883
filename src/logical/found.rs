//! Publications that exist under our name, or with a mark of ours.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::Definition;
use super::mark::Mark;
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql};

/// How many tables a difference names.
const NAMED: usize = 5;

/// A publication that exists under our name, or with a mark of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPublication {
    /// Its name.
    pub name: Ident,
    /// Whose it is, if it is a run's.
    pub mark: Option<Mark>,
    /// The tables that it lists, by oid: a renamed table stays the same.
    pub oids: BTreeSet<Oid>,
    /// Digests of the filters of those of them that have one.
    pub filter_digests: BTreeMap<Oid, String>,
    /// Those tables, by name.
    filtered: BTreeSet<QualifiedName>,
    definition: Definition,
    /// What no publication of ours has.
    oddities: Vec<&'static str>,
}

impl FoundPublication {
    /// An unmarked publication of tables with these oids, as we create it.
    #[cfg(test)]
    pub(crate) fn plain(name: Ident, oids: impl Iterator<Item = u32>) -> Self {
        let tables = BTreeSet::new();
        Self {
            name,
            mark: None,
            oids: oids.map(Oid).collect(),
            filter_digests: BTreeMap::new(),
            filtered: BTreeSet::new(),
            definition: Definition {
                tables,
                filters: BTreeMap::new(),
                via_root: true,
            },
            oddities: Vec::new(),
        }
    }

    /// Its definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Which of its options are not those that are wanted.
    pub fn odd_options(&self, via_root: bool) -> Vec<String> {
        let mut found: Vec<String> = self.oddities.iter().map(ToString::to_string).collect();
        if self.definition.via_root != via_root {
            let has = self.definition.via_root;
            found.push(format!("publish_via_partition_root is {has}"));
        }
        found
    }

    /// What differs from the definition that is wanted; nothing: it may serve.
    pub fn differences(&self, wanted: &Definition) -> Vec<String> {
        let mut found = self.odd_options(wanted.via_root);
        let (has, wants) = (&self.definition.tables, &wanted.tables);
        found.extend(name_tables("lacks", wants.difference(has)));
        found.extend(name_tables("has also", has.difference(wants)));
        found.extend(self.compare_filters(wanted));
        found
    }

    /// Which of the tables have a filter that they must not have, or lack one.
    pub fn compare_filters(&self, wanted: &Definition) -> Vec<String> {
        let wants = wanted
            .filters
            .keys()
            .filter(|table| self.definition.tables.contains(*table));
        let wants: BTreeSet<QualifiedName> = wants.cloned().collect();
        let extra = name_tables("filters rows of", self.filtered.difference(&wants));
        let missing = name_tables("does not filter rows of", wants.difference(&self.filtered));
        extra.into_iter().chain(missing).collect()
    }
}

fn name_tables<'a>(what: &str, tables: impl Iterator<Item = &'a QualifiedName>) -> Option<String> {
    let names: Vec<String> = tables.map(ToString::to_string).collect();
    let more = names.len().saturating_sub(NAMED);
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!names.is_empty()).then(|| format!("{what} {}{rest}", first.join(", ")))
}

/// Looks for the publication of this name in the session's database.
///
/// # Errors
/// The server refused the question.
pub async fn find_publication(
    session: &Session,
    name: &Ident,
) -> Result<Option<FoundPublication>, connect::Error> {
    let found = load_publications(session, Some(name)).await?;
    Ok(found.into_iter().next())
}

/// Finds all publications in the session's database that runs have marked, by name.
///
/// # Errors
/// The server refused the question.
pub async fn find_marked(session: &Session) -> Result<Vec<FoundPublication>, connect::Error> {
    let found = load_publications(session, None).await?;
    Ok(found.into_iter().filter(|one| one.mark.is_some()).collect())
}

async fn load_publications(
    session: &Session,
    name: Option<&Ident>,
) -> Result<Vec<FoundPublication>, connect::Error> {
    let sql = Sql::fixed(include_str!("sql/publication.sql"));
    let rows = session.query(&sql, &[&name.map(Ident::as_str)]).await?;
    Ok(rows.iter().map(read_publication).collect())
}

fn read_publication(row: &tokio_postgres::Row) -> FoundPublication {
    let comment: Option<String> = row.get("comment");
    let schemas: Vec<String> = row.get("table_schemas");
    let names: Vec<String> = row.get("table_names");
    let oids: Vec<u32> = row.get("table_oids");
    let digests: Vec<Option<String>> = row.get("filter_digests");
    let tables = schemas.into_iter().zip(names);
    let tables: Vec<QualifiedName> = tables
        .map(|(schema, name)| QualifiedName::from_catalog(schema, name))
        .collect();
    let oids: Vec<Oid> = oids.into_iter().map(Oid).collect();
    let filtered = tables.iter().zip(&digests);
    let filtered = filtered.filter(|(_, digest)| digest.is_some());
    let filtered = filtered.map(|(table, _)| table.clone()).collect();
    let filters = oids.iter().zip(digests);
    let filter_digests = filters
        .filter_map(|(oid, digest)| Some((*oid, digest?)))
        .collect();
    FoundPublication {
        name: Ident::from_catalog(row.get::<_, String>("name")),
        mark: comment.as_deref().and_then(Mark::parse),
        oids: oids.into_iter().collect(),
        filter_digests,
        filtered,
        definition: Definition {
            tables: tables.into_iter().collect(),
            filters: BTreeMap::new(),
            via_root: row.get("via_root"),
        },
        oddities: read_oddities(row),
    }
}

/// Which options no publication of ours has.
fn read_oddities(row: &tokio_postgres::Row) -> Vec<&'static str> {
    let all_operations: bool = row.get("all_operations");
    let odd = [
        (row.get("all_tables"), "is for all tables"),
        (row.get("schemas"), "is for whole schemas"),
        (row.get("narrowed"), "narrows columns"),
        (row.get("generated_columns"), "sends generated columns"),
        (!all_operations, "does not send every operation"),
    ];
    odd.into_iter()
        .filter_map(|(is_odd, text)| is_odd.then_some(text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::PUBLICATION;

    fn definition(names: &[&str], via_root: bool) -> Definition {
        let table = |name: &&str| QualifiedName::from_catalog("s", *name);
        Definition {
            tables: names.iter().map(table).collect(),
            filters: BTreeMap::new(),
            via_root,
        }
    }

    #[test]
    fn every_difference_is_told() {
        let found = FoundPublication {
            name: Ident::from_catalog(PUBLICATION),
            mark: None,
            oids: BTreeSet::new(),
            filter_digests: BTreeMap::new(),
            filtered: BTreeSet::new(),
            definition: definition(&["a", "b"], false),
            oddities: vec!["narrows columns"],
        };
        assert_eq!(
            found.differences(&definition(&["b", "c"], true)),
            [
                "narrows columns",
                "publish_via_partition_root is false",
                "lacks s.c",
                "has also s.a"
            ]
        );
        let same = FoundPublication {
            oddities: Vec::new(),
            ..found
        };
        assert!(same.differences(&definition(&["a", "b"], false)).is_empty());
    }
}
