//! Takes rows out of a catalog: which go along, as with `DROP … CASCADE`, and that nothing of them
//! is left in any list.

use std::collections::HashMap;

use super::acl::AclName;
use super::model::{Catalog, Class, Column, DependencyKind, ObjectId, Table};
use crate::pg::{Ident, Oid};

/// What depends on each row of a catalog, and what each is a part of.
#[derive(Debug)]
pub struct Dependants {
    dependants: HashMap<ObjectId, Vec<(ObjectId, DependencyKind)>>,
    wholes: HashMap<ObjectId, Vec<ObjectId>>,
}

impl Dependants {
    /// The dependants of every row; an extension's members depend on it.
    pub fn new(catalog: &Catalog) -> Self {
        let mut dependants: HashMap<ObjectId, Vec<(ObjectId, DependencyKind)>> = HashMap::new();
        let mut wholes: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        let mut add = |to, from, kind| dependants.entry(to).or_default().push((from, kind));
        for edge in &catalog.dependencies {
            add(edge.to, edge.from, edge.kind);
            if edge.kind == DependencyKind::Internal {
                wholes.entry(edge.from).or_default().push(edge.to);
            }
        }
        for (member, extension) in &catalog.members {
            let extension = ObjectId::new(Class::Extension, *extension);
            add(extension, *member, DependencyKind::Internal);
        }
        Self { dependants, wholes }
    }

    /// The dependants of a row, with the kind of dependency.
    pub fn of(&self, id: ObjectId) -> impl Iterator<Item = (ObjectId, DependencyKind)> + '_ {
        self.dependants.get(&id).into_iter().flatten().copied()
    }

    /// What a row is an internal part of: it goes, too, when it loses the part.
    pub fn wholes(&self, id: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.wholes.get(&id).into_iter().flatten().copied()
    }
}

/// Keeps the objects of some lists that stay.
macro_rules! keep {
    ($stays:ident: $($list:ident),+) => {
        $($list.retain(|object| $stays(object.id));)+
    };
}

impl Catalog {
    /// Keeps the rows that stay, and removes all that depend on the others. Every list is named.
    pub fn retain(&mut self, stays: &dyn Fn(ObjectId) -> bool) {
        let is_made = |class: Oid, oid: Oid| {
            Class::from_oid(class).is_none_or(|class| stays(ObjectId::new(class, oid)))
        };
        let Catalog {
            version: _,
            schemas,
            extensions,
            collations,
            types,
            routines,
            aggregates,
            search,
            sequences,
            tables,
            parent_tables,
            views,
            materialized_views,
            constraints,
            indexes,
            statistics,
            rules,
            triggers,
            policies,
            acls,
            languages,
            casts,
            transforms,
            conversions,
            access_methods,
            operators,
            operator_families,
            operator_classes,
            wrappers,
            servers,
            user_mappings,
            key_triggers,
            publications,
            event_triggers,
            subscriptions: _,
            labels,
            member_comments: _,
            member_relations: _,
            default_acls,
            comments,
            multiranges: _,
            unsupported,
            dependencies,
            members: _,
            resolutions: _,
            timescale: _,
        } = self;
        keep!(
            stays:
            schemas, extensions, collations, types, routines, aggregates, search, sequences, tables,
            parent_tables, views, materialized_views, constraints, indexes, statistics, rules, triggers, policies,
            languages, casts, transforms, conversions, access_methods, operators, operator_families,
            operator_classes, wrappers, servers, user_mappings, key_triggers, publications,
            event_triggers
        );
        acls.retain(|acl| is_made(acl.class, acl.oid));
        labels.retain(|label| is_made(label.class, label.oid));
        comments.retain(|comment| is_made(comment.class, comment.oid));
        // Within a schema that goes there is nothing to have privileges by default.
        default_acls.retain(|default| {
            let schema = ObjectId::new(Class::Schema, default.schema_oid);
            default.schema.is_none() || stays(schema)
        });
        unsupported.retain(|object| is_made(object.class, object.oid));
        dependencies.retain(|edge| stays(edge.from));
        for publication in publications {
            publication.tables.retain(|table| stays(table.id));
            publication.schemas.retain(|schema| stays(schema.id));
        }
        let columns = views.iter_mut().flat_map(|view| &mut view.columns);
        retain_defaults(columns, stays);
        self.retain_columns(stays);
    }

    /// Keeps the columns of tables that stay, with what is said about them, and their defaults.
    fn retain_columns(&mut self, stays: &dyn Fn(ObjectId) -> bool) {
        let (comments, acls) = (&mut self.comments, &mut self.acls);
        for table in &mut self.tables {
            let gone = remove_generated(table, stays);
            retain_defaults(&mut table.columns, stays);
            if gone.is_empty() {
                continue;
            }
            let table_is = |class: Oid, oid: Oid| {
                Class::from_oid(class) == Some(Class::Relation) && oid == table.id.oid
            };
            comments.retain(|comment| {
                let is_gone = gone
                    .iter()
                    .any(|(number, _)| i32::from(*number) == comment.attnum);
                !(is_gone && table_is(comment.class, comment.oid))
            });
            acls.retain(|acl| match &acl.name {
                AclName::Column(relation, column) => {
                    *relation != table.name || gone.iter().all(|(_, name)| name != column)
                }
                AclName::Plain(_) | AclName::Qualified(_) | AclName::Routine(..) => true,
            });
        }
    }
}

/// Takes the generated columns out of a table whose expressions go; their numbers and names.
fn remove_generated(table: &mut Table, stays: &dyn Fn(ObjectId) -> bool) -> Vec<(i16, Ident)> {
    let goes = |column: &mut Column| {
        column.generated.is_some() && column.default.as_ref().is_some_and(|d| !stays(d.id))
    };
    let columns = table.columns.extract_if(.., goes);
    columns.map(|column| (column.number, column.name)).collect()
}

fn retain_defaults<'a>(
    columns: impl IntoIterator<Item = &'a mut Column>,
    stays: &dyn Fn(ObjectId) -> bool,
) {
    for column in columns {
        if column.default.as_ref().is_some_and(|d| !stays(d.id)) {
            column.default = None;
        }
    }
}
