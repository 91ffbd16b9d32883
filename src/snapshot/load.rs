//! Rows and what is built upon them, by one set of workers.
//!
//! ```text
//!           ┌─ copy a parcel of rows ─────────▶ its tables have landed ─┐
//!  worker ──┤   (the longest chain of work goes first)                  │ steps become ready
//!           └─ run steps: indexes, keys, … ◀────────────────────────────┘
//! ```
//!
//! A table's indexes are built while other tables are still copied, so that neither the source's
//! nor the target's processors wait for a phase to end. Snapshot and locks of the source last as
//! long as rows are read, and are released at once then, with steps still under way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::analysis::{analyses, filled_views};
use super::basis::{Basis, Hold};
use super::build::{self, Section, Site, Tables, Work, stoppable};
use super::carry_statistics::carryable_statistics;
use super::copies::Copies;
use super::copy::{self, CopiedTable, CopyRequest};
use super::lane::Lane;
use super::large_objects::{CopiedObjects, copy_large_objects};
use super::ledger::Fact;
use super::plan::CopyJob;
use super::statistics::unanalyzed;
use super::values::{CopiedSequences, copy_sequences};
use crate::catalog::Catalog;
use crate::connect::Session;
use crate::ddl;
use crate::event::{Event, Phase};
use crate::pg::{Lsn, QualifiedName};
use crate::task::{Background, Group, Scope};
use crate::wire::{Copied, Progress};

/// A database with its rows and what was built upon them.
#[derive(Debug)]
pub struct Loaded {
    /// Every table with rows of its own, in the order of completion.
    pub tables: Vec<CopiedTable>,
    /// The large objects.
    pub objects: CopiedObjects,
    /// The database as the snapshot showed it.
    pub catalog: Catalog,
    /// Where the log continues after the snapshot; only with a slot.
    pub consistent_point: Option<Lsn>,
    /// The sequences, whose values were read after the rows.
    pub sequences: CopiedSequences,
    /// Tables whose statistics are to be carried over.
    pub carryable: BTreeSet<QualifiedName>,
    /// What has no statistics, in words.
    pub untold: Vec<String>,
}

/// What is loaded beside the tables.
pub struct Load<'l> {
    /// Between which databases, and how.
    pub request: &'l CopyRequest,
    /// What is built once its rows are there.
    pub section: Section,
    /// How large objects are written; None leaves them.
    pub objects: Option<&'l ddl::Options>,
    /// Whether any rows are copied.
    pub rows: bool,
    /// Whether sequences get the source's values.
    pub values: bool,
    /// Whether the target's planner is told of the rows.
    pub analyze: bool,
}

/// Copies all rows and large objects of a database and makes the section's definitions. The basis
/// is released as soon as the rows are out, and on every failure.
///
/// # Errors
/// The first worker that failed, with the others stopped; [`Error::Refused`] after everything else
/// was made; or the scope was stopped. No COPY goes on on either server then.
pub async fn load(load: Load<'_>, basis: Basis, scope: &Scope) -> Result<Loaded, Error> {
    let planned = if load.rows {
        copy::plan(load.request, &basis).await
    } else {
        Ok(Vec::new())
    };
    let begun = match planned {
        Ok(jobs) => Workers::start(&load, jobs, &basis, scope).await,
        Err(error) => Err(error),
    };
    let workers = match begun {
        Ok(workers) => workers,
        Err(error) => {
            basis.hold.release().await?;
            return Err(error);
        }
    };
    Box::pin(workers.finish(&load, basis, scope)).await
}

/// The workers of a database.
struct Workers {
    board: Arc<Board>,
    group: Group<Error>,
    begun: Instant,
    carryable: BTreeSet<QualifiedName>,
    untold: Vec<String>,
}

/// What the workers share.
struct Board {
    request: CopyRequest,
    copies: Mutex<Copies>,
    jobs: Arc<[CopyJob]>,
    tallies: Mutex<Vec<Tally>>,
    copied: Mutex<Vec<CopiedTable>>,
    work: Work,
    progress: Arc<Progress>,
    /// All rows are out.
    out: Notify,
}

/// What has arrived of a table.
#[derive(Clone, Copy, Default)]
struct Tally {
    rows: u64,
    bytes: u64,
    begun: Option<Instant>,
}

/// What a worker does next.
enum Task {
    Copy(usize),
    Build,
    Wait,
    End,
}

impl Workers {
    async fn start(
        load: &Load<'_>,
        jobs: Vec<CopyJob>,
        basis: &Basis,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let request = load.request;
        let database = request.source.database().to_owned();
        let planned = Event::CopyPlanned {
            database: database.clone(),
            tables: jobs.len(),
            bytes: jobs.iter().map(|job| job.bytes).sum(),
        };
        begin(scope, &database, Phase::Data).await;
        scope.events.emit(planned).await;
        let site = Site {
            target: request.target.clone(),
            phase: Phase::PostData,
        };
        let missing: BTreeSet<_> = jobs.iter().map(|job| job.oid).collect();
        let ledger = request.ledger.clone();
        let mut section = load.section.clone();
        let carryable = carryable(load, basis).await?;
        let mut untold = Vec::new();
        if load.analyze {
            let tables = Tables::with_rows(&basis.catalog);
            let mut analyses = analyses(&basis.catalog, &jobs, &carryable, &tables);
            if !request.only_configuration {
                analyses.wanted.extend(filled_views(&basis.catalog));
            }
            section.analyze(&analyses.wanted, &tables);
            untold = analyses.untold;
        }
        let (work, first) = build::prepare(&site, section, request.jobs, missing, ledger).await?;
        let jobs: Arc<[CopyJob]> = jobs.into();
        let copies = Copies::new(Arc::clone(&jobs), &work.chains_behind());
        let board = Arc::new(Board {
            request: request.clone(),
            tallies: Mutex::new(vec![Tally::default(); jobs.len()]),
            copied: Mutex::default(),
            progress: Arc::default(),
            out: Notify::new(),
            copies: Mutex::new(copies),
            jobs,
            work,
        });
        if board.copies().is_finished() {
            board.out.notify_one();
        }
        let mut group = Group::new(scope);
        let mut first = Some(first);
        for number in 0..request.jobs {
            let lane = Lane::new(request, &basis.hold.lease, group.scope());
            let worker = Worker {
                number,
                lane,
                session: first.take(),
                board: Arc::clone(&board),
                scope: group.scope().clone(),
            };
            group.spawn(worker.run());
        }
        Ok(Self {
            board,
            group,
            begun: Instant::now(),
            carryable,
            untold,
        })
    }

    async fn finish(self, load: &Load<'_>, basis: Basis, scope: &Scope) -> Result<Loaded, Error> {
        let Self {
            board,
            group,
            begun,
            carryable,
            mut untold,
        } = self;
        let database = load.request.source.database();
        let group_scope = &group.scope().clone();
        let stop = group_scope.stop.clone();
        let ticks = copy::tick(
            database.to_owned(),
            Arc::clone(&board.progress),
            scope.events.clone(),
        );
        let ticking = Background::spawn(ticks);
        let reading = async {
            let read = Box::pin(board.read(load, &basis, &stop, scope)).await;
            drop(ticking);
            if read.is_err() {
                stop.cancel();
            }
            let Basis {
                catalog,
                consistent_point,
                hold,
            } = basis;
            let released = Hold::release(hold).await;
            let objects = read?;
            released?;
            end(scope, database, Phase::Data, begun.elapsed()).await;
            begin(scope, database, Phase::PostData).await;
            let since = Instant::now();
            let values = Box::pin(values(load, &catalog, group_scope)).await;
            if values.is_err() {
                stop.cancel();
            }
            Ok((objects, values?, (catalog, consistent_point), since))
        };
        let (built, read) = tokio::join!(group.join(), reading);
        let (objects, sequences, (catalog, consistent_point), since) = match (built, read) {
            (Ok(()), Ok(read)) => read,
            // The workers were only stopped: what stopped them is the cause.
            (Ok(()) | Err(Error::Stopped), Err(error)) | (Err(error), _) => return Err(error),
        };
        let refused = build::told(&board.work)?;
        untold.extend(
            refused
                .iter()
                .map(|(table, error)| unanalyzed(table, error)),
        );
        end(scope, database, Phase::PostData, since.elapsed()).await;
        let tables = std::mem::take(&mut *board.copied.lock().expect(UNBROKEN));
        Ok(Loaded {
            tables,
            objects,
            catalog,
            consistent_point,
            sequences,
            carryable,
            untold,
        })
    }
}

/// The tables whose statistics a target of 18 takes from the source.
async fn carryable(load: &Load<'_>, basis: &Basis) -> Result<BTreeSet<QualifiedName>, Error> {
    let version = load.request.target_version;
    if !load.analyze || !version.has_statistics_import() {
        return Ok(BTreeSet::new());
    }
    let reader = basis.hold.lease.session().await?;
    carryable_statistics(&reader, version, &basis.catalog).await
}

/// The values of sequences, which go without rows, and are read after them.
async fn values(
    load: &Load<'_>,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<CopiedSequences, Error> {
    if !load.values {
        return Ok(CopiedSequences::default());
    }
    let request = load.request;
    copy_sequences(&request.source, &request.target, catalog, scope).await
}

/// No worker panics while it holds one of the board's locks.
const UNBROKEN: &str = "no worker panics while it looks at the board";

impl Board {
    fn copies(&self) -> MutexGuard<'_, Copies> {
        self.copies.lock().expect(UNBROKEN)
    }

    /// Returns when nothing more is read from the source.
    async fn read(
        &self,
        load: &Load<'_>,
        basis: &Basis,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<CopiedObjects, Error> {
        let objects = async {
            match load.objects {
                Some(options) => {
                    let copied = copy_large_objects(load.request, basis, options, scope).await?;
                    let count = copied.count;
                    self.request.ledger.note(Fact::LargeObjects { count }).await;
                    Ok(copied)
                }
                None => Ok(CopiedObjects::default()),
            }
        };
        let rows = async {
            tokio::select! {
                () = self.out.notified() => Ok(()),
                () = stop.cancelled() => Err(Error::Stopped),
            }
        };
        let objects = tokio::select! {
            biased;
            read = async { tokio::try_join!(rows, objects) } => read?.1,
            lost = copy::watch_locks(load.request, basis, scope) => return Err(lost),
        };
        copy::unchanged(load.request, basis, &self.jobs).await?;
        Ok(objects)
    }

    /// What a worker does next: whatever has the longest chain of work behind it.
    fn next(&self, worker: usize) -> Task {
        // Each has a lock of its own: neither is asked while the other's is held.
        let build = self.work.next_chain(worker);
        let is_built = self.work.is_finished();
        let mut copies = self.copies();
        match (copies.next_chain(), build) {
            (Some(copy), Some(build)) if build > copy => Task::Build,
            (Some(_), _) => copies.take().map_or(Task::Wait, Task::Copy),
            (None, Some(_)) => Task::Build,
            (None, None) if copies.is_finished() && is_built => Task::End,
            (None, None) => Task::Wait,
        }
    }

    /// The tables of a parcel have been begun.
    async fn begin(&self, number: usize, scope: &Scope) {
        let pieces = self.copies().parcel(number).pieces.clone();
        for (job, _) in pieces {
            let is_first = {
                let mut tallies = self.tallies.lock().expect(UNBROKEN);
                let begun = &mut tallies[job].begun;
                let is_first = begun.is_none();
                begun.get_or_insert_with(Instant::now);
                is_first
            };
            if is_first {
                let started = Event::TableStarted {
                    database: self.request.source.database().to_owned(),
                    table: self.jobs[job].table.clone(),
                };
                scope.events.emit(started).await;
            }
        }
    }

    /// A parcel is committed.
    async fn done(&self, number: usize, copied: &[Copied], scope: &Scope) {
        let pieces = self.copies().parcel(number).pieces.clone();
        for ((job, part), copied) in pieces.into_iter().zip(copied) {
            {
                let mut tallies = self.tallies.lock().expect(UNBROKEN);
                tallies[job].rows += copied.rows;
                tallies[job].bytes += copied.bytes;
            }
            if let Some(part) = part {
                let fact = Fact::Part {
                    table: self.jobs[job].table.clone(),
                    part,
                    of: self.jobs[job].ranges.len(),
                    rows: copied.rows,
                };
                self.request.ledger.note(fact).await;
            }
        }
        let (whole, landed, is_out) = {
            let mut copies = self.copies();
            let whole = copies.done(number);
            let landed = copies.landed(&whole);
            (whole, landed, copies.is_finished())
        };
        self.work.landed(&landed);
        for job in whole {
            self.tell(job, scope).await;
        }
        if is_out {
            self.out.notify_one();
        }
    }

    /// A table has all its rows.
    async fn tell(&self, job: usize, scope: &Scope) {
        let Tally { rows, bytes, begun } = self.tallies.lock().expect(UNBROKEN)[job];
        let CopyJob { table, format, .. } = &self.jobs[job];
        let copied = CopiedTable {
            table: table.clone(),
            rows,
            bytes,
            elapsed: begun.map_or(Duration::ZERO, |begun| begun.elapsed()),
            format: format.clone(),
        };
        let fact = Fact::Table {
            table: table.clone(),
            rows,
            bytes,
        };
        self.request.ledger.note(fact).await;
        let event = Event::TableCopied {
            database: self.request.source.database().to_owned(),
            table: table.clone(),
            rows,
            bytes,
            elapsed: copied.elapsed,
        };
        scope.events.emit(event).await;
        self.copied.lock().expect(UNBROKEN).push(copied);
    }
}

/// One of the workers, with the connections that it has opened.
struct Worker {
    number: usize,
    lane: Lane,
    session: Option<Session>,
    board: Arc<Board>,
    scope: Scope,
}

impl Worker {
    async fn run(mut self) -> Result<(), Error> {
        let board = Arc::clone(&self.board);
        loop {
            let changed = board.work.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            match board.next(self.number) {
                Task::Copy(parcel) => self.copy(parcel).await?,
                Task::Build => self.build().await?,
                Task::Wait => tokio::select! {
                    () = changed => {}
                    () = self.scope.stop.cancelled() => {}
                },
                Task::End => return Ok(()),
            }
        }
    }

    async fn copy(&mut self, number: usize) -> Result<(), Error> {
        let board = Arc::clone(&self.board);
        board.begin(number, &self.scope).await;
        let parcel = board.copies().parcel(number).clone();
        let copied = self
            .lane
            .copy(&board.jobs, &parcel, &board.progress)
            .await?;
        if board.copies().next_chain().is_none() {
            // Nothing keeps the source's snapshot longer than rows are read.
            self.lane.close();
        }
        board.done(number, &copied, &self.scope).await;
        Ok(())
    }

    async fn build(&mut self) -> Result<(), Error> {
        let board = Arc::clone(&self.board);
        if board.copies().next_chain().is_none() {
            self.lane.close();
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => board.work.session().await?,
        };
        let longer = || board.copies().next_chain().unwrap_or(0);
        let work = board
            .work
            .run_ready(self.number, &session, &longer, &self.scope);
        stoppable(&session, &self.scope, work).await?;
        self.session = Some(session);
        Ok(())
    }
}

async fn begin(scope: &Scope, database: &str, phase: Phase) {
    let database = Some(database.to_owned());
    scope
        .events
        .emit(Event::PhaseStarted { database, phase })
        .await;
}

async fn end(scope: &Scope, database: &str, phase: Phase, elapsed: Duration) {
    let event = Event::PhaseFinished {
        database: Some(database.to_owned()),
        phase,
        elapsed,
    };
    scope.events.emit(event).await;
}
