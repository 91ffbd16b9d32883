//! Schemas.

use super::clause;
use super::node::NodeId;
use super::node::{Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Schema};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::options::Options;
use crate::pg::{Ident, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for schema in &context.catalog.schemas {
        nodes.push(Box::new(schema));
    }
}

impl Object for &Schema {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Schema
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("schema", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// `public` comes with the database, since 15 owned by a role that means the database's
    /// owner and cannot be named elsewhere. An owner named at once need not be allowed to create
    /// schemas, which one who gets it later must be.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        if self.is_public() {
            let keeps = self.public_stays(context).is_some();
            if keeps || self.owner.as_str() == "pg_database_owner" {
                return Vec::new();
            }
            let owner = clause::owner(context, &sql!("SCHEMA {}", self.name), &self.owner);
            return owner.into_iter().collect();
        }
        if let Some(is_ours) = context.options.target.existing_schemas.get(&self.name) {
            let owner = clause::owner(context, &sql!("SCHEMA {}", self.name), &self.owner);
            return owner.filter(|_| *is_ours).into_iter().collect();
        }
        vec![match clause::new_owner(context, &self.owner) {
            Some(owner) => sql!("CREATE SCHEMA {} AUTHORIZATION {}", self.name, owner),
            None => sql!("CREATE SCHEMA {}", self.name),
        }]
    }
}

impl Schema {
    /// Whether it comes with every database.
    pub(crate) fn is_public(&self) -> bool {
        self.name.as_str() == "public"
    }

    /// Why `public` keeps its owner: below 15 it belongs to the bootstrap superuser, later to
    /// whoever owns the database. The role that it would go to, if so.
    pub(crate) fn public_stays<'a>(&'a self, context: &Context<'a>) -> Option<&'a Ident> {
        let Options { target, include } = context.options;
        let owner = context.role(&self.owner);
        let is_ours = target.version.has_closed_public_schema() && target.reaches(owner);
        (include.owners && !target.is_superuser && !is_ours).then_some(owner)
    }
}
