//! Foreign keys to rows that are not copied.

use std::collections::HashSet;

use super::label::Label;
use super::omission::{Omission, OmissionReason};
use crate::catalog::Catalog;
use crate::catalog::model::{Constraint, ConstraintKind, Lineages, ObjectId, Table};
use crate::pg::{Oid, Sql};
use crate::selection::TableRules;

/// Finds the foreign keys of tables with rows that refer to tables of which not all rows are copied.
pub fn find_orphaned_keys<'c>(catalog: &'c Catalog, rules: &TableRules) -> Vec<&'c Constraint> {
    let without_rows: Vec<&Table> = rules.without_rows(catalog).collect();
    let filtered: Vec<&Table> = rules.filtered(catalog).map(|(table, _)| table).collect();
    if without_rows.is_empty() && filtered.is_empty() {
        return Vec::new();
    }
    let lineages = Lineages::new(catalog);
    let empty: HashSet<Oid> = without_rows.iter().map(|table| table.id.oid).collect();
    let not_whole = without_rows.iter().chain(&filtered);
    let above = not_whole.flat_map(|table| lineages.of(table));
    let narrowed: HashSet<Oid> = above.map(|table| table.id.oid).collect();
    let is_orphaned = |key: &&Constraint| {
        key.kind == ConstraintKind::ForeignKey
            && narrowed.contains(&key.referenced)
            && !empty.contains(&key.relation)
    };
    catalog.constraints.iter().filter(is_orphaned).collect()
}

/// Has these keys created without a check of the rows; which, by name.
pub(super) fn allow_orphans(catalog: &mut Catalog, rules: &TableRules) -> Vec<Omission> {
    let mut keys = find_orphaned_keys(catalog, rules);
    keys.retain(|key| key.is_valid && key.is_enforced);
    let omission = |key: &&Constraint| {
        let table = catalog.table(key.relation)?;
        Some(Omission {
            object: Label::part("foreign key", &key.name, &table.name),
            reason: OmissionReason::Orphans,
        })
    };
    let omissions = keys.iter().filter_map(omission).collect();
    let keys: HashSet<ObjectId> = keys.iter().map(|key| key.id).collect();
    let constraints = catalog.constraints.iter_mut();
    for key in constraints.filter(|key| keys.contains(&key.id)) {
        key.is_valid = false;
        key.definition.push(&Sql::fixed(" NOT VALID"));
    }
    omissions
}
