//! Why a replication slot no longer serves a run.

use std::fmt;

/// Why a run cannot use its slot any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotFault {
    /// It was dropped.
    Gone,
    /// The server removed WAL that it needs, or invalidated it for another reason, which it reports since 16.
    Lost(Option<String>),
    /// The next checkpoint removes WAL that it needs: it retains more than `max_slot_wal_keep_size`.
    Unreserved,
    /// It retains more WAL than is allowed.
    KeepsTooMuch {
        /// Bytes of log that it keeps.
        retained: u64,
        /// Bytes that it may keep.
        limit: u64,
    },
}

impl fmt::Display for SlotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("was dropped by somebody else"),
            Self::Lost(None) => f.write_str("is lost: the source has removed log that it needs"),
            Self::Lost(Some(reason)) => write!(f, "is lost: the source gave it up ({reason})"),
            Self::Unreserved => f.write_str(
                "is about to be lost: it retains more WAL than the source's max_slot_wal_keep_size",
            ),
            Self::KeepsTooMuch { retained, limit } => write!(
                f,
                "keeps {retained} bytes of log, more than the {limit} of --max-retained-wal"
            ),
        }
    }
}
