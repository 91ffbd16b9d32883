//! Relations that others belong to.

use crate::catalog::model::{MaterializedView, ObjectId, Table, View};
use crate::pg::{Ident, QualifiedName, RelKind};

/// A relation that others belong to.
#[derive(Clone, Copy)]
pub(crate) enum Relation<'a> {
    /// A table.
    Table(&'a Table),
    /// A view.
    View(&'a View),
    /// A materialized view.
    MaterializedView(&'a MaterializedView),
}

impl<'a> Relation<'a> {
    /// Its name.
    pub(super) fn name(self) -> &'a QualifiedName {
        match self {
            Self::Table(table) => &table.name,
            Self::View(view) => &view.name,
            Self::MaterializedView(view) => &view.name,
        }
    }

    /// Its row.
    pub(super) fn id(self) -> ObjectId {
        match self {
            Self::Table(table) => table.id,
            Self::View(view) => view.id,
            Self::MaterializedView(view) => view.id,
        }
    }

    /// Its kind in words.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::View(_) => "view",
            Self::MaterializedView(_) => "materialized view",
        }
    }

    /// Its tablespace, unless it is the database's.
    pub(super) const fn tablespace(self) -> Option<&'a Ident> {
        match self {
            Self::Table(table) => table.tablespace.as_ref(),
            Self::View(_) => None,
            Self::MaterializedView(view) => view.tablespace.as_ref(),
        }
    }

    /// Whether it is a partitioned table.
    pub(super) fn is_partitioned(self) -> bool {
        matches!(self, Self::Table(table) if table.kind == RelKind::PartitionedTable)
    }
}
