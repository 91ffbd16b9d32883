//! Text search: parsers, templates, dictionaries, configurations.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Search, SearchKind};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for search in &context.catalog.search {
        nodes.push(Box::new(search));
    }
}

impl Search {
    fn object(&self) -> Sql {
        sql!("TEXT SEARCH {} {}", Sql::fixed(self.kind.word()), self.name)
    }
}

impl Object for &Search {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Search
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let word = match self.kind {
            SearchKind::Parser => "text search parser",
            SearchKind::Template => "text search template",
            SearchKind::Dictionary => "text search dictionary",
            SearchKind::Configuration => "text search configuration",
        };
        Label::qualified(word, &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        match self.kind {
            SearchKind::Parser => Some("text search parsers"),
            SearchKind::Template => Some("text search templates"),
            SearchKind::Dictionary | SearchKind::Configuration => None,
        }
    }

    /// A dictionary reads its word lists from the server's own files: they must be there.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = self.object();
        let owner = self.owner.as_ref();
        let owner = owner.and_then(|owner| clause::owner(context, &object, owner));
        let mappings = self.mappings.iter().map(|(token, dictionaries)| {
            sql!(
                "ALTER {} ADD MAPPING FOR {} WITH {}",
                object,
                token,
                dictionaries
            )
        });
        [sql!("CREATE {} ({})", object, self.definition)]
            .into_iter()
            .chain(owner)
            .chain(mappings)
            .collect()
    }
}
