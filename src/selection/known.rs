//! The relations of the source that entries may match.

use std::collections::BTreeMap;

use super::{Entry, Error};
use crate::pg::{QualifiedName, RelKind};

/// How many tables are named beside an entry that matches none.
pub(super) const NEAR: usize = 5;

/// A relation that an entry may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its name.
    pub name: QualifiedName,
    /// What it is.
    pub kind: RelKind,
    /// The partitioned table at the top, if it is a partition.
    pub root: Option<QualifiedName>,
    /// The hypertable, if it is a chunk of one.
    pub hypertable: Option<QualifiedName>,
    /// The extension that it comes with.
    pub extension: Option<String>,
}

/// Relations of the chosen databases, by database and name.
pub(super) struct Known<'a>(BTreeMap<&'a str, BTreeMap<&'a QualifiedName, &'a Offered>>);

/// A relation and its database.
pub(super) type Found<'a> = (&'a str, &'a Offered);

impl<'a> Known<'a> {
    pub(super) fn new(offered: &'a BTreeMap<String, Vec<Offered>>) -> Self {
        let databases = offered.iter().map(|(database, relations)| {
            let relations = relations.iter().map(|relation| (&relation.name, relation));
            (database.as_str(), relations.collect())
        });
        Self(databases.collect())
    }

    pub(super) fn find_in_database(
        &self,
        database: &str,
        name: &QualifiedName,
    ) -> Option<Found<'a>> {
        let (database, relations) = self.0.get_key_value(database)?;
        Some((*database, *relations.get(name)?))
    }

    /// The relations that an entry matches; of two parts, where the first may be a schema or a database, those that
    /// `find_either` finds.
    pub(super) fn find_entry(
        &self,
        entry: &Entry,
        find_either: impl FnOnce(&str) -> Vec<Found<'a>>,
    ) -> Vec<Found<'a>> {
        if let Some(database) = entry.section() {
            let found = self.find_in_database(database, &entry.name_in_section());
            return found.into_iter().collect();
        }
        let in_schema = |schema: &str| QualifiedName::from_catalog(schema, entry.table());
        match entry.qualifiers() {
            [] => self.find_everywhere(&in_schema("public")),
            [either] => find_either(either),
            [database, schema, ..] => {
                let found = self.find_in_database(database, &in_schema(schema));
                found.into_iter().collect()
            }
        }
    }

    pub(super) fn find_everywhere(&self, name: &QualifiedName) -> Vec<Found<'a>> {
        let databases = self.0.keys();
        databases
            .filter_map(|database| self.find_in_database(database, name))
            .collect()
    }
}

/// The error of an entry that matches nothing, with the tables whose names are most like it.
pub(super) fn no_table(entry: &Entry, offered: &BTreeMap<String, Vec<Offered>>) -> Error {
    Error::NoTable {
        entry: entry.clone(),
        near: nearest_tables(entry, offered),
    }
}

/// Refuses what is no table of the user's.
pub(super) fn check_table(entry: &Entry, (database, relation): Found<'_>) -> Result<(), Error> {
    let (entry, database) = (entry.clone(), database.to_owned());
    let name = relation.name.clone();
    if !matches!(relation.kind, RelKind::Table | RelKind::PartitionedTable) {
        return Err(Error::NoTableByKind {
            entry,
            database,
            relation: name,
            kind: relation.kind,
        });
    }
    if let Some(hypertable) = relation.hypertable.clone() {
        return Err(Error::Chunk {
            entry,
            database,
            chunk: Box::new(name),
            hypertable: Box::new(hypertable),
        });
    }
    match relation.extension.clone() {
        Some(extension) => Err(Error::OfExtension {
            entry,
            database,
            relation: name,
            extension,
        }),
        None => Ok(()),
    }
}

/// The tables whose names are most like an entry's.
fn nearest_tables(entry: &Entry, offered: &BTreeMap<String, Vec<Offered>>) -> Vec<String> {
    let wanted = entry.table().to_lowercase();
    let mut found = Vec::new();
    let is_searched = |database: &&String| entry.section().is_none_or(|own| own == *database);
    for database in offered.keys().filter(is_searched) {
        for relation in &offered[database] {
            let name = relation.name.name.as_str().to_lowercase();
            let distance = strsim::levenshtein(&wanted, &name);
            if distance <= wanted.chars().count() / 2 {
                found.push((distance, format!("{database}.{}", relation.name)));
            }
        }
    }
    found.sort();
    found.truncate(NEAR);
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
impl Offered {
    /// A table of the user's that is no partition.
    pub(super) fn table(schema: &str, name: &str) -> Self {
        Self {
            name: QualifiedName::from_catalog(schema, name),
            kind: RelKind::Table,
            root: None,
            hypertable: None,
            extension: None,
        }
    }
}
