//! What a catalog holds that an older target does not know: left out or made in another form, and
//! told; or, where rows would mean something else without it, a reason to refuse.

use super::statement::{Label, Omission, OmissionReason};
use super::{Error, Options};
use crate::catalog::Catalog;
use crate::catalog::acl::DefaultAclKind;
use crate::catalog::cluster::LocaleProvider;
use crate::catalog::model::{
    Body, Constraint, ConstraintKind, Generated, NotNull, ObjectId, Publication, RoutineKind, Table,
};
use crate::pg::{Ident, Oid, Persistence, RelKind, ServerVersion, Sql};
use crate::sql;

/// Brings a catalog to what the target's version knows; what differs by that, by name.
///
/// # Errors
/// Objects that the target cannot hold and nothing can stand for; all of them.
pub fn degrade(catalog: &mut Catalog, options: &Options) -> Result<Vec<Omission>, Error> {
    let target = options.target.version;
    if catalog.version.major() <= target.major() {
        return Ok(Vec::new());
    }
    let objects = refused(catalog, target);
    if !objects.is_empty() {
        return Err(Error::TooNew { objects });
    }
    let mut told = Told::default();
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
    let indexes = &mut catalog.indexes;
    catalog.constraints.retain(|constraint| {
        let what = if constraint.is_temporal {
            "constraints over time"
        } else if !constraint.is_enforced {
            "constraints that are not enforced"
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
        let label = Label::qualified("routine", &routine.name)
            .with_detail(format!("({})", routine.identity.as_str()));
        let arguments = routine.arguments.as_str();
        let has_out = arguments.starts_with("OUT ") || arguments.contains(", OUT ");
        if matches!(routine.body, Body::Sql { .. }) {
            Some((label, "SQL-standard bodies"))
        } else if routine.kind == RoutineKind::Procedure && has_out {
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
    if !target.has_multiranges() {
        for table in &catalog.tables {
            let is_new = |name: &Sql| name.as_str().contains("multirange");
            let columns = table.columns.iter();
            let columns = columns.filter(|column| is_new(&column.type_name));
            refused.extend(columns.map(|column| {
                let label = Label::part("column", &column.name, &table.name);
                (label, "multiranges")
            }));
        }
    }
    refused
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
