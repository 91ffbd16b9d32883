//! Which large objects are copied next: pure.

use super::batch::{LargeObjectBatch, LargeObjectPage};

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedObjects {
    /// How many.
    pub count: usize,
    /// Grants that the target cannot hold.
    pub left_out: Vec<String>,
}

/// Batches that wait below which the next page is listed: enough that no worker waits for it.
const REFILL: usize = 64;

/// All large objects of a database, and how far they are. They are listed page by page, so that memory
/// does not grow with their number.
#[derive(Debug)]
pub(in crate::snapshot) enum Objects {
    /// None are wanted.
    Unwanted,
    /// All are.
    Wanted(Wanted),
}

/// What is known of the large objects so far.
#[derive(Debug, Default)]
pub(in crate::snapshot) struct Wanted {
    listed: Listed,
    /// Those that nobody has taken, the largest last.
    waiting: Vec<LargeObjectBatch>,
    /// Those that are being copied.
    under_way: usize,
    /// What has arrived.
    copied: CopiedObjects,
}

/// How far the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    /// Up to this oid.
    UpTo(u32),
    /// Somebody is looking for more.
    Listing,
    /// To the end.
    All,
}

impl Default for Listed {
    fn default() -> Self {
        Self::UpTo(0)
    }
}

/// What a worker is to do.
#[derive(Debug)]
pub(in crate::snapshot) enum ObjectTask {
    /// Look which there are behind this oid.
    List(u32),
    /// Copy these.
    Copy(LargeObjectBatch),
}

impl Wanted {
    /// Behind which oid the next page begins, if it is to be listed now.
    fn next_page(&self) -> Option<u32> {
        match self.listed {
            Listed::UpTo(oid) if self.waiting.len() < REFILL => Some(oid),
            Listed::UpTo(_) | Listed::Listing | Listed::All => None,
        }
    }
}

impl Objects {
    /// All large objects, of which nobody has looked yet which there are.
    pub(in crate::snapshot) fn wanted() -> Self {
        Self::Wanted(Wanted::default())
    }

    /// How much work the next task is, in bytes.
    pub(in crate::snapshot) fn next_chain(&self) -> Option<u64> {
        let Self::Wanted(wanted) = self else {
            return None;
        };
        // What there is to do is to be known early.
        let page = wanted.next_page().map(|_| u64::MAX);
        page.or_else(|| wanted.waiting.last().map(LargeObjectBatch::bytes))
    }

    /// Takes the next task.
    pub(in crate::snapshot) fn take(&mut self) -> Option<ObjectTask> {
        let Self::Wanted(wanted) = self else {
            return None;
        };
        if let Some(oid) = wanted.next_page() {
            wanted.listed = Listed::Listing;
            return Some(ObjectTask::List(oid));
        }
        let batch = wanted.waiting.pop()?;
        wanted.under_way += 1;
        Some(ObjectTask::Copy(batch))
    }

    /// A page was listed.
    pub(in crate::snapshot) fn listed(&mut self, page: LargeObjectPage) {
        if let Self::Wanted(wanted) = self {
            wanted.waiting.extend(page.batches);
            wanted.waiting.sort_by_key(LargeObjectBatch::bytes);
            wanted.listed = page.next.map_or(Listed::All, Listed::UpTo);
        }
    }

    /// Returns a task that was taken.
    pub(in crate::snapshot) fn put_back(&mut self, task: ObjectTask) {
        let Self::Wanted(wanted) = self else {
            return;
        };
        match task {
            ObjectTask::List(oid) => wanted.listed = Listed::UpTo(oid),
            ObjectTask::Copy(batch) => {
                wanted.waiting.push(batch);
                wanted.under_way -= 1;
            }
        }
    }

    /// A batch is committed.
    pub(in crate::snapshot) fn done(&mut self, count: usize, left_out: Vec<String>) {
        if let Self::Wanted(wanted) = self {
            wanted.under_way -= 1;
            wanted.copied.count += count;
            wanted.copied.left_out.extend(left_out);
        }
    }

    /// Whether somebody lists or copies some.
    pub(in crate::snapshot) fn is_reading(&self) -> bool {
        match self {
            Self::Unwanted => false,
            Self::Wanted(wanted) => wanted.listed == Listed::Listing || wanted.under_way > 0,
        }
    }

    /// Whether all have arrived.
    pub(in crate::snapshot) fn is_finished(&self) -> bool {
        match self {
            Self::Unwanted => true,
            Self::Wanted(wanted) => {
                let is_listed = wanted.listed == Listed::All;
                is_listed && wanted.waiting.is_empty() && wanted.under_way == 0
            }
        }
    }

    /// What has arrived, once.
    pub(in crate::snapshot) fn take_copied(&mut self) -> CopiedObjects {
        match self {
            Self::Unwanted => CopiedObjects::default(),
            Self::Wanted(wanted) => std::mem::take(&mut wanted.copied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::batch_of;
    use super::*;

    fn page(oids: std::ops::Range<u32>, next: Option<u32>) -> LargeObjectPage {
        let batches = oids.map(|oid| batch_of(oid, u64::from(oid))).collect();
        LargeObjectPage { batches, next }
    }

    fn copied(objects: &mut Objects) -> u64 {
        match objects.take() {
            Some(ObjectTask::Copy(batch)) => batch.bytes(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pages_are_listed_one_by_one_when_few_batches_wait() {
        let mut objects = Objects::wanted();
        assert_eq!(objects.next_chain(), Some(u64::MAX));
        assert!(matches!(objects.take(), Some(ObjectTask::List(0))));
        assert!(objects.take().is_none(), "one page at a time");
        assert!(objects.is_reading() && !objects.is_finished());
        objects.listed(page(1..66, Some(65)));
        assert_eq!((copied(&mut objects), copied(&mut objects)), (65, 64));
        assert!(matches!(objects.take(), Some(ObjectTask::List(65))));
        objects.listed(page(70..71, None));
        assert_eq!(objects.next_chain(), Some(70));
        for _ in 0..64 {
            copied(&mut objects);
        }
        assert!(objects.take().is_none());
        for _ in 0..66 {
            assert!(!objects.is_finished());
            objects.done(2, Vec::new());
        }
        assert!(objects.is_finished() && !objects.is_reading());
        assert_eq!(objects.take_copied().count, 132);
    }

    #[test]
    fn none_are_finished_at_once() {
        let mut objects = Objects::Unwanted;
        assert!(objects.is_finished() && !objects.is_reading());
        assert!(objects.take().is_none());
    }
}
