//! What a verification found: plain values, and what they mean together.

use std::sync::Arc;
use std::time::Duration;

use super::digest::Contents;
use super::error::Error;
use super::plan::Mismatch;
use crate::pg::{QualifiedName, Sides};

/// What is never compared: an equal report says nothing about it.
pub const NOT_COVERED: [&str; 5] = [
    "sequences",
    "large objects",
    "materialized views",
    "foreign tables",
    "definitions",
];

/// Everything that was compared.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The databases, in the order asked for.
    pub databases: Vec<DatabaseReport>,
    /// Whether what only the target has, and other types of columns, count as differences.
    pub strict: bool,
}

/// One database.
#[derive(Clone, Debug)]
pub struct DatabaseReport {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// What was found.
    pub outcome: Outcome,
    /// How long it took.
    pub elapsed: Duration,
}

/// What was found in a database.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Its tables were looked at.
    Compared {
        /// The source's tables, by name.
        tables: Vec<TableReport>,
        /// Tables that only the target has, by name.
        target_only: Vec<QualifiedName>,
        /// Tables that were not compared, since their changes are not replicated, by name.
        not_followed: Vec<QualifiedName>,
        /// Tables of which only `INSERT` and `TRUNCATE` are replicated, by name.
        insert_only: Vec<QualifiedName>,
    },
    /// The target has no such database.
    MissingOnTarget,
    /// Its tables could not be looked at.
    NotCompared(Arc<Error>),
}

/// One table of the source.
#[derive(Clone, Debug)]
pub struct TableReport {
    /// Its name.
    pub name: QualifiedName,
    /// What was found.
    pub verdict: Verdict,
    /// Where the definitions of its columns, and what its rows are rows of, differ.
    pub mismatches: Vec<Mismatch>,
    /// How long both sides took together.
    pub elapsed: Duration,
}

/// What was found in a table's rows, as far as both sides have its columns.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Both sides hold the same rows.
    Equal(Contents),
    /// They do not.
    Different {
        /// The source's rows.
        source: Contents,
        /// The target's rows.
        target: Contents,
    },
    /// They do not, but all partitions of the table at the top together do. The partition of a row may depend
    /// on hash functions and oids, which are not the same on all servers.
    Moved {
        /// The partitioned table at the top.
        root: QualifiedName,
        /// The source's rows.
        source: Contents,
        /// The target's rows.
        target: Contents,
    },
    /// The target has no such table.
    MissingOnTarget,
    /// The rows of a side could not be read.
    NotCompared(Arc<Error>),
}

/// What a line of the report counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A match.
    Equal,
    /// A mismatch.
    Different,
    /// Not known.
    NotCompared,
}

/// The sums below a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tables of the source, and with `strict` those that only the target has.
    pub tables: u64,
    /// Rows read on the source.
    pub rows: u64,
    /// Tables that are equal.
    pub equal: u64,
    /// Tables that differ.
    pub different: u64,
    /// Tables that could not be compared.
    pub not_compared: u64,
}

impl Verdict {
    /// The verdict on two contents.
    pub(super) fn of(source: Contents, target: Contents) -> Self {
        if source == target {
            Self::Equal(source)
        } else {
            Self::Different { source, target }
        }
    }

    /// What both sides hold, where that is known.
    pub(super) fn contents(&self) -> Option<Sides<Contents>> {
        match self {
            Self::Equal(contents) => Some(Sides::from_fn(|_| *contents)),
            Self::Different { source, target } | Self::Moved { source, target, .. } => {
                let (source, target) = (*source, *target);
                Some(Sides { source, target })
            }
            Self::MissingOnTarget | Self::NotCompared(_) => None,
        }
    }

    /// Rows read on the source.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Equal(contents)
            | Self::Different {
                source: contents, ..
            }
            | Self::Moved {
                source: contents, ..
            } => contents.rows,
            Self::MissingOnTarget | Self::NotCompared(_) => 0,
        }
    }
}

impl Mismatch {
    /// Whether the table differs for this reason alone, regardless of the other columns.
    fn counts_as_difference(&self, strict: bool) -> bool {
        match self {
            Self::MissingOnTarget(_) | Self::ParentOnSource(_) | Self::ParentOnTarget(_) => true,
            Self::OnlyOnTarget(_) | Self::Type { .. } => strict,
        }
    }
}

impl TableReport {
    /// What the table counts as. A difference that is known weighs more than contents that are
    /// not.
    pub fn class(&self, strict: bool) -> Class {
        match &self.verdict {
            _ if self
                .mismatches
                .iter()
                .any(|one| one.counts_as_difference(strict)) =>
            {
                Class::Different
            }
            Verdict::Equal(_) | Verdict::Moved { .. } => Class::Equal,
            Verdict::Different { .. } | Verdict::MissingOnTarget => Class::Different,
            Verdict::NotCompared(_) => Class::NotCompared,
        }
    }
}

impl DatabaseReport {
    /// Its tables, if they were looked at.
    pub fn tables(&self) -> &[TableReport] {
        match &self.outcome {
            Outcome::Compared { tables, .. } => tables,
            Outcome::MissingOnTarget | Outcome::NotCompared(_) => &[],
        }
    }

    /// Tables that only the target has.
    pub fn target_only(&self) -> &[QualifiedName] {
        match &self.outcome {
            Outcome::Compared { target_only, .. } => target_only,
            Outcome::MissingOnTarget | Outcome::NotCompared(_) => &[],
        }
    }

    /// Tables that were not compared, since their changes are not replicated.
    pub fn not_followed(&self) -> &[QualifiedName] {
        match &self.outcome {
            Outcome::Compared { not_followed, .. } => not_followed,
            Outcome::MissingOnTarget | Outcome::NotCompared(_) => &[],
        }
    }

    /// Tables of which only `INSERT` and `TRUNCATE` are replicated.
    pub fn insert_only(&self) -> &[QualifiedName] {
        match &self.outcome {
            Outcome::Compared { insert_only, .. } => insert_only,
            Outcome::MissingOnTarget | Outcome::NotCompared(_) => &[],
        }
    }

    /// What the database counts as: its worst table, or itself. One without tables is equal.
    pub fn class(&self, strict: bool) -> Class {
        match &self.outcome {
            Outcome::MissingOnTarget => Class::Different,
            Outcome::NotCompared(_) => Class::NotCompared,
            Outcome::Compared { .. } => self.totals(strict).class(),
        }
    }

    /// The sums over its tables.
    pub fn totals(&self, strict: bool) -> Totals {
        let mut totals = Totals::default();
        for table in self.tables() {
            totals.count(table.class(strict));
            totals.rows += table.verdict.rows();
        }
        if strict {
            self.target_only()
                .iter()
                .for_each(|_| totals.count(Class::Different));
        }
        totals
    }
}

impl Totals {
    fn count(&mut self, class: Class) {
        self.tables += 1;
        match class {
            Class::Equal => self.equal += 1,
            Class::Different => self.different += 1,
            Class::NotCompared => self.not_compared += 1,
        }
    }

    fn class(self) -> Class {
        if self.different > 0 {
            Class::Different
        } else if self.not_compared > 0 {
            Class::NotCompared
        } else {
            Class::Equal
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            tables: self.tables + other.tables,
            rows: self.rows + other.rows,
            equal: self.equal + other.equal,
            different: self.different + other.different,
            not_compared: self.not_compared + other.not_compared,
        }
    }
}

impl Report {
    /// The sums over all databases.
    pub fn totals(&self) -> Totals {
        let all = self
            .databases
            .iter()
            .map(|database| database.totals(self.strict));
        all.fold(Totals::default(), Totals::plus)
    }

    /// What the run counts as: a difference that is known weighs more than what is not.
    pub fn class(&self) -> Class {
        let classes: Vec<_> = self
            .databases
            .iter()
            .map(|database| database.class(self.strict))
            .collect();
        [Class::Different, Class::NotCompared]
            .into_iter()
            .find(|class| classes.contains(class))
            .unwrap_or(Class::Equal)
    }
}

/// The exit code of a report: 0 all equal, 1 something differs, 5 nothing differs but something
/// could not be compared.
pub fn exit_code(report: &Report) -> u8 {
    match report.class() {
        Class::Equal => 0,
        Class::Different => 1,
        Class::NotCompared => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Ident;

    fn table(verdict: Verdict, mismatches: Vec<Mismatch>) -> TableReport {
        TableReport {
            name: QualifiedName::from_catalog("public", "t"),
            verdict,
            mismatches,
            elapsed: Duration::ZERO,
        }
    }

    fn report(strict: bool, tables: Vec<TableReport>, target_only: usize) -> Report {
        let only = QualifiedName::from_catalog("public", "only");
        let outcome = Outcome::Compared {
            tables,
            target_only: vec![only; target_only],
            not_followed: Vec::new(),
            insert_only: Vec::new(),
        };
        Report {
            databases: vec![database(outcome)],
            strict,
        }
    }

    fn database(outcome: Outcome) -> DatabaseReport {
        DatabaseReport {
            source: "app".to_owned(),
            target: "app".to_owned(),
            outcome,
            elapsed: Duration::ZERO,
        }
    }

    fn contents(rows: u64) -> Contents {
        Contents {
            rows,
            ..Contents::default()
        }
    }

    fn unknown() -> Verdict {
        Verdict::NotCompared(Arc::new(Error::Stopped))
    }

    #[test]
    fn nothing_to_compare_is_equal() {
        assert_eq!(exit_code(&report(true, Vec::new(), 0)), 0);
        assert_eq!(exit_code(&Report::default()), 0);
    }

    #[test]
    fn a_difference_weighs_more_than_what_is_not_known() {
        let equal = || table(Verdict::of(contents(1), contents(1)), Vec::new());
        let different = table(Verdict::of(contents(1), contents(2)), Vec::new());
        let unknown = || table(unknown(), Vec::new());
        assert_eq!(exit_code(&report(false, vec![equal(), unknown()], 0)), 5);
        let all = report(false, vec![equal(), unknown(), different], 0);
        assert_eq!(exit_code(&all), 1);
        let totals = Totals {
            tables: 3,
            rows: 2,
            equal: 1,
            different: 1,
            not_compared: 1,
        };
        assert_eq!(all.totals(), totals);
    }

    #[test]
    fn what_the_target_lacks_is_a_difference_and_what_it_has_more_only_when_strict() {
        let missing = || table(Verdict::MissingOnTarget, Vec::new());
        assert_eq!(exit_code(&report(false, vec![missing()], 0)), 1);
        assert_eq!(exit_code(&report(false, Vec::new(), 1)), 0);
        assert_eq!(exit_code(&report(true, Vec::new(), 1)), 1);
        let column = Ident::from_catalog("c");
        for (mismatch, lenient) in [
            (Mismatch::MissingOnTarget(column.clone()), 1),
            (Mismatch::OnlyOnTarget(column), 0),
        ] {
            let one = || vec![table(Verdict::Equal(contents(1)), vec![mismatch.clone()])];
            assert_eq!(exit_code(&report(false, one(), 0)), lenient);
            assert_eq!(exit_code(&report(true, one(), 0)), 1);
        }
    }

    #[test]
    fn a_database_that_the_target_lacks_is_a_difference() {
        let databases = vec![database(Outcome::MissingOnTarget)];
        assert_eq!(
            exit_code(&Report {
                databases,
                strict: false
            }),
            1
        );
        let databases = vec![database(Outcome::NotCompared(Arc::new(Error::Stopped)))];
        assert_eq!(
            exit_code(&Report {
                databases,
                strict: false
            }),
            5
        );
    }
}
