//! Establishes the consistent point of one database: what the snapshot shows, what is locked, and where the
//! WAL continues from there.
//!
//! The order is the guarantee. The slot is created, which waits for older transactions and exports the
//! snapshot of its consistent point. *Then* the tables that the snapshot shows are locked, and compared with
//! it and with the publication. *Then* the catalog is read under the snapshot. An attempt ends with all its
//! locks, and another one begins, if a table is not what the snapshot shows, if one is not published, or if a
//! session waits for our locks.

use super::attempt::Attempt;
use super::attempts::{AttemptResult, Attempts};
use super::consistent_point::{CheckedDatabase, ConsistentPoint, NewSlot, SnapshotSource};
use super::slot_creation::drop_leftover;
use crate::connect::Endpoint;
use crate::event::WithCauses as _;
use crate::snapshot::error::Error;
use crate::task::Scope;

/// Attempts in a row that may fail because a definition no longer exists, before that counts as an error.
const VANISHED: u32 = 10;

/// Establishes the consistent point of the database that `source` names. Attempts that DDL disturbs are
/// repeated for as long as the endpoint's limit for waits allows.
///
/// # Errors
/// DDL disturbed every attempt; a lock, a slot or a connection could not be obtained; or the scope was
/// stopped. Nothing remains on the server then.
pub async fn establish(
    source: &Endpoint,
    kind: &SnapshotSource,
    mut database: CheckedDatabase,
    scope: &Scope,
) -> Result<ConsistentPoint, Error> {
    let limit = source.lock_limit();
    let source = &source.clone().with_short_lock_waits();
    let mut attempts = Attempts::new(limit);
    loop {
        let attempt = Attempt {
            source,
            database: &mut database,
            effort: attempts.effort(),
        };
        let attempted = Box::pin(attempt.run(kind, scope)).await;
        match drop_slot_of_failed(source, kind, attempted).await? {
            AttemptResult::Settled(point) => return Ok(*point),
            AttemptResult::Disturbed(what) => {
                attempts.vanished = 0;
                attempts.pause_after(what, scope).await?;
            }
            AttemptResult::Vanished(error) => {
                attempts.vanished += 1;
                if attempts.vanished == VANISHED {
                    return Err(error);
                }
                attempts.pause_after(error.chain(), scope).await?;
            }
        }
    }
}

/// Drops the slot of an attempt that has not settled: its consistent point is older than the next attempt.
async fn drop_slot_of_failed(
    source: &Endpoint,
    kind: &SnapshotSource,
    attempted: Result<AttemptResult, Error>,
) -> Result<AttemptResult, Error> {
    let SnapshotSource::Slot(NewSlot { name, .. }) = kind else {
        return attempted;
    };
    // A slot in use belongs to a running replication.
    let keeps_slot = matches!(
        attempted,
        Ok(AttemptResult::Settled(_)) | Err(Error::SlotInUse { .. })
    );
    if keeps_slot {
        return attempted;
    }
    match (attempted, drop_leftover(&source.despite_stop(), name).await) {
        (Ok(disturbed), dropped) => dropped.map(|_| disturbed),
        (Err(error), Ok(_)) => Err(error),
        (Err(error), Err(left)) => {
            tracing::warn!(error = %left, slot = %name, "the slot could not be dropped");
            Err(error)
        }
    }
}
