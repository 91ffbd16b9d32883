//! The copy of one table, and its statements.

use std::fmt;

use super::split::Range;
use crate::catalog::load::transfer::TextReason;
use crate::pg::{Ident, Oid, Printable, QualifiedName, Sql};
use crate::selection::{DateSettings, RowFilter};
use crate::sql;

/// The format in which rows are sent.
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

    fn render_option(&self) -> Sql {
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
    /// The format of its rows.
    pub format: Format,
    /// Rows of an extension's configuration table are only those its author marked: a clause.
    pub condition: Option<Sql>,
    /// The statements around its rows, if it is an extension's configuration table.
    pub configuration: Option<Configuration>,
    /// Only rows that meet this are wanted.
    pub filter: Option<RowFilter>,
    /// Its rows are copied after those of all others: functions of users, which may read other
    /// tables, generate its columns.
    pub comes_last: bool,
    /// Its rows are in chunks of a hypertable: they are read and written through it.
    pub in_chunks: bool,
    /// Estimated bytes on the source's disk, out-of-line storage included.
    pub bytes: u64,
    /// Those of the heap alone.
    pub heap_bytes: u64,
    /// What it takes to look at rows that are not wanted, in bytes that could be copied meanwhile.
    pub searched: u64,
    /// The ranges that it is copied in; none if it is copied whole.
    pub ranges: Vec<Range>,
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
            Format::Binary => f.write_str(", binary")?,
            Format::Text(reasons) => {
                f.write_str(", text")?;
                for reason in reasons {
                    let (column, of_type, why) = (&reason.column, &reason.type_name, reason.why);
                    write!(f, "; {column} is of {of_type}: {why}")?;
                }
            }
        }
        match &self.filter {
            Some(filter) => write!(f, ", rows where {}", Printable(filter.predicate.text())),
            None => Ok(()),
        }
    }
}

impl CopyJob {
    /// What it takes to copy it, in bytes.
    pub(crate) fn work(&self) -> u64 {
        self.bytes + self.searched
    }

    /// Whether the table may be read in ranges.
    pub(crate) fn is_divisible(&self) -> bool {
        self.condition.is_none() && self.configuration.is_none() && !self.in_chunks
    }

    /// The parts that it is copied in; the whole table is one, without a range.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Option<&Range>> {
        let whole = self.ranges.is_empty().then_some(None);
        whole.into_iter().chain(self.ranges.iter().map(Some))
    }

    /// The statements for the source, for the whole table or one of its ranges. A filter's predicate is parsed under
    /// settings of its own.
    pub(crate) fn render_copy_out(&self, range: Option<&Range>) -> Sql {
        let copy = self.render_copy(range);
        match &self.filter {
            Some(filter) => {
                let (settings, end) = (filter.render_settings(), DateSettings::render_end());
                sql!("{}; {}; {}", settings, copy, end)
            }
            None => copy,
        }
    }

    fn render_copy(&self, range: Option<&Range>) -> Sql {
        let format = self.format.render_option();
        let clause = match &self.condition {
            Some(clause) => Some(sql!(" {}", clause)),
            None => self
                .render_conditions(range)
                .map(|filter| sql!(" WHERE {}", filter)),
        };
        if clause.is_none() && !self.in_chunks {
            return sql!(
                "COPY {}{} TO STDOUT (FORMAT {})",
                self.table,
                self.render_columns(),
                format
            );
        }
        // `COPY` of a hypertable itself reads no chunks.
        let only = Sql::fixed(if self.in_chunks { "" } else { "ONLY " });
        let alias = self
            .filter
            .as_ref()
            .map(|filter| sql!(" AS {}", filter.alias()));
        sql!(
            "COPY (SELECT {} FROM {}{}{}{}) TO STDOUT (FORMAT {})",
            Sql::join(&self.columns, ", "),
            only,
            self.table,
            alias,
            clause.unwrap_or_default(),
            format
        )
    }

    /// What a row must meet, if not all are wanted.
    fn render_conditions(&self, range: Option<&Range>) -> Option<Sql> {
        let range = range.map(Range::condition);
        let predicate = self
            .filter
            .as_ref()
            .map(|filter| sql!("{}", filter.predicate));
        let both: Vec<Sql> = range.into_iter().chain(predicate).collect();
        (!both.is_empty()).then(|| Sql::join(&both, " AND "))
    }

    /// The statements for the target. Frozen rows need no later visit to set their hint bits; the
    /// server allows it only where the same transaction has emptied the table.
    pub(crate) fn render_copy_in(&self) -> Sql {
        let format = self.format.render_option();
        if self.is_emptied() {
            return sql!(
                "TRUNCATE ONLY {}; COPY {}{} FROM STDIN (FORMAT {}, FREEZE)",
                self.into,
                self.into,
                self.render_columns(),
                format
            );
        }
        let copy = sql!(
            "COPY {}{} FROM STDIN (FORMAT {})",
            self.into,
            self.render_columns(),
            format
        );
        let Some(Configuration { before, after }) = &self.configuration else {
            return copy;
        };
        let statements = before.iter().chain([&copy]).chain(after);
        Sql::join(statements, "; ")
    }

    /// Whether the table is emptied first: not when several workers write into it at once, nor when
    /// several partitions are written through one root, nor an extension's table, which has rows of
    /// its own and may be referenced, nor a hypertable, which refuses it.
    pub(crate) fn is_emptied(&self) -> bool {
        let is_shared = self.into != self.table || self.ranges.len() > 1;
        !is_shared && self.condition.is_none() && self.configuration.is_none() && !self.in_chunks
    }

    /// Whether the copy can be repeated without knowing its result: it first removes what it has written.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.is_emptied() || self.configuration.is_some()
    }

    /// The column list; none when there is no column to name.
    fn render_columns(&self) -> Sql {
        if self.columns.is_empty() {
            Sql::default()
        } else {
            sql!(" ({})", Sql::join(&self.columns, ", "))
        }
    }
}

/// What surrounds the rows of a configuration table on the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Statements before its rows; the first table carries those of all.
    pub(crate) before: Option<Sql>,
    /// Statements after its rows; the last table carries those of all.
    pub(crate) after: Option<Sql>,
}
