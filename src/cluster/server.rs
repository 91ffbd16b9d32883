//! One of the two servers as every command sees it first.

use std::collections::BTreeMap;

use crate::catalog;
use crate::catalog::cluster::{Database, Roles};
use crate::catalog::load::database::load_databases;
use crate::catalog::load::roles::load_roles;
use crate::cluster::error::Error;
use crate::cluster::facts::ServerFacts;
use crate::cluster::maintenance;
use crate::cluster::run_lock::{Holder, LockKey, find_holder};
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::logical::{Slot, load_slots};
use crate::pg::{Ident, Side, Sides};

/// A server: how to connect to it, a session on it, and its facts.
pub(crate) struct Cluster {
    pub(crate) side: Side,
    pub(crate) endpoint: Endpoint,
    pub(crate) session: Session,
    pub(crate) facts: ServerFacts,
}

impl Cluster {
    /// Connects to a server and loads its facts.
    pub(crate) async fn open(side: Side, endpoint: &Endpoint) -> Result<Self, Error> {
        let session = maintenance::open_session(side, endpoint, Purpose::Introspect).await?;
        let facts = ServerFacts::load(&session)
            .await
            .map_err(Error::examine(side))?;
        Ok(Self {
            side,
            endpoint: endpoint.clone(),
            session,
            facts,
        })
    }

    /// Connects to both servers at once. If neither can be used, the error names both.
    pub(crate) async fn open_pair(endpoints: Sides<&Endpoint>) -> Result<Sides<Self>, Error> {
        let source = Self::open(Side::Source, endpoints.source);
        let target = Self::open(Side::Target, endpoints.target);
        match tokio::join!(Box::pin(source), Box::pin(target)) {
            (Ok(source), Ok(target)) => Ok(Sides { source, target }),
            (Err(source), Err(target)) => Err(Error::neither(Sides { source, target })),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }

    /// Returns the system identifier, if the role may read it.
    pub(crate) fn system_identifier(&self) -> Option<&str> {
        self.facts.system_identifier.as_deref()
    }

    /// Loads the logical replication slots.
    pub(crate) async fn load_slots(&self) -> Result<Vec<Slot>, Error> {
        load_slots(&self.session).await.map_err(self.examine())
    }

    /// Finds a run that holds one of these locks.
    pub(crate) async fn find_holder(&self, keys: &[LockKey]) -> Result<Option<Holder>, Error> {
        find_holder(&self.session, keys)
            .await
            .map_err(self.examine())
    }

    /// Loads the roles with their memberships and settings.
    pub(crate) async fn load_roles(&self) -> Result<Roles, Error> {
        load_roles(&self.session)
            .await
            .map_err(self.read_error("roles"))
    }

    /// Loads the databases.
    pub(crate) async fn load_databases(&self) -> Result<Vec<Database>, Error> {
        load_databases(&self.session)
            .await
            .map_err(self.read_error("databases"))
    }

    /// Loads the databases by name.
    pub(crate) async fn load_databases_by_name(&self) -> Result<BTreeMap<Ident, Database>, Error> {
        let databases = self.load_databases().await?.into_iter();
        Ok(databases
            .map(|database| (database.name.clone(), database))
            .collect())
    }

    /// Wraps a failed query.
    fn examine(&self) -> impl Fn(connect::Error) -> Error + Copy {
        Error::examine(self.side)
    }

    /// Wraps definitions that could not be read.
    fn read_error(&self, place: &str) -> impl FnOnce(catalog::Error) -> Error {
        Error::read(self.side, place.to_owned())
    }
}
