//! The data phase: lanes that take one table after the other and pipe its rows from a COPY on the
//! source into a COPY on the target.
//!
//! ```text
//! source ══ COPY … TO STDOUT ══▶ pump ══▶ COPY … FROM STDIN ══ target
//!          (at the snapshot)               (one transaction a table)
//! ```
//!
//! A lane's connections are opened once. A table's rows are committed when both servers count
//! the same number; whatever happens before, the target rolls back.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::basis::Basis;
use super::lease::SnapshotLease;
use super::lock::ListedTable;
use super::plan::{CopyJob, Format, plan_copies};
use super::queue::Queue;
use super::{Error, lock};
use crate::catalog;
use crate::connect::{Endpoint, Purpose};
use crate::event::{Event, Events};
use crate::pg::{Oid, QualifiedName, ServerVersion, Sql};
use crate::task::{Background, Group, Scope};
use crate::wire::{
    CancelKey, Connection, Copied, EndedBy, Idle, Progress, PumpOptions, PumpOutcome, SourceAfter,
    pump,
};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);

/// How often the lock session gets traffic, and waiting sessions are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Between which databases rows are copied, and with how many lanes.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// The database read.
    pub source: Endpoint,
    /// The database written.
    pub target: Endpoint,
    /// What the target understands.
    pub target_version: ServerVersion,
    /// Lanes, at least 1.
    pub jobs: usize,
    /// Whether only the rows of extensions' configuration tables are wanted.
    pub only_configuration: bool,
}

/// One table's rows are on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table.
    pub table: QualifiedName,
    /// Rows, as both servers counted them.
    pub rows: u64,
    /// Bytes of COPY data.
    pub bytes: u64,
    /// From the first statement to the commit.
    pub elapsed: Duration,
    /// How the rows travelled.
    pub format: Format,
}

/// Copies all rows of the database; every table with rows of its own, in the order of completion.
///
/// # Errors
/// The first lane that failed, with the others stopped; or the scope was stopped. No COPY goes on
/// on either server then.
pub async fn copy_rows(
    request: &CopyRequest,
    basis: &Basis,
    scope: &Scope,
) -> Result<Vec<CopiedTable>, Error> {
    let jobs = plan(request, basis).await?;
    let database = request.source.database().to_owned();
    let bytes = jobs.iter().map(|job| job.bytes).sum();
    let planned = Event::CopyPlanned {
        database: database.clone(),
        tables: jobs.len(),
        bytes,
    };
    scope.events.emit(planned).await;
    let board = Arc::new(Board {
        database,
        progress: Progress::default(),
    });
    let ticking = Background::spawn(tick(Arc::clone(&board), scope.events.clone()));
    let tables = tokio::select! {
        biased;
        copied = run_lanes(request, basis, jobs, (&board, scope)) => copied?,
        lost = watch_locks(request, basis, scope) => return Err(lost),
    };
    drop(ticking);
    unchanged(request, basis, &tables).await?;
    Ok(tables)
}

/// Makes sure that no table without a lock was rewritten or altered while it was read: its rows may
/// then have been missing under the snapshot.
async fn unchanged(
    request: &CopyRequest,
    basis: &Basis,
    copied: &[CopiedTable],
) -> Result<(), Error> {
    let copied: HashSet<&QualifiedName> = copied.iter().map(|copied| &copied.table).collect();
    let timescale = basis.catalog.timescale.iter();
    let chunks = timescale.flat_map(|timescale| timescale.internals.keys());
    let chunks: HashSet<Oid> = chunks.map(|id| id.oid).collect();
    let unlocked = basis.hold.unlocked.iter();
    let unlocked: Vec<_> = unlocked
        .filter(|table| copied.contains(&table.name) || chunks.contains(&table.oid))
        .collect();
    if unlocked.is_empty() {
        return Ok(());
    }
    let session = request.source.session(Purpose::Introspect).await;
    let session = session.map_err(Error::Connect)?;
    let now = lock::list_tables(&session, &BTreeSet::new()).await;
    let now = now.map_err(Error::Lock)?;
    let now: HashMap<Oid, &ListedTable> = now.iter().map(|table| (table.oid, table)).collect();
    let changed = |table: &&&ListedTable| now.get(&table.oid) != Some(*table);
    match unlocked.iter().find(changed) {
        None => Ok(()),
        Some(table) => Err(Error::Changed {
            table: table.name.clone(),
        }),
    }
}

/// Asks under the snapshot what the plan needs beside the catalog.
async fn plan(request: &CopyRequest, basis: &Basis) -> Result<Vec<CopyJob>, Error> {
    let session = basis.hold.lease.session().await?;
    let text = catalog::load::transfer::load_transfer(&session, request.target_version).await;
    let text = text.map_err(Error::Catalog)?;
    let unstable = unstable_partitions(&session).await?;
    let mut jobs = plan_copies(&basis.catalog, &text, &unstable);
    if request.only_configuration {
        let extensions = basis.catalog.extensions.iter();
        let configuration: HashSet<&QualifiedName> = extensions
            .flat_map(|extension| &extension.config)
            .map(|config| &config.table.name)
            .collect();
        jobs.retain(|job| configuration.contains(&job.table));
    }
    Ok(jobs)
}

/// Partitions whose place depends on how the source's cluster hashes, with the table to write through.
async fn unstable_partitions(
    session: &crate::connect::Session,
) -> Result<HashMap<Oid, QualifiedName>, Error> {
    let sql = Sql::fixed(include_str!("sql/unstable_partitions.sql"));
    let rows = session.query(&sql, &[]).await.map_err(Error::Lock)?;
    let entry = |row: &tokio_postgres::Row| {
        let through = QualifiedName::from_catalog(row.get::<_, String>(1), row.get::<_, String>(2));
        (Oid(row.get(0)), through)
    };
    Ok(rows.iter().map(entry).collect())
}

/// Running totals of a database, for progress.
struct Board {
    database: String,
    progress: Progress,
}

async fn tick(board: Arc<Board>, events: Events) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        events.tick(Event::CopyProgress {
            database: board.database.clone(),
            rows: board.progress.rows(),
            bytes: board.progress.bytes(),
        });
    }
}

/// Keeps the lock session alive and names whoever waits for its locks; returns only when they are lost.
async fn watch_locks(request: &CopyRequest, basis: &Basis, scope: &Scope) -> Error {
    let Some(locks) = &basis.hold.locks else {
        return std::future::pending().await;
    };
    let mut watcher = request.source.session(Purpose::Introspect).await.ok();
    let mut told = HashSet::new();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        if let Err(lost) = locks.touch().await {
            return lost;
        }
        let Some(session) = &watcher else { continue };
        let Ok(waiters) = lock::waiters(session, locks.pid()).await else {
            // Without the watcher nobody is named; the copy itself does not depend on it.
            tracing::warn!("sessions that wait for our table locks can no longer be named");
            watcher = None;
            continue;
        };
        for waiter in waiters.into_iter().filter(|waiter| told.insert(waiter.pid)) {
            let text = format!(
                "{waiter} waits until the rows of {} are copied",
                waiter.table
            );
            scope.events.emit(Event::Warning(text)).await;
        }
    }
}

async fn run_lanes(
    request: &CopyRequest,
    basis: &Basis,
    jobs: Vec<CopyJob>,
    (board, scope): (&Arc<Board>, &Scope),
) -> Result<Vec<CopiedTable>, Error> {
    let queue = Queue::new(jobs);
    let copied = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut group = Group::new(scope);
    for _ in 0..request.jobs.min(queue.len()) {
        let lane = Lane::open(request, &basis.hold.lease, group.scope()).await?;
        let (queue, board, copied) = (queue.clone(), Arc::clone(board), Arc::clone(&copied));
        group.spawn(async move {
            let mut lane = lane;
            while let Some(job) = queue.pop() {
                let (next, table) = lane.copy(job, &board).await?;
                lane = next;
                copied
                    .lock()
                    .expect("no lane panics while it reports")
                    .push(table);
            }
            Ok(())
        });
    }
    group.join().await?;
    let copied = std::mem::take(&mut *copied.lock().expect("no lane panics while it reports"));
    Ok(copied)
}

/// Gives a table's lock back once its rows are out, and keeps the snapshot. A lane would hold the
/// locks of all its tables otherwise, besides the session that is there to hold them.
const UNLOCK: &str = "ROLLBACK TO SAVEPOINT rows";

/// One pair of connections that copies table after table.
struct Lane {
    ends: CopyRequest,
    source: Connection<Idle>,
    target: Connection<Idle>,
    scope: Scope,
}

impl Lane {
    async fn open(
        request: &CopyRequest,
        lease: &SnapshotLease,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let source = request
            .source
            .wire(Purpose::CopyOut)
            .await
            .map_err(Error::Connect)?;
        let mut source = see_snapshot(source, lease).await?;
        let savepoint = Sql::fixed("SAVEPOINT rows");
        source.execute(&savepoint).await.map_err(Error::Lane)?;
        let target = request
            .target
            .wire(Purpose::CopyIn)
            .await
            .map_err(Error::Connect)?;
        Ok(Self {
            ends: request.clone(),
            source,
            target,
            scope: scope.clone(),
        })
    }

    /// Copies one table and commits it.
    ///
    /// Not cancel safe: the lane is lost with the future, and the copy with it.
    async fn copy(self, job: CopyJob, board: &Board) -> Result<(Self, CopiedTable), Error> {
        if self.scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let begun = Instant::now();
        let events = self.scope.events.clone();
        let (database, table) = (board.database.clone(), job.table.clone());
        events.emit(Event::TableStarted { database, table }).await;
        let (lane, Copied { rows, bytes }) = self.transfer(&job, board).await?;
        let CopyJob { table, format, .. } = job;
        let copied = CopiedTable {
            table,
            rows,
            bytes,
            elapsed: begun.elapsed(),
            format,
        };
        let event = Event::TableCopied {
            database: board.database.clone(),
            table: copied.table.clone(),
            rows,
            bytes,
            elapsed: copied.elapsed,
        };
        events.emit(event).await;
        Ok((lane, copied))
    }

    /// The copy itself: begin, pipe, compare, commit.
    async fn transfer(mut self, job: &CopyJob, board: &Board) -> Result<(Self, Copied), Error> {
        let table = || job.table.clone();
        let around = |source| Error::Table {
            table: table(),
            source,
        };
        self.target.execute(&job.begin()).await.map_err(around)?;
        let keys = (self.source.cancel_key(), self.target.cancel_key());
        let target = self
            .target
            .copy_in(&job.copy_in())
            .await
            .map_err(|f| around(f.error))?;
        let source = self
            .source
            .copy_out(&job.copy_out())
            .await
            .map_err(|f| around(f.error))?;
        let options = PumpOptions::default();
        let stop = &self.scope.stop;
        let pumping = pump(source, target, &options, &board.progress, stop);
        match self.ends.cancel_on_stop(pumping, keys, stop).await {
            PumpOutcome {
                result: Ok(copied),
                source: SourceAfter::Idle(mut source),
                target: Some(mut target),
                ..
            } => {
                let (commit, unlock) = (Sql::fixed("COMMIT"), Sql::fixed(UNLOCK));
                let (committed, unlocked) =
                    tokio::join!(target.execute(&commit), source.execute(&unlock));
                committed.and(unlocked).map_err(around)?;
                Ok((
                    Self {
                        source,
                        target,
                        ..self
                    },
                    copied,
                ))
            }
            PumpOutcome { result: Ok(_), .. } => Err(Error::LaneLost { table: table() }),
            PumpOutcome {
                result: Err(error), ..
            } => {
                self.ends.cancel_both(keys).await;
                Err(match error.ended_by {
                    EndedBy::Stop => Error::Stopped,
                    EndedBy::Source | EndedBy::Target => Error::Copy {
                        table: table(),
                        source: Box::new(error),
                    },
                })
            }
        }
    }
}

/// Makes a lane's reader see the snapshot for all of its copies.
async fn see_snapshot(
    mut source: Connection<Idle>,
    lease: &SnapshotLease,
) -> Result<Connection<Idle>, Error> {
    let mut refusal = None;
    for begin in lease.begin_statements() {
        match source.execute(&begin).await {
            Ok(()) => return Ok(source),
            Err(error) => refusal = Some(error),
        }
        source
            .execute(&Sql::fixed("ROLLBACK"))
            .await
            .map_err(Error::Lane)?;
    }
    Err(Error::Lane(refusal.expect("a lease has two names")))
}

impl CopyRequest {
    /// Waits for a copy; at a stop both servers are told, since one that is busy with a row reads
    /// nothing that the copy itself sends.
    async fn cancel_on_stop<T>(
        &self,
        copy: impl Future<Output = T>,
        keys: (Option<CancelKey>, Option<CancelKey>),
        stop: &CancellationToken,
    ) -> T {
        tokio::pin!(copy);
        tokio::select! {
            biased;
            done = &mut copy => return done,
            () = stop.cancelled() => {}
        }
        tokio::join!(copy, self.cancel_both(keys)).0
    }

    /// Ends what may still run on both servers. They would notice closed connections by themselves,
    /// but only with their next byte.
    async fn cancel_both(&self, (source, target): (Option<CancelKey>, Option<CancelKey>)) {
        for (endpoint, key) in [(&self.source, source), (&self.target, target)] {
            let Some(key) = key else { continue };
            if let Err(error) = endpoint.cancel(&key).await {
                tracing::debug!(%error, "a cancel request did not reach the server");
            }
        }
    }
}
