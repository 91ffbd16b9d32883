//! Makes and configures databases of the target.

use std::time::{Duration, Instant};

use crate::cluster::maintenance;
use crate::connect::{Endpoint, Session};
use crate::ddl::cluster::database::{FinishStatement, Omission};
use crate::logical::SUBSCRIPTION;
use crate::migrate::error::Error;
use crate::pg::{Oid, Sql, SqlState};
use crate::task::Scope;

/// How long the work of a killed run on databases is waited for.
const SETTLING: Duration = Duration::from_secs(60);

/// How often it is looked for.
const AGAIN: Duration = Duration::from_millis(100);

/// Waits until no session of ours makes or drops a database of the target. A server continues with that after
/// its client was killed, and nobody else sees what it makes until it is there.
///
/// # Errors
/// The target cannot be asked, or the scope was stopped.
pub(crate) async fn wait_until_settled(session: &Session, scope: &Scope) -> Result<(), Error> {
    let at_work = Sql::fixed(
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity \
          WHERE application_name LIKE 'postgres-seren-replicator/%' AND state = 'active' \
            AND (query LIKE 'CREATE DATABASE %' OR query LIKE 'DROP DATABASE %')",
    );
    let begun = Instant::now();
    while begun.elapsed() < SETTLING {
        let found = session.query_one(&at_work, &[]).await;
        let found: i64 = found
            .map_err(Error::examine(crate::pg::Side::Target))?
            .get(0);
        if found == 0 {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = scope.stop.cancelled() => return Err(Error::Stopped),
        }
    }
    Ok(())
}

/// Creates a database.
///
/// # Errors
/// The target refuses a statement.
pub(crate) async fn create_database(
    target: &Endpoint,
    name: &str,
    create: &Sql,
) -> Result<(), Error> {
    run_alone(target, "create", name, std::slice::from_ref(create)).await
}

/// The oid of a database, if there is one of this name.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn find_oid(target: &Endpoint, name: &str) -> Result<Option<Oid>, Error> {
    let session = maintenance::open_session_outside(target, name).await?;
    let ask = Sql::fixed("SELECT oid FROM pg_catalog.pg_database WHERE datname = $1::text::name");
    let rows = session.query(&ask, &[&name]).await;
    let rows = rows.map_err(Error::examine(crate::pg::Side::Target))?;
    Ok(rows.first().map(|row| Oid(row.get(0))))
}

/// Runs statements one by one, beside the database.
async fn run_alone(
    target: &Endpoint,
    what: &'static str,
    name: &str,
    statements: &[Sql],
) -> Result<(), Error> {
    let session = maintenance::open_session_outside(target, name).await?;
    for statement in statements {
        let done = session.batch(statement).await;
        done.map_err(|source| Error::Database {
            what,
            database: name.to_owned(),
            source,
        })?;
    }
    Ok(())
}

/// Sets what may lock us out, such as settings and the connection limit, as the last step; what
/// was refused that may be.
///
/// # Errors
/// The target refuses a statement that must succeed.
pub(crate) async fn finish_database(
    target: &Endpoint,
    name: &str,
    statements: &[FinishStatement],
) -> Result<Vec<Omission>, Error> {
    let session = maintenance::open_session_outside(target, name).await?;
    let mut refused = Vec::new();
    for statement in statements {
        match (session.batch(&statement.sql).await, &statement.otherwise) {
            (Ok(()), _) => {}
            (Err(error), Some(otherwise)) if error.sqlstate().is_some_and(SqlState::is_refusal) => {
                tracing::debug!(%error, database = name, "a property was refused");
                refused.push(otherwise.clone());
            }
            (Err(source), _) => {
                return Err(Error::Database {
                    what: "configure",
                    database: name.to_owned(),
                    source,
                });
            }
        }
    }
    Ok(refused)
}

/// A slot in the database, or a subscription in it that is not ours, by name.
pub(crate) async fn used_by(target: &Endpoint, name: &str) -> Result<Option<String>, Error> {
    let examine = Error::examine(crate::pg::Side::Target);
    let session = maintenance::open_session_outside(target, name).await?;
    let sql = Sql::fixed(
        "SELECT 'replication slot ' || slot_name FROM pg_catalog.pg_replication_slots \
           WHERE database = $1::text::name \
         UNION ALL \
         SELECT 'subscription ' || s.subname FROM pg_catalog.pg_subscription s \
           JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
          WHERE d.datname = $1::text::name AND s.subname <> $2::text::name \
         LIMIT 1",
    );
    let rows = session.query(&sql, &[&name, &SUBSCRIPTION]).await;
    let rows = rows.map_err(examine)?;
    Ok(rows.first().map(|row| row.get(0)))
}
