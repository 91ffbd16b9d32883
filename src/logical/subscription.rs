//! What a run's replication has on the target: a subscription, or the origin of our own apply.

use tokio::time::{Duration, Instant};

use crate::connect::{self, Session};
use crate::pg::{Ident, Sql};
use crate::sql;

/// The subscription's name in every database.
pub const SUBSCRIPTION: &str = "seren_replication_sub";

/// A subscription that exists under our name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSubscription {
    /// The slot that it reads from.
    pub slot: Option<String>,
    /// The publications that it asks for.
    pub publications: Vec<String>,
}

/// Looks for our subscription in the session's database.
///
/// # Errors
/// The server refused the question.
pub async fn find_subscription(
    session: &Session,
) -> Result<Option<FoundSubscription>, connect::Error> {
    let sql = Sql::fixed(
        "SELECT s.subslotname::text, s.subpublications FROM pg_catalog.pg_subscription s \
           JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
          WHERE d.datname = pg_catalog.current_database() AND s.subname = $1::text::name",
    );
    let rows = session.query(&sql, &[&SUBSCRIPTION]).await?;
    Ok(rows.first().map(|row| FoundSubscription {
        slot: row.get(0),
        publications: row.get(1),
    }))
}

/// How long a worker may take to leave.
const LEAVING: Duration = Duration::from_secs(5);

/// How often is looked meanwhile.
const AGAIN: Duration = Duration::from_millis(100);

/// Ends and drops our subscription. Its slot is left alone, so that the target needs no way to the
/// source.
///
/// # Errors
/// The server refused a statement.
pub async fn drop_subscription(session: &Session) -> Result<(), connect::Error> {
    for statement in drop_statements() {
        session.batch(&statement).await?;
        wait_for_worker(session).await?;
    }
    Ok(())
}

/// The statements that end and drop our subscription, in order; each in a transaction of its own.
pub fn drop_statements() -> [Sql; 3] {
    let name = Ident::from_catalog(SUBSCRIPTION);
    [
        sql!("ALTER SUBSCRIPTION {} DISABLE", name),
        sql!("ALTER SUBSCRIPTION {} SET (slot_name = NONE)", name),
        sql!("DROP SUBSCRIPTION {}", name),
    ]
}

/// Waits until a disabled subscription's worker has left, and with it the user of the slot.
async fn wait_for_worker(session: &Session) -> Result<(), connect::Error> {
    let sql = Sql::fixed(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_subscription s \
           JOIN pg_catalog.pg_stat_activity a ON a.pid = s.pid \
          WHERE s.subname = $1::text::name AND a.datname = pg_catalog.current_database())",
    );
    let begun = Instant::now();
    while begun.elapsed() < LEAVING {
        let works: bool = session.query_one(&sql, &[&SUBSCRIPTION]).await?.get(0);
        if !works {
            break;
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}

/// Whether a replication origin of this name exists.
///
/// # Errors
/// The server refused the question.
pub async fn has_origin(session: &Session, name: &str) -> Result<bool, connect::Error> {
    let sql = Sql::fixed(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_origin WHERE roname = $1)",
    );
    Ok(session.query_one(&sql, &[&name]).await?.get(0))
}

/// Drops a replication origin.
///
/// # Errors
/// The server refused.
pub async fn drop_origin(session: &Session, name: &str) -> Result<(), connect::Error> {
    let sql = Sql::fixed("SELECT pg_catalog.pg_replication_origin_drop($1)");
    session.execute(&sql, &[&name]).await.map(|_| ())
}
