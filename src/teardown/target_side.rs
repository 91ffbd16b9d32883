//! What runs have left on the target.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::recorded_slots;
use crate::cluster::run_lock::LockKey;
use crate::connect::{Endpoint, Purpose, Session};
use crate::logical::{self, FoundSubscription, SUBSCRIPTION};
use crate::pg::{Ident, Side, Sql};
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::leftovers::Leftovers;
use crate::teardown::options::TeardownOptions;
use crate::teardown::reached::{Reached, skip_dropped};
use crate::teardown::seen::{SLOT_PREFIX, Seen};
use crate::teardown::unrecorded::UnrecordedObject;

/// Distinguishes the subscriptions of this pair's runs from others.
pub(crate) struct Owned {
    /// Slots of runs that are removed, each with the target's database.
    slots: BTreeMap<String, String>,
    /// Names that slots of this pair would have, if no local state records whose they are.
    unrecorded: BTreeSet<String>,
    /// Names under which a subscription without our mark is ours: the usual one, and the one that is asked for.
    names: Vec<Ident>,
    /// Whether the source was examined.
    is_complete: bool,
}

fn name_subscriptions(options: &TeardownOptions) -> Vec<Ident> {
    let usual = Ident::from_catalog(SUBSCRIPTION);
    options
        .subscription
        .iter()
        .cloned()
        .chain([usual])
        .collect()
}

/// The owner of a subscription.
enum Owner {
    Ours,
    Unknown,
    Others,
}

impl Owned {
    /// Takes what the source shows.
    pub(crate) fn of_source(seen: &Seen, options: &TeardownOptions) -> Self {
        Self {
            slots: seen.slots.clone(),
            unrecorded: seen.unrecorded.clone(),
            names: name_subscriptions(options),
            is_complete: true,
        }
    }

    /// Takes what local states record of this target's runs. Used if the source does not answer.
    pub(crate) fn of_states(target: &Reached, options: &TeardownOptions) -> Self {
        let system = target.cluster.system_identifier();
        let slots = system
            .zip(options.state_root.as_ref())
            .map(|(system, root)| recorded_slots(root, system));
        Self {
            slots: slots.unwrap_or_default(),
            unrecorded: BTreeSet::new(),
            names: name_subscriptions(options),
            is_complete: false,
        }
    }

    fn is_created_by_us(&self, subscription: &FoundSubscription) -> bool {
        subscription.is_marked || self.names.contains(&subscription.name)
    }

    fn find_owner(&self, database: &str, slot: Option<&String>) -> Owner {
        let is_unknown = |slot: &str| {
            self.unrecorded.contains(slot) || !self.is_complete && slot.starts_with(SLOT_PREFIX)
        };
        match slot {
            // Somebody has detached the subscription from its slot.
            None if self.slots.values().any(|target| target == database) => Owner::Ours,
            None => Owner::Unknown,
            Some(slot) if self.slots.contains_key(slot) => Owner::Ours,
            Some(slot) if is_unknown(slot) => Owner::Unknown,
            Some(_) => Owner::Others,
        }
    }
}

/// The objects of replication in a database of the target.
struct DatabaseObjects {
    /// Origins of runs that are removed. They belong to the cluster.
    origins: Vec<String>,
    /// Subscriptions of our name, or that read from slots like ours.
    subscriptions: Vec<FoundSubscription>,
}

impl DatabaseObjects {
    async fn load(database: &Endpoint, owned: &Owned) -> Result<Self, Error> {
        let session = database
            .session(Purpose::Introspect)
            .await
            .map_err(Error::connect(Side::Target))?;
        Ok(Self {
            origins: load_origins(&session, owned).await?,
            subscriptions: load_subscriptions(&session, owned).await?,
        })
    }
}

/// Loads the subscriptions that may be ours: by their name, or by the slot that they read from.
async fn load_subscriptions(
    session: &Session,
    owned: &Owned,
) -> Result<Vec<FoundSubscription>, Error> {
    let found = logical::load_subscriptions(session)
        .await
        .map_err(Error::examine(Side::Target))?;
    let is_candidate = |one: &FoundSubscription| {
        let owner = owned.find_owner(session.endpoint().database(), one.slot.as_ref());
        match one.slot {
            Some(_) => one.name.as_str() == SUBSCRIPTION || !matches!(owner, Owner::Others),
            // Somebody has detached it: only its name or its mark shows whose it is.
            None => owned.is_created_by_us(one),
        }
    };
    Ok(found.into_iter().filter(is_candidate).collect())
}

async fn load_origins(session: &Session, owned: &Owned) -> Result<Vec<String>, Error> {
    let mut origins = Vec::new();
    for slot in owned.slots.keys() {
        let has_origin = logical::has_origin(session, slot)
            .await
            .map_err(Error::examine(Side::Target))?;
        if has_origin {
            origins.push(slot.clone());
        }
    }
    Ok(origins)
}

/// Finds subscriptions and origins.
///
/// # Errors
/// A run is running, or the target refuses a query.
pub(crate) async fn examine_target(
    target: &Reached,
    owned: &Owned,
    found: &mut Leftovers,
) -> Result<(), Error> {
    // Each origin with the last database that shows it.
    let mut origins = BTreeMap::new();
    for database in &target.databases {
        let name = database.name.as_str();
        let endpoint = target.cluster.endpoint.with_database(name);
        let loaded = DatabaseObjects::load(&endpoint, owned).await;
        let Some(objects) = skip_dropped(loaded, name)? else {
            continue;
        };
        let in_database = objects.origins.into_iter();
        origins.extend(in_database.map(|origin| (origin, name.to_owned())));
        for subscription in objects.subscriptions {
            sort_subscription(name, subscription, owned, found);
        }
    }
    let origins = origins.into_iter().map(|(origin, database)| Leftover {
        side: Side::Target,
        database,
        object: Object::Origin(origin),
    });
    found.objects.extend(origins);
    target.refuse_running(&found.locks.target).await
}

fn sort_subscription(
    database: &str,
    subscription: FoundSubscription,
    owned: &Owned,
    found: &mut Leftovers,
) {
    let is_created_by_us = owned.is_created_by_us(&subscription);
    match owned.find_owner(database, subscription.slot.as_ref()) {
        Owner::Ours if !is_created_by_us => {
            found.others.push(describe_reader(database, &subscription));
        }
        Owner::Ours => {
            found.locks.target.push(LockKey::of_target(database));
            found.objects.push(Leftover {
                side: Side::Target,
                database: database.to_owned(),
                object: Object::Subscription(subscription),
            });
        }
        Owner::Unknown => {
            let unknown = describe_unknown(database, &subscription);
            found.unknown.push(unknown);
        }
        Owner::Others => {
            let FoundSubscription { name, slot, .. } = subscription;
            let slot = slot.unwrap_or_default();
            found.others.push(UnrecordedObject::new(format!(
                "target, database {database}: subscription {name}, which reads from slot {slot}"
            )));
        }
    }
}

/// Describes a subscription that somebody else has created, and that reads from a slot of ours.
fn describe_reader(database: &str, subscription: &FoundSubscription) -> UnrecordedObject {
    let name = &subscription.name;
    let what = format!(
        "target, database {database}: subscription {name}, which this program has not created, and which reads from a slot \
         of this run"
    );
    UnrecordedObject::new(what).removed_by(render_drop(subscription).into())
}

/// Renders the statements that drop a subscription.
fn render_drop(subscription: &FoundSubscription) -> String {
    let statements = logical::drop_statements(&subscription.name);
    let statements: Vec<_> = statements.iter().map(Sql::as_str).collect();
    format!(
        "if nobody uses it, run in that database: {};",
        statements.join("; ")
    )
}

/// Describes a subscription that no local state records, with the statements that drop it.
fn describe_unknown(database: &str, subscription: &FoundSubscription) -> UnrecordedObject {
    let run = render_drop(subscription);
    let what = format!(
        "subscription {} in database {database} of the target",
        subscription.name
    );
    UnrecordedObject::new(what).removed_by(run.into())
}
