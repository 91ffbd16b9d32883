//! The end of a copy for a session that waits for its locks.

use crate::connect::Endpoint;
use crate::connect::waiters::{Waiting, watch_work};
use crate::snapshot::error::Error;
use crate::task::Scope;

/// Watches for sessions that wait for our locks during a copy. Returns when the copy must end, and why. Cancel safe.
pub async fn watch_waiters(source: &Endpoint, waiting: Waiting, scope: &Scope) -> Error {
    let waiter = watch_work(source, waiting, scope).await;
    Error::LockWanted {
        waiter: Box::new(waiter),
    }
}
