//! The configuration of a run: options of the command line before the file, the file before defaults.

use super::file::File;
use super::reader::Located;
use crate::selection::{Databases, Entry, Origin, Position, RuleEntry, Rules, Tables};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Nobody has set it.
    #[default]
    Default,
    /// A variable of the environment.
    Environment(&'static str),
    /// The configuration file.
    File(Position),
    /// An option of the command line.
    CommandLine,
}

impl From<Origin> for Source {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::CommandLine | Origin::Answer => Self::CommandLine,
            Origin::File(position) => Self::File(position),
        }
    }
}

/// A value, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

/// What options of the command line set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Which databases; all of them if no option selects any.
    pub databases: Databases,
    /// Which tables; all of them if no option selects any.
    pub tables: Tables,
    /// The rules of tables.
    pub rules: Vec<RuleEntry>,
    /// The number of workers.
    pub jobs: Option<u16>,
}

/// The configuration of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// Which databases.
    pub databases: Sourced<Databases>,
    /// Which tables.
    pub tables: Sourced<Tables>,
    /// The rules of tables. Which of two rules counts shows only in the catalogs; both know where they come from.
    pub rules: Rules,
    /// The number of workers, if it is set.
    pub jobs: Sourced<Option<u16>>,
}

impl Effective {
    /// Merges options of the command line with what a file says. A list of an option replaces that of the file on the
    /// same subject, be it an inclusion or an exclusion.
    pub fn merge(flags: Flags, file: File) -> Self {
        let given_databases = (flags.databases != Databases::All).then_some(flags.databases);
        let given_tables = (flags.tables != Tables::All).then_some(flags.tables);
        let jobs = file.jobs.map(|jobs| Located {
            value: Some(jobs.value),
            position: jobs.position,
        });
        let entries = flags.rules.into_iter().chain(file.rules);
        Self {
            databases: prefer(given_databases, file.databases),
            tables: prefer(given_tables, file.tables),
            rules: Rules {
                entries: entries.collect(),
                sections: file.sections,
            },
            jobs: prefer(flags.jobs.map(Some), jobs),
        }
    }
}

impl Effective {
    /// Whether a rule of the command line is certain to replace the rule of the file with this name.
    pub fn replaces(&self, filed: &Entry) -> bool {
        let entries = self.rules.entries.iter().map(|one| &one.entry);
        let mut given = entries.filter(|entry| entry.origin() == Origin::CommandLine);
        given.any(|entry| entry.covers(filed))
    }
}

/// The value of the command line, else that of the file, else the default.
fn prefer<T: Default>(given: Option<T>, filed: Option<Located<T>>) -> Sourced<T> {
    match (given, filed) {
        (Some(value), _) => Sourced {
            value,
            source: Source::CommandLine,
        },
        (None, Some(Located { value, position })) => Sourced {
            value,
            source: Source::File(position),
        },
        (None, None) => Sourced::default(),
    }
}
