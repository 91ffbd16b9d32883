use super::refusal::{Refused, statement_note};
use crate::connect::waiters::Waiter;
use crate::event::Phase;
use crate::logical::{PublishError, SlotFault};
use crate::pg::{Ident, Printable, QualifiedName, SlotName, SqlState};
use crate::remedy::{Command, Remedy, Setting};
use crate::selection::RowFilter;
use crate::{catalog, connect, wire};

/// Why a phase of the copy failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A connection could not be opened.
    #[error("connect")]
    Connect(#[source] connect::Error),
    /// The tables could not be listed or locked.
    #[error("lock the source's tables")]
    Lock(#[source] connect::Error),
    /// A session waits for our locks, so the copy ended.
    #[error("{waiter}; the copy ended so that it need not wait")]
    LockWanted {
        /// The session.
        waiter: Box<Waiter>,
    },
    /// The lock table has no room for the locks of all readers.
    #[error(
        "readers that keep their locks need {needed} locks on the source at once, more than it has room for"
    )]
    LockTableFull {
        /// How many locks.
        needed: usize,
    },
    /// A reader that kept its locks was lost, and another one cannot get them.
    #[error(
        "a connection to the source was lost with its locks, and a session now waits for a table in front of \
         the new one"
    )]
    LocksLost(#[source] wire::Error),
    /// DDL disturbed every attempt.
    #[error(
        "no consistent point within {seconds} s: definitions keep changing on the source ({what})"
    )]
    Unsettled {
        /// The last change seen.
        what: String,
        /// For how long it was tried.
        seconds: u64,
    },
    /// The creation of a slot waited too long for older transactions.
    #[error("the creation of the slot waited {seconds} s for older transactions ({holders})")]
    SlotWaits {
        /// For how long.
        seconds: u64,
        /// Whose they are.
        holders: String,
    },
    /// The slot could not be created or dropped.
    #[error("replication slot on the source")]
    Replication(#[source] wire::Error),
    /// The slot cannot be read, or the one of an earlier run cannot be dropped.
    #[error("replication slot {slot} on the source")]
    Slot {
        /// The slot.
        slot: SlotName,
        /// The cause.
        source: connect::Error,
    },
    /// The slot of an earlier run is in use.
    #[error(
        "replication slot {slot} on the source is in use by pid {pid}: this database's replication runs"
    )]
    SlotInUse {
        /// The slot.
        slot: SlotName,
        /// Who uses it.
        pid: i32,
    },
    /// The publication does not list the locked tables, and cannot be changed.
    #[error("publication {name} on the source")]
    Publication {
        /// The publication.
        name: Ident,
        /// The cause.
        source: Box<PublishError>,
    },
    /// Replication can no longer start from the slot, or the slot must be dropped.
    #[error("replication slot {slot} on the source {fault}")]
    SlotFault {
        /// The slot.
        slot: SlotName,
        /// What is wrong with it.
        fault: SlotFault,
    },
    /// The snapshot could not be kept.
    #[error("hold the source's snapshot")]
    Lease(#[source] connect::Error),
    /// The catalog could not be read under the snapshot.
    #[error("read the source's catalog")]
    Catalog(#[source] catalog::Error),
    /// A statement was refused by the target.
    #[error("{object}{}", statement_note(statement.as_deref()))]
    Statement {
        /// The object that it creates.
        object: String,
        /// Its text, unless it contains a secret.
        statement: Option<String>,
        /// The cause.
        source: connect::Error,
    },
    /// A table that could not be locked was altered while it was read.
    #[error(
        "copy table {table}: it was rewritten or altered on the source while it was read without a lock"
    )]
    Changed {
        /// The table.
        table: QualifiedName,
    },
    /// A name may have meant another object while rows were read by it.
    #[error("{what} was renamed or changed on the source while rows were read")]
    Renamed {
        /// What it is.
        what: String,
    },
    /// A type of the source is not the one that the target has.
    #[error("type {name} was changed on the source while rows were read ({change})")]
    TypeChanged {
        /// The type.
        name: String,
        /// What is different.
        change: String,
    },
    /// The target refused statements. Everything else was created.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The target's session ended between statements.
    #[error("the target's session ended")]
    Interrupted,
    /// A statement outside of a table's copy failed.
    #[error("prepare a connection for the copy")]
    Lane(#[source] wire::Error),
    /// A table's rows did not arrive. None of them is on the target.
    #[error("copy table {table}{}", filter_note(filter.as_deref()))]
    Copy {
        /// The table.
        table: QualifiedName,
        /// Its filter, if only some of its rows are wanted.
        filter: Option<Box<RowFilter>>,
        /// The error of each server, the first cause first.
        #[source]
        source: Box<wire::PumpError>,
    },
    /// A filtered table has values that are written as names, which depend on the search path of its filter.
    #[error(
        "table {table} has a filter, and values of column {column} are names that depend on search_path"
    )]
    FilteredNames {
        /// The table.
        table: QualifiedName,
        /// The column.
        column: Ident,
    },
    /// Both servers report the copy as complete, but a connection cannot be used afterwards.
    #[error("copy table {table}: a connection was lost before the commit")]
    LaneLost {
        /// The table.
        table: QualifiedName,
    },
    /// Both servers wait, and the copy is not complete.
    #[error(
        "copy of table {table} stalled: both connections are open but no data has arrived for 20 s"
    )]
    Stalled {
        /// The table.
        table: QualifiedName,
    },
    /// The connection was lost at a commit, and the target did not report its result in time.
    #[error("the target did not report whether a part of a table was committed")]
    Undecided,
    /// A statement around a table's copy was refused.
    #[error("copy table {table}")]
    Table {
        /// The table.
        table: QualifiedName,
        /// The cause.
        #[source]
        source: wire::Error,
    },
    /// The target could not be asked about its configuration tables of extensions.
    #[error("ask the target about configuration tables of extensions")]
    Configuration(#[source] connect::Error),
    /// The values of sequences could not be copied.
    #[error("copy the values of sequences")]
    Sequences(#[source] connect::Error),
    /// The large objects could not be listed or committed.
    #[error("copy large objects")]
    LargeObjects(#[source] connect::Error),
    /// A large object did not arrive.
    #[error("copy large object {object}")]
    LargeObject {
        /// Its oid.
        object: u32,
        /// The cause.
        #[source]
        source: connect::Error,
    },
    /// The target did not confirm that everything is on its disk.
    #[error(transparent)]
    Flush(#[from] crate::transfer::FlushError),
    /// The run was asked to stop.
    #[error("stopped")]
    Stopped,
}

/// The condition of a filtered table, for a message about it.
fn filter_note(filter: Option<&RowFilter>) -> String {
    filter.map_or_else(String::new, |filter| {
        format!(", rows where {}", Printable(filter.predicate.text()))
    })
}

impl Error {
    /// Returns the phase that an error of loading belongs to.
    pub fn phase(&self) -> Phase {
        if matches!(self, Self::Refused(_) | Self::Statement { .. }) {
            Phase::PostData
        } else if matches!(self, Self::Flush(_)) {
            Phase::Flush
        } else {
            Phase::Data
        }
    }

    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::LockWanted { .. } => vec![
                "run the command again after the DDL".into(),
                Remedy::pass_to(Setting::KeepLocks, "let DDL wait for the copy"),
            ],
            Self::LocksLost(_) => vec!["run the command again after the DDL".into()],
            Self::Changed { .. } | Self::Renamed { .. } | Self::TypeChanged { .. } => {
                vec!["pause the DDL and repeat".into()]
            }
            Self::LockTableFull { .. } => vec![
                "raise max_locks_per_transaction on the source".into(),
                Remedy::Lower(Setting::Jobs),
                Remedy::Omit(Setting::KeepLocks),
            ],
            Self::Unsettled { .. } => vec![
                "pause the DDL and repeat".into(),
                Remedy::Raise(Setting::MaxLockWait),
            ],
            Self::SlotWaits { .. } => {
                vec!["end them".into(), Remedy::Raise(Setting::MaxLockWait)]
            }
            Self::SlotInUse { .. } => {
                vec![Remedy::invoke("end it first", Command::Teardown)]
            }
            Self::SlotFault {
                fault: SlotFault::KeepsTooMuch { .. },
                ..
            } => vec![Remedy::Raise(Setting::MaxRetainedWal)],
            Self::Refused(refused) if refused.is_optional() => vec![Remedy::pass_to(
                Setting::SkipFailedObjects,
                "complete the copy without these objects",
            )],
            Self::Connect(_)
            | Self::Lock(_)
            | Self::Replication(_)
            | Self::Slot { .. }
            | Self::Publication { .. }
            | Self::SlotFault { .. }
            | Self::Lease(_)
            | Self::Catalog(_)
            | Self::Statement { .. }
            | Self::Refused(_)
            | Self::Interrupted
            | Self::Lane(_)
            | Self::Copy { .. }
            | Self::FilteredNames { .. }
            | Self::LaneLost { .. }
            | Self::Stalled { .. }
            | Self::Undecided
            | Self::Table { .. }
            | Self::Configuration(_)
            | Self::Sequences(_)
            | Self::LargeObjects(_)
            | Self::LargeObject { .. }
            | Self::Flush(_)
            | Self::Stopped => Vec::new(),
        }
    }

    /// Whether a lock of another session was the cause.
    pub(super) fn is_lock_conflict(&self) -> bool {
        if let Self::Lock(source) | Self::Lease(source) = self {
            return source.is_lock_conflict();
        }
        matches!(self, Self::Lane(source) | Self::LocksLost(source) if source.is_lock_conflict())
    }

    /// Returns the server's code of an error of locks or of row copiers.
    pub(super) fn sqlstate(&self) -> Option<SqlState> {
        if let Self::Lock(source) | Self::Lease(source) = self {
            return source.sqlstate();
        }
        let (Self::Lane(source) | Self::LocksLost(source)) = self else {
            return None;
        };
        source.sqlstate()
    }

    /// Whether the copy ended for a session that waits for our locks.
    pub fn is_yielding(&self) -> bool {
        matches!(self, Self::LockWanted { .. })
    }

    /// Whether the run was asked to stop, rather than failing.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}
