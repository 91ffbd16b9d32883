//! The tables that the selection leaves out, and what is a part of them.

use std::collections::{HashMap, HashSet};

use crate::catalog::Catalog;
use crate::catalog::model::{ObjectId, Table};
use crate::pg::{Oid, RelKind};
use crate::selection::TableChoice;

/// The tables that do not take part. Only tables are selected; a foreign table goes with the
/// partitioned table that it is a part of.
pub(super) fn unselected(catalog: &Catalog, choice: &TableChoice) -> HashSet<ObjectId> {
    if *choice == TableChoice::All {
        return HashSet::new();
    }
    let tables: HashMap<Oid, &Table> = catalog.tables.iter().map(|t| (t.id.oid, t)).collect();
    let takes = |table: &Table| choice.takes(lineage(table, &tables).map(|table| &table.name));
    let is_selectable =
        |table: &&Table| table.is_partition() || table.kind != RelKind::ForeignTable;
    let tables = catalog.tables.iter().filter(is_selectable);
    tables
        .filter(|table| !takes(table))
        .map(|table| table.id)
        .collect()
}

/// A table and the partitioned tables above it.
fn lineage<'a>(
    table: &'a Table,
    tables: &'a HashMap<Oid, &'a Table>,
) -> impl Iterator<Item = &'a Table> {
    std::iter::successors(Some(table), |table| {
        let parent = table.parents.first().filter(|_| table.is_partition());
        parent.and_then(|parent| tables.get(parent)).copied()
    })
}

/// What is a part of these tables, and so needs no mention when they are left out.
pub(super) fn parts(catalog: &Catalog, tables: &HashSet<ObjectId>) -> HashSet<ObjectId> {
    let oids: HashSet<Oid> = tables.iter().map(|table| table.oid).collect();
    let mut parts = tables.clone();
    let mut add = |id: ObjectId, relation: Oid| {
        if oids.contains(&relation) {
            parts.insert(id);
        }
    };
    for table in &catalog.tables {
        for default in table
            .columns
            .iter()
            .filter_map(|column| column.default.as_ref())
        {
            add(default.id, table.id.oid);
        }
    }
    for sequence in &catalog.sequences {
        if let Some(owner) = &sequence.owned_by {
            add(sequence.id, owner.table);
        }
    }
    catalog
        .constraints
        .iter()
        .for_each(|part| add(part.id, part.relation));
    catalog
        .indexes
        .iter()
        .for_each(|part| add(part.id, part.relation));
    catalog
        .statistics
        .iter()
        .for_each(|part| add(part.id, part.relation));
    catalog
        .rules
        .iter()
        .for_each(|part| add(part.id, part.relation));
    catalog
        .triggers
        .iter()
        .for_each(|part| add(part.id, part.relation));
    catalog
        .policies
        .iter()
        .for_each(|part| add(part.id, part.relation));
    let names: HashSet<_> = catalog
        .tables
        .iter()
        .filter(|table| tables.contains(&table.id))
        .map(|table| &table.name)
        .collect();
    let triggers = catalog.key_triggers.iter();
    parts.extend(
        triggers
            .filter(|trigger| names.contains(&trigger.table))
            .map(|trigger| trigger.id),
    );
    parts
}
