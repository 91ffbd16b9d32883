//! What the publications of a database list.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::Published;
use crate::pg::{Ident, QualifiedName, ServerVersion, Sql};
use crate::selection::RowFilter;

/// The longest name of the server, in bytes (`NAMEDATALEN` - 1).
const LONGEST_NAME: usize = 63;

/// What the name of the publication of insert-only tables adds to that of the other.
const INSERTS_SUFFIX: &str = "_inserts";

/// The operations that a publication sends. It sends the same of all its tables, so that each set has a publication of
/// its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operations {
    /// Every operation.
    All,
    /// `INSERT` and `TRUNCATE`.
    Inserts,
}

impl Operations {
    /// Both sets; the publication of the first has the mark that counts.
    pub(super) const BOTH: [Self; 2] = [Self::All, Self::Inserts];

    /// The publication that sends them, beside the one with this name.
    pub(super) fn name_publication(self, name: &Ident) -> Ident {
        match self {
            Self::All => name.clone(),
            Self::Inserts => inserts_name(name),
        }
    }

    /// The value of the option `publish`.
    pub(super) fn render(self) -> Sql {
        Sql::fixed(match self {
            Self::All => "'insert, update, delete, truncate'",
            Self::Inserts => "'insert, truncate'",
        })
    }
}

/// The name of the publication of insert-only tables beside the one with this name; never the same. A long name is
/// truncated.
pub fn inserts_name(name: &Ident) -> Ident {
    let most = LONGEST_NAME - INSERTS_SUFFIX.len();
    let joined = |most: usize| {
        let kept = &name.as_str()[..name.as_str().floor_char_boundary(most)];
        format!("{kept}{INSERTS_SUFFIX}")
    };
    let usual = joined(most);
    Ident::from_catalog(match usual == name.as_str() {
        true => joined(most - 1),
        false => usual,
    })
}

/// What publications list, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Their tables.
    pub tables: BTreeSet<QualifiedName>,
    /// Those of them of which only `INSERT` and `TRUNCATE` are published.
    pub insert_only: BTreeSet<QualifiedName>,
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
            insert_only: published.insert_only.clone(),
            filters: published.filters.clone(),
            via_root: version.has_publish_via_root(),
        }
    }

    /// The tables of which these operations are published.
    pub(super) fn tables_of(&self, operations: Operations) -> BTreeSet<QualifiedName> {
        match operations {
            Operations::All => self.tables.difference(&self.insert_only).cloned().collect(),
            Operations::Inserts => self.insert_only.clone(),
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
            if self.insert_only.contains(table) {
                text.push_str("\0\0inserts");
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
    fn the_digest_tells_names_and_operations_apart() {
        let definition = |schema: &str, name: &str| {
            let tables = BTreeSet::from([QualifiedName::from_catalog(schema, name)]);
            Definition {
                tables,
                via_root: true,
                ..Definition::default()
            }
        };
        let split = |schema: &str, name: &str| definition(schema, name).digest();
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_eq!(split("a", "b"), split("a", "b"));
        let mut inserts = definition("a", "b");
        inserts.insert_only.clone_from(&inserts.tables);
        assert_ne!(inserts.digest(), split("a", "b"));
    }

    #[test]
    fn the_second_name_is_one_that_the_server_does_not_truncate() {
        let of = |name: &str| inserts_name(&Ident::from_catalog(name)).as_str().to_owned();
        assert_eq!(of("seren_replication_pub"), "seren_replication_pub_inserts");
        assert_eq!(of(&"a".repeat(55)), format!("{}_inserts", "a".repeat(55)));
        assert_eq!(of(&"a".repeat(63)), format!("{}_inserts", "a".repeat(55)));
        let long = of(&"a".repeat(63));
        assert_eq!(of(&long), format!("{}_inserts", "a".repeat(54)));
        // A letter of two bytes is not cut.
        assert_eq!(of(&"é".repeat(31)), format!("{}_inserts", "é".repeat(27)));
    }

    #[test]
    fn each_table_is_in_one_publication() {
        let names = |names: &[&str]| {
            let names = names.iter();
            names
                .map(|name| QualifiedName::from_catalog("s", *name))
                .collect::<BTreeSet<_>>()
        };
        let definition = Definition {
            tables: names(&["a", "b", "c"]),
            insert_only: names(&["b"]),
            ..Definition::default()
        };
        assert_eq!(definition.tables_of(Operations::All), names(&["a", "c"]));
        assert_eq!(definition.tables_of(Operations::Inserts), names(&["b"]));
    }
}
