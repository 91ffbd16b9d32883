//! What runs have left on the target.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::recorded_slots;
use crate::cluster::other::Other;
use crate::cluster::run_lock::LockKey;
use crate::connect::{Endpoint, Purpose};
use crate::logical::{self, FoundSubscription, SUBSCRIPTION};
use crate::pg::Side;
use crate::pg::Sql;
use crate::teardown::error::Error;
use crate::teardown::find::{Reached, is_leaving};
use crate::teardown::source_side::Seen;
use crate::teardown::{Leftover, Leftovers, Object, TeardownOptions};

/// What distinguishes the subscriptions of this pair's runs from others.
pub(crate) struct Owned {
    /// Slots of runs that are removed.
    slots: BTreeSet<String>,
    /// Names that slots of this pair would have, where no local state says whose they are.
    unrecorded: BTreeSet<String>,
    /// Whether the source has been asked.
    is_complete: bool,
}

/// Whose a subscription is.
enum Whose {
    Ours,
    Unknown,
    Others,
}

impl Owned {
    /// What the source says.
    pub(crate) fn of_source(seen: &Seen) -> Self {
        Self {
            slots: seen.slots.keys().cloned().collect(),
            unrecorded: seen.unrecorded.clone(),
            is_complete: true,
        }
    }

    /// What local states say of this target's runs, where the source does not answer.
    pub(crate) fn of_states(target: &Reached, options: &TeardownOptions) -> Self {
        let system = target
            .cluster
            .system_identifier()
            .zip(options.state_root.as_ref());
        let slots = system.map(|(system, root)| recorded_slots(root, system));
        Self {
            slots: slots.unwrap_or_default(),
            unrecorded: BTreeSet::new(),
            is_complete: false,
        }
    }

    fn whose(&self, slot: Option<&String>) -> Whose {
        let is_ours = |slot| self.slots.contains(slot);
        let is_unknown = |slot: &str| {
            self.unrecorded.contains(slot) || !self.is_complete && slot.starts_with("seren_")
        };
        match slot {
            // Somebody has taken its slot away.
            None if !self.slots.is_empty() => Whose::Ours,
            None => Whose::Unknown,
            Some(slot) if is_ours(slot) => Whose::Ours,
            Some(slot) if is_unknown(slot) => Whose::Unknown,
            Some(_) => Whose::Others,
        }
    }
}

/// What a database of the target has.
struct Found {
    /// Origins of runs that are removed. They belong to the cluster.
    origins: Vec<String>,
    /// A subscription of our name.
    subscription: Option<FoundSubscription>,
}

async fn examine(database: &Endpoint, owned: &Owned) -> Result<Found, Error> {
    let side = Side::Target;
    let session = database.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let mut origins = Vec::new();
    for slot in &owned.slots {
        let has = logical::has_origin(&session, slot).await;
        if has.map_err(Error::examine(side))? {
            origins.push(slot.clone());
        }
    }
    let subscription = logical::find_subscription(&session).await;
    Ok(Found {
        origins,
        subscription: subscription.map_err(Error::examine(side))?,
    })
}

/// Looks for subscriptions and origins.
pub(crate) async fn look_at_target(
    target: &Reached,
    endpoint: &Endpoint,
    owned: &Owned,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let side = Side::Target;
    let mut origins = BTreeMap::new();
    for database in &target.databases {
        let name = database.name.as_str();
        let found_there = match examine(&endpoint.with_database(name), owned).await {
            Err(error) if is_leaving(&error) => {
                tracing::debug!(%error, database = name, "a database is being dropped");
                continue;
            }
            other => other?,
        };
        let there = found_there.origins.into_iter();
        origins.extend(there.map(|origin| (origin, name.to_owned())));
        let Some(subscription) = found_there.subscription else {
            continue;
        };
        match owned.whose(subscription.slot.as_ref()) {
            Whose::Ours => {
                found.locks.target.push(LockKey::of_target(name));
                found.objects.push(Leftover {
                    side,
                    database: name.to_owned(),
                    object: Object::Subscription(subscription),
                });
            }
            Whose::Unknown => {
                let statements = logical::drop_statements();
                let statements: Vec<_> = statements.iter().map(Sql::as_str).collect();
                let run = format!("if nobody uses it, run there: {};", statements.join("; "));
                let what = format!("subscription {SUBSCRIPTION} in database {name} of the target");
                found.unknown.push(Other::new(what).removed_by(run.into()));
            }
            Whose::Others => {
                let slot = subscription.slot.unwrap_or_default();
                found.others.push(Other::new(format!(
                    "target, database {name}: subscription {SUBSCRIPTION}, which reads from slot {slot}"
                )));
            }
        }
    }
    found
        .objects
        .extend(origins.into_iter().map(|(origin, database)| Leftover {
            side,
            database,
            object: Object::Origin(origin),
        }));
    Ok(())
}
