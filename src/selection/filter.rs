//! A row filter as the source has understood it.

use crate::pg::{Ident, Literal, QualifiedName, Sql};
use crate::predicate::Predicate;
use crate::sql;

/// Which rows of a table are copied, replicated and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFilter {
    /// The condition as the user has written it.
    pub written: String,
    /// What a row must meet, with constants in the place of the current time.
    pub predicate: Predicate,
    /// The table of the rule: a partitioned table at the top, for its partitions too.
    pub table: QualifiedName,
    /// The columns that the predicate reads.
    pub columns: Vec<Ident>,
    /// Why no publication can have the predicate, as far as that is known.
    pub not_publishable: Option<NotPublishable>,
    /// How the predicate's dates and times are read.
    pub dates: DateSettings,
}

/// Why a publication cannot have a predicate (manual, 29.4 "Row Filters").
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPublishable {
    /// It contains a query.
    #[error("it contains a query")]
    Query,
    /// It reads the row as a whole.
    #[error("it reads the row as a whole")]
    WholeRow,
    /// It reads a system column.
    #[error("it reads system column {0}")]
    SystemColumn(String),
    /// It calls a function of a user.
    #[error("it calls function {0}, which is not the server's own")]
    UserFunction(String),
    /// It calls a function that is not immutable.
    #[error("it calls function {0}, which is not immutable")]
    NotImmutable(String),
}

/// The settings of the source's database by which constants of dates and times are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateSettings {
    /// `TimeZone`.
    pub time_zone: String,
    /// The order of day, month and year in `DateStyle`: `DMY`, `MDY` or `YMD`.
    pub order: String,
}

impl DateSettings {
    /// Renders the settings under which predicates on a table have their meaning, until the transaction or the
    /// savepoint ends. Values are still written in one form.
    pub fn render_for(&self, table: &QualifiedName) -> Sql {
        let style = format!("ISO, {}", self.order);
        sql!(
            "SET LOCAL search_path = {}, public; SET LOCAL TimeZone = {}; SET LOCAL DateStyle = {}",
            table.schema,
            Literal(&self.time_zone),
            Literal(&style)
        )
    }

    /// Renders the end of these settings.
    pub fn render_end() -> Sql {
        Sql::fixed(
            "SET LOCAL search_path = ''; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'",
        )
    }
}

impl RowFilter {
    /// Renders the settings under which the predicate has its meaning.
    pub fn render_settings(&self) -> Sql {
        self.dates.render_for(&self.table)
    }

    /// The name by which the predicate calls the table.
    pub fn alias(&self) -> &Ident {
        &self.table.name
    }
}
