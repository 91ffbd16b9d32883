//! Extended statistics.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Statistics};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for statistics in &context.catalog.statistics {
        if context.relation(statistics.relation).is_some() {
            nodes.push(Box::new(statistics));
        }
    }
}

impl Object for &Statistics {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Statistics
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("statistics", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.relation)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("STATISTICS {}", self.name);
        let target = self
            .target
            .filter(|_| context.target().has_statistics_targets())
            .map(|target| sql!("ALTER STATISTICS {} SET STATISTICS {}", self.name, target));
        [self.definition.clone()]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .chain(target)
            .collect()
    }
}
