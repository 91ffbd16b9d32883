//! Procedural languages.

use super::{NodeId, Nodes, Object, Part, clause};
use crate::catalog::model::{Language, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for language in &context.catalog.languages {
        nodes.push(Box::new(language));
    }
}

impl Object for &Language {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Language
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::plain("language", &self.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
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
