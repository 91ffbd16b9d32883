use super::build::Refused;
use super::slot_watch::SlotFault;
use crate::logical::PublishError;
use crate::pg::{Ident, QualifiedName, SlotName};
use crate::{catalog, connect, wire};

/// Why a phase of the copy did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A connection could not be made.
    #[error("connect")]
    Connect(#[source] connect::Error),
    /// The tables could not be listed or locked.
    #[error("lock the source's tables")]
    Lock(#[source] connect::Error),
    /// Other sessions hold locks that exclude even reading.
    #[error("lock the source's tables: they are locked ACCESS EXCLUSIVE by {blockers}")]
    LockNotAvailable {
        /// Sessions with their statements.
        blockers: String,
        /// The server's last refusal.
        source: connect::Error,
    },
    /// The source's definitions never held still.
    #[error(
        "no consistent point: definitions keep changing on the source ({what}); pause the DDL and repeat"
    )]
    Unsettled {
        /// The last change seen.
        what: String,
    },
    /// The slot could not be made or dropped.
    #[error("replication slot on the source")]
    Replication(#[source] wire::Error),
    /// The slot cannot be looked at, or an earlier run's cannot be dropped.
    #[error("replication slot {slot} on the source")]
    Slot {
        /// The slot.
        slot: SlotName,
        /// The cause.
        source: connect::Error,
    },
    /// The slot of an earlier run is in use.
    #[error(
        "replication slot {slot} on the source is in use by pid {pid}: this database's replication runs; \
         end it with teardown first"
    )]
    SlotInUse {
        /// The slot.
        slot: SlotName,
        /// Who uses it.
        pid: i32,
    },
    /// The publication does not list the locked tables, and cannot be made to.
    #[error("publication {name} on the source")]
    Publication {
        /// The publication.
        name: Ident,
        /// The cause.
        source: Box<PublishError>,
    },
    /// The slot no longer serves, or must not be kept.
    #[error("replication slot {slot} on the source {fault}")]
    SlotFault {
        /// The slot.
        slot: SlotName,
        /// What is wrong with it.
        fault: SlotFault,
    },
    /// The snapshot could not be held.
    #[error("hold the source's snapshot")]
    Lease(#[source] connect::Error),
    /// The catalog could not be read under the snapshot.
    #[error("read the source's catalog")]
    Catalog(#[source] catalog::Error),
    /// A statement was refused by the target.
    #[error("{object}{}", statement_note(statement.as_deref()))]
    Statement {
        /// What it makes.
        object: String,
        /// Its text, unless it holds a secret.
        statement: Option<String>,
        /// The cause.
        source: connect::Error,
    },
    /// A table that could not be locked was altered while it was read.
    #[error(
        "copy table {table}: it was rewritten or altered on the source while it was read without a lock; repeat the run"
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
    /// A type of the source is not the one that the target has been given.
    #[error(
        "type {name} was changed on the source while rows were read ({change}); repeat the run"
    )]
    TypeChanged {
        /// The type.
        name: String,
        /// What is different.
        change: String,
    },
    /// Statements were refused by the target, which has everything else.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The target's session ended between statements.
    #[error("the target's session ended")]
    Interrupted,
    /// A lane of the data phase lost its footing before or after a copy.
    #[error("prepare a lane of the copy")]
    Lane(#[source] wire::Error),
    /// A table's rows did not arrive. Nothing of them is on the target.
    #[error("copy table {table}")]
    Copy {
        /// The table.
        table: QualifiedName,
        /// What went wrong on either side, the first cause first.
        #[source]
        source: Box<wire::PumpError>,
    },
    /// Both servers report the copy as complete, and one of them is out of step afterwards.
    #[error("copy table {table}: a connection was lost before the commit")]
    LaneLost {
        /// The table.
        table: QualifiedName,
    },
    /// Neither server nor we have anything to do, and the copy is not over.
    #[error("copy table {table}: its connections stand, and nothing arrives any more")]
    Stalled {
        /// The table.
        table: QualifiedName,
    },
    /// The connection was lost while a part was committed, and the target does not tell in time
    /// whether it was.
    #[error("the target does not tell whether a part of a table was committed")]
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
    /// Sequence values could not be carried over.
    #[error("carry over the values of sequences")]
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
    /// The target did not confirm that everything is on disk.
    #[error("wait for the target to flush its log")]
    Flush(#[source] connect::Error),
    /// The run was asked to stop.
    #[error("stopped")]
    Stopped,
}

impl Error {
    /// The phase that an error of loading belongs to.
    pub fn phase(&self) -> &'static str {
        if matches!(self, Self::Refused(_) | Self::Statement { .. }) {
            "post-data"
        } else if matches!(self, Self::LargeObject { .. } | Self::LargeObjects(_)) {
            "large objects"
        } else if matches!(self, Self::Sequences(_)) {
            "sequence values"
        } else {
            "data"
        }
    }

    /// Whether the run was asked to stop, rather than failing.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

/// The statement on one line, cut after what a reader needs to find it.
pub(super) fn statement_note(statement: Option<&str>) -> String {
    const SHOWN: usize = 300;
    let Some(statement) = statement else {
        return String::new();
    };
    let line: String = statement
        .chars()
        .map(|part| if part.is_control() { ' ' } else { part })
        .collect();
    let cut: String = line.chars().take(SHOWN).collect();
    let dots = if cut.len() < line.len() { " …" } else { "" };
    format!(" ({cut}{dots})")
}
