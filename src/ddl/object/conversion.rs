//! Conversions between encodings.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Conversion, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for conversion in &context.catalog.conversions {
        nodes.push(Box::new(conversion));
    }
}

impl Object for &Conversion {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Conversion
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("conversion", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("CONVERSION {}", self.name);
        let create = sql!(
            "CREATE {}{} FOR {} TO {} FROM {}",
            Sql::fixed(if self.is_default { "DEFAULT " } else { "" }),
            object,
            Literal(&self.source),
            Literal(&self.target),
            self.function
        );
        [create]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}
