//! Definitions that are read by turns, where the server lacks locks for all of them at once.
//!
//! While the server prints a view, a rule, a policy or a routine's body, it locks the relations that
//! the object reads. It keeps the locks until the transaction ends or rolls back to a savepoint
//! (manual, "Explicit Locking"). Its lock table is limited by `max_locks_per_transaction`.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::query;
use crate::catalog::Error;
use crate::connect::{self, Session};
use crate::pg::{Sql, SqlState};
use crate::sql;

/// Objects whose definitions are read in the first turn.
const FEW: usize = 128;

/// What sets the savepoint that a reading goes back to in order to give locks back.
pub(super) const SAVEPOINT: &str = "SAVEPOINT catalog";

/// Sets that savepoint.
///
/// # Errors
/// The session is in no transaction, or the connection broke.
pub async fn set_savepoint(session: &Session) -> Result<(), connect::Error> {
    session.batch(&Sql::fixed(SAVEPOINT)).await
}

/// Goes back to the savepoint.
pub(super) async fn give_locks_back(session: &Session) -> Result<(), connect::Error> {
    let back = Sql::fixed("ROLLBACK TO SAVEPOINT catalog");
    session.batch(&back).await
}

/// Runs a query of this module for which the server takes locks, and has a column `oid`: by turns
/// where the locks are too many. Without a savepoint it is refused then.
pub(super) async fn query_deparsed(
    session: &Session,
    what: &'static str,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    // Nobody's DDL waits for more than one of these queries. Outside of a transaction there is nothing to
    // give back. Both travel together.
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
            let given = session.batch(&Sql::fixed(back)).await;
            return given
                .map(|()| rows)
                .map_err(|source| Error::Query { what, source });
        }
        done => return done,
    };
    if give_locks_back(session).await.is_err() {
        return Err(error);
    }
    let rows = by_turns(session, sql, parameters).await;
    rows.map_err(|source| Error::Query { what, source })
}

/// The rows of a query, in the order of their oids. The planner applies the condition before
/// anything is printed, and omits columns that the caller does not use.
async fn by_turns(
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
    let (mut rows, mut rest, mut few) = (Vec::with_capacity(oids.len()), oids.as_slice(), FEW);
    while !rest.is_empty() {
        let turn = rest[..few.min(rest.len())].to_vec();
        let mut with_turn = parameters.to_vec();
        with_turn.push(&turn);
        match session.query(&some, &with_turn).await {
            Ok(more) => {
                rows.extend(more);
                rest = &rest[turn.len()..];
            }
            // A single object that needs more locks than there are cannot be read at all.
            Err(error) if error.sqlstate() == Some(SqlState::OUT_OF_MEMORY) && turn.len() > 1 => {
                few = turn.len() / 2;
            }
            Err(error) => return Err(error),
        }
        give_locks_back(session).await?;
    }
    Ok(rows)
}
