//! What a rule asks of a table.

use std::fmt;

use super::filter::RowFilter;
use crate::pg::{Ident, Sql};
use crate::predicate::{Fault, Predicate, Window};
use crate::sql;

/// A rule as the user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The table's definition is created; no rows are copied, and no changes replicated.
    SchemaOnly,
    /// Its rows are copied at the snapshot; later changes are not replicated.
    SnapshotOnly,
    /// Of its later changes only `INSERT` and `TRUNCATE` are replicated.
    InsertOnly,
    /// Only rows that meet a predicate are copied and replicated.
    Filter(Predicate),
    /// Only rows since an instant are copied and replicated.
    TimeFilter(TimeFilter),
}

/// The rows since an instant, which is so long before the instant of the copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFilter {
    /// The column that has the time of a row.
    pub column: Ident,
    /// How long before.
    pub window: Window,
}

impl TimeFilter {
    /// The predicate that it means.
    ///
    /// # Errors
    /// Never for the names of columns: a quoted name is one token.
    pub fn predicate(&self) -> Result<Predicate, Fault> {
        let interval = self.window.to_string();
        let column = sql!("{}", self.column);
        let text = format!("{} >= now() - interval '{interval}'", column.as_str());
        Predicate::parse(&text)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SchemaOnly => "schema only",
            Self::SnapshotOnly => "snapshot only",
            Self::InsertOnly => "insert only",
            Self::Filter(_) => "table filter",
            Self::TimeFilter(_) => "time filter",
        })
    }
}

impl Rule {
    /// Whether a table cannot have both rules, unless they are equal.
    pub fn contradicts(&self, other: &Self) -> bool {
        let is_filter = |rule: &Self| matches!(rule, Self::Filter(_) | Self::TimeFilter(_));
        let is_of_changes = |rule: &Self| matches!(rule, Self::SnapshotOnly | Self::InsertOnly);
        let combine = |one: &Self, other: &Self| is_filter(one) && is_of_changes(other);
        self != other && !combine(self, other) && !combine(other, self)
    }
}

/// Which rows the user wants of a table, before the source has seen the predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowCondition {
    /// Those that meet a predicate.
    Predicate(Predicate),
    /// Those since an instant.
    Since(TimeFilter),
}

/// The rules of one table, by what they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRule<F = RowFilter> {
    /// Which rows are copied, if a rule says so.
    pub rows: Option<RowsRule<F>>,
    /// Which changes are replicated, if a rule says so.
    pub changes: Option<ChangesRule>,
}

/// Which rows of a table are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowsRule<F = RowFilter> {
    /// All.
    All,
    /// None.
    None,
    /// Those that meet a condition.
    Matching(F),
}

/// Which changes of a table are replicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangesRule {
    /// None.
    None,
    /// `INSERT` and `TRUNCATE`: those need no replica identity.
    Inserts,
}

impl<F> Default for TableRule<F> {
    fn default() -> Self {
        Self {
            rows: None,
            changes: None,
        }
    }
}

impl TableRule<RowCondition> {
    /// Adds what a rule asks for.
    pub(super) fn add(&mut self, rule: &Rule) {
        match rule {
            Rule::SchemaOnly => self.rows = Some(RowsRule::None),
            Rule::SnapshotOnly => self.changes = Some(ChangesRule::None),
            Rule::InsertOnly => self.changes = Some(ChangesRule::Inserts),
            Rule::Filter(predicate) if predicate.is_true() => self.rows = Some(RowsRule::All),
            Rule::Filter(predicate) => {
                let condition = RowCondition::Predicate(predicate.clone());
                self.rows = Some(RowsRule::Matching(condition));
            }
            Rule::TimeFilter(filter) => {
                let condition = RowCondition::Since(filter.clone());
                self.rows = Some(RowsRule::Matching(condition));
            }
        }
    }
}

impl TableRule {
    /// Whether its changes are replicated at all.
    pub fn is_followed(&self) -> bool {
        self.changes != Some(ChangesRule::None) && !matches!(self.rows, Some(RowsRule::None))
    }

    /// Whether of its changes only `INSERT` and `TRUNCATE` are replicated.
    pub fn is_insert_only(&self) -> bool {
        self.is_followed() && self.changes == Some(ChangesRule::Inserts)
    }

    /// Its row filter, if it has one.
    pub fn filter(&self) -> Option<&RowFilter> {
        match &self.rows {
            Some(RowsRule::Matching(filter)) => Some(filter),
            Some(RowsRule::All | RowsRule::None) | None => None,
        }
    }
}

/// The text of a condition, for people.
impl fmt::Display for RowCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predicate(predicate) => write!(f, "{predicate}"),
            Self::Since(TimeFilter { column, window }) => {
                let column: Sql = sql!("{}", column);
                write!(f, "{} within {window}", column.as_str())
            }
        }
    }
}
