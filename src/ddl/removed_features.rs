//! What a source has and a newer target no longer takes: known before anything is written.

use super::context::Context;
use super::error::RefusedObject;
use super::label::Label;
use super::object::Object as _;
use crate::catalog::model::{Column, ConstraintKind, Table};

/// Objects that the target cannot create as they are, and why; by name.
pub(super) fn find_removed(context: &Context<'_>) -> Vec<RefusedObject> {
    let mut refused = find_removed_of_tables(context);
    refused.extend(find_nullable_below_keys(context));
    if context.target().has_multiranges() {
        const WHAT: &str = "it uses array functions of the server whose arguments have other \
                            types since 14; build it from functions of your own, or drop it first";
        let aggregates = context.catalog.aggregates.iter();
        let aggregates = aggregates.filter(|aggregate| aggregate.uses_old_arrays);
        refused.extend(
            aggregates.map(|aggregate| RefusedObject::new(aggregate.build_label(context), WHAT)),
        );
        let operators = context.catalog.operators.iter();
        let operators = operators.filter(|operator| operator.uses_old_arrays);
        refused.extend(
            operators.map(|operator| RefusedObject::new(operator.build_label(context), WHAT)),
        );
    }
    refused.sort();
    refused
}

fn find_removed_of_tables(context: &Context<'_>) -> Vec<RefusedObject> {
    let mut refused = Vec::new();
    for table in &context.catalog.tables {
        for column in &table.columns {
            let reason = find_reason(context, table, column);
            refused.extend(reason.map(|reason| RefusedObject {
                object: Label::part("column", &column.name, &table.name),
                reason,
            }));
        }
        let key = table.partition_key.iter();
        if key.clone().any(|key| key.has_generated) && context.target().has_trigger_parents() {
            refused.push(RefusedObject::new(
                Label::qualified("table", &table.name),
                "no generated column may be in a partition key since 13",
            ));
        }
    }
    refused
}

/// Columns of children that take NULL below a primary key: since 18 a key's not-null constraints are
/// inherited.
fn find_nullable_below_keys(context: &Context<'_>) -> Vec<RefusedObject> {
    const WHAT: &str = "it takes NULL below the primary key of its parent, which is refused since 18; run \
                        ALTER TABLE … ALTER COLUMN … SET NOT NULL on the child first";
    let mut refused = Vec::new();
    if !context.target().has_not_null_constraints() {
        return refused;
    }
    for key in &context.catalog.constraints {
        let index = context.index_of_constraint(key.id.oid);
        let Some(index) = index.filter(|_| key.kind == ConstraintKind::PrimaryKey) else {
            continue;
        };
        for child in context.descendants(key.relation) {
            let columns = index
                .key
                .columns
                .iter()
                .filter_map(|name| child.column(name));
            let nullable = columns.filter(|column| column.not_null.is_none());
            refused.extend(nullable.map(|column| {
                RefusedObject::new(Label::part("column", &column.name, &child.name), WHAT)
            }));
        }
    }
    refused
}

fn find_reason(context: &Context<'_>, table: &Table, column: &Column) -> Option<&'static str> {
    let target = context.target();
    if table.is_partition() && column.identity.is_some() && target.has_partitioned_identity() {
        let from = context.catalog.version;
        let is_own = !from.has_partitioned_identity();
        return is_own.then_some("no partition has an identity of its own since 17; drop it first");
    }
    let mut parents = table.parents.iter();
    let is_new = |parent: &Table| {
        let same = parent.column(&column.name);
        same.is_some_and(|same| same.generated.is_none())
    };
    (column.generated.is_some()
        && target.has_strict_generation()
        && parents.any(|oid| context.table(*oid).is_some_and(is_new)))
    .then_some("it is generated, and that of its parent is not, which is refused since 16")
}
