//! Brings a catalog to what an older target supports. What it lacks is skipped or created in another form,
//! and reported; where rows would mean something else without it, the catalog is refused.

mod unsupported;

use std::collections::HashSet;

use super::error::Error;
use super::label::Label;
use super::omission::{Omission, OmissionReason};
use super::options::Options;
use crate::catalog::Catalog;
use crate::catalog::acl::DefaultAclKind;
use crate::catalog::model::{
    Compression, Constraint, ConstraintKind, Generated, NotNull, ObjectId, Publication,
};
use crate::pg::{Ident, Oid, Persistence, RelKind, ServerVersion, Sql};
use crate::sql;
use unsupported::{find_unsupported, label_constraint};

/// Brings a catalog to what the target's version supports; returns the differences by name.
///
/// # Errors
/// Objects that the target cannot hold and that nothing can replace; all of them.
pub(super) fn downgrade(catalog: &mut Catalog, options: &Options) -> Result<Vec<Omission>, Error> {
    let target = options.target.version;
    let mut changes = Changes::default();
    if target.has_column_compression() && !options.target.has_lz4 {
        skip_lz4(catalog, &mut changes);
    }
    if catalog.version.major() <= target.major() {
        return Ok(changes.omissions);
    }
    let objects = find_unsupported(catalog, target);
    if !objects.is_empty() {
        return Err(Error::UnsupportedOnTarget { objects });
    }
    downgrade_columns(catalog, target, &mut changes);
    downgrade_constraints(catalog, target, &mut changes);
    downgrade_relations(catalog, target, &mut changes);
    downgrade_publications(catalog, target, &mut changes);
    downgrade_others(catalog, target, &mut changes);
    changes.omissions.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(changes.omissions)
}

/// What is skipped or created in another form.
#[derive(Default)]
struct Changes {
    omissions: Vec<Omission>,
}

impl Changes {
    fn skip(&mut self, object: Label, what: &'static str) {
        let reason = OmissionReason::UnsupportedOnTarget(what);
        self.omissions.push(Omission { object, reason });
    }

    fn change(&mut self, object: Label, how: &'static str) {
        let reason = OmissionReason::Downgraded(how);
        self.omissions.push(Omission { object, reason });
    }
}

/// A server that was built without LZ4 refuses it as a column's method.
fn skip_lz4(catalog: &mut Catalog, changes: &mut Changes) {
    let tables = catalog.tables.iter_mut();
    let tables = tables.map(|table| (&table.name, &mut table.columns));
    let views = catalog.materialized_views.iter_mut();
    let views = views.map(|view| (&view.name, &mut view.columns));
    for (name, columns) in tables.chain(views) {
        for column in columns {
            if column.compression == Some(Compression::Lz4) {
                column.compression = None;
                let label = Label::part("column", &column.name, name);
                changes.skip(label, "LZ4, by which its values are compressed");
            }
        }
    }
}

/// A stored column has the same values, computed at another time.
fn downgrade_columns(catalog: &mut Catalog, target: ServerVersion, changes: &mut Changes) {
    let mut unchecked = Vec::new();
    for table in &mut catalog.tables {
        let (id, name) = (table.id, table.name.clone());
        for column in &mut table.columns {
            let label = || Label::part("column", &column.name, &name);
            if column.generated == Some(Generated::Virtual) && !target.has_virtual_columns() {
                column.generated = Some(Generated::Stored);
                changes.change(
                    label(),
                    "it is computed when rows are written, not when they are read",
                );
            }
            if column.compression.is_some() && !target.has_column_compression() {
                column.compression = None;
                changes.skip(label(), "compression methods of columns");
            }
            if target.has_not_null_constraints() {
                continue;
            }
            if let Some(NotNull::Named {
                id: row,
                name: constraint,
                is_valid: false,
                ..
            }) = &column.not_null
            {
                changes.change(
                    label(),
                    "its NOT VALID not-null constraint becomes a NOT VALID check constraint",
                );
                let definition = sql!("CHECK (({} IS NOT NULL)) NOT VALID", column.name);
                unchecked.push(build_unchecked_check(
                    *row,
                    id.oid,
                    constraint.clone(),
                    definition,
                ));
                column.not_null = None;
            }
        }
    }
    catalog.constraints.extend(unchecked);
}

fn build_unchecked_check(id: ObjectId, relation: Oid, name: Ident, definition: Sql) -> Constraint {
    Constraint {
        id,
        name,
        kind: ConstraintKind::Check,
        relation,
        domain: Oid::default(),
        definition,
        is_local: true,
        is_valid: false,
        is_enforced: true,
        is_deferrable: false,
        is_deferred: false,
        is_temporal: false,
        index: Oid::default(),
        referenced: Oid::default(),
    }
}

/// Constraints that bind less without what the target lacks.
fn downgrade_constraints(catalog: &mut Catalog, target: ServerVersion, changes: &mut Changes) {
    if target.has_unenforced_constraints() {
        return;
    }
    let tables = &catalog.tables;
    let partitioned: HashSet<Oid> = tables
        .iter()
        .filter(|table| table.kind == RelKind::PartitionedTable)
        .map(|table| table.id.oid)
        .collect();
    let indexes = &mut catalog.indexes;
    catalog.constraints.retain(|constraint| {
        let is_foreign_key = constraint.kind == ConstraintKind::ForeignKey;
        let what = if constraint.is_temporal {
            "WITHOUT OVERLAPS and PERIOD constraints"
        } else if !constraint.is_enforced {
            "NOT ENFORCED constraints"
        } else if is_foreign_key
            && !constraint.is_valid
            && partitioned.contains(&constraint.relation)
        {
            "NOT VALID foreign keys of partitioned tables"
        } else {
            return true;
        };
        indexes.retain(|index| index.constraint != Some(constraint.id.oid));
        changes.skip(label_constraint(constraint, tables), what);
        false
    });
}

fn downgrade_relations(catalog: &mut Catalog, target: ServerVersion, changes: &mut Changes) {
    for table in &mut catalog.tables {
        let is_partitioned = table.kind == RelKind::PartitionedTable;
        let is_special = |name: &Ident| name.as_str() != "heap";
        if is_partitioned
            && !target.has_maintain_privilege()
            && table.access_method.as_ref().is_some_and(is_special)
        {
            table.access_method = None;
            let label = Label::qualified("table", &table.name);
            changes.skip(label, "access methods of partitioned tables");
        }
    }
    for sequence in &mut catalog.sequences {
        if sequence.persistence == Persistence::Unlogged && !target.has_unlogged_sequences() {
            sequence.persistence = Persistence::Permanent;
            let label = Label::qualified("sequence", &sequence.name);
            changes.change(label, "it is created without UNLOGGED");
        }
    }
    if !target.has_sql_bodies() {
        catalog.statistics.retain(|statistics| {
            if statistics.has_expressions {
                let label = Label::qualified("statistics", &statistics.name);
                changes.skip(label, "statistics of expressions");
            }
            !statistics.has_expressions
        });
    }
}

/// A publication that would send more than on the source is skipped as a whole.
fn downgrade_publications(catalog: &mut Catalog, target: ServerVersion, changes: &mut Changes) {
    catalog.publications.retain(|publication| {
        let what = unsupported_feature(publication, target);
        if let Some(what) = what {
            changes.skip(Label::plain("publication", &publication.name), what);
        }
        what.is_none()
    });
}

fn unsupported_feature(publication: &Publication, target: ServerVersion) -> Option<&'static str> {
    let is_narrowed = publication
        .tables
        .iter()
        .any(|table| !table.columns.is_empty() || table.condition.is_some());
    if !target.has_publication_filters() && (is_narrowed || !publication.schemas.is_empty()) {
        Some("row filters, column lists and FOR TABLES IN SCHEMA of publications")
    } else if publication.generated_columns && !target.has_virtual_columns() {
        Some("generated columns of publications")
    } else if publication.via_root && !target.has_trigger_parents() {
        Some("publish_via_partition_root")
    } else {
        None
    }
}

fn downgrade_others(catalog: &mut Catalog, target: ServerVersion, changes: &mut Changes) {
    if !target.has_maintain_privilege() {
        catalog.event_triggers.retain(|trigger| {
            let is_login = trigger.event.as_str() == "login";
            if is_login {
                changes.skip(
                    Label::plain("event trigger", &trigger.name),
                    "login triggers",
                );
            }
            !is_login
        });
    }
    if !target.has_virtual_columns() {
        catalog.default_acls.retain(|default| {
            let is_new = default.kind == DefaultAclKind::LargeObjects;
            if is_new {
                let label = Label::plain("default privileges of role", &default.role);
                changes.skip(label, "default privileges on large objects");
            }
            !is_new
        });
    }
}
