//! Collations.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::cluster::LocaleProvider;
use crate::catalog::model::{Collation, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for collation in &context.catalog.collations {
        nodes.push(Box::new(collation));
    }
}

impl Object for &Collation {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Collation
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("collation", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id]
    }

    /// Its version is the target's own. A provider that the target lacks is an error there.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("COLLATION {}", self.name);
        [sql!("CREATE COLLATION {} ({})", self.name, options(self))]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .collect()
    }
}

fn options(collation: &Collation) -> Sql {
    let mut options = match &collation.provider {
        LocaleProvider::Libc => sql!(
            "provider = libc, lc_collate = {}, lc_ctype = {}",
            Literal(&collation.collate),
            Literal(&collation.ctype)
        ),
        LocaleProvider::Icu { locale, .. } => sql!("provider = icu, locale = {}", Literal(locale)),
        LocaleProvider::Builtin { locale } => {
            sql!("provider = builtin, locale = {}", Literal(locale))
        }
    };
    if !collation.is_deterministic {
        options.push(&Sql::fixed(", deterministic = false"));
    }
    if let LocaleProvider::Icu {
        rules: Some(rules), ..
    } = &collation.provider
    {
        options.push(&sql!(", rules = {}", Literal(rules)));
    }
    options
}
