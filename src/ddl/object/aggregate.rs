//! Aggregates: normal, ordered-set and hypothetical-set ones.

use super::{NodeId, Nodes, Object, Part, clause};
use crate::catalog::model::{Aggregate, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for aggregate in &context.catalog.aggregates {
        nodes.push(Box::new(aggregate));
    }
}

impl Object for &Aggregate {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Aggregate
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        let arguments = format!("({})", self.arguments.as_str());
        Label::qualified("aggregate", &self.name).with_detail(&arguments)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        self.has_internal_state
            .then_some("aggregates with an internal state")
    }

    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let signature = sql!("AGGREGATE {}({})", self.name, self.arguments);
        let owner = clause::owner(context, &signature, &self.owner);
        [sql!("CREATE {} ({})", signature, self.definition)]
            .into_iter()
            .chain(owner)
            .collect()
    }
}
