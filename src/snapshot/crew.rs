//! How many workers there are. Where a server has no connection for another worker, that worker ends and
//! the others do its work; the last one stays and tries again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Error;
use crate::event::{Event, WithCauses as _};
use crate::pg::SqlState;
use crate::task::Scope;

/// The workers of a database, or the sessions of a section.
#[derive(Debug)]
pub(super) struct Crew {
    wanted: usize,
    active: AtomicUsize,
    is_reported: AtomicBool,
}

impl Crew {
    pub(super) fn of(wanted: usize) -> Self {
        Self {
            wanted,
            active: AtomicUsize::new(wanted),
            is_reported: AtomicBool::new(false),
        }
    }

    /// Whether a worker ends for this error: it lacks a connection, and others remain. Reported once.
    pub(super) async fn is_left_for(&self, error: &Error, scope: &Scope) -> bool {
        if !lacks_connection(error) {
            return false;
        }
        let leave = |active: usize| (active > 1).then(|| active - 1);
        let order = Ordering::Relaxed;
        if self.active.fetch_update(order, order, leave).is_err() {
            return false;
        }
        if !self.is_reported.swap(true, order) {
            let text = format!(
                "{}; continuing with fewer than the {} workers of --jobs",
                error.chain(),
                self.wanted
            );
            scope.events.emit(Event::Warning(text)).await;
        }
        true
    }
}

/// Whether a server has no connection left: for the role, the database, or anybody.
pub(super) fn lacks_connection(error: &Error) -> bool {
    let (Error::Connect(source) | Error::Lease(source)) = error else {
        return false;
    };
    source.sqlstate() == Some(SqlState::TOO_MANY_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect;
    use crate::event::Events;
    use crate::pg::ServerError;

    fn refusal(code: SqlState) -> Error {
        Error::Connect(connect::Error::Server(Box::new(ServerError {
            severity: "FATAL".to_owned(),
            code,
            message: "no".to_owned(),
            detail: None,
            hint: None,
            context: None,
            position: None,
        })))
    }

    #[tokio::test]
    async fn all_but_the_last_end_for_want_of_a_connection_and_it_is_reported_once() {
        let (events, mut receiver) = Events::channel();
        let scope = Scope {
            events,
            ..Scope::detached()
        };
        let crew = Crew::of(3);
        let other = refusal(SqlState::INVALID_PASSWORD);
        assert!(!crew.is_left_for(&other, &scope).await);
        let lack = refusal(SqlState::TOO_MANY_CONNECTIONS);
        assert!(crew.is_left_for(&lack, &scope).await);
        assert!(crew.is_left_for(&lack, &scope).await);
        assert!(!crew.is_left_for(&lack, &scope).await);
        drop(scope);
        assert!(receiver.recv().await.is_some());
        assert!(receiver.recv().await.is_none());
    }
}
