//! The servers that answer, and those that do not.

use crate::catalog::cluster::Database;
use crate::cluster::run_lock::{Holder, LockKey};
use crate::cluster::server::Cluster;
use crate::cluster::{self, ServerIdentity};
use crate::connect::Endpoint;
use crate::pg::{Side, SqlState};
use crate::teardown::error::Error;

/// A server that answers, with its databases that accept connections.
pub(crate) struct Reached {
    pub(crate) cluster: Cluster,
    pub(crate) databases: Vec<Database>,
}

/// Whether a server answers.
pub(crate) enum Answer {
    Reached(Box<Reached>),
    /// No URL was given.
    NotGiven,
    Failed(Error),
}

impl Answer {
    /// Connects to a server, if one is given.
    pub(crate) async fn of_server(side: Side, endpoint: Option<&Endpoint>) -> Self {
        let Some(endpoint) = endpoint else {
            return Self::NotGiven;
        };
        match Reached::open(side, endpoint).await {
            Ok(reached) => Self::Reached(Box::new(reached)),
            Err(error) => Self::Failed(error),
        }
    }

    /// Returns the server, if it answers.
    pub(crate) fn reached(&self) -> Option<&Reached> {
        match self {
            Self::Reached(reached) => Some(reached),
            Self::NotGiven | Self::Failed(_) => None,
        }
    }

    /// Returns which server it is, if it answers.
    pub(crate) fn identity(&self) -> Option<ServerIdentity> {
        let reached = self.reached()?;
        Some(ServerIdentity::of_server(&reached.cluster))
    }

    /// Returns why the server does not answer, if it was asked.
    pub(crate) fn into_error(self) -> Option<Error> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Reached(_) | Self::NotGiven => None,
        }
    }
}

impl Reached {
    async fn open(side: Side, endpoint: &Endpoint) -> Result<Self, Error> {
        let cluster = Cluster::open(side, endpoint).await?;
        let mut databases = cluster.load_databases().await?;
        databases.retain(|one| one.allows_connections);
        Ok(Self { cluster, databases })
    }

    /// Returns the system identifier.
    ///
    /// # Errors
    /// The role may not read it.
    pub(crate) fn require_system_identifier(&self) -> Result<String, Error> {
        let system = self.cluster.system_identifier().map(str::to_owned);
        let side = self.cluster.side;
        system.ok_or(Error::NoIdentity { side })
    }

    /// Refuses to continue while a run holds one of these locks.
    ///
    /// # Errors
    /// A run holds one, or the server refused a query.
    pub(crate) async fn refuse_running(&self, keys: &[LockKey]) -> Result<(), Error> {
        let side = self.cluster.side;
        match self.cluster.find_holder(keys).await? {
            Some(Holder { database, by }) => {
                Err(cluster::Error::Busy { side, database, by }.into())
            }
            None => Ok(()),
        }
    }
}

/// Ignores a database that was listed and is now dropped, or is about to be.
pub(crate) fn skip_dropped<T>(
    examined: Result<T, Error>,
    database: &str,
) -> Result<Option<T>, Error> {
    match examined {
        Err(error) if is_being_dropped(&error) => {
            tracing::debug!(%error, database, "a database is being dropped");
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Returns whether the database no longer exists, accepts no connections, or has ended our session.
fn is_being_dropped(error: &Error) -> bool {
    let Error::Cluster(
        cluster::Error::Connect { source, .. } | cluster::Error::Examine { source, .. },
    ) = error
    else {
        return false;
    };
    matches!(
        source.sqlstate(),
        Some(
            SqlState::INVALID_CATALOG_NAME
                | SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE
                | SqlState::ADMIN_SHUTDOWN
        )
    )
}
