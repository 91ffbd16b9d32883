//! An application that runs DDL on the source continuously until it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use seren_replicator::task::Background;

use super::{database, text};

/// Sessions that repeat statements, one after the other.
pub(crate) struct Application {
    ends: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    work: Background,
}

impl Application {
    /// Repeats these statements in a session of its own; `{n}` is replaced by the number of the round. What the
    /// server refuses fails the test when the application ends.
    pub(crate) fn start(url: &str, statements: &'static [&'static str]) -> Self {
        let (ends, rounds) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let work = repeat(
            url.to_owned(),
            statements,
            Arc::clone(&ends),
            Arc::clone(&rounds),
        );
        Self {
            ends,
            rounds,
            work: Background::spawn(work),
        }
    }

    /// Waits for the end of the round under way; how many there were. Nothing may be left that it waits for.
    pub(crate) async fn end(self) -> usize {
        self.ends.store(true, Ordering::Relaxed);
        self.work.join().await;
        self.rounds.load(Ordering::Relaxed)
    }
}

async fn repeat(
    url: String,
    statements: &'static [&'static str],
    ends: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
) {
    let session = database(&url).await;
    while !ends.load(Ordering::Relaxed) {
        let round = rounds.fetch_add(1, Ordering::Relaxed).to_string();
        for statement in statements {
            let statement = statement.replace("{n}", &round);
            if let Err(error) = session.batch(&text(&statement)).await {
                panic!("the application failed: {error:?}\n{statement}");
            }
        }
    }
}
