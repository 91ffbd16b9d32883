//! Objects that are excluded by name, and the objects that never go with them.

use std::collections::HashSet;

use crate::catalog::Catalog;
use crate::catalog::model::{ConstraintKind, ObjectId, Table};
use crate::pg::{Ident, Oid, QualifiedName};
use crate::selection::{ExcludedObjects, NamedObject, ObjectKind};

/// Finds the rows of the objects that are excluded by name. A check of a parent table brings those that its
/// children inherit.
pub(super) fn find_named(catalog: &Catalog, excluded: &ExcludedObjects) -> Vec<ObjectId> {
    if excluded.is_empty() {
        return Vec::new();
    }
    let mut found = find_whole(catalog, excluded);
    found.extend(find_parts(catalog, excluded));
    found
}

/// Objects with a name of their own within their schema.
fn find_whole(catalog: &Catalog, excluded: &ExcludedObjects) -> Vec<ObjectId> {
    let is_excluded = |kind, name: &QualifiedName| {
        excluded.contains(&NamedObject {
            kind,
            schema: name.schema.clone(),
            relation: None,
            name: name.name.clone(),
        })
    };
    let views = catalog.views.iter().map(|view| (view.id, &view.name));
    let views = views.filter(|(_, name)| is_excluded(ObjectKind::View, name));
    let materialized = catalog.materialized_views.iter();
    let materialized = materialized.map(|view| (view.id, &view.name));
    let materialized =
        materialized.filter(|(_, name)| is_excluded(ObjectKind::MaterializedView, name));
    let routines = catalog.routines.iter().map(|one| (one.id, &one.name));
    let aggregates = catalog.aggregates.iter().map(|one| (one.id, &one.name));
    let routines = routines.chain(aggregates);
    let routines = routines.filter(|(_, name)| is_excluded(ObjectKind::Function, name));
    let all = views.chain(materialized).chain(routines);
    all.map(|(id, _)| id).collect()
}

/// Objects that are parts of a relation or domain.
fn find_parts(catalog: &Catalog, excluded: &ExcludedObjects) -> Vec<ObjectId> {
    let names = Owners::new(catalog);
    let is_excluded = |kind, owner: Oid, name: &Ident| {
        names.of(owner).is_some_and(|owner| {
            excluded.contains(&NamedObject {
                kind,
                schema: owner.schema.clone(),
                relation: Some(owner.name.clone()),
                name: name.clone(),
            })
        })
    };
    let mut found = Vec::new();
    for index in &catalog.indexes {
        if is_excluded(ObjectKind::Index, index.relation, &index.name.name) {
            found.push(index.id);
        }
    }
    for trigger in &catalog.triggers {
        if is_excluded(ObjectKind::Trigger, trigger.relation, &trigger.name) {
            found.push(trigger.id);
        }
    }
    for constraint in &catalog.constraints {
        let owner = match constraint.domain.is_valid() {
            true => constraint.domain,
            false => constraint.relation,
        };
        if is_excluded(ObjectKind::Constraint, owner, &constraint.name) {
            found.push(constraint.id);
            if constraint.kind == ConstraintKind::Check {
                found.extend(find_inherited(catalog, owner, &constraint.name));
            }
        }
    }
    found
}

/// The checks of this name that the tables below a table have only from their parents.
fn find_inherited(catalog: &Catalog, parent: Oid, name: &Ident) -> Vec<ObjectId> {
    let mut found = Vec::new();
    let mut parents = vec![parent];
    while let Some(parent) = parents.pop() {
        let is_child = |table: &&Table| table.parents.contains(&parent);
        for child in catalog.tables.iter().filter(is_child) {
            let mut checks = catalog.constraints.iter();
            let inherited = checks.find(|check| {
                check.kind == ConstraintKind::Check
                    && check.relation == child.id.oid
                    && check.name == *name
                    && !check.is_local
            });
            if let Some(check) = inherited {
                found.push(check.id);
                parents.push(child.id.oid);
            }
        }
    }
    found
}

/// The names of what has parts: tables, views and domains.
struct Owners<'c>(std::collections::HashMap<Oid, &'c QualifiedName>);

impl<'c> Owners<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        let tables = catalog.tables.iter().map(|one| (one.id.oid, &one.name));
        let views = catalog.views.iter().map(|one| (one.id.oid, &one.name));
        let materialized = catalog.materialized_views.iter();
        let materialized = materialized.map(|one| (one.id.oid, &one.name));
        let types = catalog.types.iter().map(|one| (one.id.oid, &one.name));
        Self(
            tables
                .chain(views)
                .chain(materialized)
                .chain(types)
                .collect(),
        )
    }

    fn of(&self, oid: Oid) -> Option<&'c QualifiedName> {
        self.0.get(&oid).copied()
    }
}

/// Finds the rows that never go with an object that is excluded by name: tables, their columns, types, policies.
pub(super) fn find_protected(catalog: &Catalog) -> HashSet<ObjectId> {
    let tables = catalog.tables.iter().map(|table| table.id);
    let columns = catalog.tables.iter().flat_map(|table| &table.columns);
    let generated = columns.filter(|column| column.generated.is_some());
    let generated = generated.filter_map(|column| Some(column.default.as_ref()?.id));
    let types = catalog.types.iter().map(|one| one.id);
    let policies = catalog.policies.iter().map(|policy| policy.id);
    tables
        .chain(generated)
        .chain(types)
        .chain(policies)
        .collect()
}
