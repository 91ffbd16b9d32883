//! What would let a refused run continue, if the user agrees. Pure: the remedies of the findings decide.

use std::collections::BTreeSet;

use crate::cluster::finding::{Finding, Level};
use crate::migrate::options::Options;
use crate::migrate::planned::{Dropped, Prepared};
use crate::pg::QualifiedName;
use crate::remedy::{Remedy, Setting};
use crate::selection::{Entry, Rule, RuleEntry};

/// A change of the options that removes errors of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// Copy these tables without following their changes.
    SnapshotOnly(Vec<DatabaseTable>),
    /// Drop and recreate these databases of the target.
    DropExisting(Vec<Dropped>),
    /// Copy without replication, which is not possible.
    CopyOnce,
}

/// A table of a database of the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatabaseTable {
    /// The database.
    pub database: String,
    /// The table.
    pub name: QualifiedName,
}

impl DatabaseTable {
    /// The table as the user would name it, in three parts.
    ///
    /// # Panics
    /// A name is empty, which no catalog contains.
    pub fn entry(&self) -> Entry {
        let parts = [
            self.database.as_str(),
            self.name.schema.as_str(),
            self.name.name.as_str(),
        ];
        Entry::new(parts.map(str::to_owned).to_vec()).expect("no name in a catalog is empty")
    }
}

/// What a proposal changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    SnapshotOnly,
    DropExisting,
    CopyOnce,
}

impl Change {
    const fn setting(self) -> Setting {
        match self {
            Self::SnapshotOnly => Setting::SnapshotOnlyTables,
            Self::DropExisting => Setting::DropExisting,
            Self::CopyOnce => Setting::NoSync,
        }
    }

    /// What removes an error; where there are several ways, the one that changes the least.
    fn of(error: &Finding) -> Option<Self> {
        let removes = |change: &Self| {
            let mut settings = error.remedies.iter().filter_map(Remedy::setting);
            settings.any(|setting| setting == change.setting())
        };
        let changes = [Self::SnapshotOnly, Self::DropExisting, Self::CopyOnce];
        changes.into_iter().find(removes)
    }
}

/// The change to ask about first, if changes remove every error. A copy without replication follows no tables: then
/// nobody needs to be asked about them. It is asked last, since it is the question before the run.
fn choose_change(findings: &[Finding]) -> Option<Change> {
    let errors = findings.iter();
    let errors = errors.filter(|finding| finding.level == Level::Error);
    let mut changes = errors.map(Change::of).collect::<Option<BTreeSet<_>>>()?;
    if changes.contains(&Change::CopyOnce) {
        changes.remove(&Change::SnapshotOnly);
    }
    changes.first().copied()
}

impl Proposal {
    const fn change(&self) -> Change {
        match self {
            Self::SnapshotOnly(_) => Change::SnapshotOnly,
            Self::DropExisting(_) => Change::DropExisting,
            Self::CopyOnce => Change::CopyOnce,
        }
    }

    /// The setting that does the same.
    pub const fn setting(&self) -> Setting {
        self.change().setting()
    }

    /// The options with this change.
    #[must_use]
    pub fn accept(&self, mut options: Options) -> Options {
        match self {
            Self::SnapshotOnly(tables) => {
                let rules = tables.iter().map(snapshot_only);
                options.rules.entries.extend(rules);
            }
            Self::DropExisting(_) => options.drop_existing = true,
            Self::CopyOnce => {
                options.replicate = false;
                options.replication.adopt = None;
            }
        }
        options
    }
}

fn snapshot_only(table: &DatabaseTable) -> RuleEntry {
    RuleEntry {
        entry: table.entry().answered(),
        rule: Rule::SnapshotOnly,
    }
}

impl Prepared {
    /// The next change that brings a refused run closer to its start. None if nothing refuses it, or if an error
    /// would remain after all changes.
    pub fn proposal(&self) -> Option<Proposal> {
        match choose_change(&self.findings)? {
            Change::SnapshotOnly => {
                let tables = self.tables_not_followed();
                (!tables.is_empty()).then_some(Proposal::SnapshotOnly(tables))
            }
            Change::DropExisting => {
                let dropped = self.dropped();
                (!dropped.is_empty()).then_some(Proposal::DropExisting(dropped))
            }
            Change::CopyOnce => Some(Proposal::CopyOnce),
        }
    }

    fn tables_not_followed(&self) -> Vec<DatabaseTable> {
        let databases = self.databases.iter();
        let tables = databases.flat_map(|planned| {
            planned.not_followed.iter().map(|name| DatabaseTable {
                database: planned.name().to_owned(),
                name: name.clone(),
            })
        });
        tables.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::finding::Code;
    use crate::pg::Side;

    fn error(remedies: impl IntoIterator<Item = Remedy>) -> Finding {
        let finding = Finding::new(Code::WalLevel, Level::Error, Side::Source, "x");
        finding.with_remedies(remedies)
    }

    fn once() -> Finding {
        error(["set wal_level".into(), Remedy::copy_once()])
    }

    fn without_key() -> Finding {
        let snapshot_only = Remedy::with("copy it", Setting::SnapshotOnlyTables);
        error([snapshot_only, Remedy::copy_once()])
    }

    fn not_empty() -> Finding {
        error([Remedy::pass_to(Setting::DropExisting, "drop it")])
    }

    fn other() -> Finding {
        error(["do something".into()])
    }

    #[test]
    fn the_change_to_ask_about_first() {
        for (errors, expected) in [
            (vec![], None),
            (vec![once()], Some(Change::CopyOnce)),
            (vec![without_key()], Some(Change::SnapshotOnly)),
            (vec![without_key(), once()], Some(Change::CopyOnce)),
            (vec![not_empty()], Some(Change::DropExisting)),
            (vec![not_empty(), once()], Some(Change::DropExisting)),
            (vec![not_empty(), without_key()], Some(Change::SnapshotOnly)),
            (vec![other()], None),
            (vec![once(), not_empty(), without_key(), other()], None),
        ] {
            assert_eq!(choose_change(&errors), expected, "{errors:?}");
        }
    }

    #[test]
    fn only_errors_count() {
        let warning = Finding {
            level: Level::Warning,
            ..once()
        };
        assert_eq!(choose_change(&[warning]), None);
    }

    #[test]
    fn a_setting_that_needs_more_than_itself_is_not_proposed() {
        let steps = Remedy::Steps(vec![
            "remove it".into(),
            Remedy::Pass(Setting::DropExisting),
        ]);
        assert_eq!(choose_change(&[error([steps])]), None);
    }
}
