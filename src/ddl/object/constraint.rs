//! Keys, exclusion constraints, and the checks that stand apart from their table.

use super::inherited_key::{InheritedKey, brings_partitions, comes_with_parent};
use super::{NodeId, Nodes, Object, Part, clause, index, table};
use crate::catalog::model::{Constraint, ConstraintKind, Index, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
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
                    nodes.push(Box::new(Key {
                        constraint,
                        index,
                        table,
                    }));
                }
            }
            ConstraintKind::Check => {
                if !table::is_inline(context, table, constraint) && constraint.is_local {
                    nodes.push(Box::new(Check { constraint, table }));
                }
            }
            ConstraintKind::NotNull | ConstraintKind::ForeignKey => {}
        }
    }
}

/// A primary or unique key or an exclusion constraint, with the index that enforces it.
struct Key<'a> {
    constraint: &'a Constraint,
    index: &'a Index,
    table: &'a Table,
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
        let key = &self.index.key;
        let mut definition = Sql::fixed(word);
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
        if self.constraint.is_deferrable {
            definition.push(&Sql::fixed(" DEFERRABLE"));
        }
        if self.constraint.is_deferred {
            definition.push(&Sql::fixed(" INITIALLY DEFERRED"));
        }
        definition
    }
}

impl Object for Key<'_> {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", &self.constraint.name, &self.table.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id, self.index.id]
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    /// Partitions are locked, too, when theirs are made.
    fn must_run_alone(&self) -> bool {
        brings_partitions(self.index, self.table)
    }

    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
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
        let add = clause::in_tablespace(context, self.index.tablespace.as_ref(), add);
        let marks = index::marks(context, self.index, &self.table.name);
        [add].into_iter().chain(marks).collect()
    }
}

/// A check that is added after the rows, without `ONLY`, so that children get it, too.
struct Check<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
}

impl Object for Check<'_> {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", &self.constraint.name, &self.table.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id]
    }

    fn needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.table.id)]
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn must_run_alone(&self) -> bool {
        true
    }

    fn statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} ADD CONSTRAINT {} {}",
            self.table.name,
            self.constraint.name,
            self.constraint.definition
        )]
    }
}
