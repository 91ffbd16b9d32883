//! The tables that the selection excludes, and their parts.

use std::collections::HashSet;

use crate::catalog::Catalog;
use crate::catalog::model::{Lineages, ObjectId, Table};
use crate::pg::{Oid, RelKind};
use crate::selection::TableChoice;

/// The tables that do not take part. Only tables are selected; a foreign table goes with the
/// partitioned table that it is a part of.
pub(super) fn find_unselected(catalog: &Catalog, choice: &TableChoice) -> HashSet<ObjectId> {
    if *choice == TableChoice::All {
        return HashSet::new();
    }
    let lineages = Lineages::new(catalog);
    let takes = |table| choice.takes(lineages.of(table).map(|table| &table.name));
    let is_selectable =
        |table: &&Table| table.is_partition() || table.kind != RelKind::ForeignTable;
    let tables = catalog.tables.iter().filter(is_selectable);
    tables
        .filter(|table| !takes(table))
        .map(|table| table.id)
        .collect()
}

/// The parts of these tables, which need no mention when the tables are excluded.
pub(super) fn find_parts(catalog: &Catalog, tables: &HashSet<ObjectId>) -> HashSet<ObjectId> {
    let mut parts = tables.clone();
    let of_tables = catalog
        .tables
        .iter()
        .filter(|table| tables.contains(&table.id));
    let columns = of_tables.clone().flat_map(|table| &table.columns);
    parts.extend(columns.filter_map(|column| Some(column.default.as_ref()?.id)));
    let names: HashSet<_> = of_tables.map(|table| &table.name).collect();
    let triggers = catalog.key_triggers.iter();
    let triggers = triggers.filter(|trigger| names.contains(&trigger.table));
    parts.extend(triggers.map(|trigger| trigger.id));
    let oids: HashSet<Oid> = tables.iter().map(|table| table.oid).collect();
    let related = find_related(catalog);
    let related = related.filter(|(_, relation)| oids.contains(relation));
    parts.extend(related.map(|(id, _)| id));
    parts
}

/// What belongs to a relation, with the relation.
fn find_related(catalog: &Catalog) -> impl Iterator<Item = (ObjectId, Oid)> {
    let sequences = catalog.sequences.iter();
    let sequences = sequences.filter_map(|one| Some((one.id, one.owned_by.as_ref()?.table)));
    let constraints = catalog.constraints.iter();
    let indexes = catalog.indexes.iter();
    let statistics = catalog.statistics.iter();
    let rules = catalog.rules.iter();
    let triggers = catalog.triggers.iter();
    let policies = catalog.policies.iter();
    sequences
        .chain(constraints.map(|part| (part.id, part.relation)))
        .chain(indexes.map(|part| (part.id, part.relation)))
        .chain(statistics.map(|part| (part.id, part.relation)))
        .chain(rules.map(|part| (part.id, part.relation)))
        .chain(triggers.map(|part| (part.id, part.relation)))
        .chain(policies.map(|part| (part.id, part.relation)))
}
