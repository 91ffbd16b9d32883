//! Keys, exclusion constraints, and the checks that are created apart from their table.
//!
//! Where rows are copied, the unique index of a key is built first, and the key from it. Several indexes
//! of a table can be built at once, while `ADD PRIMARY KEY` locks everyone out.

use super::index::{brings_partitions, comes_with_parent};
use super::inherited_key::InheritedKey;
use super::node::{NodeId, Nodes, Object, Part};
use super::{clause, index, table};
use crate::catalog::model::{Constraint, ConstraintKind, Index, NotNull, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::pg::{Oid, RelKind, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for constraint in &context.catalog.constraints {
        let Some(table) = context.table(constraint.relation) else {
            continue;
        };
        match constraint.kind {
            ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion => {
                let index = context.index_of_constraint(constraint.id.oid);
                if let Some(index) = index.filter(|index| comes_with_parent(index)) {
                    nodes.push(Box::new(InheritedKey {
                        constraint,
                        index,
                        table,
                    }));
                } else if let Some(index) = index {
                    let of_index = is_made_of_index(context, constraint, index, table);
                    nodes.push(Box::new(Key {
                        constraint,
                        index,
                        table,
                        of_index,
                    }));
                    if of_index {
                        nodes.push(Box::new(KeyIndex {
                            constraint,
                            index,
                            table,
                        }));
                    }
                }
            }
            ConstraintKind::Check => {
                if !table::is_inline(context, table, constraint) && constraint.is_local {
                    nodes.push(Box::new(Check { constraint, table }));
                    if table::is_late(context, table, constraint) {
                        nodes.push(Box::new(CheckValidation { constraint, table }));
                    }
                }
            }
            ConstraintKind::NotNull | ConstraintKind::ForeignKey => {}
        }
    }
}

/// Whether a key is built from an index that exists already. No server does that for partitioned tables
/// or what has no unique index, and TimescaleDB not for hypertables.
fn is_made_of_index(
    context: &Context<'_>,
    constraint: &Constraint,
    index: &Index,
    table: &Table,
) -> bool {
    let is_key = matches!(
        constraint.kind,
        ConstraintKind::PrimaryKey | ConstraintKind::Unique
    );
    context.options.include.rows
        && is_key
        && !constraint.is_temporal
        && table.kind == RelKind::Table
        && !context.is_hypertable(table)
        && (constraint.kind == ConstraintKind::Unique || owns_not_nulls(context, index, table))
}

/// Whether the columns of a primary key are not null by the table's own constraints. Since 18
/// `USING INDEX` makes those that come from a parent the child's own as well.
fn owns_not_nulls(context: &Context<'_>, index: &Index, table: &Table) -> bool {
    let is_own = |name| match table
        .column(name)
        .and_then(|column| column.not_null.as_ref())
    {
        Some(NotNull::Named { is_local, .. }) => *is_local,
        Some(NotNull::Flag) | None => table.parents.is_empty(),
    };
    !context.target().has_not_null_constraints() || index.key.columns.iter().all(is_own)
}

/// What a copy is without a constraint: replication, and the foreign keys of other tables, need keys.
pub(super) const fn necessity_of(constraint: &Constraint) -> Necessity {
    match constraint.kind {
        ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::NotNull => {
            Necessity::Required
        }
        ConstraintKind::Check | ConstraintKind::Exclusion | ConstraintKind::ForeignKey => {
            Necessity::Optional
        }
    }
}

/// A primary or unique key or an exclusion constraint, with the index that enforces it.
struct Key<'a> {
    constraint: &'a Constraint,
    index: &'a Index,
    table: &'a Table,
    of_index: bool,
}

impl Key<'_> {
    /// The server's own text for keys lacks storage options, so they are put together here.
    fn definition(&self) -> Sql {
        let word = match self.constraint.kind {
            ConstraintKind::PrimaryKey => "PRIMARY KEY",
            ConstraintKind::Unique
            | ConstraintKind::Exclusion
            | ConstraintKind::Check
            | ConstraintKind::NotNull
            | ConstraintKind::ForeignKey => "UNIQUE",
        };
        let mut definition = Sql::fixed(word);
        if self.of_index {
            definition.push(&sql!(" USING INDEX {}", self.index.name.name));
        } else {
            self.push_index(&mut definition);
        }
        if self.constraint.is_deferrable {
            definition.push(&Sql::fixed(" DEFERRABLE"));
        }
        if self.constraint.is_deferred {
            definition.push(&Sql::fixed(" INITIALLY DEFERRED"));
        }
        definition
    }

    /// What the index is built from, where the key creates it.
    fn push_index(&self, definition: &mut Sql) {
        let key = &self.index.key;
        if key.nulls_not_distinct {
            definition.push(&Sql::fixed(" NULLS NOT DISTINCT"));
        }
        let temporal = if self.constraint.is_temporal {
            " WITHOUT OVERLAPS"
        } else {
            ""
        };
        let columns = Sql::join(&key.columns, ", ");
        definition.push(&sql!(" ({}{})", columns, Sql::fixed(temporal)));
        if !key.include.is_empty() {
            definition.push(&sql!(" INCLUDE ({})", Sql::join(&key.include, ", ")));
        }
        definition.push(&clause::with_options(&key.options, &Vec::new()));
    }
}

impl Object for Key<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn necessity(&self) -> Necessity {
        necessity_of(self.constraint)
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", &self.constraint.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id, self.index.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Index.of(self.constraint.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn scanned_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        if self.of_index {
            Vec::new()
        } else {
            vec![self.table.id.oid]
        }
    }

    /// Partitions are locked, too, when theirs are created.
    fn must_run_alone(&self) -> bool {
        brings_partitions(self.index, self.table)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let only = if brings_partitions(self.index, self.table) {
            Sql::default()
        } else {
            context.only(self.table)
        };
        let built;
        let definition = if self.constraint.kind == ConstraintKind::Exclusion {
            &self.constraint.definition
        } else {
            built = self.definition();
            &built
        };
        let add = sql!(
            "ALTER TABLE {}{} ADD CONSTRAINT {} {}",
            only,
            self.table.name,
            self.constraint.name,
            definition
        );
        let tablespace = self.index.tablespace.as_ref().filter(|_| !self.of_index);
        let add = clause::in_tablespace(context, tablespace, add);
        let marks = index::marks(context, self.index, &self.table.name);
        [add].into_iter().chain(marks).collect()
    }
}

/// The index that a key is built from.
struct KeyIndex<'a> {
    constraint: &'a Constraint,
    index: &'a Index,
    table: &'a Table,
}

impl Object for KeyIndex<'_> {
    fn node_id(&self) -> NodeId {
        Part::Index.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Index
    }

    fn necessity(&self) -> Necessity {
        necessity_of(self.constraint)
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("index", &self.index.name).on(&self.table.name)
    }

    /// To the catalog it is part of its key.
    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.table.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn locks_shared(&self, _context: &Context<'_>) -> bool {
        true
    }

    fn scanned_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        vec![self.table.id.oid]
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        vec![index::create(context, self.index)]
    }
}

/// A check that is added after the rows, without `ONLY`, so that children get it, too.
struct Check<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
}

impl Object for Check<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", &self.constraint.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.table.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn must_run_alone(&self) -> bool {
        true
    }

    fn scanned_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        if table::is_late(context, self.table, self.constraint) {
            Vec::new()
        } else {
            vec![self.table.id.oid]
        }
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let not_valid = if table::is_late(context, self.table, self.constraint) {
            " NOT VALID"
        } else {
            ""
        };
        vec![sql!(
            "ALTER TABLE {} ADD CONSTRAINT {} {}{}",
            self.table.name,
            self.constraint.name,
            self.constraint.definition,
            Sql::fixed(not_valid)
        )]
    }
}

/// The rows of a table, and of everything below it, are checked. Its lock bears readers beside it,
/// which the functions of other checks may be.
struct CheckValidation<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
}

impl CheckValidation<'_> {
    fn tables(&self, context: &Context<'_>) -> Vec<Oid> {
        let below = context.descendants(self.table.id.oid);
        let below = below.into_iter().map(|table| table.id.oid);
        below.chain([self.table.id.oid]).collect()
    }
}

impl Object for CheckValidation<'_> {
    fn node_id(&self) -> NodeId {
        Part::Validation.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Validation
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let name = &self.constraint.name;
        Label::part("validation of constraint", name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.constraint.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn further_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        self.tables(context)
    }

    fn scanned_relations(&self, context: &Context<'_>) -> Vec<Oid> {
        self.tables(context)
    }

    fn runs_code(&self, _context: &Context<'_>) -> bool {
        true
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {}",
            self.table.name,
            self.constraint.name
        )]
    }
}
