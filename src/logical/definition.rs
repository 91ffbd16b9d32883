//! What a publication of ours lists.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::Published;
use crate::pg::{QualifiedName, ServerVersion};
use crate::selection::RowFilter;

/// What a publication lists, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its tables.
    pub tables: BTreeSet<QualifiedName>,
    /// The filters of those of which only some rows are published.
    pub filters: BTreeMap<QualifiedName, RowFilter>,
    /// Whether changes of partitions are sent as the root's.
    pub via_root: bool,
}

impl Definition {
    /// What is to be published, on a server of this version.
    pub fn new(published: &Published, version: ServerVersion) -> Self {
        Self {
            tables: published.tables.clone(),
            filters: published.filters.clone(),
            via_root: version.has_publish_via_root(),
        }
    }

    /// A digest of it, independent of any order.
    pub fn digest(&self) -> String {
        let mut text = format!("{}", self.via_root);
        for table in &self.tables {
            for part in [&table.schema, &table.name] {
                text.push('\0');
                text.push_str(part.as_str());
            }
            if let Some(filter) = self.filters.get(table) {
                text.push_str(" WHERE ");
                text.push_str(filter.predicate.text());
            }
        }
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_tells_names_apart() {
        let split = |schema: &str, name: &str| {
            let tables = BTreeSet::from([QualifiedName::from_catalog(schema, name)]);
            let definition = Definition {
                tables,
                filters: BTreeMap::new(),
                via_root: true,
            };
            definition.digest()
        };
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_eq!(split("a", "b"), split("a", "b"));
    }
}
