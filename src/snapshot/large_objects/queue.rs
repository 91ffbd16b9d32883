//! The order in which large objects are copied: pure.

use super::batch::{LargeObjectBatch, LargeObjectPage};

/// The copied large objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedObjects {
    /// How many.
    pub count: usize,
    /// Grants that the target cannot hold.
    pub skipped: Vec<String>,
}

/// The next page is listed when fewer batches wait than this: enough that no worker waits for it.
const REFILL: usize = 64;

/// All large objects of a database and their states. They are listed page by page, so that memory
/// does not grow with their number.
#[derive(Debug)]
pub(crate) enum LargeObjectQueue {
    /// None are wanted.
    Unwanted,
    /// All are.
    Wanted(Wanted),
}

/// What is known of the large objects so far.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    listed: Listed,
    /// Batches that no worker has taken, the largest last.
    waiting: Vec<LargeObjectBatch>,
    /// Batches that are being copied.
    under_way: usize,
    /// What has arrived.
    copied: CopiedObjects,
}

/// The state of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    /// Up to this oid.
    UpTo(u32),
    /// A worker lists more.
    Listing,
    /// To the end.
    All,
}

impl Default for Listed {
    fn default() -> Self {
        Self::UpTo(0)
    }
}

/// A task of a worker.
#[derive(Debug)]
pub(crate) enum LargeObjectTask {
    /// List the objects after this oid.
    List(u32),
    /// Copy these.
    Copy(LargeObjectBatch),
}

impl Wanted {
    /// Returns the oid after which the next page begins, if it is to be listed now.
    fn next_page(&self) -> Option<u32> {
        match self.listed {
            Listed::UpTo(oid) if self.waiting.len() < REFILL => Some(oid),
            Listed::UpTo(_) | Listed::Listing | Listed::All => None,
        }
    }
}

impl LargeObjectQueue {
    /// Creates a queue of all large objects, none of which is listed; or an empty one.
    pub(crate) fn new(are_wanted: bool) -> Self {
        match are_wanted {
            true => Self::wanted(),
            false => Self::Unwanted,
        }
    }

    /// A queue of all large objects, none of which is listed.
    pub(crate) fn wanted() -> Self {
        Self::Wanted(Wanted::default())
    }

    /// Returns the critical path of the next task, in bytes.
    pub(crate) fn next_critical_path(&self) -> Option<u64> {
        let Self::Wanted(wanted) = self else {
            return None;
        };
        // Listing comes first: the sizes of the objects decide the order of the rest.
        let page = wanted.next_page().map(|_| u64::MAX);
        page.or_else(|| wanted.waiting.last().map(LargeObjectBatch::bytes))
    }

    /// Takes the next task.
    pub(crate) fn take_task(&mut self) -> Option<LargeObjectTask> {
        let Self::Wanted(wanted) = self else {
            return None;
        };
        if let Some(oid) = wanted.next_page() {
            wanted.listed = Listed::Listing;
            return Some(LargeObjectTask::List(oid));
        }
        let batch = wanted.waiting.pop()?;
        wanted.under_way += 1;
        Some(LargeObjectTask::Copy(batch))
    }

    /// Adds a listed page.
    pub(crate) fn add_page(&mut self, page: LargeObjectPage) {
        if let Self::Wanted(wanted) = self {
            wanted.waiting.extend(page.batches);
            wanted.waiting.sort_by_key(LargeObjectBatch::bytes);
            wanted.listed = page.next.map_or(Listed::All, Listed::UpTo);
        }
    }

    /// Puts a taken task back.
    pub(crate) fn put_back(&mut self, task: LargeObjectTask) {
        let Self::Wanted(wanted) = self else {
            return;
        };
        match task {
            LargeObjectTask::List(oid) => wanted.listed = Listed::UpTo(oid),
            LargeObjectTask::Copy(batch) => {
                wanted.waiting.push(batch);
                wanted.under_way -= 1;
            }
        }
    }

    /// Records that a batch is committed.
    pub(crate) fn finish_batch(&mut self, count: usize, skipped: Vec<String>) {
        if let Self::Wanted(wanted) = self {
            wanted.under_way -= 1;
            wanted.copied.count += count;
            wanted.copied.skipped.extend(skipped);
        }
    }

    /// Whether a worker lists or copies some.
    pub(crate) fn is_reading(&self) -> bool {
        match self {
            Self::Unwanted => false,
            Self::Wanted(wanted) => wanted.listed == Listed::Listing || wanted.under_way > 0,
        }
    }

    /// Whether all have arrived.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Unwanted => true,
            Self::Wanted(wanted) => {
                let is_listed = wanted.listed == Listed::All;
                is_listed && wanted.waiting.is_empty() && wanted.under_way == 0
            }
        }
    }

    /// Returns what has arrived, once.
    pub(crate) fn take_copied(&mut self) -> CopiedObjects {
        match self {
            Self::Unwanted => CopiedObjects::default(),
            Self::Wanted(wanted) => std::mem::take(&mut wanted.copied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::large_objects::batch::batch_of;

    fn page(oids: std::ops::Range<u32>, next: Option<u32>) -> LargeObjectPage {
        let batches = oids.map(|oid| batch_of(oid, u64::from(oid))).collect();
        LargeObjectPage { batches, next }
    }

    fn copied(objects: &mut LargeObjectQueue) -> u64 {
        match objects.take_task() {
            Some(LargeObjectTask::Copy(batch)) => batch.bytes(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pages_are_listed_one_by_one_when_few_batches_wait() {
        let mut objects = LargeObjectQueue::wanted();
        assert_eq!(objects.next_critical_path(), Some(u64::MAX));
        assert!(matches!(
            objects.take_task(),
            Some(LargeObjectTask::List(0))
        ));
        assert!(objects.take_task().is_none(), "one page at a time");
        assert!(objects.is_reading() && !objects.is_finished());
        objects.add_page(page(1..66, Some(65)));
        assert_eq!((copied(&mut objects), copied(&mut objects)), (65, 64));
        assert!(matches!(
            objects.take_task(),
            Some(LargeObjectTask::List(65))
        ));
        objects.add_page(page(70..71, None));
        assert_eq!(objects.next_critical_path(), Some(70));
        for _ in 0..64 {
            copied(&mut objects);
        }
        assert!(objects.take_task().is_none());
        for _ in 0..66 {
            assert!(!objects.is_finished());
            objects.finish_batch(2, Vec::new());
        }
        assert!(objects.is_finished() && !objects.is_reading());
        assert_eq!(objects.take_copied().count, 132);
    }

    #[test]
    fn none_are_finished_at_once() {
        let mut objects = LargeObjectQueue::Unwanted;
        assert!(objects.is_finished() && !objects.is_reading());
        assert!(objects.take_task().is_none());
    }
}
