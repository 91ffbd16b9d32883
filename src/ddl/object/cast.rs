//! Casts, and the transforms between types and languages.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{Cast, CastMethod, ObjectId, Transform};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::Sql;
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for cast in &context.catalog.casts {
        nodes.push(Box::new(cast));
    }
    for transform in &context.catalog.transforms {
        nodes.push(Box::new(transform));
    }
}

impl Object for &Cast {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Cast
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let types = format!("({} AS {})", self.source.as_str(), self.target.as_str());
        Label::text("cast", &types)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// Expressions that use a cast depend on its function only. So casts without one come first,
    /// lest a function pulls a table before them.
    fn sort_rank(&self, _context: &Context<'_>) -> u8 {
        u8::from(self.function.is_some())
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        match self.method {
            CastMethod::Binary => Some("casts without a function"),
            CastMethod::Function | CastMethod::InOut if self.is_of_users_type => None,
            CastMethod::Function | CastMethod::InOut => {
                Some("casts between types of the server or of extensions")
            }
        }
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        let function = self.function.as_ref().map(|name| sql!(" {}", name));
        vec![sql!(
            "CREATE CAST ({} AS {}) {}{}{}",
            self.source,
            self.target,
            Sql::fixed(self.method.word()),
            function,
            Sql::fixed(self.context.word())
        )]
    }
}

impl Object for &Transform {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let name = format!("for {} language {}", self.type_name.as_str(), self.language);
        Label::text("transform", &name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        let what = "transforms of types, or by functions, of the server or of extensions";
        (!self.is_of_users_parts).then_some(what)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        let from = self.from_sql.iter();
        let from = from.map(|function| sql!("FROM SQL WITH FUNCTION {}", function));
        let to = self.to_sql.iter();
        let to = to.map(|function| sql!("TO SQL WITH FUNCTION {}", function));
        vec![sql!(
            "CREATE TRANSFORM FOR {} LANGUAGE {} ({})",
            self.type_name,
            self.language,
            Sql::join(from.chain(to), ", ")
        )]
    }
}
