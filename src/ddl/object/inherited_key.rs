//! Exclusion constraints and keys without overlaps of partitions. No server attaches an index of one
//! partition to such a constraint of the parent: the parent's brings those of all its partitions.

use super::clause::render_options;
use super::constraint::necessity_of;
use super::index;
use super::node::{NodeId, Object, Part};
use crate::catalog::Class;
use crate::catalog::model::{Constraint, Index, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::necessity::Necessity;
use crate::pg::{Literal, Oid, QualifiedName, Sql};
use crate::sql;

/// The constraint of a partition, which has a name of the server's choice until it is renamed.
pub(super) struct InheritedKey<'a> {
    pub(super) constraint: &'a Constraint,
    pub(super) index: &'a Index,
    pub(super) table: &'a Table,
}

impl InheritedKey<'_> {
    fn rename(&self, parent: &Index, of: &QualifiedName) -> Sql {
        let name = |relation| sql!("{}", Literal(sql!("{}", relation).as_str()));
        let constraint = &self.constraint.name;
        let rename = sql!("ALTER TABLE {} RENAME CONSTRAINT ", self.table.name);
        let to = sql!(" TO {}", constraint);
        let gap = |sql: &Sql| sql.as_str().replace('%', "%%");
        let body = sql!(
            "DECLARE made name; \
             BEGIN \
             SELECT c.conname INTO STRICT made FROM pg_catalog.pg_constraint c \
             JOIN pg_catalog.pg_constraint p ON p.oid = c.conparentid \
             WHERE c.conrelid = {}::pg_catalog.regclass AND p.conrelid = {}::pg_catalog.regclass \
             AND p.conname = {}; \
             IF made <> {} THEN EXECUTE pg_catalog.format({}, made); END IF; \
             END",
            name(&self.table.name),
            name(of),
            Literal(parent.name.name.as_str()),
            Literal(constraint.as_str()),
            Literal(&(gap(&rename) + "%I" + &gap(&to)))
        );
        sql!("DO {}", Literal(body.as_str()))
    }

    /// What the parent's does not bring.
    fn own_storage(&self, context: &Context<'_>, parent: &Index) -> Vec<Sql> {
        let tablespace = context.options.tablespace(self.index.tablespace.as_ref());
        let moved = tablespace
            .filter(|name| parent.tablespace.as_ref() != Some(name))
            .map(|name| sql!("ALTER INDEX {} SET TABLESPACE {}", self.index.name, name));
        let options = &self.index.key.options;
        let differ = !options.is_empty() && *options != parent.key.options;
        let options = differ.then(|| {
            let options = Sql::join(render_options(options), ", ");
            sql!("ALTER INDEX {} SET ({})", self.index.name, options)
        });
        moved.into_iter().chain(options).collect()
    }
}

impl Object for InheritedKey<'_> {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.constraint.id)
    }

    fn kind(&self) -> Kind {
        Kind::Constraint
    }

    fn necessity(&self) -> Necessity {
        necessity_of(self.constraint)
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::part("constraint", &self.constraint.name, &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        vec![self.constraint.id, self.index.id]
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let parent = self.index.parent.and_then(|oid| context.index(oid));
        let constraint = parent.and_then(|parent| parent.constraint);
        let id = constraint.map(|oid| ObjectId::new(Class::Constraint, oid));
        id.map(|id| Part::Definition.of(id)).into_iter().collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let parent = self.index.parent.and_then(|oid| context.index(oid));
        let table = parent.and_then(|parent| context.table(parent.relation));
        let (Some(parent), Some(table)) = (parent, table) else {
            return Vec::new();
        };
        let rename = self.rename(parent, &table.name);
        let marks = index::marks(context, self.index, &self.table.name);
        [rename]
            .into_iter()
            .chain(self.own_storage(context, parent))
            .chain(marks)
            .collect()
    }
}
