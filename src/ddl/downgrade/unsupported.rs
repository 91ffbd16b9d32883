//! What an older target cannot hold and nothing can replace.

use std::collections::HashMap;

use crate::catalog::cluster::LocaleProvider;
use crate::catalog::model::{
    Body, Constraint, ConstraintKind, ObjectId, Routine, RoutineKind, Table, TypeKind,
};
use crate::catalog::{Catalog, Class};
use crate::ddl::error::RefusedObject;
use crate::ddl::label::Label;
use crate::pg::{Ident, Oid, RelKind, ServerVersion};

/// The objects of a catalog that the target's version cannot hold and that nothing can replace; by name.
pub(super) fn find_unsupported(catalog: &Catalog, target: ServerVersion) -> Vec<RefusedObject> {
    let mut refused = Vec::new();
    refused.extend(find_unsupported_routines(catalog, target));
    refused.extend(find_unsupported_relations(catalog, target));
    refused.extend(find_unsupported_constraints(catalog, target));
    if !target.has_multiranges() {
        refused.extend(find_unsupported_multiranges(catalog));
    }
    for collation in &catalog.collations {
        let label = || Label::qualified("collation", &collation.name);
        match &collation.provider {
            LocaleProvider::Builtin { .. } if !target.has_builtin_locale_provider() => {
                refused.push(RefusedObject::new(
                    label(),
                    "collations of PostgreSQL itself",
                ));
            }
            LocaleProvider::Icu { rules: Some(_), .. } if !target.has_icu_rules() => {
                refused.push(RefusedObject::new(label(), "rules of ICU collations"));
            }
            LocaleProvider::Builtin { .. } | LocaleProvider::Icu { .. } | LocaleProvider::Libc => {}
        }
    }
    refused.sort();
    refused
}

fn find_unsupported_routines(
    catalog: &Catalog,
    target: ServerVersion,
) -> impl Iterator<Item = RefusedObject> {
    let lacks = !target.has_sql_bodies();
    let routines = catalog.routines.iter().filter(move |_| lacks);
    routines.filter_map(|routine| {
        let label = label_routine(routine);
        if matches!(routine.body, Body::Sql { .. }) {
            Some(RefusedObject::new(label, "SQL-standard bodies"))
        } else if routine.kind == RoutineKind::Procedure && routine.has_out {
            Some(RefusedObject::new(label, "OUT arguments of procedures"))
        } else {
            None
        }
    })
}

fn find_unsupported_relations(catalog: &Catalog, target: ServerVersion) -> Vec<RefusedObject> {
    let mut refused = Vec::new();
    if !target.has_publication_filters() {
        let invoker = |(name, _): &(String, String)| name == "security_invoker";
        let views = catalog.views.iter();
        let views = views.filter(|view| view.options.iter().any(invoker));
        refused.extend(views.map(|view| {
            let label = Label::qualified("view", &view.name);
            RefusedObject::new(label, "security_invoker views")
        }));
    }
    if !target.has_partitioned_identity() {
        refused.extend(find_unsupported_partitions(catalog));
    }
    refused
}

/// Since 17 a partition's column may be generated in another way than its parent's.
fn find_unsupported_partitions(catalog: &Catalog) -> Vec<RefusedObject> {
    let tables: HashMap<Oid, &Table> = catalog.tables.iter().map(|t| (t.id.oid, t)).collect();
    let mut refused = Vec::new();
    for table in catalog.tables.iter().filter(|table| table.is_partition()) {
        let parent = table.parents.first().and_then(|oid| tables.get(oid));
        let Some(parent) = parent else {
            continue;
        };
        let expression = |table: &Table, name: &Ident| {
            let column = table.column(name)?;
            Some(column.default.as_ref()?.expression.clone())
        };
        let generated = table.columns.iter().filter(|c| c.generated.is_some());
        let differing =
            generated.filter(|c| expression(table, &c.name) != expression(parent, &c.name));
        refused.extend(differing.map(|column| {
            let label = Label::part("column", &column.name, &table.name);
            RefusedObject::new(
                label,
                "partitions whose columns are generated in another way than their parents'",
            )
        }));
    }
    refused
}

/// Everything that uses multiranges.
fn find_unsupported_multiranges(catalog: &Catalog) -> Vec<RefusedObject> {
    let mut labels = Vec::new();
    let numbers = |id: ObjectId| {
        let range = (id, i16::MIN)..=(id, i16::MAX);
        catalog.multiranges.range(range).map(|(_, number)| *number)
    };
    let uses = |id: ObjectId| numbers(id).next().is_some();
    for table in &catalog.tables {
        let columns = numbers(table.id).filter_map(|number| {
            let mut columns = table.columns.iter();
            columns.find(|column| column.number == number)
        });
        labels.extend(columns.map(|column| Label::part("column", &column.name, &table.name)));
    }
    let views = catalog.views.iter().filter(|view| uses(view.id));
    labels.extend(views.map(|view| Label::qualified("view", &view.name)));
    let views = catalog.materialized_views.iter();
    let views = views.filter(|view| uses(view.id));
    labels.extend(views.map(|view| Label::qualified("materialized view", &view.name)));
    let routines = catalog.routines.iter().filter(|routine| uses(routine.id));
    labels.extend(routines.map(label_routine));
    let aggregates = catalog.aggregates.iter();
    let aggregates = aggregates.filter(|aggregate| uses(aggregate.id));
    labels.extend(aggregates.map(|aggregate| Label::qualified("aggregate", &aggregate.name)));
    let types = catalog
        .types
        .iter()
        .filter(|user_type| match user_type.kind {
            TypeKind::Composite(relation, _) => uses(ObjectId::new(Class::Relation, relation)),
            TypeKind::Enum(_)
            | TypeKind::Domain(_)
            | TypeKind::Range(_)
            | TypeKind::Base(_)
            | TypeKind::Shell => uses(user_type.id),
        });
    labels.extend(types.map(|user_type| Label::qualified("type", &user_type.name)));
    labels
        .into_iter()
        .map(|label| RefusedObject::new(label, "multiranges"))
        .collect()
}

fn label_routine(routine: &Routine) -> Label {
    Label::qualified("routine", &routine.name)
        .with_detail(&format!("({})", routine.identity.as_str()))
}

fn find_unsupported_constraints(catalog: &Catalog, target: ServerVersion) -> Vec<RefusedObject> {
    let mut refused = Vec::new();
    let partitioned = |oid: Oid| {
        let mut tables = catalog.tables.iter();
        tables.any(|table| table.id.oid == oid && table.kind == RelKind::PartitionedTable)
    };
    for constraint in &catalog.constraints {
        let label = || label_constraint(constraint, &catalog.tables);
        let definition = constraint.definition.as_str();
        let sets_some = ["SET NULL (", "SET DEFAULT ("]
            .iter()
            .any(|action| definition.contains(action));
        if constraint.kind == ConstraintKind::ForeignKey
            && sets_some
            && !target.has_nulls_not_distinct()
        {
            refused.push(RefusedObject::new(
                label(),
                "column lists of ON DELETE SET NULL and SET DEFAULT",
            ));
        }
        if constraint.kind == ConstraintKind::Exclusion
            && !constraint.is_temporal
            && !target.has_maintain_privilege()
            && partitioned(constraint.relation)
        {
            refused.push(RefusedObject::new(
                label(),
                "exclusion constraints of partitioned tables",
            ));
        }
    }
    if !target.has_nulls_not_distinct() {
        let indexes = catalog.indexes.iter().filter(|index| {
            index.key.nulls_not_distinct || index.definition.as_str().contains("NULLS NOT DISTINCT")
        });
        refused.extend(indexes.map(|index| {
            let label = Label::qualified("index", &index.name);
            RefusedObject::new(label, "NULLS NOT DISTINCT")
        }));
    }
    refused
}

/// The name of a constraint of a table.
pub(super) fn label_constraint(constraint: &Constraint, tables: &[Table]) -> Label {
    let table = tables.iter().find(|t| t.id.oid == constraint.relation);
    match table {
        Some(table) => Label::part("constraint", &constraint.name, &table.name),
        None => Label::plain("constraint", &constraint.name),
    }
}
