//! Locks on the tables ahead of the snapshot, where DDL on the source hardly pauses.
//!
//! Between the consistent point of a slot and locks that are taken after it lie some milliseconds, in which an
//! application that never pauses has changed a table again. Locks that are there before do not have that gap, but they
//! must not be in the way of the slot's creation: it waits for transactions, and one of those may wait for a
//! lock. So the locks are taken, given up for whoever waits for one while the slot is not there yet, and taken
//! again at once, which queues behind that session and before its next statement. The creation waits for the
//! transactions of one moment only: when the last of them ends, our locks follow it, and the next change waits for us.
//! All readers take them at the same time: one that comes later would queue behind that change.

use std::collections::BTreeSet;

use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use super::lease::begin;
use super::lock::{list_names, lock_statements};
use super::sessions::Opened;
use crate::connect::Session;
use crate::connect::waiters::load_waiters;
use crate::pg::{QualifiedName, Sql};

/// How often it is looked who waits. Whoever is seen twice gets its lock.
const LOOK: Duration = Duration::from_millis(25);

/// The pause after locks that were not to be had.
const PAUSE: Duration = Duration::from_millis(10);

/// Does `creating`, which makes the slot, while the attempt's readers take the locks ahead of it.
pub(in crate::snapshot) async fn with_locks_ahead<T>(
    opened: &mut Opened,
    left_out: &BTreeSet<QualifiedName>,
    creating: impl Future<Output = T>,
) -> T {
    let done = CancellationToken::new();
    let created = async {
        let created = creating.await;
        done.cancel();
        created
    };
    let (created, is_ahead) = tokio::join!(created, stay_ahead(opened, left_out, &done));
    opened.is_ahead = is_ahead;
    created
}

/// Takes the locks again and again until the slot is there. Whether they are held then.
async fn stay_ahead(
    opened: &mut Opened,
    left_out: &BTreeSet<QualifiedName>,
    done: &CancellationToken,
) -> bool {
    loop {
        let is_locked = match list_names(&opened.latest, left_out).await {
            Ok(names) => {
                let begin = begin(None);
                let locks = lock_statements(names.iter());
                let text = Sql::join(std::iter::once(&begin).chain(&locks), "; ");
                opened.every_reader(&text).await
            }
            Err(_) => false,
        };
        if done.is_cancelled() && is_locked {
            return true;
        }
        let pausing = async {
            match is_locked {
                true => somebody_waits(&opened.latest).await,
                false => tokio::time::sleep(PAUSE).await,
            }
        };
        let is_over = done.run_until_cancelled(pausing).await.is_none();
        if is_over && is_locked {
            return true;
        }
        // A connection that is lost fails whoever uses it next.
        let rolled_back = opened.every_reader(&Sql::fixed("ROLLBACK")).await;
        if is_over || !rolled_back {
            return false;
        }
    }
}

/// Returns once a session waits for our locks.
async fn somebody_waits(latest: &Session) {
    let mut seen = 0;
    while seen < 2 {
        tokio::time::sleep(LOOK).await;
        match load_waiters(latest, latest.endpoint()).await {
            Ok(waiters) if waiters.iter().all(|waiter| waiter.by_nature) => seen = 0,
            // Nobody is to wait because we cannot see.
            Ok(_) | Err(_) => seen += 1,
        }
    }
}
