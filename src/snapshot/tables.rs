//! Sizes and inheritance of the tables that a section touches.

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::pg::Oid;

/// What is known of the tables of a section, by their oids on the source.
#[derive(Debug, Default)]
pub struct Tables {
    /// Their bytes; empty where no rows are copied.
    pub(super) sizes: HashMap<Oid, u64>,
    /// The tables that inherit from each, or are partitions of it, at any depth.
    below: HashMap<Oid, Vec<Oid>>,
}

impl Tables {
    /// The tables of a catalog, whose rows are copied.
    pub fn with_rows(catalog: &Catalog) -> Self {
        let mut children: HashMap<Oid, Vec<Oid>> = HashMap::new();
        for table in &catalog.tables {
            for parent in &table.parents {
                children.entry(*parent).or_default().push(table.id.oid);
            }
        }
        let below = children.keys().map(|table| {
            let (mut found, mut left) = (Vec::new(), vec![*table]);
            while let Some(next) = left.pop() {
                for child in children.get(&next).into_iter().flatten() {
                    found.push(*child);
                    left.push(*child);
                }
            }
            (*table, found)
        });
        let sizes = catalog.tables.iter();
        Self {
            sizes: sizes
                .map(|table| (table.id.oid, table.size.bytes()))
                .collect(),
            below: below.collect(),
        }
    }

    pub(super) fn bytes(&self, relations: &[Oid]) -> u64 {
        let size = |oid: &Oid| self.sizes.get(oid).copied().unwrap_or(0);
        relations.iter().map(size).sum()
    }

    /// The relations, and all tables below them.
    pub(super) fn with_below(&self, relations: impl Iterator<Item = Oid>) -> Vec<Oid> {
        let mut all = Vec::new();
        for relation in relations {
            all.push(relation);
            all.extend(self.below.get(&relation).into_iter().flatten());
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}
