//! One run at a time fills a database of the target, from whatever machine it is run.

use xxhash_rust::xxh3::xxh3_64;

use super::{Error, Side, door};
use crate::connect::{Endpoint, Session};
use crate::pg::Sql;

/// The right to fill a database; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _session: Session,
}

impl Turn {
    /// Takes the right.
    ///
    /// # Errors
    /// Another run has it, or the target cannot be asked.
    pub(super) async fn take(target: &Endpoint, database: &str) -> Result<Self, Error> {
        // Advisory locks belong to the database that they are taken in: all runs meet beside the one
        // that is filled.
        let session = door::beside(target, database).await?;
        let examine = Error::examine(Side::Target);
        let key = key(database);
        let take = Sql::fixed("SELECT pg_catalog.pg_try_advisory_lock($1)");
        let row = session.query_one(&take, &[&key]).await.map_err(examine)?;
        if row.get(0) {
            return Ok(Self { _session: session });
        }
        let rows = session.query(&Sql::fixed(HOLDER), &[&key]).await;
        let rows = rows.map_err(examine)?;
        let by = rows.first().map_or_else(
            || "another session".to_owned(),
            |row| row.get::<_, String>(0),
        );
        let database = database.to_owned();
        Err(Error::Busy { database, by })
    }
}

/// Who holds the lock, in words.
const HOLDER: &str = "\
SELECT 'another run: ' || coalesce(a.application_name, 'a session') || ', process ' || l.pid || ' of the server'
       || coalesce(', from ' || pg_catalog.host(a.client_addr), '')
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
   AND (l.classid::int8 << 32) | l.objid::int8 = $1";

/// The lock's number.
fn key(database: &str) -> i64 {
    let text = format!("postgres-seren-replicator fills {database}");
    i64::from_ne_bytes(xxh3_64(text.as_bytes()).to_ne_bytes())
}
