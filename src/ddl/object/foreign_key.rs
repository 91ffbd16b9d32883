//! Foreign keys: added without a look at the rows, then checked, which locks less and lets
//! several tables be read at once. Partitioned tables take only the two in one.

use super::{NodeId, Nodes, Object, Part, index};
use crate::catalog::model::{Constraint, ConstraintKind, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::{Oid, RelKind, Sql};
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for constraint in &context.catalog.constraints {
        let Some(table) = context.table(constraint.relation) else {
            continue;
        };
        if constraint.kind == ConstraintKind::ForeignKey {
            let is_between_plain_tables = is_between_plain_tables(context, constraint, table);
            let validates_apart = context.options.carried.rows
                && constraint.is_valid
                && constraint.is_enforced
                && is_between_plain_tables;
            nodes.push(Box::new(Add {
                constraint,
                table,
                is_between_plain_tables,
                validates_apart,
            }));
            if validates_apart {
                nodes.push(Box::new(Validate { constraint, table }));
            }
        }
    }
}

fn is_between_plain_tables(context: &Context<'_>, constraint: &Constraint, table: &Table) -> bool {
    let is_plain = |table: &Table| table.kind == RelKind::Table;
    is_plain(table) && context.table(constraint.referenced).is_some_and(is_plain)
}

struct Add<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
    is_between_plain_tables: bool,
    validates_apart: bool,
}

impl Object for Add<'_> {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::ForeignKey
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::part("foreign key", &self.constraint.name, &self.table.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id]
    }

    /// A partitioned key can be referred to once every partition's is attached.
    fn needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        index::attachments(context, self.constraint.index)
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    /// Partitions of either table are locked, too.
    fn must_run_alone(&self) -> bool {
        !self.is_between_plain_tables
    }

    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let only = if self.table.kind == RelKind::PartitionedTable {
            Sql::default()
        } else {
            context.only(self.table)
        };
        let not_valid = if self.validates_apart {
            " NOT VALID"
        } else {
            ""
        };
        vec![sql!(
            "ALTER TABLE {}{} ADD CONSTRAINT {} {}{}",
            only,
            self.table.name,
            self.constraint.name,
            self.constraint.definition,
            Sql::fixed(not_valid)
        )]
    }
}

struct Validate<'a> {
    constraint: &'a Constraint,
    table: &'a Table,
}

impl Object for Validate<'_> {
    fn node(&self) -> NodeId {
        Part::Validation.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Validation
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::part(
            "validation of foreign key",
            &self.constraint.name,
            &self.table.name,
        )
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.constraint.id)]
    }

    fn relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {}{} VALIDATE CONSTRAINT {}",
            context.only(self.table),
            self.table.name,
            self.constraint.name
        )]
    }
}
