//! Extensions: the target's default version, since that is the one it can make.

use super::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Extension, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::statement::{Kind, Label};
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for extension in &context.catalog.extensions {
        nodes.push(Box::new(extension));
    }
}

impl Object for &Extension {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Extension
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::plain("extension", &self.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {}",
            self.name,
            self.schema
        )]
    }
}
