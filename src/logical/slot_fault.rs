use std::fmt;

use super::Slot;

/// Why a run cannot continue with its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotFault {
    /// Somebody dropped it.
    Gone,
    /// The server removed WAL that it requires, or invalidated it for another reason, which it reports since 16.
    Lost(Option<String>),
    /// The next checkpoint removes WAL that it requires: it retains more than `max_slot_wal_keep_size`.
    Unreserved,
    /// It retains more WAL than is allowed.
    KeepsTooMuch {
        /// Bytes of WAL that it retains.
        retained: u64,
        /// Bytes that it may keep.
        limit: u64,
    },
}

impl fmt::Display for SlotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("was dropped by somebody else"),
            Self::Lost(None) => f.write_str("is lost: the source has removed WAL that it requires"),
            Self::Lost(Some(reason)) => write!(f, "is lost: the source invalidated it ({reason})"),
            Self::Unreserved => f.write_str(
                "is about to be lost: it retains more WAL than the source's max_slot_wal_keep_size",
            ),
            Self::KeepsTooMuch { retained, limit } => write!(
                f,
                "retains {retained} bytes of WAL, more than the limit of {limit}"
            ),
        }
    }
}

/// Returns what is wrong with a slot, if anything is; `limit` is what it may retain in bytes.
pub fn judge_slot(slot: Option<&Slot>, limit: Option<u64>) -> Option<SlotFault> {
    let Some(slot) = slot else {
        return Some(SlotFault::Gone);
    };
    if slot.invalidation.is_some() {
        return Some(SlotFault::Lost(slot.invalidation.clone()));
    }
    match slot.wal_status.as_deref() {
        Some("lost") => return Some(SlotFault::Lost(None)),
        Some("unreserved") => return Some(SlotFault::Unreserved),
        _ if slot.restart_lsn.is_none() => return Some(SlotFault::Lost(None)),
        _ => {}
    }
    let (retained, limit) = (slot.retained?, limit?);
    (retained > limit).then_some(SlotFault::KeepsTooMuch { retained, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Lsn;

    fn slot() -> Slot {
        Slot {
            name: "s".to_owned(),
            database: Some("d".to_owned()),
            active_pid: None,
            restart_lsn: Some(Lsn::new(1)),
            confirmed_lsn: Some(Lsn::new(1)),
            retained: Some(100),
            wal_status: Some("reserved".to_owned()),
            safe_wal_size: None,
            inactive_since: None,
            invalidation: None,
            is_failover: false,
        }
    }

    fn with_status(status: Option<&str>) -> Slot {
        Slot {
            wal_status: status.map(str::to_owned),
            ..slot()
        }
    }

    #[test]
    fn a_slot_that_serves_is_no_fault_up_to_its_limit() {
        for status in [None, Some("reserved"), Some("extended")] {
            assert_eq!(judge_slot(Some(&with_status(status)), None), None);
            assert_eq!(judge_slot(Some(&with_status(status)), Some(100)), None);
        }
        let (retained, limit) = (100, 99);
        assert_eq!(
            judge_slot(Some(&slot()), Some(99)),
            Some(SlotFault::KeepsTooMuch { retained, limit })
        );
    }

    #[test]
    fn every_way_to_lose_a_slot_is_told() {
        assert_eq!(judge_slot(None, None), Some(SlotFault::Gone));
        let lost = with_status(Some("lost"));
        assert_eq!(judge_slot(Some(&lost), None), Some(SlotFault::Lost(None)));
        let unreserved = with_status(Some("unreserved"));
        assert_eq!(
            judge_slot(Some(&unreserved), None),
            Some(SlotFault::Unreserved)
        );
        let without_log = Slot {
            restart_lsn: None,
            ..with_status(None)
        };
        assert_eq!(
            judge_slot(Some(&without_log), None),
            Some(SlotFault::Lost(None))
        );
        let reason = Some("wal_removed".to_owned());
        let given_up = Slot {
            invalidation: reason.clone(),
            ..slot()
        };
        assert_eq!(
            judge_slot(Some(&given_up), None),
            Some(SlotFault::Lost(reason))
        );
    }
}
