//! Defaults that do not come with their table:
//!
//! - those of views;
//! - those that a child sets for an inherited column;
//! - those that would close a cycle, as every `serial` column's would. The table needs its default, that
//!   needs the sequence, and the sequence belongs to the table.

use super::column;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Column, Default, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::ddl::relation::Relation;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for table in &context.catalog.tables {
        for column in &table.columns {
            if column::is_default_apart(context, table, column) {
                push(nodes, Relation::Table(table), column);
            }
        }
    }
    for view in &context.catalog.views {
        for column in &view.columns {
            push(nodes, Relation::View(view), column);
        }
    }
}

fn push<'a>(nodes: &mut Nodes<'a>, relation: Relation<'a>, column: &'a Column) {
    if let Some(default) = &column.default {
        nodes.push(Box::new(SetDefault {
            relation,
            column,
            default,
        }));
    }
}

struct SetDefault<'a> {
    relation: Relation<'a>,
    column: &'a Column,
    default: &'a Default,
}

impl Object for SetDefault<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.default.id)
    }

    fn kind(&self) -> Kind {
        Kind::Default
    }

    /// A table's is a part of it.
    fn necessity(&self) -> Necessity {
        match self.relation {
            Relation::Table(_) => Necessity::Required,
            Relation::View(_) | Relation::MaterializedView(_) => Necessity::Dependent,
        }
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("default of", &self.column.name, self.relation.name())
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.default.id]
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let mut needed = vec![Part::Definition.of(self.relation.id())];
        if let Relation::Table(table) = self.relation
            && column::clashes_in_child(context, table, self.column)
        {
            let children = context.children(table.id.oid).iter();
            needed.extend(children.map(|child| Part::Definition.of(child.id)));
        }
        needed
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.relation.id().oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let only = match self.relation {
            Relation::Table(table) => context.only(table),
            Relation::View(_) | Relation::MaterializedView(_) => Sql::fixed("ONLY "),
        };
        let expression = match self.column.generated {
            Some(_) => sql!("EXPRESSION AS ({})", self.default.expression),
            None => sql!("DEFAULT {}", self.default.expression),
        };
        vec![sql!(
            "ALTER TABLE {}{} ALTER COLUMN {} SET {}",
            only,
            self.relation.name(),
            self.column.name,
            expression
        )]
    }
}
