//! The engines' voice: what happens, as plain values. Engines emit, `ui` draws; nothing here
//! knows how it is shown.

mod causes;
mod message;
mod phase;
mod waiting;

use std::time::Duration;

use tokio::sync::mpsc;

pub use causes::{WithCauses, as_type, causes, find_cause};
pub use message::{Note, RemovedReplication, Warning};
pub use phase::Phase;
pub use waiting::{SILENCE, WAIT_PERIOD};

use crate::pg::{QualifiedName, ServerError};

/// Events waiting to be drawn. A full queue slows an engine down rather than losing a fact; only
/// ticks are dropped, since the next one supersedes them.
const QUEUE: usize = 1024;

/// One fact about a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A phase began in a database; cluster-wide phases name none.
    PhaseStarted {
        /// The database, where there is one.
        database: Option<String>,
        /// The phase.
        phase: Phase,
    },
    /// A phase ended well.
    PhaseFinished {
        /// The database, where there is one.
        database: Option<String>,
        /// The phase.
        phase: Phase,
        /// How long it took.
        elapsed: Duration,
    },
    /// What the data phase of a database will move; estimates.
    CopyPlanned {
        /// The database.
        database: String,
        /// Tables with rows of their own.
        tables: usize,
        /// Estimated bytes on the source's disk.
        bytes: u64,
    },
    /// Rows and bytes moved so far in a database. A tick: may be dropped.
    CopyProgress {
        /// The database.
        database: String,
        /// Rows so far.
        rows: u64,
        /// Bytes of COPY data so far.
        bytes: u64,
    },
    /// A table's rows are committed on the target.
    TableCopied {
        /// The database.
        database: String,
        /// The table.
        table: QualifiedName,
        /// Rows, as both servers counted them.
        rows: u64,
        /// Bytes of COPY data.
        bytes: u64,
        /// How long it took.
        elapsed: Duration,
    },
    /// Statements of a phase done so far. A tick: may be dropped.
    StatementsProgress {
        /// The database.
        database: String,
        /// Which phase.
        phase: Phase,
        /// Done.
        done: usize,
        /// Of how many.
        total: usize,
        /// Bytes of the tables that those have read.
        bytes: u64,
        /// Bytes of the tables that all of them read.
        total_bytes: u64,
    },
    /// What verification will compare in a database.
    VerifyPlanned {
        /// The database.
        database: String,
        /// Tables on both sides.
        tables: usize,
        /// Their estimated bytes on the source's disk.
        bytes: u64,
    },
    /// What verification has read on the source of a database so far. A tick: may be dropped.
    VerifyProgress {
        /// The database.
        database: String,
        /// Rows so far.
        rows: u64,
        /// Bytes of COPY data so far.
        bytes: u64,
    },
    /// A table was compared.
    TableVerified {
        /// The database.
        database: String,
        /// The table.
        table: QualifiedName,
        /// Whether both sides hold the same rows; `None` when that is not known, or depends on other partitions.
        equal: Option<bool>,
        /// Rows on the source.
        rows: u64,
    },
    /// Something the user should know, which changes nothing.
    Note(Note),
    /// Something the user should act upon.
    Warning(Warning),
    /// Something takes long. A tick, every second: may be dropped.
    Waiting {
        /// What is waited for, such as `definitions of database d`.
        what: String,
        /// How long it has taken.
        elapsed: Duration,
    },
    /// A replication is catching up. A tick, every second: may be dropped.
    CatchingUp {
        /// The database.
        database: String,
        /// Bytes of WAL that the target has still to apply, if that is known.
        behind: Option<u64>,
        /// Tables whose initial copy is not complete.
        tables: usize,
        /// How long it has taken.
        elapsed: Duration,
    },
    /// A replication has caught up.
    CaughtUp {
        /// The database.
        database: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// Connecting takes long. A tick, every second: may be dropped.
    Connecting {
        /// Hosts and ports.
        place: String,
        /// The number of the attempt, from 1.
        attempt: u32,
        /// How many attempts there are at most.
        attempts: u32,
        /// How long it has taken.
        elapsed: Duration,
        /// When it ends, unless `connect_timeout` is 0.
        limit: Option<Duration>,
    },
    /// A server sent a notice.
    ServerNotice(ServerError),
}

/// A handle to emit events; cheap to clone.
#[derive(Clone, Debug)]
pub struct Events(Option<mpsc::Sender<Event>>);

impl Events {
    /// A handle and the stream of what is emitted through it.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(Some(sender)), receiver)
    }

    /// A handle whose events nobody reads.
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Whether nobody reads them.
    pub const fn is_silent(&self) -> bool {
        self.0.is_none()
    }

    /// Emits a fact; waits while the queue is full. Cancel safe.
    pub async fn emit(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A reader that is gone no longer wants to know.
            drop(sender.send(event).await);
        }
    }

    /// Emits a tick, or drops it while the queue is full.
    pub fn tick(&self, event: Event) {
        if let Some(sender) = &self.0 {
            drop(sender.try_send(event));
        }
    }
}
