//! What rendering looks up about objects.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::lookup::Lookup;
use super::options::Options;
use super::placement::{Placement, Placements};
use super::relation::Relation;
use crate::catalog::acl::ObjectAcl;
use crate::catalog::model::{Constraint, Extension, Index, MaterializedView, ObjectId, Table};
use crate::catalog::{Catalog, Class};
use crate::pg::{Ident, Oid, ServerVersion, Sql};

/// Everything that deciding on order and rendering need.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The model.
    pub(super) catalog: &'a Catalog,
    /// What is wanted.
    pub(super) options: &'a Options,
    /// Objects by their keys.
    pub(super) lookup: &'a Lookup<'a>,
    /// Where objects that would close cycles are placed.
    pub(super) placements: &'a Placements,
    /// The roles that statements gave something to, and how often.
    pub(super) owners: &'a RefCell<BTreeMap<Ident, usize>>,
}

impl<'a> Context<'a> {
    /// The target's version.
    pub(super) fn target(&self) -> ServerVersion {
        self.options.target.version
    }

    /// Whether the target has the role that a role of the source is mapped to.
    pub(super) fn has_role(&self, role: &Ident) -> bool {
        let role = self.options.include.role_map.of(role);
        self.options.target.roles.contains(role)
    }

    /// The role of the target that a role of the source is mapped to.
    pub(super) fn role(&self, role: &'a Ident) -> &'a Ident {
        self.options.include.role_map.of(role)
    }

    /// Privileges in the target's names. Where owners are not copied, everything the source's
    /// owner holds is held by the role that creates the object.
    pub(super) fn on_target(&self, acl: &ObjectAcl) -> ObjectAcl {
        let include = &self.options.include;
        if include.owners || acl.is_system {
            return include.role_map.object_acl(acl);
        }
        let mut map = include.role_map.clone();
        map.replace(acl.owner.clone(), self.options.target.connected_as.clone());
        map.object_acl(acl)
    }

    /// Where an object is placed, if it would close a cycle.
    pub(super) fn placement(&self, id: ObjectId) -> Option<Placement> {
        self.placements.get(&id).copied()
    }

    /// Whether a row of a catalog calls functions of users or extensions.
    pub(super) fn calls_code(&self, id: ObjectId) -> bool {
        self.lookup.callers.contains(&id)
    }

    /// Whether a row of a catalog calls functions of users.
    pub(super) fn calls_users_code(&self, id: ObjectId) -> bool {
        self.lookup.callers_of_users.contains(&id)
    }

    /// Whether functions of users generate columns of a table.
    pub(super) fn is_generated_by_code(&self, table: Oid) -> bool {
        self.lookup.generated_by_code.contains(&table)
    }

    /// The names of a table's constraints, also of constraint triggers; None if it has none.
    pub(super) fn constraint_names(&self, table: Oid) -> Option<&'a BTreeSet<Ident>> {
        let catalog = self.catalog;
        let names = self.lookup.constraint_names.get_or_init(|| {
            let mut names: HashMap<Oid, BTreeSet<Ident>> = HashMap::new();
            for constraint in &catalog.constraints {
                let of_table = names.entry(constraint.relation).or_default();
                of_table.insert(constraint.name.clone());
            }
            for trigger in &catalog.triggers {
                let of_table = names.entry(trigger.relation).or_default();
                of_table.insert(trigger.name.clone());
            }
            names
        });
        names.get(&table)
    }

    /// The types and relations that are defined with each type.
    pub(super) fn users_of_types(&self) -> &'a HashMap<Oid, Vec<ObjectId>> {
        let catalog = self.catalog;
        self.lookup.users_of_types.get_or_init(|| {
            let mut users: HashMap<Oid, Vec<ObjectId>> = HashMap::new();
            for edge in &catalog.dependencies {
                let is_user = matches!(edge.from.class, Class::Type | Class::Relation);
                if edge.to.class == Class::Type && is_user {
                    users.entry(edge.to.oid).or_default().push(edge.from);
                }
            }
            users
        })
    }

    /// The table, view or materialized view of this oid, unless it is an extension's or excluded.
    pub(super) fn relation(&self, oid: Oid) -> Option<Relation<'a>> {
        self.lookup.relations.get(&oid).copied()
    }

    /// The table of this oid.
    pub(super) fn table(&self, oid: Oid) -> Option<&'a Table> {
        match self.relation(oid)? {
            Relation::Table(table) => Some(table),
            Relation::View(_) | Relation::MaterializedView(_) => None,
        }
    }

    /// The table of this oid that others inherit from, or are partitions of; also an extension's.
    pub(super) fn parent(&self, oid: Oid) -> Option<&'a Table> {
        let of_extension = || self.lookup.extension_tables.get(&oid).copied();
        self.table(oid).or_else(of_extension)
    }

    /// Whether a table belongs to an extension.
    pub(super) fn is_of_extension(&self, oid: Oid) -> bool {
        self.lookup.extension_tables.contains_key(&oid)
    }

    /// Whether hypertables are created as such, and not as plain tables.
    pub(super) fn creates_hypertables(&self) -> bool {
        let timescale = self.catalog.timescale.iter();
        let mut extensions = self.catalog.extensions.iter();
        let mut ids = timescale.map(|timescale| timescale.extension);
        ids.any(|id| extensions.any(|extension| extension.id == id))
    }

    /// Whether a table becomes a hypertable.
    pub(super) fn is_hypertable(&self, table: &Table) -> bool {
        table.hypertable.is_some() && self.creates_hypertables()
    }

    /// `ONLY `, unless TimescaleDB refuses it for this table.
    pub(super) fn only(&self, table: &Table) -> Sql {
        Sql::fixed(if self.is_hypertable(table) {
            ""
        } else {
            "ONLY "
        })
    }

    /// The checks (of a domain also the not-null constraint) of a table or domain, by name.
    pub(super) fn checks(&self, owner: Oid) -> impl Iterator<Item = &'a Constraint> + use<'a> {
        self.lookup
            .checks
            .get(&owner)
            .into_iter()
            .flatten()
            .copied()
    }

    /// The index of this oid.
    pub(super) fn index(&self, oid: Oid) -> Option<&'a Index> {
        self.lookup.indexes.get(&oid).copied()
    }

    /// The children and partitions of a table.
    pub(super) fn children(&self, parent: Oid) -> &'a [&'a Table] {
        self.lookup.children.get(&parent).map_or(&[], Vec::as_slice)
    }

    /// The children and partitions of a table, at any depth.
    pub(super) fn descendants(&self, table: Oid) -> Vec<&'a Table> {
        let mut found: Vec<&Table> = self.children(table).to_vec();
        let mut seen: HashSet<Oid> = found.iter().map(|child| child.id.oid).collect();
        let mut at = 0;
        while let Some(table) = found.get(at) {
            let children = self.children(table.id.oid).iter().copied();
            found.extend(children.filter(|child| seen.insert(child.id.oid)));
            at += 1;
        }
        found
    }

    /// The indexes that are partitions of an index.
    pub(super) fn partitions_of_index(&self, oid: Oid) -> &'a [&'a Index] {
        self.lookup
            .partitions_of_index
            .get(&oid)
            .map_or(&[], Vec::as_slice)
    }

    /// The index that enforces a constraint.
    pub(super) fn index_of_constraint(&self, oid: Oid) -> Option<&'a Index> {
        self.lookup.index_of_constraint.get(&oid).copied()
    }

    /// The extensions with which an object goes without belonging to them.
    pub(super) fn bound_to_extension(&self, id: ObjectId) -> &'a [&'a Extension] {
        self.lookup
            .bound_to_extension
            .get(&id)
            .map_or(&[], Vec::as_slice)
    }

    /// The materialized views that a query reads, through any depth of views.
    pub(super) fn materialized_below(&self, view: ObjectId) -> Vec<&'a MaterializedView> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut left = vec![view.oid];
        while let Some(oid) = left.pop() {
            for read in self.lookup.reads.get(&oid).into_iter().flatten() {
                if seen.insert(*read) {
                    match self.relation(*read) {
                        Some(Relation::MaterializedView(view)) => found.push(view),
                        Some(Relation::View(_)) => left.push(*read),
                        Some(Relation::Table(_)) | None => {}
                    }
                }
            }
        }
        found
    }
}
