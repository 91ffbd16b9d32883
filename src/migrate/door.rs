//! Ways into a cluster that do not depend on the database one is about to drop or create.

use super::{Error, Side};
use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::SqlState;

/// Databases that every cluster has, in the order of preference.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// A session on the endpoint's own database; where that does not exist, on a maintenance one.
///
/// # Errors
/// The cluster cannot be reached, or none of the databases lets us in.
pub(super) async fn open(
    side: Side,
    endpoint: &Endpoint,
    purpose: Purpose,
) -> Result<Session, Error> {
    let refused = match endpoint.session(purpose).await {
        Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => error,
        other => return other.map_err(|source| Error::Connect { side, source }),
    };
    if side == Side::Source {
        return Err(Error::Connect {
            side,
            source: refused,
        });
    }
    for database in MAINTENANCE {
        if let Ok(session) = endpoint.with_database(database).session(purpose).await {
            return Ok(session);
        }
    }
    Err(Error::Connect {
        side,
        source: refused,
    })
}

/// A session for creating and dropping `database`, which must not be connected to itself.
///
/// # Errors
/// As [`open`].
pub(super) async fn beside(target: &Endpoint, database: &str) -> Result<Session, Error> {
    let beside = MAINTENANCE
        .into_iter()
        .find(|name| *name != database)
        .expect("two names");
    open(Side::Target, &target.with_database(beside), Purpose::Build).await
}
