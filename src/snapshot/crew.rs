//! When a worker leaves its work to the others, because a server has no connection for it.

use super::error::Error;
use crate::pg::SqlState;
use crate::task::{Crew, Scope};

/// Whether a worker of this crew ends because of this error: it has no connection, and others remain.
pub(super) async fn is_left_for(crew: &Crew, error: &Error, scope: &Scope) -> bool {
    has_no_connection(error) && crew.leave(error, scope).await
}

/// Whether a server has no connection left, for the role, the database, or at all.
pub(super) fn has_no_connection(error: &Error) -> bool {
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
        assert!(!is_left_for(&crew, &other, &scope).await);
        let lack = refusal(SqlState::TOO_MANY_CONNECTIONS);
        assert!(is_left_for(&crew, &lack, &scope).await);
        assert!(is_left_for(&crew, &lack, &scope).await);
        assert!(!is_left_for(&crew, &lack, &scope).await);
        drop(scope);
        assert!(receiver.recv().await.is_some());
        assert!(receiver.recv().await.is_none());
    }
}
