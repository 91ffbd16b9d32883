//! Which rows go where and how: pure, from the catalog alone.

use std::collections::HashMap;
use std::fmt;

use super::configuration::Configuration;
use super::split::Range;
use crate::catalog::Catalog;
use crate::catalog::load::transfer::TextReason;
use crate::catalog::model::{RowSource, Table};
use crate::ddl::generated_by_code;
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
    /// The table's oid on the source.
    pub oid: Oid,
    /// The table read.
    pub table: QualifiedName,
    /// Where its rows are written: the table itself, or a partitioned table above it.
    pub into: QualifiedName,
    /// Columns in the source's order, without generated ones.
    pub columns: Vec<Ident>,
    /// How its rows travel.
    pub format: Format,
    /// Rows of an extension's configuration table are only those its author marked: a clause.
    pub condition: Option<Sql>,
    /// What surrounds its rows on the target, if it is an extension's configuration table.
    pub configuration: Option<Configuration>,
    /// Only rows for which this holds are wanted: an expression.
    pub predicate: Option<Sql>,
    /// Its rows are copied after those of all others: functions of users, which may read other
    /// tables, generate its columns.
    pub comes_last: bool,
    /// Its rows lie in chunks of a hypertable: they are read and written through it.
    pub in_chunks: bool,
    /// Estimated bytes on the source's disk, out-of-line storage included.
    pub bytes: u64,
    /// Those of the heap alone.
    pub heap_bytes: u64,
    /// The ranges that it is copied in; none if it is copied whole.
    pub ranges: Vec<Range>,
}

/// The copies of a database, each table whole, largest first, so that no long one begins last.
///
/// `unstable` holds partitions whose place may differ on the target, each with the partitioned table
/// to write through; `predicates` the tables of which only some rows are wanted.
pub fn plan_copies(
    catalog: &Catalog,
    text: &HashMap<Oid, Vec<TextReason>>,
    unstable: &HashMap<Oid, QualifiedName>,
    predicates: &HashMap<Oid, Sql>,
) -> Vec<CopyJob> {
    let last = generated_by_code(catalog);
    let job = |RowSource { table, condition }: RowSource<'_>| CopyJob {
        oid: table.id.oid,
        table: table.name.clone(),
        into: unstable.get(&table.id.oid).unwrap_or(&table.name).clone(),
        columns: stored_columns(table),
        format: text
            .get(&table.id.oid)
            .map_or(Format::Binary, |why| Format::Text(why.clone())),
        condition: condition.cloned(),
        configuration: None,
        predicate: predicates.get(&table.id.oid).cloned(),
        comes_last: last.contains(&table.id.oid),
        in_chunks: table.hypertable.is_some(),
        bytes: table.size.bytes(),
        heap_bytes: table.size.heap_bytes,
        ranges: Vec::new(),
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

impl fmt::Display for CopyJob {
    /// One line for people: what is read, where it goes, how.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table)?;
        if self.into != self.table {
            write!(f, " through {}", self.into)?;
        }
        write!(f, ", {} kB, ", self.bytes.div_ceil(1024))?;
        match self.ranges.len() {
            0 => f.write_str("whole")?,
            parts => write!(f, "in {parts} parts")?,
        }
        match &self.format {
            Format::Binary => f.write_str(", binary"),
            Format::Text(reasons) => {
                f.write_str(", text")?;
                reasons.iter().try_for_each(|reason| {
                    let (column, of_type, why) = (&reason.column, &reason.type_name, reason.why);
                    write!(f, "; {column} is of {of_type}: {why}")
                })
            }
        }
    }
}

impl CopyJob {
    /// Whether the table may be read in ranges.
    pub(in crate::snapshot) const fn is_divisible(&self) -> bool {
        self.condition.is_none() && self.configuration.is_none() && !self.in_chunks
    }

    /// The parts that it is copied in; the whole table is one, without a range.
    pub(in crate::snapshot) fn parts(&self) -> impl Iterator<Item = Option<&Range>> {
        let whole = self.ranges.is_empty().then_some(None);
        whole.into_iter().chain(self.ranges.iter().map(Some))
    }

    /// The statement for the source, for the whole table or one of its ranges.
    pub(in crate::snapshot) fn copy_out(&self, range: Option<&Range>) -> Sql {
        let format = self.format.option();
        let clause = match &self.condition {
            Some(clause) => Some(sql!(" {}", clause)),
            None => self.filter(range).map(|filter| sql!(" WHERE {}", filter)),
        };
        if clause.is_none() && !self.in_chunks {
            return sql!(
                "COPY {}{} TO STDOUT (FORMAT {})",
                self.table,
                self.list(),
                format
            );
        }
        // `COPY` of a hypertable itself reads no chunks.
        let only = Sql::fixed(if self.in_chunks { "" } else { "ONLY " });
        sql!(
            "COPY (SELECT {} FROM {}{}{}) TO STDOUT (FORMAT {})",
            Sql::join(&self.columns, ", "),
            only,
            self.table,
            clause.unwrap_or_default(),
            format
        )
    }

    /// What a row must meet, if not all are wanted.
    fn filter(&self, range: Option<&Range>) -> Option<Sql> {
        let range = range.map(Range::condition);
        let predicate = self.predicate.as_ref().map(|wanted| sql!("({})", wanted));
        let both: Vec<Sql> = range.into_iter().chain(predicate).collect();
        (!both.is_empty()).then(|| Sql::join(&both, " AND "))
    }

    /// The statements for the target. Frozen rows need no later visit to set their hint bits; the
    /// server allows it only where the same transaction has emptied the table.
    pub(in crate::snapshot) fn copy_in(&self) -> Sql {
        let format = self.format.option();
        if self.empties() {
            return sql!(
                "TRUNCATE ONLY {}; COPY {}{} FROM STDIN (FORMAT {}, FREEZE)",
                self.into,
                self.into,
                self.list(),
                format
            );
        }
        let copy = sql!(
            "COPY {}{} FROM STDIN (FORMAT {})",
            self.into,
            self.list(),
            format
        );
        let Some(Configuration { before, after }) = &self.configuration else {
            return copy;
        };
        let statements = before.iter().chain([&copy]).chain(after);
        Sql::join(statements, "; ")
    }

    /// Whether the table is emptied first: not when several lanes write into it at once, nor when
    /// several partitions are written through one root, nor an extension's table, which has rows of
    /// its own and may be referenced, nor a hypertable, which refuses it.
    pub(in crate::snapshot) fn empties(&self) -> bool {
        let is_shared = self.into != self.table || self.ranges.len() > 1;
        !is_shared && self.condition.is_none() && self.configuration.is_none() && !self.in_chunks
    }

    /// Whether the copy can be repeated whatever became of it: it first removes what it has written.
    pub(in crate::snapshot) fn is_repeatable(&self) -> bool {
        self.empties() || self.configuration.is_some()
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
    use super::super::split::page_ranges;
    use super::*;

    fn job() -> CopyJob {
        CopyJob {
            oid: Oid(1),
            table: QualifiedName::from_catalog("s", "a\"b"),
            into: QualifiedName::from_catalog("s", "a\"b"),
            columns: vec![Ident::from_catalog("Id"), Ident::from_catalog("select")],
            format: Format::Binary,
            condition: None,
            configuration: None,
            predicate: None,
            comes_last: false,
            in_chunks: false,
            bytes: 0,
            heap_bytes: 0,
            ranges: Vec::new(),
        }
    }

    #[test]
    fn a_hypertable_is_read_and_written_with_its_chunks() {
        let job = CopyJob {
            in_chunks: true,
            ..job()
        };
        assert!(!job.empties());
        assert_eq!(
            job.copy_out(None).as_str(),
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
        assert_eq!(
            job.copy_in().as_str(),
            r#"TRUNCATE ONLY "s"."a""b"; COPY "s"."a""b" ("Id", "select") FROM STDIN (FORMAT binary, FREEZE)"#
        );
        assert_eq!(
            job.copy_out(None).as_str(),
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
            job.copy_out(None).as_str(),
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
        assert!(!job.empties());
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
            job.copy_out(None).as_str(),
            r#"COPY (SELECT "Id", "select" FROM ONLY "s"."a""b" WHERE NOT builtin) TO STDOUT (FORMAT binary)"#
        );
        assert!(!job.empties());
    }

    #[test]
    fn of_a_range_only_the_wanted_rows_are_read_and_nobody_empties_the_table() {
        let job = CopyJob {
            predicate: Some(Sql::fixed("a = 1 OR b")),
            ranges: page_ranges(100 * 8192, 2),
            ..job()
        };
        let parts: Vec<_> = job.parts().map(|range| job.copy_out(range)).collect();
        assert_eq!(
            parts[0].as_str(),
            r#"COPY (SELECT "Id", "select" FROM ONLY "s"."a""b" WHERE ctid OPERATOR(pg_catalog.<) '(50,0)'::pg_catalog.tid AND (a = 1 OR b)) TO STDOUT (FORMAT binary)"#
        );
        assert_eq!(parts.len(), 2);
        assert!(!job.empties());
    }
}
