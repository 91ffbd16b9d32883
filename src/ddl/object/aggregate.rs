//! Aggregates: normal, ordered-set and hypothetical-set ones.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Aggregate, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for aggregate in &context.catalog.aggregates {
        nodes.push(Box::new(aggregate));
    }
}

impl Object for &Aggregate {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Aggregate
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let arguments = format!("({})", self.arguments.as_str());
        Label::qualified("aggregate", &self.name).with_detail(&arguments)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        self.has_internal_state
            .then_some("aggregates with an internal state")
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let signature = sql!("AGGREGATE {}({})", self.name, self.arguments);
        let owner = clause::owner(context, &signature, &self.owner);
        [sql!("CREATE {} ({})", signature, self.definition)]
            .into_iter()
            .chain(owner)
            .collect()
    }
}
