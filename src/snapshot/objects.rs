//! Which large objects are copied next: pure.

use super::large_objects::LargeObjectBatch;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiedObjects {
    /// How many.
    pub count: usize,
    /// Grants that the target cannot hold.
    pub left_out: Vec<String>,
}

/// All large objects of a database, and how far they are.
#[derive(Debug)]
pub(super) enum Objects {
    /// None are wanted.
    Unwanted,
    /// Nobody has looked yet.
    Unlisted,
    /// Somebody is looking.
    Listing,
    /// Batches, the largest last, and how many are being copied.
    Listed {
        /// Those that nobody has taken.
        waiting: Vec<LargeObjectBatch>,
        /// Those that are being copied.
        under_way: usize,
        /// What has arrived.
        copied: CopiedObjects,
    },
}

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum ObjectTask {
    /// Look which there are.
    List,
    /// Copy these.
    Copy(LargeObjectBatch),
}

impl Objects {
    /// How much work the next task is, in bytes.
    pub(super) fn next_chain(&self) -> Option<u64> {
        match self {
            // What there is to do is to be known early.
            Self::Unlisted => Some(u64::MAX),
            Self::Listed { waiting, .. } => waiting.last().map(LargeObjectBatch::bytes),
            Self::Unwanted | Self::Listing => None,
        }
    }

    /// Takes the next task.
    pub(super) fn take(&mut self) -> Option<ObjectTask> {
        match self {
            Self::Unlisted => {
                *self = Self::Listing;
                Some(ObjectTask::List)
            }
            Self::Listed {
                waiting, under_way, ..
            } => {
                let batch = waiting.pop()?;
                *under_way += 1;
                Some(ObjectTask::Copy(batch))
            }
            Self::Unwanted | Self::Listing => None,
        }
    }

    /// These there are, the largest first.
    pub(super) fn listed(&mut self, mut batches: Vec<LargeObjectBatch>) {
        batches.reverse();
        *self = Self::Listed {
            waiting: batches,
            under_way: 0,
            copied: CopiedObjects::default(),
        };
    }

    /// A batch is committed.
    pub(super) fn done(&mut self, count: usize, left_out: Vec<String>) {
        if let Self::Listed {
            under_way, copied, ..
        } = self
        {
            *under_way -= 1;
            copied.count += count;
            copied.left_out.extend(left_out);
        }
    }

    /// Whether somebody lists or copies some.
    pub(super) fn is_reading(&self) -> bool {
        match self {
            Self::Listing => true,
            Self::Listed { under_way, .. } => *under_way > 0,
            Self::Unwanted | Self::Unlisted => false,
        }
    }

    /// Whether all have arrived.
    pub(super) fn is_finished(&self) -> bool {
        match self {
            Self::Unwanted => true,
            Self::Unlisted | Self::Listing => false,
            Self::Listed {
                waiting, under_way, ..
            } => waiting.is_empty() && *under_way == 0,
        }
    }

    /// What has arrived, once.
    pub(super) fn take_copied(&mut self) -> CopiedObjects {
        match self {
            Self::Listed { copied, .. } => std::mem::take(copied),
            Self::Unwanted | Self::Unlisted | Self::Listing => CopiedObjects::default(),
        }
    }
}
