//! Drops a slot that retains more WAL than is allowed, on request: the source stays alive, and the replication ends.

use tokio::time::{Duration, Instant};

use super::error::Error;
use crate::connect::{Endpoint, Purpose};
use crate::logical::{Slot, drop_slot, find_slot};
use crate::pg::{Side, SlotName, Sql, SqlState};
use crate::status::FollowedDatabase;

/// How long a WAL sender may take to end, and a reader to be kept away.
const LIMIT: Duration = Duration::from_secs(30);

/// Drops the slot of a database if it retains more WAL than `limit` bytes now. Whoever reads from it is ended: a slot in use
/// cannot be dropped. Returns how much it retained, if it was dropped.
///
/// # Errors
/// The source cannot be reached or refused a statement, or the slot stays in use.
pub async fn give_up_slot(
    source: &Endpoint,
    database: &FollowedDatabase,
    limit: u64,
) -> Result<Option<u64>, Error> {
    let Some(name) = &database.names.slot else {
        return Ok(None);
    };
    let wrap = Error::query(Side::Source);
    let endpoint = source.with_database(&database.source);
    let session = endpoint.session(Purpose::Control).await;
    let session = session.map_err(Error::connect(Side::Source))?;
    let found = find_slot(&session, name).await.map_err(wrap)?;
    let is_over = |slot: &Slot| slot.retained.is_some_and(|retained| retained > limit);
    let Some(slot) = found.filter(is_over) else {
        return Ok(None);
    };
    let begun = Instant::now();
    loop {
        // The target's worker comes back some seconds after its sender was ended.
        session
            .execute(&end_reader(), &[&name.as_str()])
            .await
            .map_err(wrap)?;
        match drop_slot(&session, name).await {
            Ok(_) => return Ok(slot.retained),
            Err(error)
                if error.sqlstate() == Some(SqlState::OBJECT_IN_USE) && begun.elapsed() < LIMIT => {
            }
            Err(error) => return Err(wrap(error)),
        }
    }
}

/// Ends the process that reads from a slot.
fn end_reader() -> Sql {
    Sql::fixed(
        "SELECT pg_catalog.pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots \
          WHERE slot_name = $1::text::name AND active_pid IS NOT NULL",
    )
}

/// What was given up, in words.
pub fn describe_given_up(slot: &SlotName, retained: u64, limit: u64) -> String {
    format!(
        "replication slot {slot} retained {retained} bytes of WAL, more than the limit of {limit}: it was dropped, as requested. \
         The database must be copied again"
    )
}
