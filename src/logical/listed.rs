//! What publications list, as the server knows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::Oid;

/// The tables that the publications of a database list, by oid: a renamed table stays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedTables {
    /// All of them.
    pub tables: BTreeSet<Oid>,
    /// Those of which only `INSERT` and `TRUNCATE` are published.
    pub insert_only: BTreeSet<Oid>,
    /// Digests of the filters of those that have one, as the server holds them.
    pub filters: BTreeMap<Oid, String>,
}

/// How many characters of a filter's digest a mark contains.
const SHORT_DIGEST: usize = 8;

/// How the published tables differ from those that they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListedDifferences {
    /// Tables that still exist and are no longer published.
    pub lacks: usize,
    /// Tables that are published in addition.
    pub added: usize,
    /// Tables of which other operations are published.
    pub moved: usize,
    /// Tables with another filter.
    pub refiltered: usize,
}

impl ListedDifferences {
    /// The differences that let changes of replicated tables get lost. A table that was added is copied when it joins.
    #[must_use]
    pub fn without_added(self) -> Self {
        Self { added: 0, ..self }
    }

    /// Each difference in words; nothing: there is none.
    pub fn describe(self) -> Vec<String> {
        let counted = [
            ("lacks", self.lacks),
            ("also lists", self.added),
            ("sends other operations of", self.moved),
            ("has another filter for", self.refiltered),
        ];
        let counted = counted.into_iter().filter(|(_, count)| *count > 0);
        let described = counted.map(|(verb, count)| {
            let plural = if count == 1 { "" } else { "s" };
            format!("it {verb} {count} table{plural}")
        });
        described.collect()
    }
}

impl ListedTables {
    /// How what is published now differs from this. PostgreSQL removes a dropped table from its publications: only those of
    /// these tables count as missing that still exist.
    pub fn compare(&self, now: &Self, existing: &BTreeSet<Oid>) -> ListedDifferences {
        let kept = || self.tables.intersection(&now.tables);
        let has_moved =
            |oid: &&Oid| self.insert_only.contains(*oid) != now.insert_only.contains(*oid);
        let is_refiltered = |oid: &&Oid| {
            let [was, is] =
                [self, now].map(|one| one.filters.get(*oid).map(|digest| short_digest(digest)));
            was != is
        };
        ListedDifferences {
            lacks: existing.difference(&now.tables).count(),
            added: now.tables.difference(&self.tables).count(),
            moved: kept().filter(has_moved).count(),
            refiltered: kept().filter(is_refiltered).count(),
        }
    }

    /// The tables as text for a mark: the differences of their oids, `i` for insert-only tables, and the begin of the digest
    /// of a filter.
    pub fn encode(&self) -> String {
        let mut before = 0;
        let mut words = Vec::new();
        for table in &self.tables {
            let operations = if self.insert_only.contains(table) {
                "i"
            } else {
                ""
            };
            let filter = self.filters.get(table);
            let filter =
                filter.map_or_else(String::new, |filter| format!(":{}", short_digest(filter)));
            words.push(format!("{}{operations}{filter}", table.0 - before));
            before = table.0;
        }
        words.join(",")
    }

    /// Reads such a text; none if it is not one.
    pub fn decode(text: &str) -> Option<Self> {
        let mut listed = Self::default();
        let mut before = 0_u32;
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let (table, filter) = match word.split_once(':') {
                Some((table, filter)) => (table, Some(filter)),
                None => (word, None),
            };
            let (number, is_insert_only) = match table.strip_suffix('i') {
                Some(number) => (number, true),
                None => (table, false),
            };
            before = before.checked_add(number.parse().ok()?)?;
            let table = Oid(before);
            listed.tables.insert(table);
            if is_insert_only {
                listed.insert_only.insert(table);
            }
            if let Some(filter) = filter {
                listed.filters.insert(table, filter.to_owned());
            }
        }
        Some(listed)
    }

    /// Adds the tables of another list that this one lacks.
    pub fn add_missing(&mut self, other: &Self) {
        for table in other.tables.difference(&self.tables.clone()) {
            self.tables.insert(*table);
            if other.insert_only.contains(table) {
                self.insert_only.insert(*table);
            }
            if let Some(filter) = other.filters.get(table) {
                self.filters.insert(*table, filter.clone());
            }
        }
    }
}

fn short_digest(digest: &str) -> &str {
    digest.get(..SHORT_DIGEST).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listed(tables: &[u32]) -> ListedTables {
        ListedTables {
            tables: tables.iter().copied().map(Oid).collect(),
            ..ListedTables::default()
        }
    }

    #[test]
    fn each_difference_is_counted() {
        let was = listed(&[1, 2, 3]);
        let existing = BTreeSet::from([Oid(1), Oid(2)]);
        let mut now = listed(&[1, 4]);
        now.insert_only.insert(Oid(1));
        now.filters.insert(Oid(1), "abcdefghij".to_owned());
        let differences = was.compare(&now, &existing);
        let expected = ListedDifferences {
            lacks: 1,
            added: 1,
            moved: 1,
            refiltered: 1,
        };
        assert_eq!(differences, expected);
        assert_eq!(differences.describe().len(), 4);
        assert_eq!(differences.without_added().describe().len(), 3);
        let dropped = was.compare(&listed(&[1, 2]), &existing);
        assert!(dropped.describe().is_empty());
    }

    proptest! {
        #[test]
        fn a_mark_recognizes_the_tables_that_it_contains(
            tables in proptest::collection::btree_map(any::<u32>(), (any::<bool>(), proptest::option::of("[0-9a-f]{32}")), 0..20),
        ) {
            let mut listed = ListedTables::default();
            for (oid, (is_insert_only, filter)) in tables {
                listed.tables.insert(Oid(oid));
                if is_insert_only {
                    listed.insert_only.insert(Oid(oid));
                }
                listed.filters.extend(filter.map(|filter| (Oid(oid), filter)));
            }
            let read = ListedTables::decode(&listed.encode()).unwrap();
            prop_assert_eq!(&read.tables, &listed.tables);
            let differences = read.compare(&listed, &listed.tables);
            prop_assert!(differences.describe().is_empty());
        }
    }
}
