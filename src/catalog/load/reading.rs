//! The transaction that definitions are read in: one snapshot, on two sessions if there is room.
//!
//! A server deparses on one processor for each session, which takes most of the time of a reading. Two
//! halves on two sessions need little more than half of the time.

use super::lock_batches::{SAVEPOINT, release_locks};
use super::quoting::quote_for;
use super::whole::{load_catalog, load_on_both};
use crate::catalog::{Catalog, Error};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Literal, ServerVersion, Sql, SqlState};
use crate::sql;

/// On how many sessions definitions are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// On one.
    One,
    /// On two, if there is room.
    Two,
}

/// An open reading of a database; ends when dropped.
#[derive(Debug)]
pub struct Reading {
    session: Session,
    second: Option<Session>,
}

impl Reading {
    /// Connects to the database that `source` names, and begins a transaction whose definitions
    /// are for a server of the version `target`.
    ///
    /// # Errors
    /// The server cannot be reached, refused, or the connection broke.
    pub async fn begin(source: &Endpoint, target: ServerVersion) -> Result<Self, connect::Error> {
        Self::begin_on(source, target, Sessions::Two).await
    }

    /// As [`begin`](Self::begin). On a single session nothing queues behind somebody who waits for the other
    /// one's locks.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_on(
        source: &Endpoint,
        target: ServerVersion,
        on: Sessions,
    ) -> Result<Self, connect::Error> {
        let session = source.session(Purpose::Introspect).await?;
        quote_for(&session, target).await?;
        // Exported before the savepoint: below one a server exports no snapshot.
        let begin = sql!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
             SELECT pg_catalog.pg_export_snapshot(); {}",
            Sql::fixed(SAVEPOINT)
        );
        let rows = session.rows(&begin).await?;
        let name = rows.first().and_then(|row| row.get(0));
        let second = match (name, on) {
            (Some(name), Sessions::Two) => begin_second(source, target, name).await,
            _ => None,
        };
        Ok(Self { session, second })
    }

    /// Its main session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Everything that the database holds.
    ///
    /// # Errors
    /// As [`load_catalog`].
    pub async fn load(&self) -> Result<Catalog, Error> {
        let Some(second) = &self.second else {
            return load_catalog(&self.session).await;
        };
        match load_on_both(&self.session, second).await {
            // What one session locks for a moment may be too much for the other.
            Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => {
                let given =
                    futures_util::try_join!(release_locks(second), release_locks(&self.session));
                match given {
                    Ok(_) => load_catalog(&self.session).await,
                    Err(_) => Err(error),
                }
            }
            read => read,
        }
    }

    /// Cancels what the server is at: a table's size waits for whoever locks it, and so would the
    /// server without us.
    pub async fn cancel(&self) {
        self.session.request_cancel().await;
        if let Some(second) = &self.second {
            second.request_cancel().await;
        }
    }
}

/// A second session on the snapshot, for speed: where none is to be had, the first one reads everything.
async fn begin_second(source: &Endpoint, target: ServerVersion, snapshot: &str) -> Option<Session> {
    let begun = begin_at(source, target, snapshot).await;
    begun
        .inspect_err(|error| tracing::debug!(%error, "definitions are read on one session"))
        .ok()
}

async fn begin_at(
    source: &Endpoint,
    target: ServerVersion,
    snapshot: &str,
) -> Result<Session, connect::Error> {
    let session = source.session(Purpose::Introspect).await?;
    quote_for(&session, target).await?;
    let begin = sql!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT {}; {}",
        Literal(snapshot),
        Sql::fixed(SAVEPOINT)
    );
    session.batch(&begin).await?;
    Ok(session)
}
