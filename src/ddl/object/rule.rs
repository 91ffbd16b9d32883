//! Rules other than those that create views.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Enabled, ObjectId, Rule};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::relation::Relation;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    let rules = context.catalog.rules.iter();
    for rule in rules.filter(|rule| !has_name_of_views(rule)) {
        if let Some(relation) = context.relation(rule.relation) {
            nodes.push(Box::new(On { rule, relation }));
        }
    }
}

/// Whether a rule has the name that only a view's query may have. Some servers let a rule be renamed
/// so; none allows one to be created.
pub(crate) fn has_name_of_views(rule: &Rule) -> bool {
    rule.name.as_str() == "_RETURN"
}

struct On<'a> {
    rule: &'a Rule,
    relation: Relation<'a>,
}

impl Object for On<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.rule.id)
    }

    fn kind(&self) -> Kind {
        Kind::Rule
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("rule", &self.rule.name, self.relation.name())
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.rule.id]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.rule.relation)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        let state = (self.rule.enabled != Enabled::Origin).then(|| {
            sql!(
                "ALTER TABLE {} {} RULE {}",
                self.relation.name(),
                Sql::fixed(self.rule.enabled.word()),
                self.rule.name
            )
        });
        [self.rule.definition.clone()]
            .into_iter()
            .chain(state)
            .collect()
    }
}
