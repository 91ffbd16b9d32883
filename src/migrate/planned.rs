//! The plan of `init`: what was found, and what would be done.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::Database;
use crate::catalog::load::cached::CachedCatalog;
use crate::checkpoint::{self, DatabasePair, MissingObject, Origin};
use crate::cluster::RunInstant;
use crate::cluster::finding::Finding;
use crate::cluster::identity::ServerIdentity;
use crate::cluster::promise::Promise;
use crate::connect::Endpoint;
use crate::logical::inserts_name;
use crate::migrate::options::Options;
use crate::migrate::replication::Replication;
use crate::migrate::report::KeptDatabase;
use crate::migrate::resume::{DatabaseStart, Leftover, Resume};
use crate::migrate::target_action::TargetAction;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{Ident, Oid, QualifiedName, Sides, SlotName};
use crate::selection::TableScope;
use crate::snapshot::{CheckedDatabase, SnapshotSource};

/// One database of the plan.
#[derive(Debug)]
pub struct PlannedDatabase {
    /// As the source describes it, in the target's names of roles.
    pub database: Database,
    /// What is on the target under its name.
    pub existing: Option<Database>,
    /// What happens on the target.
    pub action: TargetAction,
    /// Estimated bytes to copy, as they are on the source's disk.
    pub bytes: u64,
    /// Tables with rows of their own.
    pub tables: usize,
    /// The largest of them.
    pub largest: Vec<QualifiedName>,
    /// How the consistent point comes about.
    pub point: SnapshotSource,
    /// Its tables that take part, and their rules.
    pub scope: TableScope,
    /// What the checks learned of it, without the definitions.
    pub(crate) checked: CheckedDatabase,
    /// What decides what of it is copied, as it is recorded.
    pub(crate) selection: checkpoint::Selection,
    /// Extensions that the target's database has already.
    pub(crate) installed: BTreeSet<Ident>,
    /// Its name on the target.
    pub(super) target: Ident,
    /// What its replication takes, where it is to replicate.
    pub(crate) replication: Option<Replication>,
    /// Tables whose changes cannot be published as they are.
    pub(crate) not_followed: BTreeSet<QualifiedName>,
    /// Tables of the source that get `REPLICA IDENTITY FULL`.
    pub(crate) made_full: Vec<QualifiedName>,
    /// What must stay true of it, where it is kept.
    pub(crate) promise: Option<Promise>,
    /// Whether its slot, which is kept, becomes a failover slot.
    pub(crate) enables_failover: bool,
    /// Whether what is there is a template, which cannot be dropped as it is.
    pub(crate) drops_template: bool,
    /// What the interrupted run has recorded of its contents at the end.
    pub(crate) seal: Option<String>,
    /// What is recorded as missing of it, where it is kept.
    pub(crate) missing: BTreeSet<MissingObject>,
}

/// What a run creates and changes on the source for a database.
#[derive(Clone, Debug)]
pub struct SourceChanges<'a> {
    /// The publications.
    pub publications: Vec<Ident>,
    /// The replication slot.
    pub slot: &'a SlotName,
    /// Whether it is a failover slot.
    pub is_failover: bool,
    /// Tables that get `REPLICA IDENTITY FULL`.
    pub made_full: &'a [QualifiedName],
}

impl PlannedDatabase {
    /// How it came about, where it existed before.
    pub(crate) fn used(&self) -> Origin {
        let names = self.installed.iter();
        let extensions = names.map(|name| name.as_str().to_owned()).collect();
        Origin::Used { extensions }
    }

    /// What the run creates and changes on the source for it, where it is to replicate.
    pub fn source_changes(&self) -> Option<SourceChanges<'_>> {
        let replication = self.replication.as_ref()?;
        let publishing = &replication.publishing;
        let second = !publishing.insert_only.is_empty();
        let second = second.then(|| inserts_name(&publishing.name));
        Some(SourceChanges {
            publications: std::iter::once(publishing.name.clone())
                .chain(second)
                .collect(),
            slot: &replication.slot,
            is_failover: replication.is_failover,
            made_full: &self.made_full,
        })
    }

    /// The database's name on the source.
    pub fn name(&self) -> &str {
        self.database.name.as_str()
    }

    /// The database's name on the target.
    pub fn target(&self) -> &Ident {
        &self.target
    }

    /// Reports it as a database that the interrupted run had finished.
    pub(crate) fn kept(&self) -> KeptDatabase {
        KeptDatabase {
            name: self.name().to_owned(),
            missing: self.missing.len(),
        }
    }

    /// Returns what a run records of it when it begins to write.
    pub(crate) fn start(&self) -> DatabaseStart {
        DatabaseStart {
            pair: self.pair(),
            source_oid: self.database.oid,
            selection: self.selection.clone(),
            existing: self.leftover(),
        }
    }

    fn leftover(&self) -> Leftover {
        match self.action {
            TargetAction::Create | TargetAction::UseEmpty | TargetAction::DropAndCreate { .. } => {
                Leftover::Nothing
            }
            // What is ours and exists there stays ours until it is gone.
            TargetAction::Recreate { oid, .. } => Leftover::Begun {
                oid,
                origin: Origin::Made,
            },
            TargetAction::Empty { oid, .. } => Leftover::Begun {
                oid,
                origin: self.used(),
            },
            TargetAction::Keep { .. } | TargetAction::Complete { .. } => Leftover::Finished,
        }
    }

    /// Returns the database on both servers. What is created on the target is entered in the journal.
    pub(crate) fn endpoints(&self, options: &Options) -> Sides<Endpoint> {
        let target = options.target.with_database(self.target.as_str());
        Sides {
            source: options.source.with_database(self.name()),
            target: target.with_journal(),
        }
    }

    /// What the run drops to create it.
    fn dropped(&self) -> Option<Dropped> {
        match &self.action {
            TargetAction::DropAndCreate {
                oid, tables, bytes, ..
            } => Some(Dropped {
                name: self.target.clone(),
                oid: *oid,
                tables: u64::try_from(*tables).unwrap_or_default(),
                bytes: u64::try_from(*bytes).unwrap_or_default(),
            }),
            TargetAction::Create
            | TargetAction::UseEmpty
            | TargetAction::Recreate { .. }
            | TargetAction::Empty { .. }
            | TargetAction::Complete { .. }
            | TargetAction::Keep { .. } => None,
        }
    }

    /// Both names.
    pub(crate) fn pair(&self) -> DatabasePair {
        DatabasePair::new(self.name(), self.target.as_str())
    }
}

/// What `init` found and would do.
#[derive(Debug)]
pub struct Prepared {
    /// The two servers.
    pub servers: Sides<ServerIdentity>,
    /// All results of the checks, worst last.
    pub findings: Vec<Finding>,
    /// What would be copied, in name order; may be incomplete when the findings refuse the run.
    pub databases: Vec<PlannedDatabase>,
    pub(crate) cluster: Option<TargetCluster>,
    pub(crate) resume: Option<Resume>,
    /// The instant that filters use as the current time, if there are filters.
    pub instant: Option<RunInstant>,
    /// The definitions that the checks have read, by the source's database: the run need not read them again.
    pub(crate) definitions: BTreeMap<String, CachedCatalog>,
}

impl Prepared {
    /// Creates a plan that is refused: only its findings count.
    pub(crate) fn refused(servers: Sides<ServerIdentity>, findings: Vec<Finding>) -> Self {
        Self {
            servers,
            findings,
            databases: Vec::new(),
            cluster: None,
            resume: None,
            instant: None,
            definitions: BTreeMap::new(),
        }
    }

    /// How many findings refuse the run.
    pub fn errors(&self) -> usize {
        Finding::count_errors(&self.findings)
    }

    /// The databases that the run drops on the target. What an interrupted run of this program has left is none of
    /// them.
    pub fn dropped(&self) -> Vec<Dropped> {
        let dropped = self.databases.iter();
        dropped.filter_map(PlannedDatabase::dropped).collect()
    }
}

/// A database of the target that a run drops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its name on the target.
    pub name: Ident,
    /// Which database it must be.
    pub oid: Oid,
    /// Its tables.
    pub tables: u64,
    /// Its size on disk.
    pub bytes: u64,
}
