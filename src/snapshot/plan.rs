//! Which rows go where and how: pure, from the catalog alone.

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::catalog::load::transfer::TextReason;
use crate::catalog::model::{RowSource, Table};
use crate::pg::{Ident, Oid, QualifiedName, Sql};
use crate::sql;

/// How rows travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Values as the servers send them in binary: exact and quick.
    Binary,
    /// Values as text, with the reasons that binary would not do.
    Text(Vec<TextReason>),
}

impl Format {
    /// `binary` or `text`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Text(_) => "text",
        }
    }

    fn option(&self) -> Sql {
        Sql::fixed(self.name())
    }
}

/// One table's copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyJob {
    /// The table read.
    pub table: QualifiedName,
    /// Where its rows are written: the table itself, or a partitioned table above it.
    pub into: QualifiedName,
    /// Columns in the source's order, without generated ones.
    pub columns: Vec<Ident>,
    /// How its rows travel.
    pub format: Format,
    /// Rows of an extension's configuration table are only those its author marked.
    pub condition: Option<Sql>,
    /// Its rows lie in chunks of a hypertable: they are read and written through it.
    pub in_chunks: bool,
    /// Estimated bytes on the source's disk, out-of-line storage included.
    pub bytes: u64,
}

/// The copies of a database, largest first, so that no long one begins last.
///
/// `unstable` holds partitions whose place may differ on the target, each with the partitioned table
/// to write through.
pub fn plan_copies(
    catalog: &Catalog,
    text: &HashMap<Oid, Vec<TextReason>>,
    unstable: &HashMap<Oid, QualifiedName>,
) -> Vec<CopyJob> {
    let job = |RowSource { table, condition }: RowSource<'_>| CopyJob {
        table: table.name.clone(),
        into: unstable.get(&table.id.oid).unwrap_or(&table.name).clone(),
        columns: stored_columns(table),
        format: text
            .get(&table.id.oid)
            .map_or(Format::Binary, |why| Format::Text(why.clone())),
        condition: condition.cloned(),
        in_chunks: table.hypertable.is_some(),
        bytes: table.size.bytes(),
    };
    let mut jobs: Vec<_> = catalog.row_sources().map(job).collect();
    jobs.sort_by(|one, other| {
        other
            .bytes
            .cmp(&one.bytes)
            .then_with(|| one.table.cmp(&other.table))
    });
    jobs
}

fn stored_columns(table: &Table) -> Vec<Ident> {
    let stored = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none());
    stored.map(|column| column.name.clone()).collect()
}

impl CopyJob {
    /// The statement for the source.
    pub(super) fn copy_out(&self) -> Sql {
        let format = self.format.option();
        match &self.condition {
            // `COPY` of the table itself reads no chunks.
            None if self.in_chunks => sql!(
                "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT {})",
                Sql::join(&self.columns, ", "),
                self.table,
                format
            ),
            None => sql!(
                "COPY {}{} TO STDOUT (FORMAT {})",
                self.table,
                self.list(),
                format
            ),
            Some(condition) => {
                let columns = Sql::join(&self.columns, ", ");
                sql!(
                    "COPY (SELECT {} FROM ONLY {} {}) TO STDOUT (FORMAT {})",
                    columns,
                    self.table,
                    condition,
                    format
                )
            }
        }
    }

    /// The statement for the target. Frozen rows need no later visit to set their hint bits; the
    /// server allows it only where the same transaction has emptied the table.
    pub(super) fn copy_in(&self) -> Sql {
        let freeze = if self.empties() {
            Sql::fixed(", FREEZE")
        } else {
            Sql::default()
        };
        let format = self.format.option();
        sql!(
            "COPY {}{} FROM STDIN (FORMAT {}{})",
            self.into,
            self.list(),
            format,
            freeze
        )
    }

    /// What must precede the copy in its transaction.
    pub(super) fn begin(&self) -> Sql {
        if self.empties() {
            sql!("BEGIN; TRUNCATE ONLY {}", self.into)
        } else {
            Sql::fixed("BEGIN")
        }
    }

    /// Whether the table is emptied first: not when several partitions are written through one
    /// root, nor an extension's table, which its script may have filled, nor a hypertable, which
    /// refuses it.
    fn empties(&self) -> bool {
        self.into == self.table && self.condition.is_none() && !self.in_chunks
    }

    /// The column list; none when there is no column to name.
    fn list(&self) -> Sql {
        if self.columns.is_empty() {
            Sql::default()
        } else {
            sql!(" ({})", Sql::join(&self.columns, ", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> CopyJob {
        CopyJob {
            table: QualifiedName::from_catalog("s", "a\"b"),
            into: QualifiedName::from_catalog("s", "a\"b"),
            columns: vec![Ident::from_catalog("Id"), Ident::from_catalog("select")],
            format: Format::Binary,
            condition: None,
            in_chunks: false,
            bytes: 0,
        }
    }

    #[test]
    fn a_hypertable_is_read_and_written_with_its_chunks() {
        let job = CopyJob {
            in_chunks: true,
            ..job()
        };
        assert_eq!(job.begin().as_str(), "BEGIN");
        assert_eq!(
            job.copy_out().as_str(),
            r#"COPY (SELECT "Id", "select" FROM "s"."a""b") TO STDOUT (FORMAT binary)"#
        );
        assert_eq!(
            job.copy_in().as_str(),
            r#"COPY "s"."a""b" ("Id", "select") FROM STDIN (FORMAT binary)"#
        );
    }

    #[test]
    fn a_table_is_emptied_and_frozen_in_its_own_transaction() {
        let job = job();
        assert_eq!(job.begin().as_str(), r#"BEGIN; TRUNCATE ONLY "s"."a""b""#);
        assert_eq!(
            job.copy_in().as_str(),
            r#"COPY "s"."a""b" ("Id", "select") FROM STDIN (FORMAT binary, FREEZE)"#
        );
        assert_eq!(
            job.copy_out().as_str(),
            r#"COPY "s"."a""b" ("Id", "select") TO STDOUT (FORMAT binary)"#
        );
    }

    #[test]
    fn a_table_without_columns_is_copied_without_a_list() {
        let job = CopyJob {
            columns: Vec::new(),
            ..job()
        };
        assert_eq!(
            job.copy_out().as_str(),
            r#"COPY "s"."a""b" TO STDOUT (FORMAT binary)"#
        );
    }

    #[test]
    fn what_goes_through_a_root_neither_empties_nor_freezes_it() {
        let into = QualifiedName::from_catalog("s", "root");
        let job = CopyJob {
            into,
            format: Format::Text(Vec::new()),
            ..job()
        };
        assert_eq!(job.begin().as_str(), "BEGIN");
        assert_eq!(
            job.copy_in().as_str(),
            r#"COPY "s"."root" ("Id", "select") FROM STDIN (FORMAT text)"#
        );
    }

    #[test]
    fn an_extension_table_gives_only_the_rows_its_author_marked() {
        let condition = Some(Sql::fixed("WHERE NOT builtin"));
        let job = CopyJob { condition, ..job() };
        assert_eq!(
            job.copy_out().as_str(),
            r#"COPY (SELECT "Id", "select" FROM ONLY "s"."a""b" WHERE NOT builtin) TO STDOUT (FORMAT binary)"#
        );
        assert_eq!(job.begin().as_str(), "BEGIN");
    }
}
