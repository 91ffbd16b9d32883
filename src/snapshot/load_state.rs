//! What the workers of a database share: rows and large objects to copy, steps to run, and how far
//! each is.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::ledger::Fact;
use crate::ddl;
use crate::event::Event;
use crate::snapshot::definitions::lane::Work;
use crate::snapshot::large_objects::batch::LargeObjectPage;
use crate::snapshot::large_objects::queue::{CopiedObjects, ObjectTask, Objects};
use crate::snapshot::point::establish::Basis;
use crate::snapshot::rows::load_plan;
use crate::snapshot::rows::load_plan::{CopiedTable, CopyRequest};
use crate::snapshot::rows::plan::CopyJob;
use crate::snapshot::rows::queue::Copies;
use crate::task::{Crew, Scope};
use crate::wire::{Copied, Progress};

/// What the workers share.
pub(in crate::snapshot) struct Board {
    pub(in crate::snapshot) request: CopyRequest,
    copies: Mutex<Copies>,
    pub(in crate::snapshot) jobs: Arc<[CopyJob]>,
    tallies: Mutex<Vec<Tally>>,
    copied: Mutex<Vec<CopiedTable>>,
    objects: Mutex<Objects>,
    /// How large objects are written.
    pub(in crate::snapshot) options: Option<ddl::Options>,
    pub(in crate::snapshot) work: Work,
    pub(in crate::snapshot) progress: Arc<Progress>,
    pub(in crate::snapshot) crew: Crew,
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
pub(in crate::snapshot) enum Task {
    /// A parcel of rows, by its number.
    Copy(usize),
    Objects(ObjectTask),
    Build,
    Wait,
    End,
}

/// No worker panics while it holds one of the board's locks.
const UNBROKEN: &str = "no worker panics while it looks at the board";

impl Board {
    /// Before anything is copied or built.
    pub(in crate::snapshot) fn new(
        request: &CopyRequest,
        (jobs, options): (Vec<CopyJob>, Option<&ddl::Options>),
        work: Work,
    ) -> Self {
        let jobs: Arc<[CopyJob]> = jobs.into();
        let copies = Copies::new(Arc::clone(&jobs), &work.chains_behind());
        let objects = match options {
            Some(_) => Objects::wanted(),
            None => Objects::Unwanted,
        };
        let board = Self {
            request: request.clone(),
            copies: Mutex::new(copies),
            tallies: Mutex::new(vec![Tally::default(); jobs.len()]),
            jobs,
            copied: Mutex::default(),
            objects: Mutex::new(objects),
            options: options.cloned(),
            work,
            progress: Arc::default(),
            crew: Crew::of(request.jobs),
            out: Notify::new(),
        };
        board.look_whether_out();
        board
    }

    pub(in crate::snapshot) fn copies(&self) -> MutexGuard<'_, Copies> {
        self.copies.lock().expect(UNBROKEN)
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().expect(UNBROKEN)
    }

    /// The longest chain of what waits to be read from the source.
    fn next_to_read(&self) -> Option<u64> {
        let objects = self.objects().next_chain();
        objects.max(self.copies().next_chain())
    }

    /// The same, as a number; 0 where nothing waits. Where nobody reads, nothing else is longer:
    /// snapshot and locks would last on the source for as long as the target builds.
    pub(in crate::snapshot) fn longest_to_read(&self) -> u64 {
        match self.next_to_read() {
            None => 0,
            Some(_) if !self.is_reading() => u64::MAX,
            Some(chain) => chain,
        }
    }

    fn is_reading(&self) -> bool {
        let has_objects = self.objects().is_reading();
        has_objects || self.copies().is_reading()
    }

    /// Whether nothing waits to be read from the source.
    pub(in crate::snapshot) fn is_read(&self) -> bool {
        !self.copies().has_last() && self.next_to_read().is_none()
    }

    /// Returns when nothing waits to be read from the source.
    pub(in crate::snapshot) async fn all_taken(&self) {
        loop {
            let changed = self.work.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_read() {
                return;
            }
            changed.await;
        }
    }

    /// Tells when the last row and the last large object have arrived.
    fn look_whether_out(&self) {
        let has_objects = !self.objects().is_finished();
        if !has_objects && self.copies().is_finished() {
            self.out.notify_one();
        }
    }

    /// Returns when nothing more is read from the source.
    pub(in crate::snapshot) async fn read(
        &self,
        basis: &Basis,
        stop: &CancellationToken,
    ) -> Result<CopiedObjects, Error> {
        tokio::select! {
            biased;
            () = self.out.notified() => {}
            () = stop.cancelled() => return Err(Error::Stopped),
            lost = load_plan::keep_locks(basis) => return Err(lost),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Error::Stopped),
            held = load_plan::still_locked(basis) => held?,
        }
        load_plan::unchanged(&self.request, basis, &self.jobs).await?;
        let copied = self.objects().take_copied();
        if self.options.is_some() {
            let count = copied.count;
            self.request.ledger.note(Fact::LargeObjects { count }).await;
        }
        Ok(copied)
    }

    /// Every table that has arrived, once.
    pub(in crate::snapshot) fn take_copied(&self) -> Vec<CopiedTable> {
        std::mem::take(&mut *self.copied.lock().expect(UNBROKEN))
    }

    /// What a worker does next: whatever has the longest chain of work behind it, but somebody reads as
    /// long as there is something to read.
    pub(in crate::snapshot) fn next(&self, worker: usize) -> Task {
        loop {
            // Each has a lock of its own: none is asked while another's is held.
            let build = self.work.next_chain(worker);
            let objects = self.objects().next_chain();
            let copy = self.copies().next_chain();
            let must_read = !self.is_reading() && objects.max(copy).is_some();
            let build = build.filter(|_| !must_read);
            let Some(longest) = build.max(objects).max(copy) else {
                return match self.is_finished() {
                    true => Task::End,
                    false => Task::Wait,
                };
            };
            let taken = if objects == Some(longest) {
                self.objects().take().map(Task::Objects)
            } else if copy == Some(longest) {
                self.copies().take().map(Task::Copy)
            } else {
                Some(Task::Build)
            };
            // Another worker may have been quicker.
            if let Some(task) = taken {
                return task;
            }
        }
    }

    fn is_finished(&self) -> bool {
        let is_built = self.work.is_finished();
        let has_objects = !self.objects().is_finished();
        is_built && !has_objects && self.copies().is_finished()
    }

    /// Large objects were listed.
    pub(in crate::snapshot) fn listed(&self, page: LargeObjectPage) {
        self.objects().listed(page);
        self.work.landed(&[]);
        self.look_whether_out();
    }

    /// A worker without connections returns a batch of rows to the queue.
    pub(in crate::snapshot) fn put_back(&self, number: usize) {
        self.copies().put_back(number);
        self.work.landed(&[]);
    }

    /// The same for large objects.
    pub(in crate::snapshot) fn put_back_objects(&self, task: ObjectTask) {
        self.objects().put_back(task);
        self.work.landed(&[]);
    }

    /// A batch of large objects is committed.
    pub(in crate::snapshot) fn done_objects(&self, count: usize, left_out: Vec<String>) {
        self.objects().done(count, left_out);
        self.work.landed(&[]);
        self.look_whether_out();
    }

    /// The tables of a parcel have been begun.
    pub(in crate::snapshot) async fn begin(&self, number: usize, scope: &Scope) {
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
    pub(in crate::snapshot) async fn done(&self, number: usize, copied: &[Copied], scope: &Scope) {
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
                    rows: copied.rows,
                };
                self.request.ledger.note(fact).await;
            }
        }
        let (whole, landed) = {
            let mut copies = self.copies();
            let whole = copies.done(number);
            let landed = copies.landed(&whole);
            (whole, landed)
        };
        self.work.landed(&landed);
        for job in whole {
            self.tell(job, scope).await;
        }
        self.look_whether_out();
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
