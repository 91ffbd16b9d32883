//! Loads the source's side of a replication.

use std::time::Duration;

use tokio_postgres::Row;

use super::error::Error;
use super::facts::{Sender, SenderLags, SourceFacts};
use super::report::Names;
use crate::connect::Session;
use crate::logical::{Seconds, find_listed_changes, find_publication, find_slot};
use crate::pg::{Lsn, Side, Sql};

/// Loads what the source shows of a replication.
///
/// # Errors
/// The server refused a query.
pub(super) async fn load_source(session: &Session, names: &Names) -> Result<SourceFacts, Error> {
    let wrap = Error::query(Side::Source);
    let slot = names.slot.as_ref();
    let sql = Sql::fixed(include_str!("sql/source.sql"));
    let name = slot.map(crate::pg::SlotName::as_str);
    let row = session.query_one(&sql, &[&name]).await.map_err(wrap)?;
    let slot = match slot {
        Some(slot) => find_slot(session, slot).await.map_err(wrap)?,
        None => None,
    };
    let publication = find_publication(session, &names.publication, Seconds::Any).await;
    let publication = publication.map_err(wrap)?;
    let publication_changes = match &publication {
        Some(found) => find_listed_changes(session, found).await.map_err(wrap)?,
        None => Vec::new(),
    };
    Ok(SourceFacts {
        is_standby: row.get("is_standby"),
        wal_level: row.get("wal_level"),
        flush_lsn: read_lsn(&row, "flush_lsn"),
        slot_wal_limit: row.get("slot_wal_limit"),
        slot,
        sender: read_sender(&row),
        publication_changes,
        publication,
    })
}

fn read_sender(row: &Row) -> Option<Sender> {
    let lag = |column: &str| {
        let milliseconds: Option<i64> = row.get(column);
        milliseconds
            .and_then(|lag| u64::try_from(lag).ok())
            .map(Duration::from_millis)
    };
    Some(Sender {
        pid: row.get::<_, Option<i32>>("pid")?,
        application_name: row.get("application_name"),
        client: row.get("client"),
        state: row.get("state"),
        sent: read_lsn(row, "sent_lsn"),
        write: read_lsn(row, "write_lsn"),
        flush: read_lsn(row, "acknowledged_lsn"),
        replay: read_lsn(row, "replay_lsn"),
        lags: SenderLags {
            write: lag("write_lag"),
            flush: lag("flush_lag"),
            replay: lag("replay_lag"),
        },
    })
}

/// Reads a position, which the server sends as text.
pub(super) fn read_lsn(row: &Row, column: &str) -> Option<Lsn> {
    let text: Option<String> = row.get(column);
    text.and_then(|text| text.parse().ok())
}
