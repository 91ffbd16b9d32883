//! Empties a database that was there before, and that an interrupted run had begun to fill.
//!
//! Only what makes a database count as not empty is looked for (`sql/contents.sql`), and extensions that
//! it did not have. Objects are dropped some at a time, each with what depends on it: the locks of one
//! transaction stay few. In the end the database must count as empty.

use std::collections::BTreeSet;

use super::check::Contents;
use super::{Error, Side};
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::Events;
use crate::pg::{Ident, Oid, Sql};
use crate::sql;

/// Objects dropped in one transaction. Each table takes locks for its indexes, its TOAST table and its
/// sequences, too; a server has 6400 by default.
const BATCH: i64 = 200;

/// After this long a transaction gives back its locks, and tries again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '1s'";

/// Removes what is in the database with this oid, but for the extensions that it had.
///
/// # Errors
/// It is another database, the target refuses, or something cannot be removed.
pub(super) async fn clear(
    target: &Endpoint,
    oid: Oid,
    extensions: &BTreeSet<Ident>,
    events: &Events,
) -> Result<(), Error> {
    let side = Side::Target;
    let session = target.session(Purpose::Build).await;
    let session = session.map_err(|source| Error::Connect { side, source })?;
    let own = Sql::fixed(
        "SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
    );
    let found = session.query_one(&own, &[]).await;
    let found: u32 = found.map_err(Error::examine(side))?.get(0);
    if Oid(found) != oid {
        return Err(Error::Replaced {
            database: target.database().to_owned(),
        });
    }
    end_sessions(&session).await.map_err(Error::examine(side))?;
    let waits = session.batch(&Sql::fixed(LOCK_TIMEOUT)).await;
    waits.map_err(Error::examine(side))?;
    drop_objects(&session, target.database(), extensions, events).await?;
    drop_large_objects(&session, target.database()).await?;
    let contents = Contents::load(&session).await;
    let contents = contents.map_err(Error::examine(side))?;
    if contents.is_empty() {
        return Ok(());
    }
    Err(Error::NotCleared {
        database: target.database().to_owned(),
        objects: contents.tables + contents.others + contents.large_objects,
        example: "one that nothing drops".to_owned(),
    })
}

/// How often the sessions of the killed run are looked for.
const ATTEMPTS: u32 = 100;

/// Ends what the killed run has left at work here: a server notices that a client is gone only when it
/// talks to it, and builds an index to its end. No other run fills this database, since it is our turn.
async fn end_sessions(session: &Session) -> Result<(), connect::Error> {
    let end = Sql::fixed(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() \
           AND application_name LIKE 'postgres-seren-replicator/%'",
    );
    for _ in 0..ATTEMPTS {
        if session.query(&end, &[]).await?.is_empty() {
            break;
        }
        let pause = Sql::fixed("SELECT pg_catalog.pg_sleep(0.05)");
        session.query(&pause, &[]).await?;
    }
    Ok(())
}

/// Drops objects, those first that others do not wait for.
async fn drop_objects(
    session: &Session,
    database: &str,
    extensions: &BTreeSet<Ident>,
    events: &Events,
) -> Result<(), Error> {
    let kept: Vec<&str> = extensions.iter().map(Ident::as_str).collect();
    let list = Sql::fixed(include_str!("sql/standing.sql"));
    let mut before = i64::MAX;
    loop {
        let rows = session.query(&list, &[&kept, &BATCH]).await;
        let rows = rows.map_err(Error::examine(Side::Target))?;
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let left: i64 = first.get("left_over");
        if left >= before {
            return Err(Error::NotCleared {
                database: database.to_owned(),
                objects: left,
                example: first.get("what"),
            });
        }
        before = left;
        let drops = rows
            .iter()
            .map(|row| Sql::deparsed(row.get::<_, String>("statement")));
        run(session, database, &Sql::join(drops, "; "), events).await?;
    }
}

async fn drop_large_objects(session: &Session, database: &str) -> Result<(), Error> {
    let some = sql!(
        "SELECT pg_catalog.count(pg_catalog.lo_unlink(o.oid)) \
           FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata LIMIT {}) o",
        BATCH
    );
    loop {
        let unlinked = session.query_one(&some, &[]).await;
        let unlinked = unlinked.map_err(refused(database))?;
        if unlinked.get::<_, i64>(0) == 0 {
            return Ok(());
        }
    }
}

/// Runs statements as one transaction; repeated where a lock of another session is in its way.
async fn run(
    session: &Session,
    database: &str,
    statements: &Sql,
    events: &Events,
) -> Result<(), Error> {
    let what = format!("locks to empty database {database} on the target");
    let mut wait = LockWait::new(session.endpoint(), LockMode::AccessExclusive, what);
    let run = wait.insist(session, statements, events).await;
    run.map_err(refused(database))
}

fn refused(database: &str) -> impl Fn(connect::Error) -> Error {
    |source| Error::Database {
        what: "clear",
        database: database.to_owned(),
        source,
    }
}
