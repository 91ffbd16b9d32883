//! Ways into a cluster that do not depend on the database one is about to drop or create.

use crate::cluster::error::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::Side;
use crate::pg::{Sql, SqlState};

/// Databases that every cluster has, in the order of preference.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// A session on the endpoint's own database; where that does not exist, on a maintenance one.
///
/// # Errors
/// The cluster cannot be reached, or none of the databases lets us in.
pub(crate) async fn open(
    side: Side,
    endpoint: &Endpoint,
    purpose: Purpose,
) -> Result<Session, Error> {
    let refused = match direct(endpoint, purpose).await {
        Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => error,
        other => return other.map_err(Error::connect(side)),
    };
    if side == Side::Source {
        return Err(Error::Connect {
            side,
            source: refused,
        });
    }
    for database in MAINTENANCE {
        match direct(&endpoint.with_database(database), purpose).await {
            Ok(session) => return Ok(session),
            Err(source @ (connect::Error::Pooler { .. } | connect::Error::Stopped)) => {
                return Err(Error::Connect { side, source });
            }
            Err(_) => {}
        }
    }
    Err(Error::Connect {
        side,
        source: refused,
    })
}

/// A session, unless a transaction pooler is in between: its clients share sessions.
async fn direct(endpoint: &Endpoint, purpose: Purpose) -> Result<Session, connect::Error> {
    endpoint.refuse_pooler().await?;
    endpoint.session(purpose).await
}

/// Refuses a target behind a transaction pooler. All other checks are left to others.
///
/// # Errors
/// A transaction pooler is in between.
pub async fn refuse_pooler(target: &Endpoint) -> Result<(), Error> {
    match open(Side::Target, target, Purpose::Introspect).await {
        Err(error) if error.is_final() => Err(error),
        _ => Ok(()),
    }
}

/// A session for creating, locking, changing and dropping `database`. A role need not have CONNECT on
/// the maintenance databases: then it is on any other that lets us in, and on `database` itself where
/// there is none, which is enough for all but creating and dropping it.
///
/// # Errors
/// The cluster cannot be reached, or none of the databases lets us in.
pub(crate) async fn beside(target: &Endpoint, database: &str) -> Result<Session, Error> {
    let usual = MAINTENANCE.into_iter().chain([target.database()]);
    let mut refusal = None;
    for name in usual.filter(|name| *name != database) {
        match enter(target, name).await? {
            Ok(session) => return Ok(session),
            Err(refused) => refusal = refusal.or(Some(refused)),
        }
    }
    let refused = match enter(target, database).await? {
        Ok(session) => {
            for name in others(&session, database).await? {
                if let Ok(session) = enter(target, &name).await? {
                    return Ok(session);
                }
            }
            return Ok(session);
        }
        Err(refused) => refused,
    };
    Err(Error::Connect {
        side: Side::Target,
        source: refusal.unwrap_or(refused),
    })
}

/// Connects to a database; within, why it does not let us in while another may.
async fn enter(
    target: &Endpoint,
    database: &str,
) -> Result<Result<Session, connect::Error>, Error> {
    let entered = target.with_database(database).session(Purpose::Build).await;
    match entered {
        Ok(session) => Ok(Ok(session)),
        Err(error) if error.sqlstate().is_some_and(is_closed) => Ok(Err(error)),
        Err(source) => Err(Error::Connect {
            side: Side::Target,
            source,
        }),
    }
}

/// Whether another database may let us in: this one does not exist, takes no connections, or not ours.
fn is_closed(state: SqlState) -> bool {
    [
        SqlState::INVALID_CATALOG_NAME,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        SqlState::INVALID_AUTHORIZATION,
    ]
    .contains(&state)
}

/// The other databases that our role may connect to.
async fn others(session: &Session, database: &str) -> Result<Vec<String>, Error> {
    let sql = Sql::fixed(
        "SELECT datname::text FROM pg_catalog.pg_database \
          WHERE datallowconn AND datname <> $1::text::name AND pg_catalog.has_database_privilege(oid, 'CONNECT') \
          ORDER BY 1",
    );
    let rows = session.query(&sql, &[&database]).await;
    let rows = rows.map_err(Error::examine(Side::Target))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
