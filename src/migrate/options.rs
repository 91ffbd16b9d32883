use std::path::PathBuf;

use crate::connect::Endpoint;
use crate::ddl;
use crate::logical::{PUBLICATION, SUBSCRIPTION};
use crate::migrate::on_refusal::OnRefusal;
use crate::pg::{Ident, Sides};
use crate::selection::{DatabaseMap, Databases, ObjectEntry, Rules, Tables};

/// What `init` is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cluster to copy from; its database is used only for the first connection.
    pub source: Endpoint,
    /// The cluster to copy to; its database is used only for the first connection.
    pub target: Endpoint,
    /// Which databases.
    pub databases: Databases,
    /// Which of their tables.
    pub tables: Tables,
    /// What of their rows is copied and replicated.
    pub rules: Rules,
    /// What filters use as the current time, if not the source's clock.
    pub as_of: Option<String>,
    /// Views, functions, triggers, indexes and constraints that are excluded, with what depends on them.
    pub excluded_objects: Vec<ObjectEntry>,
    /// Which of the databases get another name on the target.
    pub map: DatabaseMap,
    /// Whether source and target may be one cluster, where every database gets another name.
    pub allow_same_cluster: bool,
    /// Parallel workers, at least 1.
    pub jobs: usize,
    /// Whether the consistent point is a slot's, which stays so that replication can follow.
    pub replicate: bool,
    /// How the source is prepared for that.
    pub replication: ReplicationOptions,
    /// What becomes of DDL on the source that waits for locks of the copy.
    pub locks: LockOptions,
    /// Whether databases that hold objects are dropped and created again.
    pub drop_existing: bool,
    /// Whether only definitions are created, and no rows copied.
    pub schema_only: bool,
    /// Whether only objects are created that an earlier run has not created, since the target had refused them.
    pub definitions_only: bool,
    /// What becomes of a copied database when the target has refused optional objects.
    pub on_refusal: OnRefusal,
    /// Tables of more bytes are copied in parts of at most so many; None decides by the sizes.
    pub split_larger_than: Option<u64>,
    /// Whether planner statistics are imported or gathered at the end.
    pub analyze: bool,
    /// Which definitions are copied.
    pub definitions: ddl::Include,
    /// Which cluster-wide objects are copied.
    pub cluster: ClusterOptions,
    /// Where what is done is recorded; without, nothing is, and nothing is continued.
    pub state: Option<StateOptions>,
}

impl Options {
    /// Whether the run copies rows.
    pub fn copies_rows(&self) -> bool {
        !self.schema_only && !self.definitions_only
    }

    /// Whether the run creates what replication needs.
    pub fn creates_replication(&self) -> bool {
        self.replicate && !self.definitions_only
    }

    /// Returns where both servers are.
    pub(super) fn servers(&self) -> Sides<&Endpoint> {
        Sides {
            source: &self.source,
            target: &self.target,
        }
    }

    /// The same, where a stop does not end attempts to connect.
    #[must_use]
    pub(super) fn despite_stop(&self) -> Self {
        Self {
            source: self.source.despite_stop(),
            target: self.target.despite_stop(),
            ..self.clone()
        }
    }
}

/// Where what is done is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateOptions {
    /// The folder of all runs.
    pub root: PathBuf,
    /// Whether an interrupted run is continued; else what is recorded of it is discarded.
    pub resume: bool,
}

/// How the source is prepared for replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationOptions {
    /// The publication's name.
    pub publication: Ident,
    /// The subscription's name.
    pub subscription: Ident,
    /// The run whose leftovers this one replaces, though the state does not record it.
    pub adopt: Option<String>,
    /// Whether tables without a replica identity get `REPLICA IDENTITY FULL`.
    pub identity_full: bool,
    /// Whether the slots are failover slots, which standbys of the source synchronize.
    pub failover_slots: bool,
    /// Bytes of WAL that a slot may retain on the source while rows are copied.
    pub max_retained_wal: Option<u64>,
}

impl Default for ReplicationOptions {
    fn default() -> Self {
        Self {
            publication: Ident::from_catalog(PUBLICATION),
            subscription: Ident::from_catalog(SUBSCRIPTION),
            adopt: None,
            identity_full: false,
            failover_slots: false,
            max_retained_wal: None,
        }
    }
}

/// How often a copy that ended for DDL begins again, unless an option says otherwise.
pub const DDL_RESTARTS: u32 = 3;

/// What becomes of DDL on the source that waits for locks of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockOptions {
    /// Whether it waits, rather than ending the copy.
    pub keep: bool,
    /// How often a short copy that has ended for it begins again.
    pub restarts: u32,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            keep: false,
            restarts: DDL_RESTARTS,
        }
    }
}

/// Which cluster-wide objects are copied, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Whether roles are created; without, every role that is needed must exist.
    pub roles: bool,
    /// Whether new roles get their passwords.
    pub role_passwords: bool,
    /// The locale of databases that are created, of the target's operating system, instead of the
    /// source's.
    pub locale: Option<String>,
    /// Whether what a managed service keeps for itself is left alone.
    pub provider: bool,
    /// Whether the target's major may be older than the source's.
    pub allow_older_target: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            roles: true,
            role_passwords: true,
            locale: None,
            provider: true,
            allow_older_target: false,
        }
    }
}

/// The most workers chosen automatically: more rarely help one pair of servers.
const AUTOMATIC_JOBS: usize = 8;

/// As many workers as this machine has cores, at most 8.
pub fn automatic_jobs() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(AUTOMATIC_JOBS)
}
