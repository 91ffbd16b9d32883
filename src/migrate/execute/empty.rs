//! Empties a database that was there before, and that an interrupted run had begun to fill.
//!
//! Looks only for what prevents a database from counting as empty (`sql/contents.sql`), and extensions that
//! it did not have. Objects are dropped some at a time, each with what depends on it: the locks of one
//! transaction stay few. In the end the database must count as empty.

use std::collections::BTreeSet;

use crate::cluster::contents::Contents;
use crate::connect::locks::{LockMode, LockWait};
use crate::connect::{self, Endpoint, Session};
use crate::migrate::error::Error;
use crate::migrate::execute::drop::TargetDatabase;
use crate::migrate::journal;
use crate::pg::Side;
use crate::pg::{Ident, Sql};
use crate::sql;

/// Objects dropped in one transaction. Each table takes locks for its indexes, its TOAST table and its
/// sequences, too; a server has 6400 by default.
const BATCH: i64 = 200;

/// After this long a transaction gives back its locks, and tries again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '1s'";

/// What of a database is removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cleared<'a> {
    /// Its name, and which database it must be.
    pub(crate) database: TargetDatabase<'a>,
    /// Extensions that it had before, and keeps.
    pub(crate) extensions: &'a BTreeSet<Ident>,
    /// What was recorded when the journal was dropped.
    pub(crate) seal: Option<&'a str>,
}

/// Removes what our runs have created in a database. Rows in configuration tables of extensions that stay
/// are replaced when they are copied again.
///
/// # Errors
/// It is another database, or holds what is not ours: nothing is removed then. Or the target refuses, or
/// something cannot be removed.
pub(crate) async fn empty_database(target: &Endpoint, cleared: Cleared<'_>) -> Result<(), Error> {
    let side = Side::Target;
    let session = cleared
        .database
        .open_session(&target.clone().with_journal())
        .await?;
    end_sessions(&session).await.map_err(Error::examine(side))?;
    let waits = session.batch(&Sql::fixed(LOCK_TIMEOUT)).await;
    waits.map_err(Error::examine(side))?;
    refuse_foreign_objects(&session, cleared).await?;
    let database = cleared.database.name;
    keep_journal(&session, cleared).await?;
    drop_objects(&session, cleared).await?;
    drop_large_objects(&session, database).await?;
    let contents = Contents::load(&session).await;
    let contents = contents.map_err(Error::examine(side))?;
    if contents.is_empty() {
        return Ok(());
    }
    Err(Error::NotCleared {
        database: database.to_owned(),
        objects: contents.tables + contents.others + contents.large_objects,
        example: "one that nothing drops".to_owned(),
    })
}

/// Refuses a database that holds what is not ours.
async fn refuse_foreign_objects(session: &Session, cleared: Cleared<'_>) -> Result<(), Error> {
    let found = journal::find_foreign_objects(session, cleared.seal).await;
    match found.map_err(Error::examine(Side::Target))? {
        None => Ok(()),
        Some(objects) => Err(Error::NotOurs {
            database: cleared.database.name.to_owned(),
            objects: objects.to_string(),
        }),
    }
}

/// Begins a journal again where the database was complete: what it holds is ours, and a drop changes the
/// rows of what depends on the dropped object.
async fn keep_journal(session: &Session, cleared: Cleared<'_>) -> Result<(), Error> {
    let side = Side::Target;
    if journal::journal_exists(session)
        .await
        .map_err(Error::examine(side))?
    {
        return Ok(());
    }
    let opened = journal::open_journal(session, true, None).await;
    opened.map_err(wrap_refusal(cleared.database.name))?;
    let Some(seal) = cleared.seal else {
        return Ok(());
    };
    if journal::load_digest(session)
        .await
        .map_err(Error::examine(side))?
        == seal
    {
        return Ok(());
    }
    // Somebody was faster than the journal.
    let discarded = journal::discard_journal(session).await;
    discarded.map_err(wrap_refusal(cleared.database.name))?;
    refuse_foreign_objects(session, cleared).await
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
async fn drop_objects(session: &Session, cleared: Cleared<'_>) -> Result<(), Error> {
    let database = cleared.database.name;
    let kept: Vec<&str> = cleared.extensions.iter().map(Ident::as_str).collect();
    let list = Sql::fixed(include_str!("../sql/existing_objects.sql"));
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
        let locks = rows
            .iter()
            .filter_map(|row| row.get::<_, Option<String>>("lock"));
        let begin = [Sql::fixed("BEGIN")].into_iter();
        let drops = rows
            .iter()
            .map(|row| Sql::deparsed(row.get::<_, String>("statement")));
        let batch = Batch {
            begin: Sql::join(begin.chain(locks.map(Sql::deparsed)), "; "),
            drops: Sql::join(drops.chain([session.commit()]), "; "),
        };
        drop_batch(session, cleared, &batch).await?;
    }
}

/// Objects that are dropped in one transaction.
struct Batch {
    /// Begins it, and locks the tables among them.
    begin: Sql,
    /// Drops them, and commits.
    drops: Sql,
}

/// Drops a batch; again where a lock of another session is in its way. What depends on an object goes with
/// it. Nobody can add anything to a table that is locked, and the look after that sees what was added before.
async fn drop_batch(session: &Session, cleared: Cleared<'_>, batch: &Batch) -> Result<(), Error> {
    let database = cleared.database.name;
    let what = format!("locks to empty database {database} on the target");
    let mut wait = LockWait::new(session.endpoint(), LockMode::AccessExclusive, what);
    loop {
        let mut done = session.batch(&batch.begin).await;
        if done.is_ok() {
            if let Err(error) = refuse_foreign_objects(session, cleared).await {
                roll_back(session).await.map_err(wrap_refusal(database))?;
                return Err(error);
            }
            done = session.batch(&batch.drops).await;
        }
        let Err(error) = done else {
            return Ok(());
        };
        if error.sqlstate().is_some() {
            roll_back(session).await.map_err(wrap_refusal(database))?;
        }
        wait.pause_after(error)
            .await
            .map_err(wrap_refusal(database))?;
    }
}

async fn roll_back(session: &Session) -> Result<(), connect::Error> {
    session.batch(&Sql::fixed("ROLLBACK")).await
}

async fn drop_large_objects(session: &Session, database: &str) -> Result<(), Error> {
    let some = sql!(
        "SELECT pg_catalog.count(pg_catalog.lo_unlink(o.oid)) \
           FROM (SELECT oid FROM pg_catalog.pg_largeobject_metadata LIMIT {}) o",
        BATCH
    );
    let what = format!("locks on large objects to empty database {database} on the target");
    let mut wait = LockWait::new(session.endpoint(), LockMode::LargeObject, what);
    loop {
        match session.query_one(&some, &[]).await {
            Ok(unlinked) if unlinked.get::<_, i64>(0) == 0 => return Ok(()),
            Ok(_) => {}
            Err(error) => wait
                .pause_after(error)
                .await
                .map_err(wrap_refusal(database))?,
        }
    }
}

fn wrap_refusal(database: &str) -> impl Fn(connect::Error) -> Error {
    Error::change("empty", database)
}
