//! What is recorded of a run. Plain data and its transitions; nothing here knows files or servers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::folder::Pair;
use super::selection::Selection;
use crate::logical::RunTag;
use crate::pg::{Ident, Lsn, Oid, QualifiedName, SlotName};
use crate::snapshot::Fact;

/// All runs between two clusters, as far as they matter to the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The clusters.
    pub pair: Pair,
    /// Counts the runs. One that goes on after an interruption has the number of the interrupted one.
    pub number: u64,
    /// Memberships that our role was given for the time of a run, and that are to be ended.
    pub owed: BTreeSet<Membership>,
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

/// What is recorded of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The run that copies or has copied it.
    pub run: u64,
    /// Which database of the source's cluster it is.
    pub source_oid: u32,
    /// What of it takes part.
    pub selection: Selection,
    /// How far it is.
    pub stage: Stage,
    /// The publication made for it, once known.
    pub publication: Option<String>,
    /// What names its run in the publication's mark; none where the publication is somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The oids of the tables that were published when its slot was created, once it is finished.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub published: BTreeSet<u32>,
    /// The slot kept for it, once known.
    pub slot: Option<String>,
    /// The log position of its snapshot, once known.
    #[serde(with = "lsn")]
    pub consistent_point: Option<Lsn>,
    /// Its tables, while it is at work.
    #[serde(with = "entries")]
    pub tables: BTreeMap<Name, Table>,
    /// Definitions made behind the rows, while it is at work.
    pub definitions: BTreeSet<String>,
    /// Large objects copied.
    pub large_objects: usize,
    /// What the target's database held when its journal was dropped: it was complete then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
}

/// How far a database is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The run is to copy it, and has written nothing into it. It may be about to be created.
    Planned,
    /// It stands on the target, and what is in it is of our making.
    Begun {
        /// Which database of the target's cluster it is.
        target_oid: u32,
        /// How it came about.
        origin: Origin,
    },
    /// It is whole and on the target's disk.
    Finished {
        /// Which database of the target's cluster it is.
        target_oid: u32,
        /// How many tables with rows.
        tables: usize,
        /// Their rows.
        rows: u64,
    },
}

/// How a database of the target came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The run has made it.
    Made,
    /// It was there, and empty.
    Used {
        /// Extensions that it had.
        extensions: BTreeSet<String>,
    },
}

/// What is recorded of a table. Everything of it is on the target's disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Whether all of its rows have arrived.
    pub done: bool,
    /// Rows that have arrived.
    pub rows: u64,
    /// The parts that have arrived, where it is copied in several.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parts: BTreeSet<usize>,
    /// The log position of the snapshot that it was read at, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "lsn")]
    pub lsn: Option<Lsn>,
}

/// A table's schema and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name(String, String);

impl From<&QualifiedName> for Name {
    fn from(name: &QualifiedName) -> Self {
        Self(
            name.schema.as_str().to_owned(),
            name.name.as_str().to_owned(),
        )
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        QualifiedName {
            schema: Ident::from_catalog(&self.0),
            name: Ident::from_catalog(&self.1),
        }
        .fmt(f)
    }
}

/// The number of what no run continues.
const NO_RUN: u64 = 0;

impl Run {
    /// Nothing done between two clusters.
    pub fn new(pair: Pair) -> Self {
        Self {
            pair,
            number: 0,
            owed: BTreeSet::new(),
            databases: BTreeMap::new(),
            tag: None,
            numbers: BTreeSet::new(),
        }
    }

    /// Nothing done, but for what earlier runs have left on the servers.
    #[must_use]
    pub fn discarded(self) -> Self {
        Self {
            owed: self.owed,
            numbers: self.numbers,
            ..Self::new(self.pair)
        }
    }

    /// Whether nothing of the latest run is left to do: then there is nothing to go on with.
    pub fn is_complete(&self) -> bool {
        let mut latest = self.databases.values().filter(|one| one.run == self.number);
        latest.all(|one| matches!(one.stage, Stage::Finished { .. }))
    }

    /// The record of a database of the latest run, if that run is to be gone on with.
    pub fn resumed(&self, database: &DatabasePair) -> Option<&Database> {
        let record = self.databases.get(database)?;
        let is_latest = record.run == self.number && !self.is_complete();
        let is_aside = record.run == NO_RUN && matches!(record.stage, Stage::Begun { .. });
        (is_latest || is_aside).then_some(record)
    }

    /// Makes a database a part of the latest run, which continues it.
    pub fn take_up(&mut self, database: &DatabasePair) {
        let number = self.number;
        if let Some(record) = self.databases.get_mut(database) {
            record.run = number;
        }
    }

    /// Begins a run, or goes on with the interrupted one.
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
        // Until the next publication is marked, nothing else tells that the earlier run's slot is ours.
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
            slot,
            consistent_point: None,
            tables: BTreeMap::new(),
            definitions: BTreeSet::new(),
            large_objects: 0,
            seal: None,
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

impl Database {
    /// Records that whatever is in the target's database from now on is ours.
    pub fn begin(&mut self, target_oid: Oid, origin: Origin) {
        self.reset(Stage::Begun {
            target_oid: target_oid.0,
            origin,
        });
    }

    /// Records that nothing of it is on the target any more.
    pub fn forget(&mut self) {
        self.reset(Stage::Planned);
    }

    fn reset(&mut self, stage: Stage) {
        self.stage = stage;
        self.publication = None;
        self.mark = None;
        self.published.clear();
        self.slot = None;
        self.consistent_point = None;
        self.tables.clear();
        self.definitions.clear();
        self.large_objects = 0;
        self.seal = None;
    }

    /// Records what the target has flushed.
    pub fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Part {
                table, part, rows, ..
            } => {
                let lsn = self.consistent_point;
                let entry = self.tables.entry(Name::from(table)).or_default();
                entry.lsn = lsn;
                // A part that was told before, and was repeated, counts once.
                if entry.parts.insert(*part) {
                    entry.rows += rows;
                }
            }
            Fact::Table { table, rows, .. } => {
                let whole = Table {
                    done: true,
                    rows: *rows,
                    parts: BTreeSet::new(),
                    lsn: self.consistent_point,
                };
                self.tables.insert(Name::from(table), whole);
            }
            Fact::LargeObjects { count } => self.large_objects += count,
            Fact::Definition { object } => {
                self.definitions.insert(object.clone());
            }
        }
    }

    /// Records the consistent point that its rows are read at, and the slot that keeps the log from there on.
    pub fn point(&mut self, lsn: Lsn, slot: &SlotName) {
        self.consistent_point = Some(lsn);
        self.slot = Some(slot.as_str().to_owned());
    }

    /// Records what was published of it when its slot was created.
    pub fn publish(
        &mut self,
        (publication, mark): (&str, Option<&str>),
        tables: impl Iterator<Item = Oid>,
    ) {
        self.publication = Some(publication.to_owned());
        self.mark = mark.map(str::to_owned);
        self.published = tables.map(|oid| oid.0).collect();
    }

    /// Records that it is whole. What was recorded of its tables one by one is of no use any more:
    /// all of them are at the consistent point. None if it was never begun.
    pub fn finish(&mut self, tables: usize, rows: u64, point: Option<Lsn>) -> Option<()> {
        let target_oid = self.target_oid()?.0;
        self.consistent_point = point;
        self.stage = Stage::Finished {
            target_oid,
            tables,
            rows,
        };
        self.tables.clear();
        self.definitions.clear();
        self.seal = None;
        Some(())
    }

    /// The database of the target that it is, once that stands.
    pub fn target_oid(&self) -> Option<Oid> {
        match self.stage {
            Stage::Planned => None,
            Stage::Begun { target_oid, .. } | Stage::Finished { target_oid, .. } => {
                Some(Oid(target_oid))
            }
        }
    }
}

/// Log positions as text.
mod lsn {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

    use crate::pg::Lsn;

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(super) fn serialize<S: Serializer>(lsn: &Option<Lsn>, to: S) -> Result<S::Ok, S::Error> {
        lsn.map(|lsn| lsn.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Lsn>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(de::Error::custom))
            .transpose()
    }
}

/// Maps as lists of pairs: a name of two parts is no key of a JSON object.
mod entries {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        entries: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(entries)
    }

    pub(super) fn deserialize<'a, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'a> + Ord,
        V: Deserialize<'a>,
        D: Deserializer<'a>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checkpoint::Chosen;

    pub(in crate::checkpoint) fn pair() -> Pair {
        Pair {
            source: "7312".to_owned(),
            target: "7313".to_owned(),
        }
    }

    pub(in crate::checkpoint) fn selection(flags: &[&str]) -> Selection {
        Selection {
            tables: Chosen::AllBut(BTreeSet::new()),
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        }
    }

    pub(in crate::checkpoint) fn same(name: &str) -> DatabasePair {
        DatabasePair::new(name, name)
    }

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
        assert_eq!(run.number, first + 1, "an interrupted run goes on");
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
            of: 2,
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
            bytes: 100,
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
