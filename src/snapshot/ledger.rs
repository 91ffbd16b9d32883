//! What the engine has committed on the target, told to whoever records it.
//!
//! A commit that the target has acknowledged may still be lost in a crash of the target. So a fact
//! told here is not yet *done*: the one who records it first waits until the target has flushed
//! everything committed so far (see [`Flush`](super::Flush)).

use tokio::sync::mpsc;

use crate::pg::QualifiedName;

/// Facts that may wait for being recorded. A full queue slows the engine down: what is recorded
/// must never lag far behind what is done.
const QUEUE: usize = 1024;

/// What the copy is about, and what the target has committed.
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
    /// Large objects, whole.
    LargeObjects {
        /// How many.
        count: usize,
    },
    /// A definition: an index, a constraint, a trigger.
    Definition {
        /// What it made, as messages call it.
        object: String,
    },
}

/// Where facts go; cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger(Option<mpsc::Sender<Fact>>);

impl Ledger {
    /// A ledger that nobody reads.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A ledger and the stream of its facts, in the order in which they were told.
    pub fn channel() -> (Self, mpsc::Receiver<Fact>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(Some(sender)), receiver)
    }

    /// Tells a fact. Once nobody reads any more, the run is ending with an error of its own.
    pub async fn note(&self, fact: Fact) {
        if let Some(sender) = &self.0 {
            drop(sender.send(fact).await);
        }
    }
}
