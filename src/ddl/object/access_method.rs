//! Access methods of tables and indexes.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{AccessMethod, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Ident, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for method in &context.catalog.access_methods {
        nodes.push(Box::new(method));
    }
}

/// The step that creates an access method, unless it is the server's or an extension's. Older
/// servers do not record that an operator family needs it.
pub(super) fn maker(context: &Context<'_>, name: &Ident) -> Option<NodeId> {
    let mut methods = context.catalog.access_methods.iter();
    let method = methods.find(|method| method.name == *name)?;
    Some(Part::Definition.of(method.id))
}

impl Object for &AccessMethod {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::AccessMethod
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("access method", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "CREATE ACCESS METHOD {} TYPE {} HANDLER {}",
            self.name,
            Sql::fixed(self.kind.word()),
            self.handler
        )]
    }
}
