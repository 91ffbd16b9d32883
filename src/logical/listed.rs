//! What publications list, as the server knows it.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

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

impl ListedTables {
    /// A digest of the tables and of how they are published.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for Oid(table) in &self.tables {
            let operations = match self.insert_only.contains(&Oid(*table)) {
                true => "inserts",
                false => "all",
            };
            let filter = self.filters.get(&Oid(*table)).map_or("", String::as_str);
            text.extend([&table.to_string(), " ", operations, " ", filter, "\n"]);
        }
        format!("{:016x}", xxh3_64(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_another_digest() {
        let listed = |tables: &[u32]| ListedTables {
            tables: tables.iter().copied().map(Oid).collect(),
            ..ListedTables::default()
        };
        let first = listed(&[1, 2]);
        assert_eq!(first.digest(), listed(&[2, 1]).digest());
        let mut inserts = first.clone();
        inserts.insert_only.insert(Oid(2));
        let mut filtered = first.clone();
        filtered.filters.insert(Oid(2), "ab".to_owned());
        let others = [
            listed(&[1]),
            listed(&[12]),
            listed(&[1, 3]),
            inserts,
            filtered,
        ];
        let digests: BTreeSet<String> = others.iter().map(ListedTables::digest).collect();
        assert_eq!(digests.len(), others.len());
        assert!(!digests.contains(&first.digest()));
    }
}
