//! Reads definitions in batches where the server lacks locks for all of them at once.
//!
//! While the server prints a view, a rule, a policy or a routine's body, it locks the relations that
//! the object reads. It keeps the locks until the transaction ends or rolls back to a savepoint
//! (manual, "Explicit Locking"). Its lock table is limited by `max_locks_per_transaction`.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::row::query;
use crate::catalog::Error;
use crate::connect::{self, Session};
use crate::pg::{Sql, SqlState};
use crate::sql;

/// Objects whose definitions are read in the first batch.
const FIRST_BATCH: usize = 128;

/// What sets the savepoint that a reading returns to in order to release locks.
pub(super) const SAVEPOINT: &str = "SAVEPOINT catalog";

/// Sets that savepoint.
///
/// # Errors
/// The session is in no transaction, or the connection broke.
pub async fn set_savepoint(session: &Session) -> Result<(), connect::Error> {
    session.batch(&Sql::fixed(SAVEPOINT)).await
}

/// Returns to the savepoint.
pub(super) async fn release_locks(session: &Session) -> Result<(), connect::Error> {
    let back = Sql::fixed("ROLLBACK TO SAVEPOINT catalog");
    session.batch(&back).await
}

/// Runs a query of this module for which the server takes locks, and has a column `oid`: in batches
/// where the locks are too many. Without a savepoint it is refused then.
pub(super) async fn query_deparsed(
    session: &Session,
    what: &'static str,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    // Nobody's DDL waits for more than one of these queries. Outside of a transaction there is nothing to
    // give back. Both are sent together.
    let savepoint = Sql::fixed("SAVEPOINT deparsed");
    let (inside, queried) = tokio::join!(
        session.batch(&savepoint),
        query(session, what, sql, parameters)
    );
    let is_inside = inside.is_ok();
    let error = match queried {
        Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) => error,
        Ok(rows) if is_inside => {
            let back = "ROLLBACK TO SAVEPOINT deparsed; RELEASE SAVEPOINT deparsed";
            return match session.batch(&Sql::fixed(back)).await {
                Ok(()) => Ok(rows),
                Err(source) => Err(Error::Query { what, source }),
            };
        }
        done => return done,
    };
    if release_locks(session).await.is_err() {
        return Err(error);
    }
    query_in_batches(session, sql, parameters)
        .await
        .map_err(|source| Error::Query { what, source })
}

/// The rows of a query, in the order of their oids. The planner applies the condition before
/// anything is printed, and skips columns that nobody asks for.
async fn query_in_batches(
    session: &Session,
    text: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, connect::Error> {
    let whole = Sql::fixed(text);
    let list = sql!("SELECT whole.oid FROM (\n{}\n) whole ORDER BY 1", whole);
    let some = sql!(
        "SELECT * FROM (\n{}\n) whole WHERE whole.oid = ANY (${}::pg_catalog.oid[]) \
         ORDER BY whole.oid",
        whole,
        parameters.len() + 1
    );
    let listed = session.query(&list, parameters).await?;
    let oids: Vec<u32> = listed.iter().map(|row| row.get(0)).collect();
    let (mut rows, mut rest, mut few) =
        (Vec::with_capacity(oids.len()), oids.as_slice(), FIRST_BATCH);
    while !rest.is_empty() {
        let batch = rest[..few.min(rest.len())].to_vec();
        let mut with_batch = parameters.to_vec();
        with_batch.push(&batch);
        match session.query(&some, &with_batch).await {
            Ok(more) => {
                rows.extend(more);
                rest = &rest[batch.len()..];
            }
            // A single object that needs more locks than there are cannot be read at all.
            Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) && batch.len() > 1 => {
                few = batch.len() / 2;
            }
            Err(error) => return Err(error),
        }
        release_locks(session).await?;
    }
    Ok(rows)
}
