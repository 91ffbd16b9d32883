//! Tables: everything that rows need, without keys and indexes.

use super::node::{NodeId, Nodes, Object, Part};
use super::{clause, column, foreign_data};
use crate::catalog::Class;
use crate::catalog::model::{Constraint, ConstraintKind, NotNull, ObjectId, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::ddl::placement::Placement;
use crate::ddl::secret::any_secret;
use crate::pg::{Oid, Persistence, QualifiedName, RelKind, ReplicaIdentity, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    for table in &context.catalog.tables {
        nodes.push(Box::new(table));
        if table.column_settings(context).is_some() {
            nodes.push(Box::new(ColumnSettings(table)));
        }
    }
}

/// Whether a check is part of its table's `CREATE TABLE`. One that is not valid stays so only when
/// it is added to a table with rows. One that calls functions of users or extensions, which may read
/// other tables, is added after all rows: `COPY` checks every row. An inherited check comes with the
/// parent, except that a partition must have it before it is attached.
pub(super) fn is_inline(context: &Context<'_>, table: &Table, check: &Constraint) -> bool {
    check.kind == ConstraintKind::Check
        && check.is_valid
        && (check.is_local || column::stands_alone(context, table))
        && context.placement(check.id) != Some(Placement::Separate)
        && !is_late(context, table, check)
}

/// Whether a valid check is added after all rows, and validated then. TimescaleDB does not take such
/// checks for hypertables.
pub(super) fn is_late(context: &Context<'_>, table: &Table, check: &Constraint) -> bool {
    check.kind == ConstraintKind::Check
        && check.is_valid
        && context.calls_code(check.id)
        && !context.is_hypertable(table)
}

impl Table {
    fn create(&self, context: &Context<'_>) -> Sql {
        let is_unlogged = self.persistence == Persistence::Unlogged && self.kind == RelKind::Table;
        let unlogged = if is_unlogged { "UNLOGGED " } else { "" };
        let word = if self.foreign.is_some() {
            "FOREIGN TABLE"
        } else {
            "TABLE"
        };
        let word = Sql::fixed(word);
        let mut create = sql!("CREATE {}{} {}", Sql::fixed(unlogged), word, self.name);
        let elements = self.elements(context);
        match &self.of_type {
            Some(of) => {
                create.push(&sql!(" OF {}", of.name));
                if !elements.is_empty() {
                    create.push(&sql!(" ({})", Sql::join(elements, ", ")));
                }
            }
            None => create.push(&sql!(" ({})", Sql::join(elements, ", "))),
        }
        let parents = self.parent_names(context);
        if !parents.is_empty() && !column::stands_alone(context, self) {
            create.push(&sql!(" INHERITS ({})", Sql::join(parents, ", ")));
        }
        if let Some(key) = &self.partition_key {
            create.push(&sql!(" PARTITION BY {}", key.definition));
        }
        if let Some(foreign) = &self.foreign {
            create.push(&sql!(" SERVER {}", foreign.server));
            create.push(&foreign_data::with_open_options(&foreign.options));
        }
        create.push(&clause::using(self.access_method.as_ref()));
        create.push(&clause::with_options(&self.options, &self.toast_options));
        create
    }

    fn column_settings(&self, context: &Context<'_>) -> Option<Sql> {
        let takes_compression = self.foreign.is_none();
        let name = sql!("{}{}", context.only(self), self.name);
        clause::column_settings(context, &name, &self.columns, takes_compression)
    }

    fn parent_names<'a>(&self, context: &Context<'a>) -> Vec<&'a QualifiedName> {
        let parents = self.parents.iter();
        let names = parents.filter_map(|oid| Some(&context.parent(*oid)?.name));
        names.collect()
    }

    /// The parents of a child that was created without them.
    fn late_parents(&self, context: &Context<'_>) -> Vec<Sql> {
        if !column::joins_later(context, self) {
            return Vec::new();
        }
        let parents = self.parent_names(context).into_iter();
        parents
            .map(|parent| sql!("ALTER TABLE {} INHERIT {}", self.name, parent))
            .collect()
    }

    fn elements(&self, context: &Context<'_>) -> Vec<Sql> {
        let is_written = |c: &&_| column::is_written(self, c);
        let columns = self.columns.iter().filter(is_written);
        let columns = columns.filter_map(|c| column::definition(context, self, c));
        let not_nulls = self
            .columns
            .iter()
            .filter_map(|c| column::element_not_null(context, self, c));
        let checks = context
            .checks(self.id.oid)
            .filter(|check| is_inline(context, self, check))
            .map(|check| sql!("CONSTRAINT {} {}", check.name, check.definition));
        columns.chain(not_nulls).chain(checks).collect()
    }

    /// What inherited columns refuse that their parents give.
    fn late_columns(&self, context: &Context<'_>) -> Vec<Sql> {
        self.columns
            .iter()
            .flat_map(|c| {
                let default = column::without_default(context, self, c);
                default
                    .into_iter()
                    .chain(column::late_not_null(context, self, c))
                    .chain(column::takes_null(context, self, c))
                    .chain(column::late_options(self, c))
            })
            .collect()
    }

    fn replica_identity(&self, context: &Context<'_>) -> Option<Sql> {
        let word = match self.replica_identity {
            // So the catalog has it for every foreign table, which cannot have another.
            ReplicaIdentity::Nothing if self.foreign.is_some() => return None,
            ReplicaIdentity::Nothing => "NOTHING",
            ReplicaIdentity::Full => "FULL",
            ReplicaIdentity::Default | ReplicaIdentity::Index => return None,
        };
        Some(sql!(
            "ALTER TABLE {}{} REPLICA IDENTITY {}",
            context.only(self),
            self.name,
            Sql::fixed(word)
        ))
    }

    fn force_row_security(&self, context: &Context<'_>) -> Option<Sql> {
        let only = context.only(self);
        self.force_row_security
            .then(|| sql!("ALTER TABLE {}{} FORCE ROW LEVEL SECURITY", only, self.name))
    }
}

impl Object for &Table {
    fn node_id(&self) -> NodeId {
        Part::Definition.of(self.id)
    }

    fn kind(&self) -> Kind {
        Kind::Table
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        let word = if self.foreign.is_some() {
            "foreign table"
        } else {
            "table"
        };
        Label::qualified(word, &self.name)
    }

    /// The server looks into functions that generate columns, which may name other tables.
    fn sort_rank(&self, context: &Context<'_>) -> u8 {
        u8::from(context.is_generated_by_code(self.id.oid))
    }

    fn created_rows(&self, context: &Context<'_>) -> Vec<ObjectId> {
        let mut rows = vec![self.id, ObjectId::new(Class::Type, self.row_type)];
        for column in &self.columns {
            let default = column::written_default(context, self, column);
            rows.extend(default.map(|default| default.id));
            if let Some(NotNull::Named { id, .. }) = column.not_null {
                rows.push(id);
            }
        }
        let checks = context.checks(self.id.oid);
        let inline = checks.filter(|check| is_inline(context, self, check));
        rows.extend(inline.map(|check| check.id));
        rows
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.id.oid)
    }

    fn separable_parts(&self, context: &Context<'_>) -> Vec<ObjectId> {
        let defaults = self
            .columns
            .iter()
            .filter(|c| c.generated.is_none() || column::can_generate_later(context, self))
            .filter_map(|column| column::written_default(context, self, column))
            .map(|default| default.id);
        let checks = context
            .checks(self.id.oid)
            .filter(|check| is_inline(context, self, check))
            .map(|check| check.id);
        defaults.chain(checks).collect()
    }

    fn is_secret(&self) -> bool {
        let own = self.foreign.iter().flat_map(|foreign| &foreign.options);
        let of_columns = self
            .columns
            .iter()
            .flat_map(|column| &column.foreign_options);
        any_secret(own.chain(of_columns))
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let owner = clause::owner(context, &sql!("TABLE {}", self.name), &self.owner);
        let create = self.create(context);
        let create = clause::in_tablespace(context, self.tablespace.as_ref(), create);
        [create]
            .into_iter()
            .chain(owner)
            .chain(self.late_parents(context))
            .chain(self.late_columns(context))
            .chain(self.replica_identity(context))
            .chain(self.force_row_security(context))
            .collect()
    }
}

/// Storage, compression and statistics of columns. A child copies its parents' storage when it is
/// created, and is refused where two parents differ. So no table gets its own before all are created.
struct ColumnSettings<'a>(&'a Table);

impl Object for ColumnSettings<'_> {
    fn node_id(&self) -> NodeId {
        Part::ColumnSettings.of(self.0.id)
    }

    fn kind(&self) -> Kind {
        Kind::ColumnSettings
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("columns of table", &self.0.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let children = context.children(self.0.id.oid);
        [self.0.id]
            .into_iter()
            .chain(children.iter().map(|child| child.id))
            .map(|id| Part::Definition.of(id))
            .collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.0.id.oid)
    }

    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        self.0.column_settings(context).into_iter().collect()
    }
}
