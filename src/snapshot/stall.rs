//! Sessions that outlive their use: their server waits for us, and nothing arrives any more.
//!
//! # Stalls
//! While rows travel there is always somebody with something to do: the source, the target, or we. If
//! both servers wait for their client, and nothing has reached or left us between several looks, what
//! they have sent or wait for is lost on the way, however long the connections stay open.
//!
//! # Orphans
//! A connection may be lost on our side alone. Its server finds out when it sends something, or after
//! hours by itself; until then the session keeps its locks, which whoever repeats the work waits for.

use std::time::Duration;

use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::Sql;
use crate::snapshot::rows::load_plan::CopyRequest;
use crate::wire::{CancelKey, Progress};

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// Looks without any movement before a lane is given up.
const LOOKS: u32 = 2;

/// How long orphans are looked for. Most often there is none, and the server may be away.
const ORPHANS: Duration = Duration::from_secs(5);

/// A server's side of a lane, as the server sees it.
struct Backend {
    pid: i32,
    /// Numbers are given out again; together with this one it is the same process.
    started: String,
}

/// The sessions of a lane that has stalled for good. They hold their locks for as long as they wait.
pub(super) struct Stall {
    on_source: Looker,
    on_target: Looker,
}

/// Returns when both connections of a lane have stalled for good. `progress` is the lane's own.
pub(super) async fn stalled(
    request: &CopyRequest,
    (source, target): (Option<CancelKey>, Option<CancelKey>),
    progress: &Progress,
) -> Stall {
    let (Some(source), Some(target)) = (source, target) else {
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
        let looks = (
            find(&request.source, source.process_id, Doing::Waiting),
            find(&request.target, target.process_id, Doing::Waiting),
        );
        let (on_source, on_target) = tokio::join!(looks.0, looks.1);
        let (Some(on_source), Some(on_target)) = (on_source, on_target) else {
            quiet = 0;
            continue;
        };
        quiet += 1;
        if quiet == LOOKS && progress.moved() == before {
            return Stall {
                on_source,
                on_target,
            };
        }
    }
}

/// Ends what is left on the servers of connections that are lost.
pub(super) async fn end_orphans(
    (source, target): (&Endpoint, &Endpoint),
    (on_source, on_target): (Option<CancelKey>, Option<CancelKey>),
) {
    let end = async |endpoint: &Endpoint, key: Option<CancelKey>| {
        if let Some(key) = key
            && let Some(orphan) = find(endpoint, key.process_id, Doing::Anything).await
        {
            orphan.end().await;
        }
    };
    let both = async { tokio::join!(end(source, on_source), end(target, on_target)) };
    if tokio::time::timeout(ORPHANS, both).await.is_err() {
        tracing::debug!("what is left of a lost connection could not be looked for in time");
    }
}

/// A session of ours, and the process that it looks at.
struct Looker {
    session: Session,
    backend: Backend,
}

/// What a backend that is looked for does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// It waits for its client.
    Waiting,
    Anything,
}

/// Looks at a backend; None if it does something else, or if there is no telling. A pooler gives
/// numbers of its own to its clients: only what says of itself that it is ours counts.
async fn find(endpoint: &Endpoint, pid: i32, doing: Doing) -> Option<Looker> {
    let look = Sql::fixed(
        "SELECT backend_start::pg_catalog.text FROM pg_catalog.pg_stat_activity \
          WHERE pid = $1 AND ($2 OR wait_event_type = 'Client') \
            AND datname = pg_catalog.current_database() AND usename = CURRENT_USER \
            AND application_name = pg_catalog.current_setting('application_name')",
    );
    let session = endpoint.session(Purpose::Control).await.ok()?;
    let rows = session
        .query(&look, &[&pid, &(doing == Doing::Anything)])
        .await
        .ok()?;
    let started = rows.first()?.get(0);
    Some(Looker {
        session,
        backend: Backend { pid, started },
    })
}

impl Stall {
    /// Ends both sessions on their servers. A cancel request does not reach a server that waits for its
    /// client.
    pub(super) async fn end(self) {
        tokio::join!(self.on_source.end(), self.on_target.end());
    }
}

impl Looker {
    async fn end(self) {
        let Backend { pid, started } = self.backend;
        let end = Sql::fixed(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
              WHERE pid = $1 AND backend_start::pg_catalog.text = $2",
        );
        if let Err(error) = self.session.query(&end, &[&pid, &started]).await {
            tracing::warn!(%error, "a session that is left could not be ended on its server");
        }
    }
}
