//! Watches the slots of a run for the run's whole life, also those of databases that are finished. A slot
//! retains WAL on the source for as long as it exists, and a source whose disk is full stands still; a slot
//! that is lost makes the copy worthless for replication.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Duration;

use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::Event;
use crate::logical::{Slot, load_slots};
use crate::pg::SlotName;
use crate::snapshot::error::Error;
use crate::task::Scope;

/// How often the slot is looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// Looks that may fail before a warning says that nobody watches.
const BLIND: u32 = 5;

/// Why a run cannot go on with its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotFault {
    /// Somebody dropped it.
    Gone,
    /// The server removed log that it needs, or gave it up for another reason, which it tells since 16.
    Lost(Option<String>),
    /// The next checkpoint removes log that it needs: it keeps more than `max_slot_wal_keep_size`.
    Unreserved,
    /// It keeps more log than is allowed.
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
                "is about to be lost: it keeps more log than the source's max_slot_wal_keep_size",
            ),
            Self::KeepsTooMuch { retained, limit } => write!(
                f,
                "keeps {retained} bytes of log, more than the {limit} of --max-retained-wal"
            ),
        }
    }
}

/// The slots of a run that exist by now. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct WatchedSlots(Arc<Mutex<BTreeMap<String, SlotName>>>);

impl WatchedSlots {
    /// Adds a slot that exists.
    pub fn add(&self, slot: &SlotName) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.insert(slot.as_str().to_owned(), slot.clone());
    }

    /// Removes a slot that its run gives up.
    pub fn remove(&self, slot: &SlotName) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(slot.as_str());
    }

    fn list(&self) -> Vec<SlotName> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().cloned().collect()
    }

    /// Returns when the run must end because of a slot, and why. Without a limit of our own the server's
    /// `max_slot_wal_keep_size` alone counts. Cancel safe.
    pub async fn watch(&self, source: &Endpoint, limit: Option<u64>, scope: &Scope) -> Error {
        let mut session = None;
        let mut failures = 0;
        let mut looks = tokio::time::interval(INTERVAL);
        loop {
            looks.tick().await;
            let slots = self.list();
            if slots.is_empty() {
                continue;
            }
            match look(source, &mut session).await {
                Ok(found) => {
                    failures = 0;
                    if let Some(error) = first_fault(slots, &found, limit) {
                        return error;
                    }
                }
                Err(error) => {
                    session = None;
                    failures += 1;
                    tracing::debug!(%error, "the slots could not be looked at");
                    if failures == BLIND {
                        let text = format!("the replication slots cannot be watched: {error}");
                        scope.events.emit(Event::Warning(text)).await;
                    }
                }
            }
        }
    }
}

async fn look(
    source: &Endpoint,
    session: &mut Option<Session>,
) -> Result<Vec<Slot>, connect::Error> {
    let session = match session {
        Some(session) => session,
        None => session.insert(source.session(Purpose::Introspect).await?),
    };
    load_slots(session).await
}

fn first_fault(slots: Vec<SlotName>, found: &[Slot], limit: Option<u64>) -> Option<Error> {
    slots.into_iter().find_map(|slot| {
        let seen = found.iter().find(|one| one.name == slot.as_str());
        let fault = judge_slot(seen, limit)?;
        Some(Error::SlotFault { slot, fault })
    })
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
            invalidation: None,
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
