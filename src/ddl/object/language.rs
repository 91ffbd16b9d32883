//! Procedural languages.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Language, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for language in &context.catalog.languages {
        nodes.push(Box::new(language));
    }
}

impl Object for &Language {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Language
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("language", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("LANGUAGE {}", self.name);
        let trusted = Sql::fixed(if self.is_trusted { "TRUSTED " } else { "" });
        let inline = self.inline.as_ref();
        let validator = self.validator.as_ref();
        let create = sql!(
            "CREATE {}{} HANDLER {}{}{}",
            trusted,
            object,
            self.handler,
            inline.map(|function| sql!(" INLINE {}", function)),
            validator.map(|function| sql!(" VALIDATOR {}", function))
        );
        [create]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}
