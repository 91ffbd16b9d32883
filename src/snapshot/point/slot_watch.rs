//! Watches the slots of a run until its end, also those of finished databases. A slot retains WAL on the source
//! while it exists, and a source with a full disk stops. Without its slot a copy is useless for replication.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Duration;

use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::{Event, Warning};
use crate::logical::{Slot, judge_slot, load_slots};
use crate::pg::SlotName;
use crate::snapshot::error::Error;
use crate::task::Scope;

/// How often the slots are loaded.
const INTERVAL: Duration = Duration::from_secs(2);

/// Failures in a row before a warning reports that the slots are not watched.
const BLIND: u32 = 5;

/// The slots of a run that exist by now. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct WatchedSlots(Arc<Mutex<BTreeMap<String, SlotName>>>);

impl WatchedSlots {
    /// Adds a slot that exists.
    pub fn add(&self, slot: &SlotName) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.insert(slot.as_str().to_owned(), slot.clone());
    }

    /// Removes a slot that its run no longer needs.
    pub fn remove(&self, slot: &SlotName) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(slot.as_str());
    }

    fn list_slots(&self) -> Vec<SlotName> {
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
            let slots = self.list_slots();
            if slots.is_empty() {
                continue;
            }
            match load_watched(source, &mut session).await {
                Ok(found) => {
                    failures = 0;
                    if let Some(error) = first_fault(slots, &found, limit) {
                        return error;
                    }
                }
                Err(error) => {
                    session = None;
                    failures += 1;
                    report_failure(&error, failures, scope).await;
                }
            }
        }
    }
}

async fn report_failure(error: &connect::Error, failures: u32, scope: &Scope) {
    tracing::debug!(%error, "the slots could not be loaded");
    if failures == BLIND {
        let cause = error.to_string();
        let unwatched = Event::Warning(Warning::SlotsUnwatched { cause });
        scope.events.emit(unwatched).await;
    }
}

async fn load_watched(
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
