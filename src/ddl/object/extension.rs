//! Extensions: the target's default version, since that is the one it can create.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Extension, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::pg::{Ident, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for extension in &context.catalog.extensions {
        nodes.push(Box::new(extension));
    }
}

impl Extension {
    /// The schema that the target's control file prescribes.
    pub(crate) fn prescribed_schema<'a>(&self, context: &Context<'a>) -> Option<&'a Ident> {
        let available = context.options.target.extensions.get(&self.name)?;
        available.schema.as_ref()
    }
}

impl Object for &Extension {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Extension
    }

    /// Rows of users in its tables are copied, and would be lost without it.
    fn necessity(&self) -> Necessity {
        match self.config.is_empty() {
            true => Kind::Extension.necessity(),
            false => Necessity::Required,
        }
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("extension", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// A schema of the control file's is created by the server where it is missing, but not beside
    /// one of ours.
    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let schema = self.prescribed_schema(context);
        let schemas = context.catalog.schemas.iter();
        let schemas = schemas.filter(|own| Some(&own.name) == schema);
        schemas.map(|own| Part::Definition.of(own.id)).collect()
    }

    /// Where the control file prescribes a schema, the server takes no other.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let create = sql!("CREATE EXTENSION IF NOT EXISTS {}", self.name);
        vec![match self.prescribed_schema(context) {
            Some(_) => create,
            None => sql!("{} WITH SCHEMA {}", create, self.schema),
        }]
    }
}
