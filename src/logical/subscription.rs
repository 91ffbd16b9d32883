//! The subscriptions of a database of the target, and the origins of our own apply.

use tokio::time::{Duration, Instant};
use tokio_postgres::Row;

use crate::connect::{self, Session};
use crate::pg::{Ident, Literal, Oid, Sql};
use crate::sql;

/// The subscription's name in every database, unless another one is asked for.
pub const SUBSCRIPTION: &str = "seren_replication_sub";

/// The comment of a subscription that `sync` has created: `teardown` knows it by that, under any name.
const MARK: &str = "created by postgres-seren-replicator";

/// A subscription of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSubscription {
    /// Its oid.
    pub oid: Oid,
    /// Its name.
    pub name: Ident,
    /// Whether it is to run.
    pub is_enabled: bool,
    /// The slot that it reads from; none after `SET (slot_name = NONE)`.
    pub slot: Option<String>,
    /// The publications that it asks for.
    pub publications: Vec<String>,
    /// Whether `sync` has created it.
    pub is_marked: bool,
    /// Its owner.
    pub owner: Ident,
    /// Whether its owner is a superuser.
    pub is_owner_superuser: bool,
}

/// Loads the subscriptions of the session's database, by name.
///
/// # Errors
/// The server refused the query.
pub async fn load_subscriptions(
    session: &Session,
) -> Result<Vec<FoundSubscription>, connect::Error> {
    let sql = match session.version().has_readable_subscription_oids() {
        true => Sql::fixed(include_str!("sql/subscriptions.sql")),
        false => Sql::fixed(include_str!("sql/subscriptions_before_14.sql")),
    };
    let rows = session.query(&sql, &[]).await?;
    Ok(rows.iter().map(read_subscription).collect())
}

fn read_subscription(row: &Row) -> FoundSubscription {
    let name = |column: &str| Ident::from_catalog(row.get::<_, String>(column));
    FoundSubscription {
        oid: Oid(row.get("oid")),
        name: name("name"),
        is_enabled: row.get("is_enabled"),
        slot: row.get("slot"),
        publications: row.get("publications"),
        is_marked: row.get::<_, Option<String>>("comment").as_deref() == Some(MARK),
        owner: name("owner"),
        is_owner_superuser: row.get("is_owner_superuser"),
    }
}

/// Looks for a subscription in the session's database.
///
/// # Errors
/// The server refused the query.
pub async fn find_subscription(
    session: &Session,
    name: &Ident,
) -> Result<Option<FoundSubscription>, connect::Error> {
    let found = load_subscriptions(session).await?;
    Ok(found.into_iter().find(|one| one.name == *name))
}

/// The statement that marks a subscription as created by `sync`.
pub fn mark_statement(name: &Ident) -> Sql {
    sql!("COMMENT ON SUBSCRIPTION {} IS {}", name, Literal(MARK))
}

/// How long a worker may take to leave.
const LEAVING: Duration = Duration::from_secs(5);

/// How often is looked meanwhile.
const AGAIN: Duration = Duration::from_millis(100);

/// Ends and drops a subscription. Its slot is left alone, so that the target needs no way to the source.
///
/// # Errors
/// The server refused a statement.
pub async fn drop_subscription(session: &Session, name: &Ident) -> Result<(), connect::Error> {
    for statement in drop_statements(name) {
        session.batch(&statement).await?;
        wait_for_worker(session, name).await?;
    }
    Ok(())
}

/// The statements that end and drop a subscription, in order; each in a transaction of its own. The server refuses to
/// detach an enabled subscription from its slot, and to drop one with a slot in a transaction.
pub fn drop_statements(name: &Ident) -> [Sql; 3] {
    [
        sql!("ALTER SUBSCRIPTION {} DISABLE", name),
        sql!("ALTER SUBSCRIPTION {} SET (slot_name = NONE)", name),
        sql!("DROP SUBSCRIPTION {}", name),
    ]
}

/// Waits until a disabled subscription's worker has left, and with it the user of the slot.
async fn wait_for_worker(session: &Session, name: &Ident) -> Result<(), connect::Error> {
    let sql = Sql::fixed(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_subscription s \
           JOIN pg_catalog.pg_stat_activity a ON a.pid = s.pid \
          WHERE s.subname = $1::text::name AND a.datname = pg_catalog.current_database())",
    );
    let begun = Instant::now();
    while begun.elapsed() < LEAVING {
        let works: bool = session.query_one(&sql, &[&name.as_str()]).await?.get(0);
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
