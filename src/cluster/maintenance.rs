//! Sessions that do not depend on the database that is created or dropped.

use crate::cluster::error::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Side, Sql, SqlState};

/// Databases that exist in every cluster, in order of preference.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// Opens a session on the endpoint's own database. If that does not exist on the target, opens one on a
/// maintenance database.
///
/// # Errors
/// The server cannot be reached, or none of the databases accepts the connection.
pub(crate) async fn open_session(
    side: Side,
    endpoint: &Endpoint,
    purpose: Purpose,
) -> Result<Session, Error> {
    let refused = match open_without_pooler(endpoint, purpose).await {
        Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => error,
        other => return other.map_err(Error::connect(side)),
    };
    if side == Side::Target {
        for database in MAINTENANCE {
            let endpoint = endpoint.with_database(database);
            match open_without_pooler(&endpoint, purpose).await {
                Err(error) if !is_final(&error) => {}
                other => return other.map_err(Error::connect(side)),
            }
        }
    }
    Err(Error::connect(side)(refused))
}

/// Returns whether no other database of the server can help.
const fn is_final(error: &connect::Error) -> bool {
    matches!(
        error,
        connect::Error::Pooler { .. } | connect::Error::Stopped
    )
}

/// Opens a session, unless a transaction pooler is in between: its clients share sessions.
async fn open_without_pooler(
    endpoint: &Endpoint,
    purpose: Purpose,
) -> Result<Session, connect::Error> {
    endpoint.refuse_pooler().await?;
    endpoint.session(purpose).await
}

/// Refuses a target behind a transaction pooler. Later steps report any other fault of the connection.
///
/// # Errors
/// A transaction pooler is in between.
pub async fn refuse_pooler(target: &Endpoint) -> Result<(), Error> {
    match open_session(Side::Target, target, Purpose::Introspect).await {
        Err(error) if error.is_final() => Err(error),
        _ => Ok(()),
    }
}

/// Opens a session on the target from which `database` can be created, locked, changed and dropped.
///
/// A role may lack CONNECT on the maintenance databases. Then the session is on any other database that
/// accepts it. If there is none, it is on `database` itself, which is enough except for creating and
/// dropping it.
///
/// # Errors
/// The server cannot be reached, or none of the databases accepts the connection.
pub(crate) async fn open_session_outside(
    target: &Endpoint,
    database: &str,
) -> Result<Session, Error> {
    let usual = MAINTENANCE.into_iter().chain([target.database()]);
    let mut refusal = None;
    for name in usual.filter(|name| *name != database) {
        match try_open(target, name).await? {
            Ok(session) => return Ok(session),
            Err(refused) => refusal = refusal.or(Some(refused)),
        }
    }
    match try_open(target, database).await? {
        Ok(session) => leave_database(session, target, database).await,
        Err(refused) => Err(Error::connect(Side::Target)(refusal.unwrap_or(refused))),
    }
}

/// Replaces a session on `database` by one on any other database, if one accepts it.
async fn leave_database(
    session: Session,
    target: &Endpoint,
    database: &str,
) -> Result<Session, Error> {
    for name in load_other_databases(&session, database).await? {
        if let Ok(session) = try_open(target, &name).await? {
            return Ok(session);
        }
    }
    Ok(session)
}

/// Connects to a database. The inner error is a refusal that another database may not give.
async fn try_open(
    target: &Endpoint,
    database: &str,
) -> Result<Result<Session, connect::Error>, Error> {
    match target.with_database(database).session(Purpose::Build).await {
        Err(error) if !error.sqlstate().is_some_and(is_of_database) => {
            Err(Error::connect(Side::Target)(error))
        }
        opened => Ok(opened),
    }
}

/// Returns whether the refusal is the database's: it does not exist, or accepts no connections, or none of
/// this role.
fn is_of_database(state: SqlState) -> bool {
    [
        SqlState::INVALID_CATALOG_NAME,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        SqlState::INVALID_AUTHORIZATION,
    ]
    .contains(&state)
}

/// Loads the names of the other databases that the role may connect to.
async fn load_other_databases(session: &Session, database: &str) -> Result<Vec<String>, Error> {
    let sql = Sql::fixed(
        "SELECT datname::text FROM pg_catalog.pg_database \
          WHERE datallowconn AND datname <> $1::text::name AND pg_catalog.has_database_privilege(oid, 'CONNECT') \
          ORDER BY 1",
    );
    let rows = session
        .query(&sql, &[&database])
        .await
        .map_err(Error::examine(Side::Target))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
