//! Locks on the tables before the slot's consistent point, for a source on which DDL hardly pauses.
//!
//! Some milliseconds pass between the consistent point of a slot and locks that are taken after it. An
//! application that never pauses changes a table again in that time. Locks that exist before have no such gap,
//! but they must not block the slot's creation: it waits for transactions, and one of those may wait for a lock.
//!
//! So the locks are taken, and released if a session waits for one while the slot is not created. They are taken
//! again at once, which queues them behind that session and before its next statement. The creation waits for the
//! transactions of one moment only: when the last of them ends, our locks follow it, and the next change waits for
//! us. All readers take them at the same time: a later one would queue behind that change.

use std::collections::BTreeSet;

use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use super::lease::render_begin;
use super::listed_tables::list_names;
use super::lock::render_locks;
use super::sessions::AttemptSessions;
use crate::connect::Session;
use crate::connect::waiters::load_waiters;
use crate::pg::{QualifiedName, Sql};

/// How often waiting sessions are loaded. If there is one twice in a row, our locks are released.
const LOOK: Duration = Duration::from_millis(25);

/// The pause after locks that could not be obtained.
const PAUSE: Duration = Duration::from_millis(10);

/// Runs `creating`, which creates the slot, while the attempt's readers take the locks before its end.
pub(crate) async fn lock_ahead<T>(
    sessions: &mut AttemptSessions,
    excluded: &BTreeSet<QualifiedName>,
    creating: impl Future<Output = T>,
) -> T {
    let done = CancellationToken::new();
    let created = async {
        let created = creating.await;
        done.cancel();
        created
    };
    let (created, have_locks) = tokio::join!(created, stay_ahead(sessions, excluded, &done));
    if have_locks {
        sessions.note_locks();
    }
    created
}

/// Takes the locks again and again until the slot is created. Returns whether they are held then.
async fn stay_ahead(
    sessions: &mut AttemptSessions,
    excluded: &BTreeSet<QualifiedName>,
    done: &CancellationToken,
) -> bool {
    loop {
        let is_locked = match list_names(&sessions.latest, excluded).await {
            Ok(names) => {
                let begin = render_begin(None);
                let locks = render_locks(names.iter());
                let text = Sql::join(std::iter::once(&begin).chain(&locks), "; ");
                sessions.run_on_every_reader(&text).await
            }
            Err(_) => false,
        };
        if done.is_cancelled() && is_locked {
            return true;
        }
        let pausing = async {
            match is_locked {
                true => wait_for_waiter(&sessions.latest).await,
                false => tokio::time::sleep(PAUSE).await,
            }
        };
        let is_over = done.run_until_cancelled(pausing).await.is_none();
        if is_over && is_locked {
            return true;
        }
        // A lost connection fails its next user.
        let rolled_back = sessions.run_on_every_reader(&Sql::fixed("ROLLBACK")).await;
        if is_over || !rolled_back {
            return false;
        }
    }
}

/// Returns once a session waits for our locks.
async fn wait_for_waiter(latest: &Session) {
    let mut seen = 0;
    while seen < 2 {
        tokio::time::sleep(LOOK).await;
        match load_waiters(latest, latest.endpoint()).await {
            Ok(waiters) if waiters.iter().all(|waiter| waiter.by_nature) => seen = 0,
            // No session may wait because we cannot ask.
            Ok(_) | Err(_) => seen += 1,
        }
    }
}
