//! Materialized views: created empty, filled at the very end in the order in which they read each
//! other.

use std::collections::HashSet;

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::Class;
use crate::catalog::model::{MaterializedView, ObjectId};
use crate::ddl::context::Context;
use crate::ddl::cycle::with_readable_marks;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Oid, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    let views = &context.catalog.materialized_views;
    for view in views {
        nodes.push(Box::new(view));
    }
    for view in views {
        if context.options.include.rows && is_filled(context, view, &mut HashSet::new()) {
            nodes.push(Box::new(Refresh(view)));
        }
    }
}

/// Whether it and everything materialized below it was ever filled: reading one that was not is
/// an error.
fn is_filled(context: &Context<'_>, view: &MaterializedView, seen: &mut HashSet<ObjectId>) -> bool {
    view.is_populated
        && read_by(context, view)
            .into_iter()
            .all(|other| !seen.insert(other.id) || is_filled(context, other, seen))
}

/// The materialized views that one reads, through any depth of views.
fn read_by<'a>(context: &Context<'a>, view: &MaterializedView) -> Vec<&'a MaterializedView> {
    context.materialized_below(view.id)
}

impl MaterializedView {
    fn create(&self) -> Sql {
        sql!(
            "CREATE MATERIALIZED VIEW {}{}{} AS {} WITH NO DATA",
            self.name,
            clause::using(self.access_method.as_ref()),
            clause::with_options(&self.options, &self.toast_options),
            with_readable_marks(&self.definition)
        )
    }
}

impl Object for &MaterializedView {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::MaterializedView
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("materialized view", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id, ObjectId::new(Class::Type, self.row_type)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.id.oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let object = sql!("MATERIALIZED VIEW {}", self.name);
        let create = clause::in_tablespace(context, self.tablespace.as_ref(), self.create());
        [create]
            .into_iter()
            .chain(clause::owner(context, &object, &self.owner))
            .chain(clause::column_settings(
                context,
                &sql!("ONLY {}", self.name),
                &self.columns,
                true,
            ))
            .chain(clause::depends_on_extension(context, self.id, &object))
            .collect()
    }
}

/// Fills a materialized view.
struct Refresh<'a>(&'a MaterializedView);

impl Object for Refresh<'_> {
    fn node_id(&self) -> NodeId {
        Part::Refresh.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::Refresh
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("rows of materialized view", &self.0.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let below = read_by(context, self.0);
        let below = below.into_iter().map(|other| Part::Refresh.of(other.id));
        [Part::Definition.of(self.0.id)]
            .into_iter()
            .chain(below)
            .collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.0.id.oid)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!("REFRESH MATERIALIZED VIEW {}", self.0.name)]
    }
}
