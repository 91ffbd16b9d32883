//! What rendering looks up: objects by oid, and where loops put them.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Options;
use super::callers::{callers, callers_of_users, generated_by_code};
use crate::catalog::acl::ObjectAcl;
use crate::catalog::model::{
    Constraint, ConstraintKind, DependencyKind, Extension, Index, MaterializedView, ObjectId,
    Table, View,
};
use crate::catalog::{Catalog, Class};
use crate::pg::{Ident, Oid, QualifiedName, RelKind, ServerVersion, Sql};

/// Where an object stands that would otherwise be part of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// Apart from its table or domain: a table's default before the rows, what is a domain's and
    /// every check after them. A domain itself stands for its default.
    Separate,
    /// After the rows, because it needs something that is made there.
    Postponed,
    /// A view is made with the right columns and without its query, which follows after the rows.
    /// A routine is made without its body, which follows before the rows.
    Dummy,
    /// A routine is made without its body, which follows after the rows.
    LateBody,
}

/// Where loops put objects.
pub(super) type Placements = BTreeMap<ObjectId, Placement>;

/// A relation that others hang on.
#[derive(Clone, Copy)]
pub(super) enum Relation<'a> {
    /// A table.
    Table(&'a Table),
    /// A view.
    View(&'a View),
    /// A materialized view.
    MaterializedView(&'a MaterializedView),
}

impl<'a> Relation<'a> {
    /// Its name.
    pub(super) fn name(self) -> &'a QualifiedName {
        match self {
            Self::Table(table) => &table.name,
            Self::View(view) => &view.name,
            Self::MaterializedView(view) => &view.name,
        }
    }

    /// Its row.
    pub(super) fn id(self) -> ObjectId {
        match self {
            Self::Table(table) => table.id,
            Self::View(view) => view.id,
            Self::MaterializedView(view) => view.id,
        }
    }

    /// Whether it is made a hypertable.
    pub(super) fn is_hypertable(self, context: &Context<'_>) -> bool {
        match self {
            Self::Table(table) => table.hypertable.is_some() && context.makes_hypertables(),
            Self::View(_) | Self::MaterializedView(_) => false,
        }
    }

    /// Its kind in words.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::View(_) => "view",
            Self::MaterializedView(_) => "materialized view",
        }
    }

    /// Its tablespace, unless it is the database's.
    pub(super) const fn tablespace(self) -> Option<&'a Ident> {
        match self {
            Self::Table(table) => table.tablespace.as_ref(),
            Self::View(_) => None,
            Self::MaterializedView(view) => view.tablespace.as_ref(),
        }
    }

    /// Whether it is a partitioned table.
    pub(super) fn is_partitioned(self) -> bool {
        matches!(self, Self::Table(table) if table.kind == RelKind::PartitionedTable)
    }
}

/// Objects by their keys.
pub(super) struct Lookup<'a> {
    relations: HashMap<Oid, Relation<'a>>,
    /// Checks and not-null constraints of tables and domains, by name.
    checks: HashMap<Oid, Vec<&'a Constraint>>,
    indexes: HashMap<Oid, &'a Index>,
    partitions_of_index: HashMap<Oid, Vec<&'a Index>>,
    index_of_constraint: HashMap<Oid, &'a Index>,
    bound_to_extension: HashMap<ObjectId, Vec<&'a Extension>>,
    children: HashMap<Oid, Vec<&'a Table>>,
    /// Tables of extensions by oid.
    extension_tables: HashMap<Oid, &'a Table>,
    /// What the query of a view or materialized view reads.
    reads: HashMap<Oid, Vec<Oid>>,
    /// The objects that call functions of users or extensions.
    callers: HashSet<ObjectId>,
    /// Those that call functions of users.
    callers_of_users: HashSet<ObjectId>,
    /// The tables with columns that functions of users generate which may read tables.
    generated_by_code: HashSet<Oid>,
    /// What is defined with each type: types and relations; asked for rarely.
    users_of_types: OnceCell<HashMap<Oid, Vec<ObjectId>>>,
    /// The names of the constraints of each table; asked for rarely.
    constraint_names: OnceCell<HashMap<Oid, BTreeSet<Ident>>>,
}

impl<'a> Lookup<'a> {
    /// Indexes a catalog.
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        let tables = catalog.tables.iter().map(Relation::Table);
        let views = catalog.views.iter().map(Relation::View);
        let materialized = catalog
            .materialized_views
            .iter()
            .map(Relation::MaterializedView);
        let relations = tables.chain(views).chain(materialized);
        let mut checks: HashMap<Oid, Vec<&Constraint>> = HashMap::new();
        for constraint in &catalog.constraints {
            if matches!(
                constraint.kind,
                ConstraintKind::Check | ConstraintKind::NotNull
            ) {
                let owner = if constraint.domain.is_valid() {
                    constraint.domain
                } else {
                    constraint.relation
                };
                checks.entry(owner).or_default().push(constraint);
            }
        }
        for checks in checks.values_mut() {
            checks.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let mut children: HashMap<Oid, Vec<&Table>> = HashMap::new();
        for table in &catalog.tables {
            for parent in &table.parents {
                children.entry(*parent).or_default().push(table);
            }
        }
        let mut partitions_of_index: HashMap<Oid, Vec<&Index>> = HashMap::new();
        for index in &catalog.indexes {
            if let Some(parent) = index.parent {
                partitions_of_index.entry(parent).or_default().push(index);
            }
        }
        Self {
            relations: relations.map(|r| (r.id().oid, r)).collect(),
            checks,
            indexes: catalog.indexes.iter().map(|i| (i.id.oid, i)).collect(),
            partitions_of_index,
            index_of_constraint: catalog
                .indexes
                .iter()
                .filter_map(|index| Some((index.constraint?, index)))
                .collect(),
            bound_to_extension: bound_to_extension(catalog),
            children,
            extension_tables: extension_tables(catalog),
            reads: reads(catalog),
            callers: callers(catalog),
            callers_of_users: callers_of_users(catalog),
            generated_by_code: generated_by_code(catalog),
            users_of_types: OnceCell::new(),
            constraint_names: OnceCell::new(),
        }
    }
}

fn extension_tables(catalog: &Catalog) -> HashMap<Oid, &Table> {
    let extensions = catalog.extensions.iter();
    let config = extensions.flat_map(|extension| &extension.config);
    let config = config.map(|config| &config.table);
    let tables = catalog.parent_tables.iter().chain(config);
    tables.map(|table| (table.id.oid, table)).collect()
}

fn bound_to_extension(catalog: &Catalog) -> HashMap<ObjectId, Vec<&Extension>> {
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
pub(super) fn view_rules(catalog: &Catalog) -> HashMap<ObjectId, Oid> {
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

fn reads(catalog: &Catalog) -> HashMap<Oid, Vec<Oid>> {
    let rules = view_rules(catalog);
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

/// Everything that deciding on order and rendering need.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The model.
    pub(super) catalog: &'a Catalog,
    /// What is wanted.
    pub(super) options: &'a Options,
    /// Objects by their keys.
    pub(super) lookup: &'a Lookup<'a>,
    /// Where loops put objects.
    pub(super) placements: &'a Placements,
    /// The roles that statements gave something to, and how often.
    pub(super) owners: &'a RefCell<BTreeMap<Ident, usize>>,
}

impl<'a> Context<'a> {
    /// The target's version.
    pub(super) fn target(&self) -> ServerVersion {
        self.options.target.version
    }

    /// The role that stands for one of the source on the target.
    pub(super) fn has_role(&self, role: &Ident) -> bool {
        let role = self.options.carried.role_map.of(role);
        self.options.target.roles.contains(role)
    }

    /// The role of the target that stands for one of the source.
    pub(super) fn role(&self, role: &'a Ident) -> &'a Ident {
        self.options.carried.role_map.of(role)
    }

    /// Privileges in the target's names. Where owners are not carried over, whatever the source's
    /// owner holds is held by the role that makes the object.
    pub(super) fn on_target(&self, acl: &ObjectAcl) -> ObjectAcl {
        let carried = &self.options.carried;
        if carried.owners || acl.is_system {
            return carried.role_map.object_acl(acl);
        }
        let mut map = carried.role_map.clone();
        map.replace(acl.owner.clone(), self.options.target.connected_as.clone());
        map.object_acl(acl)
    }

    /// Where a loop put an object, if it is part of one.
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

    /// The table, view or materialized view of this oid, unless it is an extension's or left out.
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

    /// Whether hypertables are made such, and not plain tables.
    pub(super) fn makes_hypertables(&self) -> bool {
        let timescale = self.catalog.timescale.iter();
        let mut extensions = self.catalog.extensions.iter();
        let mut ids = timescale.map(|timescale| timescale.extension);
        ids.any(|id| extensions.any(|extension| extension.id == id))
    }

    /// `ONLY `, unless TimescaleDB refuses it for this table.
    pub(super) fn only(&self, table: &Table) -> Sql {
        Sql::fixed(if table.hypertable.is_some() && self.makes_hypertables() {
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
