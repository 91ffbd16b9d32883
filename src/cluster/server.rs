//! A server as every command sees it first.

use std::collections::BTreeMap;

use crate::catalog::cluster::{Database, Roles};
use crate::catalog::load::database::load_databases;
use crate::catalog::load::roles::load_roles;
use crate::cluster::error::Error;
use crate::cluster::facts::ServerFacts;
use crate::cluster::maintenance;
use crate::cluster::run_lock::{Holder, LockKey, find_holder};
use crate::connect::{Endpoint, Purpose, Session};
use crate::logical::{Slot, load_slots};
use crate::pg::Ident;
use crate::pg::Side;

/// A cluster as the checks see it.
pub(crate) struct Cluster {
    pub(crate) session: Session,
    pub(crate) facts: ServerFacts,
}

impl Cluster {
    pub(crate) async fn open(side: Side, endpoint: &Endpoint) -> Result<Self, Error> {
        let session = maintenance::open(side, endpoint, Purpose::Introspect).await?;
        let facts = ServerFacts::load(&session)
            .await
            .map_err(Error::examine(side))?;
        Ok(Self { session, facts })
    }

    /// Which cluster it is, where that can be read.
    pub(crate) fn system(&self) -> Option<&str> {
        self.facts.system_identifier.as_deref()
    }

    /// Its logical slots.
    pub(crate) async fn slots(&self, side: Side) -> Result<Vec<Slot>, Error> {
        load_slots(&self.session)
            .await
            .map_err(Error::examine(side))
    }

    /// A run that holds one of these locks.
    pub(crate) async fn holder(
        &self,
        side: Side,
        keys: &[LockKey],
    ) -> Result<Option<Holder>, Error> {
        let found = find_holder(&self.session, keys).await;
        found.map_err(Error::examine(side))
    }

    pub(crate) async fn roles(&self, side: Side) -> Result<Roles, Error> {
        let place = "roles".to_owned();
        load_roles(&self.session)
            .await
            .map_err(Error::read(side, place))
    }

    /// The target's databases, by name.
    pub(crate) async fn standing(&self) -> Result<BTreeMap<Ident, Database>, Error> {
        let databases = self.databases(Side::Target).await?.into_iter();
        Ok(databases
            .map(|database| (database.name.clone(), database))
            .collect())
    }

    pub(crate) async fn databases(&self, side: Side) -> Result<Vec<Database>, Error> {
        let place = "databases".to_owned();
        load_databases(&self.session)
            .await
            .map_err(Error::read(side, place))
    }
}
