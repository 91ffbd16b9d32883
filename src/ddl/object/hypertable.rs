//! Hypertables of TimescaleDB (its manual: `create_hypertable`, `add_dimension`,
//! `set_integer_now_func`, `attach_tablespace`): a table is created as any other and then cut into
//! chunks, before its rows come. Every version since 2.0 knows these calls.

use super::node::{NodeId, Nodes, Object, Part};
use crate::catalog::Class;
use crate::catalog::model::{Dimension, Extension, Hypertable, ObjectId, Slices, Table};
use crate::ddl::context::Context;
use crate::ddl::kind::Kind;
use crate::ddl::label::Label;
use crate::pg::{Literal, Oid, QualifiedName, Sql};
use crate::sql;

pub(super) fn collect_steps<'a>(context: &Context<'a>, nodes: &mut Nodes<'a>) {
    let Some(timescale) = &context.catalog.timescale else {
        return;
    };
    let mut extensions = context.catalog.extensions.iter();
    let Some(extension) = extensions.find(|extension| extension.id == timescale.extension) else {
        return;
    };
    for table in &context.catalog.tables {
        if let Some(hypertable) = &table.hypertable {
            nodes.push(Box::new(Cut {
                table,
                hypertable,
                extension,
            }));
        }
    }
}

struct Cut<'a> {
    table: &'a Table,
    hypertable: &'a Hypertable,
    extension: &'a Extension,
}

/// A relation as an argument.
pub(crate) fn argument(name: &QualifiedName) -> Sql {
    let name = sql!("{}", name);
    sql!("{}::pg_catalog.regclass", Literal(name.as_str()))
}

/// A function as an argument.
fn function(name: &QualifiedName) -> Sql {
    let name = sql!("{}", name);
    sql!("{}::pg_catalog.regproc", Literal(name.as_str()))
}

impl Cut<'_> {
    fn call(&self, function: &'static str, arguments: Vec<Sql>) -> Sql {
        sql!(
            "SELECT {}.{}({})",
            self.extension.schema,
            Sql::fixed(function),
            Sql::join(arguments, ", ")
        )
    }

    fn create(&self, dimension: &Dimension) -> Sql {
        let Hypertable {
            chunk_schema,
            chunk_prefix,
            ..
        } = self.hypertable;
        let mut arguments = vec![
            argument(&self.table.name),
            sql!("{}", Literal(dimension.column.as_str())),
            sql!("create_default_indexes => false"),
        ];
        arguments.extend(slices(dimension));
        let by = dimension.function.as_ref();
        arguments.extend(by.map(|by| sql!("time_partitioning_func => {}", function(by))));
        let schema = chunk_schema.as_ref();
        let schema = schema.map(|schema| Literal(schema.as_str()));
        arguments.extend(schema.map(|schema| sql!("associated_schema_name => {}", schema)));
        let prefix = chunk_prefix.as_ref().map(|prefix| Literal(prefix));
        arguments.extend(prefix.map(|prefix| sql!("associated_table_prefix => {}", prefix)));
        self.call("create_hypertable", arguments)
    }

    fn add(&self, dimension: &Dimension) -> Sql {
        let mut arguments = vec![
            argument(&self.table.name),
            sql!("{}", Literal(dimension.column.as_str())),
        ];
        arguments.extend(slices(dimension));
        let by = dimension.function.as_ref();
        arguments.extend(by.map(|by| sql!("partitioning_func => {}", function(by))));
        self.call("add_dimension", arguments)
    }
}

fn slices(dimension: &Dimension) -> Option<Sql> {
    Some(match dimension.slices {
        Slices::Length(length) => sql!("chunk_time_interval => {}::pg_catalog.int8", length),
        Slices::Number(number) => sql!("number_partitions => {}", i64::from(number)),
    })
}

impl Object for Cut<'_> {
    fn node_id(&self) -> NodeId {
        Part::Hypertable.of(self.table.id)
    }

    fn kind(&self) -> Kind {
        Kind::Hypertable
    }

    fn build_label(&self, _context: &Context<'_>) -> Label {
        Label::qualified("hypertable", &self.table.name)
    }

    fn created_rows(&self, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    fn extra_needs(&self, context: &Context<'_>) -> Vec<NodeId> {
        let schemas = context.catalog.schemas.iter();
        let schemas = schemas.filter(|s| Some(&s.name) == self.hypertable.chunk_schema.as_ref());
        let routines = self.hypertable.dimensions.iter().flat_map(|d| &d.routines);
        let routines = routines.map(|oid| ObjectId::new(Class::Routine, *oid));
        [self.table.id, self.extension.id]
            .into_iter()
            .chain(schemas.map(|schema| schema.id))
            .chain(routines)
            .map(|id| Part::Definition.of(id))
            .collect()
    }

    fn locked_relation(&self, _context: &Context<'_>) -> Option<Oid> {
        Some(self.table.id.oid)
    }

    /// The first call converts the table to a hypertable, by its first dimension, which is a range.
    fn render_statements(&self, context: &Context<'_>) -> Vec<Sql> {
        let mut dimensions = self.hypertable.dimensions.iter();
        let first = dimensions.next().map(|first| self.create(first));
        let others = dimensions.map(|other| self.add(other));
        let now = self.hypertable.dimensions.iter().filter_map(|dimension| {
            let now = function(dimension.now.as_ref()?);
            let arguments = vec![argument(&self.table.name), now];
            Some(self.call("set_integer_now_func", arguments))
        });
        let tablespaces = self.hypertable.tablespaces.iter();
        let tablespaces = tablespaces.filter_map(|name| context.options.tablespace(Some(name)));
        let tablespaces = tablespaces.map(|name| {
            let arguments = vec![
                sql!("{}", Literal(name.as_str())),
                argument(&self.table.name),
            ];
            self.call("attach_tablespace", arguments)
        });
        first
            .into_iter()
            .chain(others)
            .chain(now)
            .chain(tablespaces)
            .collect()
    }
}
