//! The locks of a run: a database is copied by one run at a time, from any machine.
//!
//! A run holds advisory locks in one session on each server, from before its first write to its end. On the
//! source there is one for each database and publication, on the target one for each database. An advisory
//! lock belongs to the database in which it is acquired, and runs may connect to different ones. So each run
//! acquires its locks first, and then looks for the same numbers in all databases of the cluster: of two
//! runs at least one sees the other.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use crate::cluster::error::Error;
use crate::cluster::maintenance;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, Side, Sides, Sql};

/// How many times a held lock is checked before the run is refused: the session of a killed run ends a
/// moment later.
const LOOKS: u32 = 10;

/// The time between two checks.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the sessions that hold the locks are checked.
const INTERVAL: Duration = Duration::from_secs(1);

/// The key of an advisory lock.
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

    /// Returns the key for a publication of a database of the source, and its slot. Runs with different
    /// publications run side by side.
    pub(crate) fn of_source(database: &str, oid: Oid, publication: &Ident) -> Self {
        let name = publication.as_str();
        let text = format!("postgres-seren-replicator publishes {oid} as {name}");
        Self::new(database, &text)
    }

    /// Returns the key for a database of the target.
    pub(crate) fn of_target(database: &str) -> Self {
        let text = format!("postgres-seren-replicator fills {database}");
        Self::new(database, &text)
    }
}

/// A run that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The database.
    pub(crate) database: String,
    /// The run and its session, in words.
    pub(crate) by: String,
}

/// The sessions that hold locks of these numbers, except ours.
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
/// The server refused the query.
pub(crate) async fn find_holder(
    session: &Session,
    keys: &[LockKey],
) -> Result<Option<Holder>, connect::Error> {
    let mut looks = 1;
    loop {
        let holder = load_holder(session, keys).await?;
        if holder.is_none() || looks == LOOKS {
            return Ok(holder);
        }
        looks += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn load_holder(
    session: &Session,
    keys: &[LockKey],
) -> Result<Option<Holder>, connect::Error> {
    let rows = session
        .query(&Sql::fixed(HOLDERS), &[&list_numbers(keys)])
        .await?;
    Ok(rows.first().map(|row| {
        let number: i64 = row.get("number");
        let key = keys.iter().find(|key| key.number == number);
        Holder {
            database: key.map(|key| key.database.clone()).unwrap_or_default(),
            by: row.get("by"),
        }
    }))
}

fn list_numbers(keys: &[LockKey]) -> Vec<i64> {
    keys.iter().map(|key| key.number).collect()
}

/// The sessions that hold the locks of a run; the locks are released when they are dropped.
#[derive(Debug, Default)]
pub(crate) struct RunLocks(Sides<Option<Session>>);

impl RunLocks {
    /// Acquires locks, those on the source first. A server without an endpoint or without keys is skipped.
    ///
    /// # Errors
    /// Another run holds one, or a server refused a query.
    pub(crate) async fn acquire(
        servers: Sides<Option<&Endpoint>>,
        keys: &Sides<Vec<LockKey>>,
    ) -> Result<Self, Error> {
        let mut locks = Self::default();
        if let Some(source) = servers.source.filter(|_| !keys.source.is_empty()) {
            let held = acquire_on_source(source, &keys.source).await?;
            locks.0.source = Some(held);
        }
        if let Some(target) = servers.target.filter(|_| !keys.target.is_empty()) {
            let held = acquire_on_target(target, &keys.target).await?;
            locks.0.target = Some(held);
        }
        Ok(locks)
    }

    /// Releases the locks at once. A server notices the end of a session later, and until then the next run
    /// would be refused.
    pub(crate) async fn release(self) {
        for (side, session) in self.list_sessions() {
            if let Err(error) = release_all(session).await {
                tracing::debug!(%error, %side, "the run's locks end with their session");
            }
        }
    }

    /// Checks that all locks are still held.
    ///
    /// # Errors
    /// A session has ended, and its locks with it.
    pub(crate) async fn check_held(&self) -> Result<(), Error> {
        for (side, session) in self.list_sessions() {
            session
                .batch(&Sql::fixed("SELECT 1"))
                .await
                .map_err(|source| Error::LockLost { side, source })?;
        }
        Ok(())
    }

    /// Waits until a lock is lost, and returns the reason. Cancel safe.
    pub(crate) async fn wait_until_lost(&self) -> Error {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.check_held().await {
                return error;
            }
        }
    }

    fn list_sessions(&self) -> impl Iterator<Item = (Side, &Session)> {
        let sessions = self.0.iter();
        sessions.filter_map(|(side, session)| Some((side, session.as_ref()?)))
    }
}

/// Acquires locks in a session on the endpoint's own database.
async fn acquire_on_source(source: &Endpoint, keys: &[LockKey]) -> Result<Session, Error> {
    let session = source
        .session(Purpose::Introspect)
        .await
        .map_err(Error::connect(Side::Source))?;
    acquire_locks(Side::Source, session, keys).await
}

/// Acquires locks in a session that does not end when one of the databases is dropped.
async fn acquire_on_target(target: &Endpoint, keys: &[LockKey]) -> Result<Session, Error> {
    let locks_postgres = keys.iter().any(|key| key.database == "postgres");
    let locked = if locks_postgres { "postgres" } else { "" };
    let session = maintenance::open_session_outside(target, locked).await?;
    acquire_locks(Side::Target, session, keys).await
}

/// Acquires locks in a session, and returns that session.
async fn acquire_locks(side: Side, session: Session, keys: &[LockKey]) -> Result<Session, Error> {
    let examine = Error::examine(side);
    let mut is_first = true;
    loop {
        let has_all = try_locks(&session, keys).await.map_err(examine)?;
        let holder = find_holder(&session, keys).await.map_err(examine)?;
        if let Some(Holder { database, by }) = holder {
            return Err(Error::Busy { side, database, by });
        }
        if has_all {
            return Ok(session);
        }
        // The session that held one has ended meanwhile: the locks are tried a second time.
        if !std::mem::take(&mut is_first) {
            return Err(Error::Busy {
                side,
                database: keys[0].database.clone(),
                by: "another session".to_owned(),
            });
        }
    }
}

/// Tries to acquire locks. Nobody waits for them: a lock that is not acquired is held by another session in
/// the same database.
async fn try_locks(session: &Session, keys: &[LockKey]) -> Result<bool, connect::Error> {
    let sql = Sql::fixed(
        "SELECT pg_catalog.pg_try_advisory_lock(k) FROM pg_catalog.unnest($1::int8[]) k",
    );
    let acquired = session.query(&sql, &[&list_numbers(keys)]).await?;
    let has_all = acquired.iter().all(|row| row.get(0));
    if !has_all {
        // The run that holds the others must not be refused because of ours.
        release_all(session).await?;
    }
    Ok(has_all)
}

async fn release_all(session: &Session) -> Result<(), connect::Error> {
    let unlock = Sql::fixed("SELECT pg_catalog.pg_advisory_unlock_all()");
    session.batch(&unlock).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_differ_by_database_publication_and_side() {
        let [usual, other] = ["p", "q"].map(Ident::from_catalog);
        let numbers = [
            LockKey::of_source("a", Oid(1), &usual),
            LockKey::of_source("a", Oid(1), &other),
            LockKey::of_source("a", Oid(2), &usual),
            LockKey::of_target("a"),
            LockKey::of_target("b"),
        ]
        .map(|key| key.number);
        for (at, number) in numbers.iter().enumerate() {
            assert!(!numbers[at + 1..].contains(number));
        }
    }
}
