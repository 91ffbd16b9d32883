//! Not-null constraints that do not come with their tables: those that rows may violate, and some of children.
//! The latter were checked on the child while those of the parents were not.

use super::column;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Column, NotNull, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::pg::{Ident, Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for table in &context.catalog.tables {
        for column in &table.columns {
            collect_column(context, table, column, nodes);
        }
    }
}

fn collect_column<'a>(
    context: &Context<'a>,
    table: &'a Table,
    column: &'a Column,
    nodes: &mut Nodes<'a>,
) {
    match &column.not_null {
        Some(NotNull::Named {
            id,
            name,
            is_local: true,
            is_valid: false,
            definition,
            ..
        }) => nodes.push(Box::new(UncheckedNotNull {
            id: *id,
            name,
            definition,
            table,
        })),
        Some(NotNull::Named {
            id,
            name,
            is_local: false,
            is_valid: true,
            ..
        }) => {
            let parents = column::unchecked_parents(context, table, column);
            if !parents.is_empty() {
                nodes.push(Box::new(CheckedNotNull {
                    id: *id,
                    name,
                    table,
                    parents,
                }));
            }
        }
        Some(NotNull::Named { .. } | NotNull::Flag) | None => {}
    }
}

/// A not-null constraint that existing rows were not checked against; since 18.
struct UncheckedNotNull<'a> {
    id: ObjectId,
    name: &'a Ident,
    definition: &'a Sql,
    table: &'a Table,
}

impl Object for UncheckedNotNull<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn necessity(&self) -> Necessity {
        Necessity::Required
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", self.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
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

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} ADD CONSTRAINT {} {}",
            self.table.name,
            self.name,
            self.definition
        )]
    }
}

/// A child's constraint that was checked, while its parents' were not.
struct CheckedNotNull<'a> {
    id: ObjectId,
    name: &'a Ident,
    table: &'a Table,
    /// The parents' constraints.
    parents: Vec<ObjectId>,
}

impl Object for CheckedNotNull<'_> {
    fn node_id(&self) -> NodeId {
        Part::Validation.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Validation
    }

    fn necessity(&self) -> Necessity {
        Necessity::Required
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("validation of constraint", self.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        let parents = self.parents.iter();
        parents.map(|id| Part::Definition.of(*id)).collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    /// Children are checked, too.
    fn must_run_alone(&self) -> bool {
        true
    }

    fn scanned_relations(&self, _context: &Context<'_>) -> Vec<Oid> {
        vec![self.table.id.oid]
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "ALTER TABLE {} VALIDATE CONSTRAINT {}",
            self.table.name,
            self.name
        )]
    }
}
