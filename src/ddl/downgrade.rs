//! What a catalog holds that an older target does not know: left out or made in another form, and
//! told; or, where rows would mean something else without it, a reason to refuse.

use std::collections::{HashMap, HashSet};

use super::statement::{Label, Omission, OmissionReason};
use super::{Error, Options};
use crate::catalog::acl::DefaultAclKind;
use crate::catalog::cluster::LocaleProvider;
use crate::catalog::model::{
    Body, Compression, Constraint, ConstraintKind, Generated, NotNull, ObjectId, Publication,
    Routine, RoutineKind, Table, TypeKind,
};
use crate::catalog::{Catalog, Class};
use crate::pg::{Ident, Oid, Persistence, RelKind, ServerVersion, Sql};
use crate::sql;

/// Brings a catalog to what the target's version knows; what differs by that, by name.
///
/// # Errors
/// Objects that the target cannot hold and nothing can stand for; all of them.
pub fn degrade(catalog: &mut Catalog, options: &Options) -> Result<Vec<Omission>, Error> {
    let target = options.target.version;
    let mut told = Told::default();
    if target.has_column_compression() && !options.target.has_lz4 {
        lz4(catalog, &mut told);
    }
    if catalog.version.major() <= target.major() {
        return Ok(told.0);
    }
    let objects = refused(catalog, target);
    if !objects.is_empty() {
        return Err(Error::TooNew { objects });
    }
    columns(catalog, target, &mut told);
    constraints(catalog, target, &mut told);
    relations(catalog, target, &mut told);
    publications(catalog, target, &mut told);
    others(catalog, target, &mut told);
    told.0.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(told.0)
}

/// What is left out or made in another form.
#[derive(Default)]
struct Told(Vec<Omission>);

impl Told {
    fn left_out(&mut self, object: Label, what: &'static str) {
        let reason = OmissionReason::TooNew(what);
        self.0.push(Omission { object, reason });
    }

    fn changed(&mut self, object: Label, how: &'static str) {
        let reason = OmissionReason::Degraded(how);
        self.0.push(Omission { object, reason });
    }
}

/// A server that was built without LZ4 refuses it as a column's method.
fn lz4(catalog: &mut Catalog, told: &mut Told) {
    let tables = catalog.tables.iter_mut();
    let tables = tables.map(|table| (&table.name, &mut table.columns));
    let views = catalog.materialized_views.iter_mut();
    let views = views.map(|view| (&view.name, &mut view.columns));
    for (name, columns) in tables.chain(views) {
        for column in columns {
            if column.compression == Some(Compression::Lz4) {
                column.compression = None;
                let label = Label::part("column", &column.name, name);
                told.left_out(label, "LZ4, by which its values are compressed");
            }
        }
    }
}

/// A stored column has the same values, computed at another time.
fn columns(catalog: &mut Catalog, target: ServerVersion, told: &mut Told) {
    let mut unchecked = Vec::new();
    for table in &mut catalog.tables {
        let (id, name) = (table.id, table.name.clone());
        for column in &mut table.columns {
            let label = || Label::part("column", &column.name, &name);
            if column.generated == Some(Generated::Virtual) && !target.has_virtual_columns() {
                column.generated = Some(Generated::Stored);
                told.changed(
                    label(),
                    "it is computed when rows are written, not when they are read",
                );
            }
            if column.compression.is_some() && !target.has_column_compression() {
                column.compression = None;
                told.left_out(label(), "compression methods of columns");
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
                told.changed(
                    label(),
                    "its unchecked not-null constraint becomes an unchecked check",
                );
                let definition = sql!("CHECK (({} IS NOT NULL)) NOT VALID", column.name);
                unchecked.push(unchecked_check(
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

fn unchecked_check(id: ObjectId, relation: Oid, name: Ident, definition: Sql) -> Constraint {
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
fn constraints(catalog: &mut Catalog, target: ServerVersion, told: &mut Told) {
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
            "constraints over time"
        } else if !constraint.is_enforced {
            "constraints that are not enforced"
        } else if is_foreign_key
            && !constraint.is_valid
            && partitioned.contains(&constraint.relation)
        {
            "unchecked foreign keys of partitioned tables"
        } else {
            return true;
        };
        indexes.retain(|index| index.constraint != Some(constraint.id.oid));
        told.left_out(constraint_label(constraint, tables), what);
        false
    });
}

fn constraint_label(constraint: &Constraint, tables: &[Table]) -> Label {
    let table = tables.iter().find(|t| t.id.oid == constraint.relation);
    match table {
        Some(table) => Label::part("constraint", &constraint.name, &table.name),
        None => Label::plain("constraint", &constraint.name),
    }
}

fn relations(catalog: &mut Catalog, target: ServerVersion, told: &mut Told) {
    for table in &mut catalog.tables {
        let is_partitioned = table.kind == RelKind::PartitionedTable;
        let is_special = |name: &Ident| name.as_str() != "heap";
        if is_partitioned
            && !target.has_maintain_privilege()
            && table.access_method.as_ref().is_some_and(is_special)
        {
            table.access_method = None;
            let label = Label::qualified("table", &table.name);
            told.left_out(label, "access methods of partitioned tables");
        }
    }
    for sequence in &mut catalog.sequences {
        if sequence.persistence == Persistence::Unlogged && !target.has_unlogged_sequences() {
            sequence.persistence = Persistence::Permanent;
            let label = Label::qualified("sequence", &sequence.name);
            told.changed(label, "its values are logged");
        }
    }
    if !target.has_sql_bodies() {
        catalog.statistics.retain(|statistics| {
            if statistics.has_expressions {
                let label = Label::qualified("statistics", &statistics.name);
                told.left_out(label, "statistics of expressions");
            }
            !statistics.has_expressions
        });
    }
}

/// A publication that would send more than it says is left out as a whole.
fn publications(catalog: &mut Catalog, target: ServerVersion, told: &mut Told) {
    catalog.publications.retain(|publication| {
        let what = too_new(publication, target);
        if let Some(what) = what {
            told.left_out(Label::plain("publication", &publication.name), what);
        }
        what.is_none()
    });
}

fn too_new(publication: &Publication, target: ServerVersion) -> Option<&'static str> {
    let is_narrowed = publication
        .tables
        .iter()
        .any(|table| !table.columns.is_empty() || table.condition.is_some());
    if !target.has_publication_filters() && (is_narrowed || !publication.schemas.is_empty()) {
        Some("rows, columns and schemas of publications")
    } else if publication.generated_columns && !target.has_virtual_columns() {
        Some("generated columns of publications")
    } else if publication.via_root && !target.has_trigger_parents() {
        Some("publications by the root of partitions")
    } else {
        None
    }
}

fn others(catalog: &mut Catalog, target: ServerVersion, told: &mut Told) {
    if !target.has_maintain_privilege() {
        catalog.event_triggers.retain(|trigger| {
            let is_login = trigger.event.as_str() == "login";
            if is_login {
                told.left_out(
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
                told.left_out(label, "default privileges on large objects");
            }
            !is_new
        });
    }
}

/// What nothing can stand for.
fn refused(catalog: &Catalog, target: ServerVersion) -> Vec<(Label, &'static str)> {
    let mut refused = Vec::new();
    refused.extend(refused_routines(catalog, target));
    refused.extend(refused_relations(catalog, target));
    refused.extend(refused_constraints(catalog, target));
    if !target.has_multiranges() {
        refused.extend(refused_multiranges(catalog));
    }
    for collation in &catalog.collations {
        let label = || Label::qualified("collation", &collation.name);
        match &collation.provider {
            LocaleProvider::Builtin { .. } if !target.has_builtin_locale_provider() => {
                refused.push((label(), "collations of PostgreSQL itself"));
            }
            LocaleProvider::Icu { rules: Some(_), .. } if !target.has_icu_rules() => {
                refused.push((label(), "rules of ICU collations"));
            }
            LocaleProvider::Builtin { .. } | LocaleProvider::Icu { .. } | LocaleProvider::Libc => {}
        }
    }
    refused.sort();
    refused
}

fn refused_routines(
    catalog: &Catalog,
    target: ServerVersion,
) -> impl Iterator<Item = (Label, &'static str)> {
    let lacks = !target.has_sql_bodies();
    let routines = catalog.routines.iter().filter(move |_| lacks);
    routines.filter_map(|routine| {
        let label = routine_label(routine);
        if matches!(routine.body, Body::Sql { .. }) {
            Some((label, "SQL-standard bodies"))
        } else if routine.kind == RoutineKind::Procedure && routine.has_out {
            Some((label, "OUT arguments of procedures"))
        } else {
            None
        }
    })
}

fn refused_relations(catalog: &Catalog, target: ServerVersion) -> Vec<(Label, &'static str)> {
    let mut refused = Vec::new();
    if !target.has_publication_filters() {
        let invoker = |(name, _): &(String, String)| name == "security_invoker";
        let views = catalog.views.iter();
        let views = views.filter(|view| view.options.iter().any(invoker));
        refused.extend(views.map(|view| {
            let label = Label::qualified("view", &view.name);
            (label, "views with their users' rights")
        }));
    }
    if !target.has_partitioned_identity() {
        refused.extend(refused_partitions(catalog));
    }
    refused
}

/// Since 17 a partition's column may be generated in another way than its parent's.
fn refused_partitions(catalog: &Catalog) -> Vec<(Label, &'static str)> {
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
            (
                label,
                "partitions whose columns are generated in another way than their parents'",
            )
        }));
    }
    refused
}

/// Whatever is made of multiranges.
fn refused_multiranges(catalog: &Catalog) -> Vec<(Label, &'static str)> {
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
    labels.extend(routines.map(routine_label));
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
        .map(|label| (label, "multiranges"))
        .collect()
}

fn routine_label(routine: &Routine) -> Label {
    Label::qualified("routine", &routine.name)
        .with_detail(&format!("({})", routine.identity.as_str()))
}

fn refused_constraints(catalog: &Catalog, target: ServerVersion) -> Vec<(Label, &'static str)> {
    let mut refused = Vec::new();
    let partitioned = |oid: Oid| {
        let mut tables = catalog.tables.iter();
        tables.any(|table| table.id.oid == oid && table.kind == RelKind::PartitionedTable)
    };
    for constraint in &catalog.constraints {
        let label = || constraint_label(constraint, &catalog.tables);
        let definition = constraint.definition.as_str();
        let sets_some = ["SET NULL (", "SET DEFAULT ("]
            .iter()
            .any(|action| definition.contains(action));
        if constraint.kind == ConstraintKind::ForeignKey
            && sets_some
            && !target.has_nulls_not_distinct()
        {
            refused.push((label(), "foreign keys that set some of their columns"));
        }
        if constraint.kind == ConstraintKind::Exclusion
            && !constraint.is_temporal
            && !target.has_maintain_privilege()
            && partitioned(constraint.relation)
        {
            refused.push((label(), "exclusion constraints of partitioned tables"));
        }
    }
    if !target.has_nulls_not_distinct() {
        let indexes = catalog.indexes.iter().filter(|index| {
            index.key.nulls_not_distinct || index.definition.as_str().contains("NULLS NOT DISTINCT")
        });
        refused.extend(indexes.map(|index| {
            let label = Label::qualified("index", &index.name);
            (label, "indexes that take NULLs for equal")
        }));
    }
    refused
}
