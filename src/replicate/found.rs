//! What exists of one database's replication.

use std::collections::BTreeSet;

use super::error::Error;
use super::followed::Replicated;
use crate::checkpoint;
use crate::cluster::promise::{self, Broken, Promise};
use crate::connect::{self, Endpoint, Purpose, Secret, Session};
use crate::logical::{
    Copied, FoundPublication, FoundSubscription, Mark, Seconds, Slot, find_listed_changes,
    find_publication, find_slot, load_subscriptions,
};
use crate::pg::{Ident, Oid, Side, Sides, Sql};

/// The objects of a replication, as both servers show them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether the source is a standby: publications and slots are those of its primary.
    pub(super) is_standby: bool,
    pub(super) publication: Option<FoundPublication>,
    pub(super) slot: Option<Slot>,
    /// The subscription that reads from the slot, or the one of our name.
    pub(super) subscription: Option<FoundSubscription>,
    /// Whether the subscription was disabled by an error of its apply worker (`disable_on_error`, since 15).
    pub(super) is_disabled_by_error: bool,
    /// Its connection string, where our role may read that.
    pub(super) conninfo: Option<Secret>,
    /// How the publication differs from what its mark says, in words.
    pub(super) publication_changes: Vec<String>,
    /// Whether the consistent point of the copy is known.
    pub(super) is_point_known: bool,
    /// What is not kept of what the copy has promised; only known while no subscription exists.
    pub(super) broken: Vec<Broken>,
}

/// Sessions that read, one on each server.
#[derive(Debug)]
pub(super) struct Readers {
    pub(super) source: Session,
    pub(super) target: Session,
}

impl Readers {
    /// Opens the sessions on both databases.
    ///
    /// # Errors
    /// A server cannot be reached, or the target lacks the database.
    pub(super) async fn open(
        servers: Sides<&Endpoint>,
        replicated: &Replicated,
    ) -> Result<Self, Error> {
        let database = &replicated.database;
        let source = servers.source.with_database(&database.source);
        let target = servers.target.with_database(&database.target);
        let (source, target) = tokio::join!(
            source.session(Purpose::Introspect),
            target.session(Purpose::Introspect)
        );
        Ok(Self {
            source: source.map_err(Error::connect(Side::Source))?,
            target: target.map_err(Error::connect(Side::Target))?,
        })
    }
}

impl Found {
    /// Loads the objects of a replication.
    ///
    /// # Errors
    /// A server refused a query.
    pub(super) async fn load(
        readers: &Readers,
        servers: Sides<&Endpoint>,
        replicated: &Replicated,
    ) -> Result<Self, Error> {
        let names = &replicated.database.names;
        let on_source = Error::query(Side::Source);
        let source = &readers.source;
        let publication = find_publication(source, &names.publication, Seconds::Any).await;
        let publication = publication.map_err(on_source)?;
        let slot = match &names.slot {
            Some(slot) => find_slot(source, slot).await.map_err(on_source)?,
            None => None,
        };
        let subscriptions = load_subscriptions(&readers.target).await;
        let subscriptions = subscriptions.map_err(Error::query(Side::Target))?;
        let subscription = names.choose_subscription(subscriptions);
        let mut found = Self {
            is_standby: is_standby(source).await.map_err(on_source)?,
            publication,
            slot,
            subscription,
            ..Self::default()
        };
        if let Some(subscription) = found.subscription.as_ref().filter(|one| !one.is_enabled) {
            let disabled = load_disabled_by_error(&readers.target, subscription.oid).await?;
            found.is_disabled_by_error = disabled;
        }
        if let Some(subscription) = &found.subscription {
            found.conninfo = load_conninfo(&readers.target, subscription.oid).await?;
        }
        if let Some(publication) = &found.publication {
            let changes = find_listed_changes(source, publication).await;
            found.publication_changes = changes.map_err(on_source)?;
        }
        if found.subscription.is_none()
            && !found.is_standby
            && let Some(promise) = found.promise(replicated)
        {
            found.is_point_known = promise.point.is_some();
            found.broken = promise::check_promise(&promise, servers).await?;
        }
        Ok(found)
    }

    /// What the copy has promised: as the state records it, and without state as the publication's mark does.
    fn promise(&self, replicated: &Replicated) -> Option<Promise> {
        let publication = self.publication.as_ref()?;
        let mark = publication.mark.as_ref();
        let recorded = replicated.recorded.as_ref();
        let copied = mark.and_then(|mark| mark.copied.as_ref());
        let database = &replicated.database;
        let of_state = recorded.filter(|one| one.publication.is_some());
        Some(Promise {
            database: database.source.clone(),
            target: database.target.clone(),
            slot: database.names.slot.clone()?,
            point: recorded
                .and_then(|one| one.consistent_point)
                .or_else(|| copied.and_then(Copied::point)),
            publication: publication.name.clone(),
            run: match of_state {
                Some(recorded) => recorded.mark.clone(),
                None => mark.map(|mark| mark.name().to_owned()),
            },
            listed: of_state
                .filter(|one| !one.published.is_empty())
                .map(checkpoint::Database::listed_tables)
                .or_else(|| copied.and_then(Copied::listed)),
            complete: true,
        })
    }

    /// The mark of the publication.
    pub(super) fn mark(&self) -> Option<&Mark> {
        let publication = self.publication.as_ref()?;
        publication.mark.as_ref()
    }

    /// The publications that a subscription must ask for.
    pub(super) fn publications(&self) -> Vec<Ident> {
        let publication = self.publication.iter();
        publication.flat_map(|one| one.names().cloned()).collect()
    }

    /// The publications that the subscription asks for, and those that it must.
    pub(super) fn asked_and_ours(&self) -> Vec<Ident> {
        let asked = self.subscription.iter().flat_map(|one| &one.publications);
        let mut publications: Vec<Ident> = asked.map(Ident::from_catalog).collect();
        publications.extend(self.unasked_publications());
        publications
    }

    /// The publications that the subscription does not ask for.
    pub(super) fn unasked_publications(&self) -> BTreeSet<Ident> {
        let asked = self.subscription.iter().flat_map(|one| &one.publications);
        let asked: BTreeSet<&str> = asked.map(String::as_str).collect();
        let mut names: BTreeSet<Ident> = self.publications().into_iter().collect();
        names.retain(|name| !asked.contains(name.as_str()));
        names
    }
}

/// Loads the connection string of a subscription, if our role may read it.
async fn load_conninfo(session: &Session, subscription: Oid) -> Result<Option<Secret>, Error> {
    let wrap = Error::query(Side::Target);
    let may_read = Sql::fixed(
        "SELECT pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT')",
    );
    let row = session.query_one(&may_read, &[]).await.map_err(wrap)?;
    if !row.get::<_, bool>(0) {
        return Ok(None);
    }
    let sql = Sql::fixed("SELECT subconninfo FROM pg_catalog.pg_subscription WHERE oid = $1::oid");
    let rows = session
        .query(&sql, &[&subscription.0])
        .await
        .map_err(wrap)?;
    let text = rows.first().map(|row| row.get::<_, String>(0));
    Ok(text.map(Secret::new))
}

async fn is_standby(session: &Session) -> Result<bool, connect::Error> {
    let sql = Sql::fixed("SELECT pg_catalog.pg_is_in_recovery()");
    Ok(session.query_one(&sql, &[]).await?.get(0))
}

/// Whether a disabled subscription is one that its own error disables, and has had one.
async fn load_disabled_by_error(session: &Session, subscription: Oid) -> Result<bool, Error> {
    if !session.version().has_subscription_counters() {
        return Ok(false);
    }
    let sql = Sql::fixed(
        "SELECT s.subdisableonerr AND COALESCE(c.apply_error_count, 0) > 0 AS is_disabled \
           FROM pg_catalog.pg_subscription s \
           LEFT JOIN pg_catalog.pg_stat_subscription_stats c ON c.subid = s.oid \
          WHERE s.oid = $1::oid",
    );
    let rows = session.query(&sql, &[&subscription.0]).await;
    let rows = rows.map_err(Error::query(Side::Target))?;
    Ok(rows.first().is_some_and(|row| row.get("is_disabled")))
}
