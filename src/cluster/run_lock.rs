//! One run at a time copies a database, regardless of the machine it runs on.
//!
//! A run holds advisory locks in one session on each side, from before its first write to its end: on the
//! source per database and publication, on the target per database. An advisory lock belongs to the
//! database in which it is taken, and runs may connect to different ones. So each run takes its locks
//! first, and then looks for the same numbers in all databases of the cluster: of two runs at least one
//! sees the other.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use crate::cluster::error::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::Side;
use crate::pg::{Ident, Oid, Sql};

/// How often a held lock is looked at again before the run is refused: the session of a run that was
/// killed ends a moment later.
const LOOKS: u32 = 10;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the sessions are asked whether they still exist.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockKey {
    /// The database, for messages.
    database: String,
    number: i64,
}

impl LockKey {
    fn new(database: &str, text: &str) -> Self {
        Self {
            database: database.to_owned(),
            number: i64::from_ne_bytes(xxh3_64(text.as_bytes()).to_ne_bytes()),
        }
    }

    /// The publication and slot of a database of the source. Runs with different publications continue side by
    /// side.
    pub(crate) fn source(database: &str, oid: Oid, publication: &Ident) -> Self {
        let name = publication.as_str();
        let text = format!("postgres-seren-replicator publishes {oid} as {name}");
        Self::new(database, &text)
    }

    /// A database of the target.
    pub(crate) fn target(database: &str) -> Self {
        let text = format!("postgres-seren-replicator fills {database}");
        Self::new(database, &text)
    }
}

/// A run that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The database.
    pub(crate) database: String,
    /// Who it is, in words.
    pub(crate) by: String,
}

/// Who holds locks of these numbers, beside ourselves.
const HOLDERS: &str = "\
SELECT (l.classid::int8 << 32) | l.objid::int8 AS number,
       'another run: ' || COALESCE(a.application_name, 'a session') || ', process ' || l.pid || ' of the server'
       || COALESCE(', from ' || pg_catalog.host(a.client_addr), '')
       || COALESCE(', since ' || pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'), '') AS by
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
   AND (l.classid::int8 << 32) | l.objid::int8 = ANY ($1::int8[])";

/// Finds a run that holds one of these locks.
///
/// # Errors
/// The server refused the question.
pub(crate) async fn find_holder(
    session: &Session,
    keys: &[LockKey],
) -> Result<Option<Holder>, connect::Error> {
    let numbers: Vec<i64> = keys.iter().map(|key| key.number).collect();
    let mut looks = 0;
    loop {
        let rows = session.query(&Sql::fixed(HOLDERS), &[&numbers]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        looks += 1;
        if looks == LOOKS {
            let number: i64 = row.get("number");
            let key = keys.iter().find(|key| key.number == number);
            return Ok(Some(Holder {
                database: key.map(|key| key.database.clone()).unwrap_or_default(),
                by: row.get("by"),
            }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The locks of a run on both sides; released when dropped.
#[derive(Debug, Default)]
pub(crate) struct RunLocks(Vec<(Side, Session)>);

impl RunLocks {
    /// Takes locks on the source, in a session on the endpoint's own database.
    ///
    /// # Errors
    /// Another run holds one, or the source cannot be asked.
    pub(crate) async fn take_source(
        &mut self,
        source: &Endpoint,
        keys: &[LockKey],
    ) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let side = Side::Source;
        let session = source.session(Purpose::Introspect).await;
        let session = session.map_err(Error::connect(side))?;
        self.take(side, session, keys).await
    }

    /// Takes locks on the target, in a session that none of the databases' removal ends.
    ///
    /// # Errors
    /// Another run holds one, or the target cannot be asked.
    pub(crate) async fn take_target(
        &mut self,
        target: &Endpoint,
        keys: &[LockKey],
    ) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let is_postgres = |key: &LockKey| key.database == "postgres";
        let taken = keys.iter().find(|key| is_postgres(key));
        let beside = taken.map_or("", |key| key.database.as_str());
        let session = crate::cluster::maintenance::beside(target, beside).await?;
        self.take(Side::Target, session, keys).await
    }

    async fn take(&mut self, side: Side, session: Session, keys: &[LockKey]) -> Result<(), Error> {
        let examine = Error::examine(side);
        let numbers: Vec<i64> = keys.iter().map(|key| key.number).collect();
        // Nobody waits for these locks: to try is to take them, unless one in the same database is held.
        let take = Sql::fixed(
            "SELECT pg_catalog.pg_try_advisory_lock(k) FROM pg_catalog.unnest($1::int8[]) k",
        );
        let mut is_first = true;
        loop {
            let taken = session.query(&take, &[&numbers]).await.map_err(examine)?;
            let all = taken.iter().all(|row| row.get(0));
            if !all {
                // Whoever has the others is not to be refused because of ours.
                let unlock = Sql::fixed("SELECT pg_catalog.pg_advisory_unlock_all()");
                session.batch(&unlock).await.map_err(examine)?;
            }
            let holder = find_holder(&session, keys).await.map_err(examine)?;
            if let Some(Holder { database, by }) = holder {
                return Err(Error::Busy { side, database, by });
            }
            if all {
                self.0.push((side, session));
                return Ok(());
            }
            // Whoever had it is gone meanwhile.
            if !std::mem::take(&mut is_first) {
                let (database, by) = (keys[0].database.clone(), "another session".to_owned());
                return Err(Error::Busy { side, database, by });
            }
        }
    }

    /// Releases the locks at once. A server notices the end of a session later, and until then the next run
    /// would be refused.
    pub(crate) async fn release(self) {
        let unlock = Sql::fixed("SELECT pg_catalog.pg_advisory_unlock_all()");
        for (side, session) in &self.0 {
            if let Err(error) = session.batch(&unlock).await {
                tracing::debug!(%error, %side, "the run's locks end with their session");
            }
        }
    }

    /// Asks whether all locks are still held.
    ///
    /// # Errors
    /// A session, and with it its locks, is gone.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for (side, session) in &self.0 {
            let side = *side;
            let asked = session.batch(&Sql::fixed("SELECT 1")).await;
            asked.map_err(|source| Error::LockLost { side, source })?;
        }
        Ok(())
    }

    /// Returns when a lock is lost, and why. Cancel safe.
    pub(crate) async fn lost(&self) -> Error {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.verify().await {
                return error;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_differ_by_database_publication_and_side() {
        let [usual, other] = ["p", "q"].map(Ident::from_catalog);
        let numbers = [
            LockKey::source("a", Oid(1), &usual),
            LockKey::source("a", Oid(1), &other),
            LockKey::source("a", Oid(2), &usual),
            LockKey::target("a"),
            LockKey::target("b"),
        ]
        .map(|key| key.number);
        for (at, number) in numbers.iter().enumerate() {
            assert!(!numbers[at + 1..].contains(number));
        }
    }
}
