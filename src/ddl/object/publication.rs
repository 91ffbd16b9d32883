//! Publications with their tables and schemas.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::model::{ObjectId, Publication, PublishedTable};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Literal, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for publication in &context.catalog.publications {
        nodes.push(Box::new(publication));
    }
}

impl Object for &Publication {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Publication
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::plain("publication", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        let tables = self.tables.iter().map(|table| table.id);
        let schemas = self.schemas.iter().map(|schema| schema.id);
        [self.id].into_iter().chain(tables).chain(schemas).collect()
    }

    /// It locks every table that it publishes.
    fn must_run_alone(&self) -> bool {
        true
    }

    fn needs_superuser(&self) -> Option<&'static str> {
        (self.all_tables || !self.schemas.is_empty())
            .then_some("publications of all tables or of schemas")
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("PUBLICATION {}", self.name);
        let add = |what: Sql| sql!("ALTER {} ADD {}", object, what);
        let schemas = self.schemas.iter();
        let schemas = schemas.map(|schema| add(sql!("TABLES IN SCHEMA {}", schema.name)));
        let tables = self.tables.iter().map(|table| add(published(table)));
        [create(self, context)]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .chain(schemas)
            .chain(tables)
            .collect()
    }
}

fn create(publication: &Publication, context: &Context<'_>) -> Sql {
    let mut create = sql!("CREATE PUBLICATION {}", publication.name);
    if publication.all_tables {
        create.push(&Sql::fixed(" FOR ALL TABLES"));
    }
    create.push(&sql!(
        " WITH (publish = {}",
        Literal(&publication.operations)
    ));
    if publication.via_root && context.target().has_trigger_parents() {
        create.push(&Sql::fixed(", publish_via_partition_root = true"));
    }
    if publication.generated_columns && context.target().has_virtual_columns() {
        create.push(&Sql::fixed(", publish_generated_columns = stored"));
    }
    create.push(&Sql::fixed(")"));
    create
}

/// `TABLE ONLY`, since a table that is published with its children lists them, too.
fn published(table: &PublishedTable) -> Sql {
    let mut published = sql!("TABLE ONLY {}", table.name);
    if !table.columns.is_empty() {
        published.push(&sql!(" ({})", Sql::join(&table.columns, ", ")));
    }
    if let Some(condition) = &table.condition {
        published.push(&sql!(" WHERE ({})", condition));
    }
    published
}
