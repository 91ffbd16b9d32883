//! Event triggers. They come last, lest they fire on the rest of the script.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Enabled, EventTrigger, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for trigger in &context.catalog.event_triggers {
        nodes.push(Box::new(trigger));
    }
}

impl Object for &EventTrigger {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::EventTrigger
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("event trigger", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn must_run_alone(&self) -> bool {
        true
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("EVENT TRIGGER {}", self.name);
        let mut create = sql!("CREATE {} ON {}", object, self.event);
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| sql!("{}", Literal(tag)));
            create.push(&sql!(" WHEN TAG IN ({})", Sql::join(tags, ", ")));
        }
        create.push(&sql!(" EXECUTE FUNCTION {}()", self.function));
        let state = (self.enabled != Enabled::Origin)
            .then(|| sql!("ALTER {} {}", object, Sql::fixed(self.enabled.word())));
        [create]
            .into_iter()
            .chain(clause::superuser_owner(context, &object, &self.owner))
            .chain(state)
            .collect()
    }
}
