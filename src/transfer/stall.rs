//! Sessions that remain on a server although their connection is useless.
//!
//! # Stalls
//! While data is copied, the source, the target or we always have something to do. If both servers wait for
//! their client, and no byte arrives or leaves between several looks, then the network has lost something. It
//! does not come back, however long the connections stay open.
//!
//! # Orphans
//! A connection may be lost at our end only. The server notices that when it sends something, or after hours.
//! Until then its session keeps its locks, and a repetition of the work waits for them.

use std::time::Duration;

use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::{Sides, Sql};
use crate::wire::{CancelKey, Progress};

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// Looks without any movement before the connections are given up.
const LOOKS: u32 = 2;

/// How long orphans are looked for. Usually there is none, and the server may be down.
const ORPHANS: Duration = Duration::from_secs(5);

/// Both sessions of a copy that has stalled for good. They hold their locks while they wait.
#[derive(Debug)]
pub struct Stall(Sides<FoundBackend>);

impl Stall {
    /// Terminates both sessions on their servers. A cancel request has no effect on a server that waits for
    /// its client.
    pub async fn terminate(self) {
        tokio::join!(self.0.source.terminate(), self.0.target.terminate());
    }
}

/// Returns when both connections of a copy have stalled for good. `progress` counts the bytes of this copy
/// only. Cancel safe.
pub async fn wait_for_stall(
    endpoints: Sides<&Endpoint>,
    keys: Sides<Option<CancelKey>>,
    progress: &Progress,
) -> Stall {
    let (Some(source), Some(target)) = (keys.source, keys.target) else {
        return std::future::pending().await;
    };
    let mut quiet = 0;
    loop {
        let before = progress.moved();
        tokio::time::sleep(LOOK).await;
        if progress.moved() != before {
            quiet = 0;
            continue;
        }
        let (source, target) = tokio::join!(
            find_backend(endpoints.source, source.process_id, Activity::Waiting),
            find_backend(endpoints.target, target.process_id, Activity::Waiting),
        );
        let (Some(source), Some(target)) = (source, target) else {
            quiet = 0;
            continue;
        };
        quiet += 1;
        // The looks take a while: a byte may have arrived meanwhile.
        if quiet == LOOKS && progress.moved() == before {
            return Stall(Sides { source, target });
        }
    }
}

/// Terminates the sessions that remain on the servers of lost connections.
pub async fn end_orphans(endpoints: Sides<&Endpoint>, keys: Sides<Option<CancelKey>>) {
    let both = async {
        tokio::join!(
            end_orphan(endpoints.source, keys.source),
            end_orphan(endpoints.target, keys.target)
        )
    };
    if tokio::time::timeout(ORPHANS, both).await.is_err() {
        tracing::debug!("remaining sessions of a lost connection could not be looked for in time");
    }
}

async fn end_orphan(endpoint: &Endpoint, key: Option<CancelKey>) {
    if let Some(key) = key
        && let Some(orphan) = find_backend(endpoint, key.process_id, Activity::Any).await
    {
        orphan.terminate().await;
    }
}

/// A server process, and the session of ours that has found it.
#[derive(Debug)]
struct FoundBackend {
    session: Session,
    pid: i32,
    /// Servers use process ids again. Together with its start a process is unambiguous.
    started: String,
}

impl FoundBackend {
    async fn terminate(self) {
        let terminate = Sql::fixed(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
              WHERE pid = $1 AND backend_start::pg_catalog.text = $2",
        );
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
            [&self.pid, &self.started];
        if let Err(error) = self.session.query(&terminate, &parameters).await {
            tracing::warn!(%error, "a remaining session could not be terminated on its server");
        }
    }
}

/// What a backend must be doing to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    /// It waits for its client.
    Waiting,
    Any,
}

/// Looks for a backend. None if it does something else, or if the server cannot be asked. A pooler assigns
/// process ids of its own to its clients, so only a session with our application name counts.
async fn find_backend(endpoint: &Endpoint, pid: i32, activity: Activity) -> Option<FoundBackend> {
    let find = Sql::fixed(
        "SELECT backend_start::pg_catalog.text FROM pg_catalog.pg_stat_activity \
          WHERE pid = $1 AND ($2 OR wait_event_type = 'Client') \
            AND datname = pg_catalog.current_database() AND usename = CURRENT_USER \
            AND application_name = pg_catalog.current_setting('application_name')",
    );
    let session = endpoint.session(Purpose::Control).await.ok()?;
    let found = session
        .query(&find, &[&pid, &(activity == Activity::Any)])
        .await;
    let started = found.ok()?.first()?.get(0);
    Some(FoundBackend {
        session,
        pid,
        started,
    })
}
