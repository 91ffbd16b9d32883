//! Records what the engine has done, once the target has it on disk.
//!
//! ```text
//! engine ── Fact ──▶ queue ──▶ all that have arrived ─▶ the target flushes ─▶ the state file
//! ```
//!
//! A fact in the queue is committed, and a commit may vanish in a crash of the target
//! (`synchronous_commit = off`). So facts are taken off the queue first, and the wait for the disk begins
//! after that: it covers everything that they report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{DatabasePair, Error, Store};
use crate::connect::Endpoint;
use crate::pg::Lsn;
use crate::task::Background;
use crate::transfer::{Fact, Flush, Ledger};

/// The shortest time between two records. The next run does not know what a killed run has reported since the
/// last one.
const PAUSE: Duration = Duration::from_millis(500);

/// How many times as long as a record has taken the next one waits: writing is a fiftieth of the time,
/// however many tables there are.
const REST: u32 = 50;

/// The longest time between two records.
const LONGEST: Duration = Duration::from_secs(20);

/// Facts taken off the queue at once.
const BATCH: usize = 1024;

/// Records what happens to one database.
#[derive(Debug)]
pub struct Recorder {
    store: Arc<Store>,
    database: DatabasePair,
    ledger: Ledger,
    closing: CancellationToken,
    work: Background<Result<Flush, Error>>,
}

impl Recorder {
    /// Starts to record; `target` names the database. `stop` is cancelled if that fails later: a run
    /// that cannot be recorded does not continue.
    ///
    /// # Errors
    /// The target cannot be reached.
    pub async fn start(
        store: Arc<Store>,
        database: DatabasePair,
        target: &Endpoint,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let flush = Flush::open(target).await?;
        let (ledger, facts) = Ledger::channel();
        let closing = CancellationToken::new();
        let log = Log {
            store: Arc::clone(&store),
            database: database.clone(),
            flush,
        };
        let until = closing.clone();
        let work = Background::spawn(async move {
            let done = log.record_facts(facts, until).await;
            if done.is_err() {
                stop.cancel();
            }
            done
        });
        Ok(Self {
            store,
            database,
            ledger,
            closing,
            work,
        })
    }

    /// Where the engine reports what it has committed.
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Records what was reported so far, and stops. Also after a failed copy, whose tasks may still hold
    /// the ledger.
    ///
    /// # Errors
    /// Something could not be recorded, now or before.
    pub async fn close(self) -> Result<Closed, Error> {
        let Self {
            store,
            database,
            ledger,
            closing,
            work,
        } = self;
        drop(ledger);
        closing.cancel();
        let flush = work.join().await?;
        Ok(Closed {
            store,
            database,
            flush,
        })
    }
}

/// A recorder whose database is still to be recorded as finished.
#[derive(Debug)]
pub struct Closed {
    store: Arc<Store>,
    database: DatabasePair,
    flush: Flush,
}

impl Closed {
    /// Records the database as finished, once everything of it is on the target's disk.
    ///
    /// # Errors
    /// The target does not confirm that, or the state cannot be written.
    ///
    /// # Panics
    /// The database was never begun.
    pub async fn finish(self, tables: usize, rows: u64, point: Option<Lsn>) -> Result<(), Error> {
        self.flush.wait().await?;
        change_database(&self.store, &self.database, move |database| {
            let finished = database.finish(tables, rows, point);
            finished.expect("a database is begun before it is recorded");
        })
        .await
    }
}

/// The disk is waited for beside the runtime's own threads.
async fn change_database(
    store: &Arc<Store>,
    database: &DatabasePair,
    change: impl FnOnce(&mut super::Database) + Send + 'static,
) -> Result<(), Error> {
    let (store, database) = (Arc::clone(store), database.clone());
    let writing = spawn_blocking(move || store.change_database(&database, change));
    match writing.await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What the recording task works with.
struct Log {
    store: Arc<Store>,
    database: DatabasePair,
    flush: Flush,
}

impl Log {
    /// Records facts until the ledger is closed, or `closing` says that no more will come.
    async fn record_facts(
        self,
        mut facts: Receiver<Fact>,
        closing: CancellationToken,
    ) -> Result<Flush, Error> {
        let mut gathered = Vec::new();
        let mut rest = PAUSE;
        loop {
            let is_open = gather_facts(&mut gathered, &mut facts, rest, &closing).await;
            if !gathered.is_empty() {
                let written = self.write_facts(std::mem::take(&mut gathered)).await?;
                rest = (written * REST).clamp(PAUSE, LONGEST);
            }
            if !is_open {
                return Ok(self.flush);
            }
        }
    }

    /// How long the writing took.
    async fn write_facts(&self, facts: Vec<Fact>) -> Result<Duration, Error> {
        self.flush.wait().await?;
        let begun = Instant::now();
        change_database(&self.store, &self.database, move |database| {
            facts.iter().for_each(|fact| database.note(fact));
        })
        .await?;
        Ok(begun.elapsed())
    }
}

/// Receives facts for this long, so that no sender has to wait; whether more may come.
async fn gather_facts(
    gathered: &mut Vec<Fact>,
    facts: &mut Receiver<Fact>,
    rest: Duration,
    closing: &CancellationToken,
) -> bool {
    let end = tokio::time::sleep(rest);
    tokio::pin!(end);
    loop {
        tokio::select! {
            biased;
            taken = facts.recv_many(gathered, BATCH) => if taken == 0 {
                return false;
            },
            () = closing.cancelled() => return false,
            () = &mut end => return true,
        }
    }
}
