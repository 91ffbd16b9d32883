//! Objects of a catalog by their keys.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use super::callers::{find_callers, find_callers_of_users, find_generated_by_code};
use super::relation::Relation;
use crate::catalog::model::{
    Constraint, ConstraintKind, DependencyKind, Extension, Index, ObjectId, Table,
};
use crate::catalog::{Catalog, Class};
use crate::pg::{Ident, Oid};

/// Objects by their keys.
pub(crate) struct Lookup<'a> {
    pub(super) relations: HashMap<Oid, Relation<'a>>,
    /// Checks and not-null constraints of tables and domains, by name.
    pub(super) checks: HashMap<Oid, Vec<&'a Constraint>>,
    pub(super) indexes: HashMap<Oid, &'a Index>,
    pub(super) partitions_of_index: HashMap<Oid, Vec<&'a Index>>,
    pub(super) index_of_constraint: HashMap<Oid, &'a Index>,
    pub(super) bound_to_extension: HashMap<ObjectId, Vec<&'a Extension>>,
    pub(super) children: HashMap<Oid, Vec<&'a Table>>,
    /// Tables of extensions by oid.
    pub(super) extension_tables: HashMap<Oid, &'a Table>,
    /// What the query of a view or materialized view reads.
    pub(super) reads: HashMap<Oid, Vec<Oid>>,
    /// The objects that call functions of users or extensions.
    pub(super) callers: HashSet<ObjectId>,
    /// Those that call functions of users.
    pub(super) callers_of_users: HashSet<ObjectId>,
    /// The tables with columns that functions of users generate which may read tables.
    pub(super) generated_by_code: HashSet<Oid>,
    /// What is defined with each type: types and relations; asked for rarely.
    pub(super) users_of_types: OnceCell<HashMap<Oid, Vec<ObjectId>>>,
    /// The names of the constraints of each table; asked for rarely.
    pub(super) constraint_names: OnceCell<HashMap<Oid, BTreeSet<Ident>>>,
}

impl<'a> Lookup<'a> {
    /// Indexes a catalog.
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        let indexes = &catalog.indexes;
        let parents = indexes.iter().filter_map(|one| Some((one.parent?, one)));
        let constraints = indexes
            .iter()
            .filter_map(|one| Some((one.constraint?, one)));
        let tables = catalog.tables.iter();
        let children = tables.flat_map(|table| table.parents.iter().map(move |oid| (*oid, table)));
        Self {
            relations: index_relations(catalog),
            checks: index_checks(catalog),
            indexes: indexes.iter().map(|i| (i.id.oid, i)).collect(),
            partitions_of_index: group_by_key(parents),
            index_of_constraint: constraints.collect(),
            bound_to_extension: index_extension_bonds(catalog),
            children: group_by_key(children),
            extension_tables: index_extension_tables(catalog),
            reads: index_reads(catalog),
            callers: find_callers(catalog),
            callers_of_users: find_callers_of_users(catalog),
            generated_by_code: find_generated_by_code(catalog),
            users_of_types: OnceCell::new(),
            constraint_names: OnceCell::new(),
        }
    }
}

fn group_by_key<K: Eq + Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

fn index_relations(catalog: &Catalog) -> HashMap<Oid, Relation<'_>> {
    let tables = catalog.tables.iter().map(Relation::Table);
    let views = catalog.views.iter().map(Relation::View);
    let materialized = catalog.materialized_views.iter();
    let materialized = materialized.map(Relation::MaterializedView);
    let relations = tables.chain(views).chain(materialized);
    relations.map(|one| (one.id().oid, one)).collect()
}

fn index_checks(catalog: &Catalog) -> HashMap<Oid, Vec<&Constraint>> {
    let constraints = catalog.constraints.iter();
    let checks = constraints
        .filter(|one| matches!(one.kind, ConstraintKind::Check | ConstraintKind::NotNull));
    let mut groups = group_by_key(checks.map(|check| {
        let owner = match check.domain.is_valid() {
            true => check.domain,
            false => check.relation,
        };
        (owner, check)
    }));
    for checks in groups.values_mut() {
        checks.sort_by(|a, b| a.name.cmp(&b.name));
    }
    groups
}

fn index_extension_tables(catalog: &Catalog) -> HashMap<Oid, &Table> {
    let extensions = catalog.extensions.iter();
    let config = extensions.flat_map(|extension| &extension.config);
    let config = config.map(|config| &config.table);
    let tables = catalog.parent_tables.iter().chain(config);
    tables.map(|table| (table.id.oid, table)).collect()
}

fn index_extension_bonds(catalog: &Catalog) -> HashMap<ObjectId, Vec<&Extension>> {
    let mut bound: HashMap<ObjectId, Vec<&Extension>> = HashMap::new();
    for edge in &catalog.dependencies {
        if edge.kind == DependencyKind::Extension && edge.to.class == Class::Extension {
            let extension = catalog.extensions.iter().find(|e| e.id == edge.to);
            bound.entry(edge.from).or_default().extend(extension);
        }
    }
    bound
}

/// The rule behind each view, by the rule's row: it is an internal part of its view, while other
/// rules are not.
pub(super) fn find_view_rules(catalog: &Catalog) -> HashMap<ObjectId, Oid> {
    catalog
        .dependencies
        .iter()
        .filter(|edge| {
            edge.kind == DependencyKind::Internal
                && edge.from.class == Class::Rule
                && edge.to.class == Class::Relation
        })
        .map(|edge| (edge.from, edge.to.oid))
        .collect()
}

fn index_reads(catalog: &Catalog) -> HashMap<Oid, Vec<Oid>> {
    let rules = find_view_rules(catalog);
    let mut reads: HashMap<Oid, Vec<Oid>> = HashMap::new();
    for edge in &catalog.dependencies {
        if let Some(view) = rules.get(&edge.from)
            && edge.to.class == Class::Relation
            && edge.to.oid != *view
        {
            reads.entry(*view).or_default().push(edge.to.oid);
        }
    }
    reads
}
