//! What is recorded of one database, and its transitions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::selection::Selection;
use super::{entries, lsn};
use crate::logical::ListedTables;
use crate::pg::{Lsn, Oid, SlotName};
use crate::transfer::Fact;

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
    /// The publication created for it, once known.
    pub publication: Option<String>,
    /// What names its run in the publication's mark; none where the publication is somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The oids of the tables that were published when its slot was created, once it is finished.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub published: BTreeSet<u32>,
    /// Those of them of which only `INSERT` and `TRUNCATE` are published.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub published_inserts: BTreeSet<u32>,
    /// Digests of the filters of those of them that have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub published_filters: BTreeMap<u32, String>,
    /// The slot retained for it, once known.
    pub slot: Option<String>,
    /// The LSN of its snapshot, once known.
    #[serde(with = "lsn")]
    pub consistent_point: Option<Lsn>,
    /// Its tables, while it is at work.
    #[serde(with = "entries")]
    pub tables: BTreeMap<Name, Table>,
    /// Definitions created after the rows, while it is at work.
    pub definitions: BTreeSet<String>,
    /// Large objects copied.
    pub large_objects: usize,
    /// What the target's database held when its journal was dropped: it was complete then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
    /// What is missing of it, since the target has refused it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<MissingObject>,
}

/// An object that is missing on the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingObject {
    /// Its kind.
    pub kind: String,
    /// Its kind and name in words, as messages name it.
    pub object: String,
}

/// How far a database is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The run is to copy it, and has written nothing into it. It may be about to be created.
    Planned,
    /// It exists on the target, and the run has created all that is in it.
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
    /// The run has created it.
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
    /// The LSN of the snapshot that it was read at, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "lsn")]
    pub lsn: Option<Lsn>,
}

impl Database {
    /// Records that everything in the target's database from now on is ours.
    pub fn begin(&mut self, target_oid: Oid, origin: Origin) {
        self.reset_to(Stage::Begun {
            target_oid: target_oid.0,
            origin,
        });
    }

    /// Records that nothing of it is on the target any more.
    pub fn forget(&mut self) {
        self.reset_to(Stage::Planned);
    }

    fn reset_to(&mut self, stage: Stage) {
        self.stage = stage;
        self.publication = None;
        self.mark = None;
        self.published.clear();
        self.published_inserts.clear();
        self.published_filters.clear();
        self.slot = None;
        self.consistent_point = None;
        self.tables.clear();
        self.definitions.clear();
        self.large_objects = 0;
        self.seal = None;
        self.missing.clear();
    }

    /// Records what the target has flushed.
    pub fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Part { table, part, rows } => {
                let lsn = self.consistent_point;
                let entry = self.tables.entry(Name::from(table)).or_default();
                entry.lsn = lsn;
                // A part that was recorded before, and was repeated, counts once.
                if entry.parts.insert(*part) {
                    entry.rows += rows;
                }
            }
            Fact::Table { table, rows } => {
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

    /// Records the consistent point that its rows are read at, and the slot that retains WAL from there on.
    pub fn record_point(&mut self, lsn: Lsn, slot: &SlotName) {
        self.consistent_point = Some(lsn);
        self.slot = Some(slot.as_str().to_owned());
    }

    /// Records what was published of it when its slot was created.
    pub fn publish(&mut self, publication: &str, mark: Option<&str>, listed: &ListedTables) {
        self.publication = Some(publication.to_owned());
        self.mark = mark.map(str::to_owned);
        let numbers = |oids: &BTreeSet<Oid>| oids.iter().map(|oid| oid.0).collect();
        self.published = numbers(&listed.tables);
        self.published_inserts = numbers(&listed.insert_only);
        let filters = listed.filters.iter();
        self.published_filters = filters
            .map(|(oid, digest)| (oid.0, digest.clone()))
            .collect();
    }

    /// What was published of it when its slot was created.
    pub fn listed_tables(&self) -> ListedTables {
        let oids = |numbers: &BTreeSet<u32>| numbers.iter().copied().map(Oid).collect();
        let filters = self.published_filters.iter();
        ListedTables {
            tables: oids(&self.published),
            insert_only: oids(&self.published_inserts),
            filters: filters
                .map(|(oid, digest)| (Oid(*oid), digest.clone()))
                .collect(),
        }
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

    /// The oid of the target's database, once that exists.
    pub fn target_oid(&self) -> Option<Oid> {
        match self.stage {
            Stage::Planned => None,
            Stage::Begun { target_oid, .. } | Stage::Finished { target_oid, .. } => {
                Some(Oid(target_oid))
            }
        }
    }
}
