//! Schemas.

use super::{Nodes, Object, Part, clause};
use crate::catalog::model::{ObjectId, Schema};
use crate::ddl::context::Context;
use crate::ddl::object::NodeId;
use crate::ddl::statement::{Kind, Label};
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for schema in &context.catalog.schemas {
        nodes.push(Box::new(schema));
    }
}

impl Object for &Schema {
    fn node(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Schema
    }

    fn label(&self, _context: &Context<'_>) -> Label {
        Label::plain("schema", &self.name)
    }

    fn rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// `public` comes with the database, since 15 owned by a role that stands for the database's
    /// owner and cannot be named elsewhere.
    fn statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let comes_with_database = self.name.as_str() == "public";
        let create = if comes_with_database {
            None
        } else {
            Some(sql!("CREATE SCHEMA {}", self.name))
        };
        let owner = if self.owner.as_str() == "pg_database_owner" {
            None
        } else {
            clause::owner(context, &sql!("SCHEMA {}", self.name), &self.owner)
        };
        create.into_iter().chain(owner).collect()
    }
}
