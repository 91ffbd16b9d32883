//! Views. One that would close a cycle is created with columns of the right names and types. It gets its query
//! after the rows, when everything that it reads exists.

use super::clause;
use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::Class;
use crate::catalog::model::{Column, ObjectId, View};
use crate::ddl::context::Context;
use crate::ddl::cycle::with_readable_marks;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::placement::Placement;
use crate::pg::{Ident, Oid, QualifiedName, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for view in &context.catalog.views {
        nodes.push(Box::new(view));
        if is_dummy(context, view) {
            nodes.push(Box::new(Query(view)));
        }
    }
}

/// Whether a view is created without its query: to break a cycle, or because it reads itself, as a view
/// does that was replaced so.
fn is_dummy(context: &Context<'_>, view: &View) -> bool {
    context.placement(view.id) == Some(Placement::Dummy)
        || names(view.definition.as_str(), &view.name)
}

/// Whether a printed query names a relation. `pg_depend` does not say: before 16 every view's rule
/// refers to its own view. A name within a string counts as well, which does no harm.
fn names(query: &str, relation: &QualifiedName) -> bool {
    let forms = |name: &Ident| {
        [
            sql!("{}", name).as_str().to_owned(),
            name.as_str().to_owned(),
        ]
    };
    let names = forms(&relation.name);
    forms(&relation.schema).iter().any(|schema| {
        names.iter().any(|name| {
            let full = format!("{schema}.{name}");
            let mut found = query.match_indices(&full);
            found.any(|(at, _)| stands_alone(query, at, full.len()))
        })
    })
}

/// Whether what is found is not the part of a longer name.
fn stands_alone(query: &str, at: usize, length: usize) -> bool {
    let continues = |part: char| {
        part.is_alphanumeric() || !part.is_ascii() || matches!(part, '_' | '$' | '"' | '.')
    };
    let before = query[..at].chars().next_back();
    let after = query[at + length..].chars().next();
    // A column of the relation is written behind a point; then the relation is named elsewhere, too.
    !before.is_some_and(continues) && !after.is_some_and(continues)
}

impl View {
    /// The query with everything that surrounds it, after the view's name.
    fn body(&self) -> Sql {
        let options = clause::with_options(&self.options, &Vec::new());
        let query = with_readable_marks(&self.definition);
        let mut body = sql!("{} AS {}", options, query);
        match self.check_option.as_deref() {
            Some("cascaded") => body.push(&Sql::fixed(" WITH CASCADED CHECK OPTION")),
            Some(_) => body.push(&Sql::fixed(" WITH LOCAL CHECK OPTION")),
            None => {}
        }
        body
    }

    /// `CREATE OR REPLACE VIEW` keeps names, types and collations of columns, so these must be
    /// right from the start.
    fn dummy(&self) -> Sql {
        let column = |column: &Column| {
            sql!(
                "NULL::{}{} AS {}",
                column.type_name,
                clause::collate(column.collation.as_ref()),
                column.name
            )
        };
        sql!(
            "CREATE VIEW {} AS SELECT {}",
            self.name,
            Sql::join(self.columns.iter().map(column), ", ")
        )
    }
}

impl Object for &View {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::View
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("view", &self.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.id, ObjectId::new(Class::Type, self.row_type)]
    }

    fn defined_rows(&self, context: &Context<'_>) -> Vec<ObjectId> {
        if is_dummy(context, self) {
            Vec::new()
        } else {
            vec![self.id]
        }
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.id.oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let create = if is_dummy(context, self) {
            self.dummy()
        } else {
            sql!("CREATE VIEW {}{}", self.name, self.body())
        };
        let owner = clause::owner(context, &sql!("VIEW {}", self.name), &self.owner);
        [create].into_iter().chain(owner).collect()
    }
}

/// The query of a view that was created without it.
struct Query<'a>(&'a View);

impl Object for Query<'_> {
    fn node_id(&self) -> NodeId {
        Part::Query.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::ViewQuery
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("query of view", &self.0.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn defined_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.0.id]
    }

    fn extra_needs(&self, _context: &Context<'_>) -> Vec<NodeId> {
        vec![Part::Definition.of(self.0.id)]
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.0.id.oid)
    }

    fn render_statements(&self, _context: &Context<'_>) -> Vec<Sql> {
        vec![sql!(
            "CREATE OR REPLACE VIEW {}{}",
            self.0.name,
            self.0.body()
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_a_relation_in_the_servers_forms_and_not_within_longer_names() {
        let is_named = |query: &str, schema: &str, name: &str| {
            names(query, &QualifiedName::from_catalog(schema, name))
        };
        for query in [
            "SELECT 1 FROM s.v",
            "SELECT v.a FROM (s.v JOIN t ON true)",
            r#"FROM "s"."v" v"#,
        ] {
            assert!(is_named(query, "s", "v"), "{query}");
        }
        for query in [
            "FROM s.v2",
            "FROM x_s.v",
            r#"FROM "v".s"#,
            "FROM s.w v",
            r#"FROM s."v""""#,
        ] {
            assert!(!is_named(query, "s", "v"), "{query}");
        }
        assert!(is_named(r#"FROM s."My ""v""#, "s", r#"My "v"#));
    }
}
