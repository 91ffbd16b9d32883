//! Keeps a snapshot importable for as long as lanes need it.
//!
//! The snapshot that a slot's creation exports dies with the next command on the replication
//! connection that made it. Two lease sessions therefore import it at once, in REPEATABLE READ
//! transactions, and export it again; lanes import from them. Two, so that the loss of one
//! connection does not cost the run its consistent point.
//!
//! ```text
//! replication connection ──EXPORT_SNAPSHOT──▶ lease 1 ──pg_export_snapshot──▶ lanes
//!   (no further command)                 └──▶ lease 2 ──pg_export_snapshot──▶ lanes
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::kept_locks::Ready;
use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::{Literal, Sql};
use crate::snapshot::error::Error;
use crate::sql;
use crate::task::{Background, Scope};

/// Traffic on the lease sessions, so that no firewall or proxy forgets them. Half of the minute
/// after which the impatient ones do.
const TRAFFIC: Duration = Duration::from_secs(25);

/// The snapshot of a consistent point, importable until dropped.
#[derive(Debug)]
pub(in crate::snapshot) struct SnapshotLease {
    snapshot: Snapshot,
    _traffic: Background<()>,
}

/// How a session comes to see a snapshot, as long as its lease lasts.
#[derive(Clone, Debug)]
pub(in crate::snapshot) struct Snapshot {
    pub(in crate::snapshot) source: Endpoint,
    names: Vec<String>,
    /// Statements that lock all tables, where readers keep locks of their own.
    pub(in crate::snapshot) locks: Option<Sql>,
    /// Connections that have those locks already.
    pub(in crate::snapshot) ready: Ready,
}

impl SnapshotLease {
    /// Takes over an exported snapshot with two sessions, or makes one when there is none to take.
    ///
    /// # Errors
    /// The snapshot is gone, or a connection broke.
    pub(in crate::snapshot) async fn take(
        source: &Endpoint,
        [first, second]: [Session; 2],
        exported: Option<&str>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let names = match exported {
            Some(_) => tokio::try_join!(hold(&first, exported), hold(&second, exported)),
            None => match hold(&first, None).await {
                Ok(made) => hold(&second, Some(&made)).await.map(|same| (made, same)),
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

    /// The name to import it by while the first session lasts.
    pub(in crate::snapshot) fn name(&self) -> &str {
        &self.snapshot.names[0]
    }

    /// What it keeps importable.
    pub(in crate::snapshot) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// As [`Snapshot::session`].
    ///
    /// # Errors
    /// A connection cannot be made, or the snapshot is gone.
    pub(in crate::snapshot) async fn session(&self) -> Result<Session, Error> {
        self.snapshot.session().await
    }
}

impl Snapshot {
    /// The text that makes a session's new transaction see this snapshot, once per lease session:
    /// the second is for when the first session is lost.
    pub(in crate::snapshot) fn begin_statements(&self) -> impl Iterator<Item = Sql> {
        self.names.iter().map(|name| begin(Some(name)))
    }

    /// The text that makes a transaction which has only locked tables see it.
    pub(in crate::snapshot) fn import(&self) -> Sql {
        import(&self.names[0])
    }

    /// A new session on the source that sees the snapshot.
    ///
    /// # Errors
    /// A connection cannot be made, or the snapshot is gone.
    pub(in crate::snapshot) async fn session(&self) -> Result<Session, Error> {
        let session = self
            .source
            .session(Purpose::Introspect)
            .await
            .map_err(Error::Connect)?;
        let mut refusal = None;
        for begin in self.begin_statements() {
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

/// Begins the transaction that sees the snapshot, and exports it again.
async fn hold(session: &Session, exported: Option<&str>) -> Result<String, crate::connect::Error> {
    session.batch(&begin(exported)).await?;
    let export = Sql::fixed("SELECT pg_catalog.pg_export_snapshot()");
    Ok(session.query_one(&export, &[]).await?.get(0))
}

/// The text that begins a transaction, which sees a snapshot if one is named.
pub(in crate::snapshot) fn begin(snapshot: Option<&str>) -> Sql {
    let begin = Sql::fixed("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    match snapshot {
        Some(name) => sql!("{}; {}", begin, import(name)),
        None => begin,
    }
}

/// The text that makes a transaction which has not read anything see a snapshot.
pub(in crate::snapshot) fn import(snapshot: &str) -> Sql {
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
            // The sessions end with the lease, when the last lane has stopped.
            return;
        }
    }
}
