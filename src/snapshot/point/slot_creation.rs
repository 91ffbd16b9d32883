//! The creation of a slot, which waits for every transaction that has written.

use tokio::time::{Duration, Instant};

use super::consistent_point::NewSlot;
use crate::connect::locks::one_line;
use crate::connect::{Endpoint, Purpose, Session};
use crate::event::{Event, Note, SILENCE, Warning};
use crate::logical::{drop_slot, find_slot};
use crate::pg::{SlotName, Sql, SqlState};
use crate::snapshot::error::Error;
use crate::task::{Background, Scope};
use crate::wire::{self, SlotSnapshot};

/// How often the transactions that a slot's creation waits for are loaded.
const LOOK: Duration = Duration::from_secs(1);

/// How long the server may take to end a cancelled creation.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(3);

/// Drops a slot of our name. Returns whether there was one.
pub(crate) async fn drop_leftover(source: &Endpoint, name: &SlotName) -> Result<bool, Error> {
    let wrap = |source| Error::Slot {
        slot: name.clone(),
        source,
    };
    let opened = source.session(Purpose::Control).await;
    let session = opened.map_err(Error::Connect)?;
    match drop_slot(&session, name).await {
        Err(error) if error.sqlstate() == Some(SqlState::OBJECT_IN_USE) => {
            let slot = find_slot(&session, name).await.map_err(wrap)?;
            Err(match slot.and_then(|slot| slot.active_pid) {
                Some(pid) => Error::SlotInUse {
                    slot: name.clone(),
                    pid,
                },
                None => wrap(error),
            })
        }
        other => other.map_err(wrap),
    }
}

/// A slot, and the connection that exports its snapshot until its next command.
pub(crate) struct ExportingSlot {
    pub(crate) exporter: wire::Connection<wire::Idle>,
    pub(crate) slot: wire::CreatedSlot,
}

/// Creates the slot. No lock on a table is held meanwhile: the creation waits for every transaction that has
/// written, and one of those may want any lock.
pub(crate) async fn create_slot(
    source: &Endpoint,
    wanted: &NewSlot,
    scope: &Scope,
) -> Result<ExportingSlot, Error> {
    let (name, kind) = (&wanted.name, wanted.kind());
    if drop_leftover(source, name).await? {
        let slot = name.clone();
        scope
            .events
            .emit(Event::Note(Note::SlotDropped { slot }))
            .await;
    }
    let mut connection = source.replication().await.map_err(Error::Connect)?;
    let key = connection.cancel_key();
    let slot = name.clone();
    let creation = Background::spawn(async move {
        let created = connection
            .create_logical_slot(&slot, kind, SlotSnapshot::Export)
            .await;
        (connection, created)
    });
    let what = format!("creation of slot {name}, which waits for older transactions");
    let creation = scope.events.reporting(what, creation.join());
    tokio::pin!(creation);
    let abandoned = tokio::select! {
        biased;
        done = &mut creation => return match done {
            (exporter, Ok(slot)) => Ok(ExportingSlot { exporter, slot }),
            (_, Err(error)) => Err(Error::Replication(error)),
        },
        () = scope.stop.cancelled() => Error::Stopped,
        error = wait_for_transactions(source, scope) => error,
    };
    // The server does not notice a closed connection while it waits for transactions.
    if let Some(key) = key {
        source.cancel(&key).await.map_err(Error::Connect)?;
    }
    // The slot's name is in use until the server has cleaned up.
    drop(tokio::time::timeout(CLEANUP_TIMEOUT, creation).await);
    Err(abandoned)
}

/// Reports the transactions that a slot's creation waits for; returns when it has waited too long.
async fn wait_for_transactions(source: &Endpoint, scope: &Scope) -> Error {
    let (begun, limit) = (Instant::now(), source.lock_limit());
    let (mut is_reported, mut session) = (false, None);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let is_over = begun.elapsed() >= limit;
        if !is_over && (is_reported || begun.elapsed() < SILENCE) {
            continue;
        }
        let holders = match load_holders(source, &mut session).await {
            Ok(holders) => holders,
            Err(error) => {
                tracing::debug!(%error, "old transactions could not be loaded");
                session = None;
                Vec::new()
            }
        };
        if is_over {
            return Error::SlotWaits {
                seconds: begun.elapsed().as_secs(),
                holders: holders.join("; "),
            };
        }
        is_reported = !holders.is_empty();
        for holder in holders {
            let waits = Event::Warning(Warning::SlotWaits { holder });
            scope.events.emit(waits).await;
        }
    }
}

async fn load_holders(
    source: &Endpoint,
    session: &mut Option<Session>,
) -> Result<Vec<String>, crate::connect::Error> {
    let session = match session {
        Some(session) => session,
        None => session.insert(source.session(Purpose::Introspect).await?),
    };
    load_old_transactions(session).await
}

/// Loads the transactions that a slot's creation waits for, in words; the oldest first.
async fn load_old_transactions(session: &Session) -> Result<Vec<String>, crate::connect::Error> {
    let sql = Sql::fixed(include_str!("sql/old_transactions.sql"));
    let rows = session.query(&sql, &[]).await?;
    let describe = |row: &tokio_postgres::Row| {
        let seconds: i64 = row.get("seconds");
        format!(
            "{} of role {} ({}), open for {seconds} s",
            one_line(row.get("who")),
            one_line(row.get("user")),
            one_line(row.get("statement"))
        )
    };
    Ok(rows.iter().map(describe).collect())
}
