//! Keeps a snapshot importable for as long as readers need it.
//!
//! The snapshot that a slot's creation exports dies with the next command on the replication
//! connection that created it. Two lease sessions therefore import it at once, in REPEATABLE READ
//! transactions, and export it again; row copiers import from them. Two, so that the loss of one
//! connection does not cost the run its consistent point.
//!
//! ```text
//! replication connection ──EXPORT_SNAPSHOT──▶ lease 1 ──pg_export_snapshot──▶ row copiers
//!   (no further command)                 └──▶ lease 2 ──pg_export_snapshot──▶ row copiers
//! ```

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::{Literal, Sql};
use crate::snapshot::error::Error;
use crate::sql;
use crate::task::{Background, Scope};
use crate::wire::{Connection, Idle};

/// Traffic on the lease sessions, so that no firewall or proxy forgets them. Half of the minute
/// after which the impatient ones do.
const TRAFFIC: Duration = Duration::from_secs(25);

/// The snapshot of a consistent point, importable until dropped.
#[derive(Debug)]
pub(crate) struct SnapshotLease {
    snapshot: Snapshot,
    _traffic: Background<()>,
}

/// Connections that have all locks, for row copiers to take.
pub(crate) type Ready = Arc<Mutex<Vec<Connection<Idle>>>>;

/// A snapshot that sessions import, as long as its lease lasts.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) source: Endpoint,
    names: Vec<String>,
    /// Statements that lock all tables, where readers keep locks of their own.
    pub(crate) locks: Option<Sql>,
    /// Connections that have those locks already.
    pub(crate) ready: Ready,
}

impl SnapshotLease {
    /// Takes over an exported snapshot with two sessions, or exports a new one if there is none.
    ///
    /// # Errors
    /// The snapshot is gone, or a connection broke.
    pub(crate) async fn take(
        source: &Endpoint,
        [first, second]: [Session; 2],
        exported: Option<&str>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let names = match exported {
            Some(_) => tokio::try_join!(
                hold_snapshot(&first, exported),
                hold_snapshot(&second, exported)
            ),
            None => match hold_snapshot(&first, None).await {
                Ok(made) => hold_snapshot(&second, Some(&made))
                    .await
                    .map(|same| (made, same)),
                Err(error) => Err(error),
            },
        };
        let (first_name, second_name) = names.map_err(Error::Lease)?;
        let sessions = Arc::new([first, second]);
        let traffic = Background::spawn(keep_alive(sessions, scope.clone()));
        Ok(Self {
            snapshot: Snapshot {
                source: source.clone(),
                names: vec![first_name, second_name],
                locks: None,
                ready: Ready::default(),
            },
            _traffic: traffic,
        })
    }

    /// Returns the name to import it by while the first session lasts.
    pub(crate) fn name(&self) -> &str {
        &self.snapshot.names[0]
    }

    /// Returns what it keeps importable.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// As [`Snapshot::open_session`].
    ///
    /// # Errors
    /// A connection cannot be opened, or the snapshot is gone.
    pub(crate) async fn open_session(&self) -> Result<Session, Error> {
        self.snapshot.open_session().await
    }
}

impl Snapshot {
    /// Takes a connection that is ready for a row copier, if one remains.
    pub(crate) fn take_ready(&self) -> Option<Connection<Idle>> {
        let mut ready = self
            .ready
            .lock()
            .expect("no task panics while it takes a connection");
        ready.pop()
    }

    /// Imports the snapshot into a connection for all of its copies, with the kept locks. The rollback to the
    /// savepoint releases the locks on the tables of a finished batch; the lock session keeps its own.
    ///
    /// # Errors
    /// The snapshot is gone, a lock cannot be obtained, or the connection is lost.
    pub(crate) async fn import_into(&self, source: &mut Connection<Idle>) -> Result<(), Error> {
        let mut refusal = None;
        for begin in self.render_begins() {
            let begin = match &self.locks {
                Some(locks) => sql!("{}; {}; SAVEPOINT rows", begin, locks),
                None => sql!("{}; SAVEPOINT rows", begin),
            };
            match source.execute(&begin).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_lock_conflict() && self.locks.is_some() => {
                    return Err(Error::LocksLost(error));
                }
                Err(error) if error.is_transient() => return Err(Error::Lane(error)),
                Err(error) => refusal = Some(error),
            }
            let rollback = Sql::fixed("ROLLBACK");
            source.execute(&rollback).await.map_err(Error::Lane)?;
        }
        Err(Error::Lane(refusal.expect("a lease has two names")))
    }

    /// Renders the beginning of a transaction with this snapshot, once per lease session: the second is for a lost
    /// first session.
    pub(crate) fn render_begins(&self) -> impl Iterator<Item = Sql> {
        self.names.iter().map(|name| render_begin(Some(name)))
    }

    /// Renders the import into a transaction that has only locked tables.
    pub(crate) fn render_import(&self) -> Sql {
        render_import(&self.names[0])
    }

    /// Opens a session on the source that sees the snapshot.
    ///
    /// # Errors
    /// A connection cannot be opened, or the snapshot is gone.
    pub(crate) async fn open_session(&self) -> Result<Session, Error> {
        let session = self
            .source
            .session(Purpose::Introspect)
            .await
            .map_err(Error::Connect)?;
        let mut refusal = None;
        for begin in self.render_begins() {
            match session.batch(&begin).await {
                Ok(()) => return Ok(session),
                Err(error) => refusal = Some(error),
            }
            session
                .batch(&Sql::fixed("ROLLBACK"))
                .await
                .map_err(Error::Lease)?;
        }
        Err(Error::Lease(refusal.expect("a lease has two names")))
    }
}

/// Begins a transaction with the snapshot, and exports it again.
async fn hold_snapshot(
    session: &Session,
    exported: Option<&str>,
) -> Result<String, crate::connect::Error> {
    session.batch(&render_begin(exported)).await?;
    let export = Sql::fixed("SELECT pg_catalog.pg_export_snapshot()");
    Ok(session.query_one(&export, &[]).await?.get(0))
}

/// Renders the beginning of a transaction, with a snapshot if one is named.
pub(crate) fn render_begin(snapshot: Option<&str>) -> Sql {
    let begin = Sql::fixed("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    match snapshot {
        Some(name) => sql!("{}; {}", begin, render_import(name)),
        None => begin,
    }
}

/// Renders the import of a snapshot into a transaction that has not read anything.
pub(crate) fn render_import(snapshot: &str) -> Sql {
    sql!("SET TRANSACTION SNAPSHOT {}", Literal(snapshot))
}

async fn keep_alive(sessions: Arc<[Session; 2]>, scope: Scope) {
    let mut ticks = tokio::time::interval(TRAFFIC);
    loop {
        ticks.tick().await;
        for session in sessions.iter() {
            if let Err(error) = session.batch(&Sql::fixed("SELECT 1")).await {
                tracing::warn!(%error, "a session that holds the snapshot is lost");
            }
        }
        if scope.stop.is_cancelled() {
            // The sessions end with the lease, when the last row copier has stopped.
            return;
        }
    }
}
