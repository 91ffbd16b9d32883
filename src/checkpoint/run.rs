//! What is recorded of a run. Plain data and its transitions; nothing here knows files or servers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::database::{Database, Stage};
use super::entries;
use super::folder::Pair;
use super::selection::Selection;
use crate::logical::RunTag;
use crate::pg::Oid;
use crate::remedy::{Command, Remedy, Setting};

/// All runs between two clusters, as far as they matter to the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The clusters.
    pub pair: Pair,
    /// Counts the runs. One that resumes an interrupted run has its number.
    pub number: u64,
    /// Memberships that our role was given for the time of a run, and that are to be ended.
    /// Every version of the file has them under the same key.
    #[serde(rename = "owed")]
    pub unrevoked: BTreeSet<Membership>,
    /// What is copied where.
    #[serde(with = "entries")]
    pub databases: BTreeMap<DatabasePair, Database>,
    /// What names the latest run in its marks on the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<RunTag>,
    /// The numbers of all runs that were begun or adopted with this state: what they left on the source is
    /// ours.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub numbers: BTreeSet<String>,
    /// The instant that filters of the latest run use as the current time, if it has filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant: Option<String>,
}

/// A database of the source and its name on the target: the same database may be copied twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabasePair {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
}

impl DatabasePair {
    /// A pair of names.
    pub fn new(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
        }
    }

    /// The name of the file with what is missing of it. Bytes other than small letters and digits are written as
    /// numbers, so that no two databases share a name.
    pub(super) fn missing_file(&self) -> String {
        let part = |byte: u8| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
            other => format!("-{other:02x}"),
        };
        let parts: String = self.target.bytes().map(part).collect();
        format!("missing-{parts}.sql")
    }

    /// To run a command on the copy of the one to the other.
    pub fn remedy(&self, purpose: &'static str, command: Command) -> Remedy {
        let map = format!("{}={}", self.source, self.target);
        Remedy::invoke_with(purpose, command, Setting::MapDatabase, map)
    }
}

/// A membership of our role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The role that has the member.
    pub role: String,
    /// The member.
    pub member: String,
    /// `INHERIT` and `SET` that it had before and gets back; none for a membership that is ended.
    pub before: Option<(bool, bool)>,
}

/// The number of what no run continues.
const NO_RUN: u64 = 0;

impl Run {
    /// Nothing done between two clusters.
    pub fn new(pair: Pair) -> Self {
        Self {
            pair,
            number: 0,
            unrevoked: BTreeSet::new(),
            databases: BTreeMap::new(),
            tag: None,
            numbers: BTreeSet::new(),
            instant: None,
        }
    }

    /// Nothing done, but for what earlier runs have left on the servers.
    #[must_use]
    pub fn discarded(self) -> Self {
        Self {
            unrevoked: self.unrevoked,
            numbers: self.numbers,
            ..Self::new(self.pair)
        }
    }

    /// Whether the latest run is complete: then there is nothing to resume.
    pub fn is_complete(&self) -> bool {
        let mut latest = self.databases.values().filter(|one| one.run == self.number);
        latest.all(|one| matches!(one.stage, Stage::Finished { .. }))
    }

    /// The record of a database of the latest run, if that run is to be resumed.
    pub fn resumed(&self, database: &DatabasePair) -> Option<&Database> {
        let record = self.databases.get(database)?;
        let is_latest = record.run == self.number && !self.is_complete();
        let is_aside = record.run == NO_RUN && matches!(record.stage, Stage::Begun { .. });
        (is_latest || is_aside).then_some(record)
    }

    /// Adds a database to the latest run, which continues it.
    pub fn take_up(&mut self, database: &DatabasePair) {
        let number = self.number;
        if let Some(record) = self.databases.get_mut(database) {
            record.run = number;
        }
    }

    /// Begins a run, or resumes the interrupted one.
    pub fn begin(&mut self) {
        if self.is_complete() {
            self.number += 1;
            self.tag = None;
        }
        let tag = self.tag.get_or_insert_default();
        self.numbers.insert(tag.number.clone());
    }

    /// Records that a database is to be copied, and that nothing of it is ours.
    pub fn plan(&mut self, database: &DatabasePair, source_oid: Oid, selection: Selection) {
        // Until the next publication is marked, nothing else shows that the earlier run's slot is ours.
        let earlier = self.databases.get(database);
        let slot = earlier.and_then(|earlier| earlier.slot.clone());
        let record = Database {
            run: self.number,
            source_oid: source_oid.0,
            selection,
            stage: Stage::Planned,
            publication: None,
            mark: None,
            published: BTreeSet::new(),
            published_inserts: BTreeSet::new(),
            published_filters: BTreeMap::new(),
            slot,
            consistent_point: None,
            tables: BTreeMap::new(),
            definitions: BTreeSet::new(),
            large_objects: 0,
            seal: None,
            missing: BTreeSet::new(),
        };
        self.databases.insert(database.clone(), record);
    }

    /// Sets aside what the latest run was to copy to another database of the target: this run does not
    /// continue it. It stays recorded, for `teardown` and for people.
    pub fn set_aside(&mut self, planned: &BTreeSet<DatabasePair>) {
        let sources: BTreeSet<&str> = planned.iter().map(|one| one.source.as_str()).collect();
        for (pair, database) in &mut self.databases {
            if sources.contains(pair.source.as_str()) && !planned.contains(pair) {
                database.run = NO_RUN;
            }
        }
        let is_left = |database: &Database| {
            database.run != NO_RUN || !matches!(database.stage, Stage::Planned)
        };
        self.databases.retain(|_, database| is_left(database));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::samples::{pair, same, selection};
    use crate::checkpoint::{Name, Origin};
    use crate::pg::{Lsn, QualifiedName};
    use crate::transfer::Fact;

    fn begun(names: &[&str]) -> Run {
        let mut run = Run::new(pair());
        run.begin();
        for name in names {
            run.plan(&same(name), Oid(16384), selection(&[]));
        }
        run
    }

    fn finish(run: &mut Run, name: &str) {
        let database = run.databases.get_mut(&same(name)).unwrap();
        database.begin(Oid(5), Origin::Made);
        database.finish(1, 2, None).unwrap();
    }

    #[test]
    fn a_run_is_complete_when_all_that_it_planned_is_finished() {
        let mut run = begun(&["a", "b"]);
        assert!(!run.is_complete());
        finish(&mut run, "a");
        assert!(run.resumed(&same("a")).is_some());
        finish(&mut run, "b");
        assert!(run.is_complete());
        assert!(run.resumed(&same("a")).is_none());
        let first = run.number;
        run.begin();
        assert_eq!(run.number, first + 1);
        run.plan(&same("b"), Oid(16384), selection(&[]));
        run.begin();
        assert_eq!(run.number, first + 1, "an interrupted run is resumed");
        assert!(
            run.resumed(&same("a")).is_none(),
            "a was finished by another run"
        );
        assert!(run.resumed(&same("b")).is_some());
    }

    #[test]
    fn a_part_that_is_repeated_counts_once_and_a_whole_table_replaces_its_parts() {
        let mut run = begun(&["a"]);
        let database = run.databases.get_mut(&same("a")).unwrap();
        database.begin(Oid(5), Origin::Made);
        database.consistent_point = Some(Lsn::new(7));
        let table = QualifiedName::from_catalog("public", "t");
        let part = |part| Fact::Part {
            table: table.clone(),
            part,
            rows: 10,
        };
        for fact in [part(0), part(0), part(1)] {
            database.note(&fact);
        }
        let entry = |database: &Database| database.tables[&Name::from(&table)].clone();
        assert_eq!((entry(database).rows, entry(database).done), (20, false));
        database.note(&Fact::Table {
            table: table.clone(),
            rows: 20,
        });
        assert!(entry(database).done);
        assert_eq!(entry(database).lsn, Some(Lsn::new(7)));
        database.begin(Oid(6), Origin::Made);
        assert!(database.tables.is_empty(), "a new attempt begins with none");
    }

    #[test]
    fn what_was_never_begun_is_never_finished() {
        let mut run = begun(&["a"]);
        assert_eq!(
            run.databases
                .get_mut(&same("a"))
                .unwrap()
                .finish(0, 0, None),
            None
        );
    }

    #[test]
    fn what_went_to_another_place_is_not_continued_and_not_forgotten() {
        let mut run = begun(&["a", "b"]);
        let at_work = run.databases.get_mut(&same("a")).unwrap();
        at_work.begin(Oid(5), Origin::Made);
        let elsewhere = DatabasePair::new("a", "x");
        run.plan(&elsewhere, Oid(16384), selection(&[]));
        run.set_aside(&BTreeSet::from([elsewhere.clone()]));
        assert!(run.resumed(&same("a")).is_some(), "it has begun");
        assert!(
            run.resumed(&same("b")).is_some(),
            "not planned, not set aside"
        );
        run.set_aside(&BTreeSet::from([DatabasePair::new("b", "y")]));
        assert!(
            !run.databases.contains_key(&same("b")),
            "nothing of it is on the target"
        );
        let database = run.databases.get_mut(&elsewhere).unwrap();
        database.begin(Oid(6), Origin::Made);
        database.finish(0, 0, None).unwrap();
        assert!(run.is_complete());
    }
}
