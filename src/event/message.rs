//! Warnings and notes as values. Their wording is here, beside them, for screens and logs alike; what
//! to do about one is a [`Remedy`], which only `ui` renders as a sentence.

use std::fmt;

use crate::pg::{Ident, QualifiedName, SlotName};
use crate::remedy::{Command, Remedy, Setting};

/// Something that the user should act upon. Causes are the texts of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Locks of other sessions are waited for.
    LockWait {
        /// What is waited for, such as `locks on the tables of database d`.
        what: String,
        /// For how long so far.
        seconds: u64,
        /// Who holds them.
        holders: String,
    },
    /// A session waits for locks of the run, which keeps them.
    WaitsForRun {
        /// The session.
        waiter: String,
    },
    /// Sessions that wait for locks of the run cannot be listed.
    WaitersUnknown {
        /// Why.
        cause: String,
    },
    /// The creation of a slot waits for a transaction.
    SlotWaits {
        /// Whose it is.
        holder: String,
    },
    /// The slots of the run cannot be watched.
    SlotsUnwatched {
        /// Why.
        cause: String,
    },
    /// The lock table of the source has no room for the locks of all tables.
    TablesNotLocked,
    /// Rows of an extension's configuration table are copied with its triggers.
    TriggersFire {
        /// The table.
        table: QualifiedName,
    },
    /// Something is tried again.
    Retry {
        /// What went wrong.
        cause: String,
    },
    /// A worker ends for lack of a connection.
    FewerWorkers {
        /// Why it has none.
        cause: String,
        /// How many workers the run was to have.
        wanted: usize,
    },
    /// An object was created under the database's `search_path` only.
    ReliesOnPath {
        /// The object.
        object: String,
        /// What the server said without.
        cause: String,
    },
    /// The copy of a database begins again.
    CopyRestarts {
        /// The database.
        database: String,
        /// Why it ended.
        cause: String,
        /// How often it may begin again after this.
        remaining: u32,
    },
    /// Slot and publication of a run could not be removed.
    ReplicationRemains {
        /// The database.
        database: String,
        /// Its slot.
        slot: SlotName,
        /// Its publication, where it was to be removed as well.
        publication: Option<Ident>,
        /// Why they remain.
        cause: String,
    },
    /// A copied database cannot be replicated any more.
    ReplicationRemoved(RemovedReplication),
}

/// Something good to know, which changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The slot of an earlier run was dropped.
    SlotDropped {
        /// The slot.
        slot: SlotName,
    },
    /// Definitions changed before the consistent point was reached.
    DefinitionsChanged {
        /// What changed.
        what: String,
        /// For how long it is tried again.
        limit_seconds: u64,
    },
    /// A copied database cannot be replicated, and nothing of its replication remains.
    ReplicationRemoved(RemovedReplication),
    /// A database is complete, and its slot remains after a run that failed elsewhere.
    SlotRemains {
        /// The database.
        database: String,
        /// Its slot.
        slot: SlotName,
    },
}

/// Replication objects of a copied database that were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedReplication {
    /// The database.
    pub database: String,
    /// Its slot.
    pub slot: SlotName,
    /// Its publication.
    pub publication: Ident,
}

impl Warning {
    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::TriggersFire { .. } => vec![
                "run as a superuser".into(),
                "GRANT SET ON PARAMETER session_replication_role".into(),
            ],
            Self::ReliesOnPath { .. } => vec!["run: ALTER FUNCTION … SET search_path = …".into()],
            Self::ReplicationRemains { publication, .. } => {
                let what = publication.as_ref().map_or("remove it", |_| "remove them");
                vec![Remedy::invoke(what, Command::Teardown)]
            }
            Self::FewerWorkers { .. } => vec![Remedy::Lower(Setting::Jobs)],
            Self::LockWait { .. }
            | Self::WaitsForRun { .. }
            | Self::WaitersUnknown { .. }
            | Self::SlotWaits { .. }
            | Self::SlotsUnwatched { .. }
            | Self::TablesNotLocked
            | Self::Retry { .. }
            | Self::CopyRestarts { .. }
            | Self::ReplicationRemoved(_) => Vec::new(),
        }
    }
}

impl Note {
    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::SlotRemains { .. } => {
                let purpose = "unless you want to replicate from it, remove it";
                vec![Remedy::invoke(purpose, Command::Teardown)]
            }
            Self::SlotDropped { .. }
            | Self::DefinitionsChanged { .. }
            | Self::ReplicationRemoved(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LockWait {
                what,
                seconds,
                holders,
            } => {
                write!(f, "waiting for {what} for {seconds} s: {holders}")
            }
            Self::WaitsForRun { waiter } => {
                write!(
                    f,
                    "{waiter}: it continues when this run has read what it needs"
                )
            }
            Self::WaitersUnknown { cause } => {
                write!(
                    f,
                    "sessions that wait for locks of this run cannot be seen: {cause}"
                )
            }
            Self::SlotWaits { holder } => {
                write!(f, "the slot waits for an older transaction: {holder}")
            }
            Self::SlotsUnwatched { cause } => {
                write!(f, "the replication slots cannot be watched: {cause}")
            }
            Self::TablesNotLocked => f.write_str(
                "the source's max_locks_per_transaction is too small to lock all tables: none is \
                 locked, and the run fails if one is rewritten or altered meanwhile",
            ),
            Self::TriggersFire { table } => write!(
                f,
                "configuration table {table}: triggers of its extension fire on the copied rows, \
                 since our role may not set session_replication_role"
            ),
            Self::Retry { cause } => write!(f, "{cause}; trying again"),
            Self::FewerWorkers { cause, wanted } => write!(
                f,
                "{cause}; the run continues with fewer than {wanted} workers"
            ),
            Self::ReliesOnPath { object, cause } => write!(
                f,
                "{object}: a function that it calls relies on search_path ({cause}); it was \
                 created with the database's. From PostgreSQL 17 on, CREATE INDEX, REFRESH \
                 MATERIALIZED VIEW and ANALYZE run under a search_path of the server and fail"
            ),
            Self::CopyRestarts {
                database,
                cause,
                remaining,
            } => write!(
                f,
                "database {database}: {cause}; the copy restarts (restarts that remain: {remaining})"
            ),
            Self::ReplicationRemains {
                database,
                slot,
                publication,
                cause,
            } => {
                write!(f, "database {database}: replication slot {slot}")?;
                match publication {
                    Some(name) => write!(f, " and publication {name} remain")?,
                    None => f.write_str(" remains")?,
                }
                write!(f, " on the source, and the slot retains WAL: {cause}")
            }
            Self::ReplicationRemoved(removed) => removed.fmt(f),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlotDropped { slot } => {
                write!(
                    f,
                    "replication slot {slot}, left by an earlier run, was dropped"
                )
            }
            Self::DefinitionsChanged {
                what,
                limit_seconds,
            } => write!(
                f,
                "definitions changed while the snapshot was created ({what}); trying again, for up \
                 to {limit_seconds} s"
            ),
            Self::ReplicationRemoved(removed) => removed.fmt(f),
            Self::SlotRemains { database, slot } => write!(
                f,
                "database {database} is copied completely: its replication slot {slot} remains and \
                 retains WAL on the source"
            ),
        }
    }
}

impl fmt::Display for RemovedReplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            database,
            slot,
            publication,
        } = self;
        write!(
            f,
            "database {database} is copied completely, but its changes since then cannot be \
             followed: replication slot {slot} and publication {publication} were removed"
        )
    }
}
