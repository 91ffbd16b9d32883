//! Text search dictionaries and configurations.

use super::{NodeId, Nodes, Object, Part, clause};
use crate::catalog::Class;
use crate::catalog::model::{ObjectId, Search};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for search in &context.catalog.search {
        nodes.push(Box::new(search));
    }
}

impl Search {
    const fn is_dictionary(&self) -> bool {
        matches!(self.id.class, Class::SearchDictionary)
    }

    fn object(&self) -> Sql {
        let word = Sql::fixed(if self.is_dictionary() {
            "DICTIONARY"
        } else {
            "CONFIGURATION"
        });
        sql!("TEXT SEARCH {} {}", word, self.name)
    }
}

impl Object for &Search {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Search
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        let word = if self.is_dictionary() {
            "text search dictionary"
        } else {
            "text search configuration"
        };
        Label::qualified(word, &self.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// A dictionary reads its word lists from the server's own files: they must be there.
    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = self.object();
        let owner = clause::owner(context, &object, &self.owner);
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
