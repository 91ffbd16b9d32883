//! What the workers of a database share: rows and large objects to copy, steps to run, and how far
//! each is.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::next_task::Choice;
use super::read_queues::ReadQueues;
use super::request::CopyRequest;
use crate::ddl;
use crate::event::Event;
use crate::snapshot::definitions::section_run::SectionRun;
use crate::snapshot::large_objects::batch::LargeObjectPage;
use crate::snapshot::large_objects::queue::{CopiedObjects, LargeObjectQueue, LargeObjectTask};
use crate::snapshot::point::consistent_point::ConsistentPoint;
use crate::snapshot::point::lock_watch::{check_still_locked, check_unlocked_tables, keep_locks};
use crate::snapshot::rows::batch::CopyItem;
use crate::snapshot::rows::copied::CopiedTable;
use crate::snapshot::rows::job::CopyJob;
use crate::snapshot::rows::queue::CopyQueue;
use crate::task::{Crew, Scope};
use crate::transfer::Fact;
use crate::wire::{Copied, Progress};

/// The shared state of a load.
pub(super) struct LoadState {
    pub(super) request: CopyRequest,
    queues: Mutex<ReadQueues>,
    pub(super) jobs: Arc<[CopyJob]>,
    tallies: Mutex<Vec<Tally>>,
    copied: Mutex<Vec<CopiedTable>>,
    /// How large objects are written; None if they are not copied.
    pub(super) large_object_options: Option<ddl::Options>,
    pub(super) section: SectionRun,
    pub(super) progress: Arc<Progress>,
    pub(super) crew: Crew,
    /// All rows and large objects have arrived.
    all_rows_read: Notify,
}

/// What has arrived of a table.
#[derive(Clone, Copy, Default)]
struct Tally {
    rows: u64,
    bytes: u64,
    begun: Option<Instant>,
}

/// A worker's next task.
pub(super) enum Task {
    /// Copy a batch of rows, by its number.
    Rows(usize),
    LargeObjects(LargeObjectTask),
    /// Run steps.
    Steps,
    Wait,
    End,
}

/// No worker panics while it holds one of these locks.
const UNBROKEN: &str = "no worker panics while it uses the state of the load";

impl LoadState {
    /// Creates the state before anything is copied or built.
    pub(super) fn new(
        request: &CopyRequest,
        jobs: Vec<CopyJob>,
        large_object_options: Option<&ddl::Options>,
        section: SectionRun,
    ) -> Self {
        let jobs: Arc<[CopyJob]> = jobs.into();
        let queues = ReadQueues {
            rows: CopyQueue::new(Arc::clone(&jobs), &section.critical_paths()),
            large_objects: LargeObjectQueue::new(large_object_options.is_some()),
        };
        let state = Self {
            request: request.clone(),
            queues: Mutex::new(queues),
            tallies: Mutex::new(vec![Tally::default(); jobs.len()]),
            jobs,
            copied: Mutex::default(),
            large_object_options: large_object_options.cloned(),
            section,
            progress: Arc::default(),
            crew: Crew::of(request.jobs),
            all_rows_read: Notify::new(),
        };
        state.notify_if_all_read();
        state
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, ReadQueues> {
        self.queues.lock().expect(UNBROKEN)
    }

    fn tallies(&self) -> MutexGuard<'_, Vec<Tally>> {
        self.tallies.lock().expect(UNBROKEN)
    }

    /// Takes a worker's next task.
    pub(super) fn next_task(&self, worker: usize) -> Task {
        // The schedule has a lock of its own. It is asked before the queues are locked.
        let step = self.section.next_critical_path(worker);
        let is_built = self.section.is_finished();
        let mut queues = self.queues();
        let taken = match queues.open_work(step, is_built).choose() {
            Choice::Rows => queues.rows.take_batch().map(Task::Rows),
            Choice::LargeObjects => queues.large_objects.take_task().map(Task::LargeObjects),
            Choice::Step => Some(Task::Steps),
            Choice::Wait => Some(Task::Wait),
            Choice::End => Some(Task::End),
        };
        taken.expect("a queue with a critical path has a task")
    }

    /// Returns the critical path below which a worker takes no further steps.
    pub(super) fn least_path_of_steps(&self) -> u64 {
        self.queues().open_work(None, false).least_path_of_steps()
    }

    /// Whether nothing waits to be read from the source.
    pub(super) fn all_taken(&self) -> bool {
        self.queues().all_taken()
    }

    /// Returns when nothing waits to be read from the source.
    pub(super) async fn wait_until_all_taken(&self) {
        loop {
            // Registered before the look: a change in between is not missed.
            let changed = self.section.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.all_taken() {
                return;
            }
            changed.await;
        }
    }

    fn notify_if_all_read(&self) {
        if self.queues().is_finished() {
            self.all_rows_read.notify_one();
        }
    }

    /// Returns when all rows and large objects have arrived, and the locks have lasted until then.
    pub(super) async fn wait_until_all_read(
        &self,
        point: &ConsistentPoint,
        stop: &CancellationToken,
    ) -> Result<CopiedObjects, Error> {
        tokio::select! {
            biased;
            () = self.all_rows_read.notified() => {}
            () = stop.cancelled() => return Err(Error::Stopped),
            lost = keep_locks(point) => return Err(lost),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Error::Stopped),
            locked = check_still_locked(point) => locked?,
        }
        let tables = self.jobs.iter().map(|job| &job.table);
        check_unlocked_tables(&self.request.source, point, tables).await?;
        let copied = self.queues().large_objects.take_copied();
        if self.large_object_options.is_some() {
            let count = copied.count;
            self.request.ledger.note(Fact::LargeObjects { count }).await;
        }
        Ok(copied)
    }

    /// Returns every copied table, once.
    pub(super) fn take_copied(&self) -> Vec<CopiedTable> {
        std::mem::take(&mut *self.copied.lock().expect(UNBROKEN))
    }

    /// Records a page of listed large objects.
    pub(super) fn add_large_objects(&self, page: LargeObjectPage) {
        self.queues().large_objects.add_page(page);
        self.section.rows_loaded(&[]);
        self.notify_if_all_read();
    }

    /// Returns a batch of rows to the queue, because its worker has no connection for it.
    pub(super) fn put_back_rows(&self, number: usize) {
        self.queues().rows.put_back(number);
        self.section.rows_loaded(&[]);
    }

    /// Returns a task of large objects to the queue.
    pub(super) fn put_back_large_objects(&self, task: LargeObjectTask) {
        self.queues().large_objects.put_back(task);
        self.section.rows_loaded(&[]);
    }

    /// Records that a batch of large objects is committed.
    pub(super) fn finish_large_objects(&self, count: usize, omitted: Vec<String>) {
        self.queues().large_objects.finish_batch(count, omitted);
        self.section.rows_loaded(&[]);
        self.notify_if_all_read();
    }

    fn items(&self, number: usize) -> Vec<CopyItem> {
        self.queues().rows.batch(number).items.clone()
    }

    /// Records the start of the tables of a batch that have not been started before.
    pub(super) fn start_rows(&self, number: usize) {
        // One lock at a time: no other order can be wrong then.
        let items = self.items(number);
        let mut tallies = self.tallies();
        for CopyItem { job, .. } in items {
            tallies[job].begun.get_or_insert_with(Instant::now);
        }
    }

    /// Records that a batch of rows is committed.
    pub(super) async fn finish_rows(&self, number: usize, copied: &[Copied], scope: &Scope) {
        for (item, copied) in self.items(number).into_iter().zip(copied) {
            self.count_rows(item.job, copied);
            if let Some(part) = item.range {
                let fact = Fact::Part {
                    table: self.jobs[item.job].table.clone(),
                    part,
                    rows: copied.rows,
                };
                self.request.ledger.note(fact).await;
            }
        }
        let whole = self.finish_batch(number);
        for job in whole {
            self.finish_table(job, scope).await;
        }
        // Only now: whoever waits for it reads the list of copied tables.
        self.notify_if_all_read();
    }

    fn count_rows(&self, job: usize, copied: &Copied) {
        let tally = &mut self.tallies()[job];
        tally.rows += copied.rows;
        tally.bytes += copied.bytes;
    }

    /// Makes steps ready that waited for the rows of a batch. Returns the tables that have all their rows.
    fn finish_batch(&self, number: usize) -> Vec<usize> {
        let mut queues = self.queues();
        let whole = queues.rows.finish_batch(number);
        let loaded = queues.rows.loaded_relations(&whole);
        drop(queues);
        self.section.rows_loaded(&loaded);
        whole
    }

    /// Reports a table that has all its rows.
    async fn finish_table(&self, job: usize, scope: &Scope) {
        let copied = self.copied_table(job);
        let (table, rows) = (copied.table.clone(), copied.rows);
        self.request.ledger.note(Fact::Table { table, rows }).await;
        let event = Event::TableCopied {
            database: self.request.source.database().to_owned(),
            table: copied.table.clone(),
            rows,
            bytes: copied.bytes,
            elapsed: copied.elapsed,
        };
        scope.events.emit(event).await;
        self.copied.lock().expect(UNBROKEN).push(copied);
    }

    fn copied_table(&self, job: usize) -> CopiedTable {
        let Tally { rows, bytes, begun } = self.tallies()[job];
        CopiedTable {
            table: self.jobs[job].table.clone(),
            rows,
            bytes,
            elapsed: begun.map_or(Duration::ZERO, |begun| begun.elapsed()),
            format: self.jobs[job].format.clone(),
        }
    }
}
