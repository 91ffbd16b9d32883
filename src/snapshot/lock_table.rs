//! The size of a server's lock table: each object that a transaction creates takes an entry until its end.

use crate::connect::{self, Session};
use crate::pg::Sql;

/// The share of the server's lock table for all our sessions together: a quarter, since others work, too.
const SHARE: usize = 4;

/// Loads how many locks each of so many sessions of ours may hold at once; at least one.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub(super) async fn load_share_of_locks(
    session: &Session,
    sessions: usize,
) -> Result<usize, connect::Error> {
    let sql = Sql::fixed(
        "SELECT pg_catalog.current_setting('max_locks_per_transaction')::int8 \
              * (pg_catalog.current_setting('max_connections')::int8 \
               + pg_catalog.current_setting('max_prepared_transactions')::int8)",
    );
    let row = session.query_one(&sql, &[]).await?;
    let locks = usize::try_from(row.get::<_, i64>(0)).unwrap_or(usize::MAX);
    Ok((locks / SHARE / sessions.max(1)).max(1))
}
