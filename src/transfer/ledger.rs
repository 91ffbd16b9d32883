//! The list of work that an engine has committed on the target, for the recorder of the state file.
//!
//! A commit that the target has acknowledged may still be lost in a crash of the target. So a fact in the
//! ledger is not yet *finished*: the recorder first waits until the target has flushed everything that is
//! committed so far (see [`Flush`](super::Flush)).

use tokio::sync::mpsc;

use crate::pg::QualifiedName;

/// Facts that may wait to be recorded. A full queue slows the engine down, because the state file must never
/// lag far behind the target.
const QUEUE: usize = 1024;

/// Work that the target has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The rows of one part of a table that is copied in several.
    Part {
        /// The table.
        table: QualifiedName,
        /// Which part, from 0.
        part: usize,
        /// Rows of this part.
        rows: u64,
    },
    /// All rows of a table.
    Table {
        /// The table.
        table: QualifiedName,
        /// Its rows.
        rows: u64,
    },
    /// All large objects of a database.
    LargeObjects {
        /// How many.
        count: usize,
    },
    /// A definition: an index, a constraint, a trigger.
    Definition {
        /// The object as messages name it.
        object: String,
    },
}

/// The sending end of the ledger; cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger(Option<mpsc::Sender<Fact>>);

impl Ledger {
    /// Creates a ledger that nobody reads.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Creates a ledger and the receiver of its facts, in the order of [`note`](Self::note).
    pub fn channel() -> (Self, mpsc::Receiver<Fact>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(Some(sender)), receiver)
    }

    /// Adds a fact. If nobody reads any more, the run is ending with an error of its own.
    pub async fn note(&self, fact: Fact) {
        if let Some(sender) = &self.0 {
            drop(sender.send(fact).await);
        }
    }
}
