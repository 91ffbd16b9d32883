//! Triggers. The clone on a partition comes with the parent's trigger; only a state of its own is
//! set.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Enabled, ObjectId, Trigger};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::relation::Relation;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for trigger in &context.catalog.triggers {
        if let Some(relation) = context.relation(trigger.relation) {
            nodes.push(Box::new(On { trigger, relation }));
        }
    }
}

struct On<'a> {
    trigger: &'a Trigger,
    relation: Relation<'a>,
}

impl Object for On<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.trigger.id)
    }

    fn kind(&self) -> Kind {
        Kind::Trigger
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("trigger", &self.trigger.name, self.relation.name())
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.trigger.id]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.trigger.relation)
    }

    /// On a partitioned table every partition gets it.
    fn must_run_alone(&self) -> bool {
        self.relation.is_partitioned()
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let is_clone = self.trigger.definition.is_none();
        let relation = self.relation.name();
        let state = (is_clone || self.trigger.enabled != Enabled::Origin).then(|| {
            sql!(
                "ALTER TABLE {} {} TRIGGER {}",
                relation,
                Sql::fixed(self.trigger.enabled.word()),
                self.trigger.name
            )
        });
        let object = sql!("TRIGGER {} ON {}", self.trigger.name, relation);
        let bound = clause::depends_on_extension(context, self.trigger.id, &object);
        self.trigger
            .definition
            .clone()
            .into_iter()
            .chain(state)
            .chain(bound)
            .collect()
    }
}
