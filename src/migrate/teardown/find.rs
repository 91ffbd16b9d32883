//! Looks for what runs have left. Read-only.

use std::collections::{BTreeMap, BTreeSet};

use super::{Leftover, Leftovers, Object, TeardownOptions, Unreachable};
use crate::catalog::cluster::Database;
use crate::connect::{Endpoint, Purpose};
use crate::logical::{
    self, FoundPublication, PUBLICATION, RunId, SUBSCRIPTION, Slot, SlotIdentity, slot_name,
};
use crate::migrate::prepare::Cluster;
use crate::migrate::{Error, Side};
use crate::pg::{Ident, Literal, SlotName, SqlState};
use crate::sql;

/// A cluster that answers, with its databases that can be connected to.
struct Reached {
    cluster: Cluster,
    databases: Vec<Database>,
}

/// A side: reached, or why not.
type Answer = Result<Reached, Option<Error>>;

/// Looks at both sides. A side that does not answer is no error, as long as the other one does.
///
/// # Errors
/// Neither side answers, one that answers refuses a question, or a name stands for no database.
pub async fn find_leftovers(options: &TeardownOptions) -> Result<Leftovers, Error> {
    let source = reach(Side::Source, options.source.as_ref()).await;
    let target = reach(Side::Target, options.target.as_ref()).await;
    let (source, target) = match (source, target) {
        (Err(Some(error)), Err(_)) | (Err(None), Err(Some(error))) => return Err(error),
        sides => sides,
    };
    let mut found = Leftovers::default();
    let mut slots = BTreeMap::new();
    let mut on_source = Vec::new();
    if let (Ok(reached), Some(endpoint)) = (&source, &options.source) {
        let known = Known::new(reached, target.as_ref().ok(), options)?;
        let seen = known.look(endpoint, &mut found).await?;
        slots = seen.slots;
        on_source = seen.objects;
    }
    if let (Ok(reached), Some(endpoint)) = (&target, &options.target) {
        let owned = source.is_ok().then_some(&slots);
        look_at_target(reached, endpoint, owned, &mut found).await?;
    }
    // The target first: a subscription uses its slot.
    found.objects.extend(on_source);
    if let Err(error) = source {
        found.unreachable.push(source_statements(&found, error));
    }
    if let Err(error) = target {
        found.unreachable.push(target_statements(&slots, error));
    }
    Ok(found)
}

async fn reach(side: Side, endpoint: Option<&Endpoint>) -> Answer {
    let endpoint = endpoint.ok_or(None)?;
    let cluster = Cluster::open(side, endpoint).await.map_err(Some)?;
    let databases = cluster.databases(side).await.map_err(Some)?;
    let databases = databases.into_iter();
    Ok(Reached {
        databases: databases.filter(|one| one.allows_connections).collect(),
        cluster,
    })
}

/// What is known of the pair before the source is looked at.
struct Known<'a> {
    databases: Vec<&'a Database>,
    source: &'a Reached,
    source_system: String,
    target_system: Option<String>,
    options: &'a TeardownOptions,
}

/// What is on the source.
struct Seen {
    /// Slots of this pair, each with the target's database.
    slots: BTreeMap<String, String>,
    objects: Vec<Leftover>,
}

impl<'a> Known<'a> {
    fn new(
        source: &'a Reached,
        target: Option<&Reached>,
        options: &'a TeardownOptions,
    ) -> Result<Self, Error> {
        let names = source
            .databases
            .iter()
            .map(|one| one.name.as_str().to_owned());
        let names: Vec<String> = names.collect();
        // The door may hold leftovers, too.
        let doors = BTreeSet::from(["postgres"]);
        let chosen = options.databases.choose(&names, &doors)?;
        let chosen: BTreeSet<String> = chosen.into_iter().collect();
        let databases = source.databases.iter();
        let databases = databases.filter(|one| chosen.contains(one.name.as_str()));
        let system = |side, reached: &Reached| {
            let system = reached.cluster.system().map(str::to_owned);
            system.ok_or(Error::NoIdentity { side })
        };
        let target_system = target.map(|target| system(Side::Target, target));
        Ok(Self {
            databases: databases.collect(),
            source_system: system(Side::Source, source)?,
            target_system: target_system.transpose()?,
            source,
            options,
        })
    }

    async fn look(&self, endpoint: &Endpoint, found: &mut Leftovers) -> Result<Seen, Error> {
        let side = Side::Source;
        let wrap = Error::examine(side);
        let slots = self.source.cluster.slots(Side::Source).await?;
        let mut marked = Vec::new();
        for database in &self.databases {
            let name = database.name.as_str();
            let session = endpoint
                .with_database(name)
                .session(Purpose::Introspect)
                .await;
            let session = session.map_err(|source| Error::Connect { side, source })?;
            let publication = logical::find_publication(&session).await.map_err(wrap)?;
            marked.push((*database, publication));
        }
        let run = self.run(&marked);
        found.run.clone_from(&run);
        let mut seen = Seen {
            slots: BTreeMap::new(),
            objects: Vec::new(),
        };
        let mut publications = Vec::new();
        for (database, publication) in marked {
            let found = (&mut *found, &mut publications);
            self.sort((database, publication), run.as_ref(), &mut seen, found);
        }
        self.sort_slots(&slots, &mut seen, found);
        seen.objects.extend(publications);
        Ok(seen)
    }

    /// The run that is torn down; without the target it must be the only one.
    fn run(&self, marked: &[(&Database, Option<FoundPublication>)]) -> Option<RunId> {
        if let Some(target) = &self.target_system {
            return Some(RunId::new(&self.source_system, target));
        }
        let marks = marked
            .iter()
            .filter_map(|(_, found)| found.as_ref()?.mark.as_ref());
        let runs: BTreeSet<&RunId> = marks.map(|mark| &mark.run).collect();
        match runs.into_iter().collect::<Vec<_>>()[..] {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// Sorts a database's publication, and names the slot that would go with it.
    fn sort(
        &self,
        (database, publication): (&Database, Option<FoundPublication>),
        run: Option<&RunId>,
        seen: &mut Seen,
        (found, publications): (&mut Leftovers, &mut Vec<Leftover>),
    ) {
        let name = database.name.as_str();
        let target = self.options.map.target(name);
        if let Some(system) = &self.target_system {
            let slot = self.slot(database, system, target);
            seen.slots
                .insert(slot.as_str().to_owned(), target.to_owned());
        }
        let Some(publication) = publication else {
            return;
        };
        let told = format!("source, database {name}: publication {PUBLICATION}");
        match &publication.mark {
            Some(mark) if Some(&mark.run) == run => {
                seen.slots.insert(mark.slot.clone(), mark.target.clone());
                publications.push(Leftover {
                    side: Side::Source,
                    database: name.to_owned(),
                    object: Object::Publication(Box::new(publication)),
                });
            }
            Some(mark) => found.others.push(format!("{told}, of run {}", mark.run)),
            None => found
                .others
                .push(format!("{told}, which no run has marked")),
        }
    }

    fn slot(&self, database: &Database, target_system: &str, target: &str) -> SlotName {
        slot_name(
            database.name.as_str(),
            &SlotIdentity {
                source_system: &self.source_system,
                source_database: database.oid,
                target_system,
                target_database: target,
            },
        )
    }

    fn sort_slots(&self, slots: &[Slot], seen: &mut Seen, found: &mut Leftovers) {
        let chosen: BTreeSet<&str> = self.databases.iter().map(|one| one.name.as_str()).collect();
        for slot in slots.iter().filter(|slot| slot.name.starts_with("seren_")) {
            let database = slot.database.clone().unwrap_or_default();
            let name = SlotName::new(slot.name.as_str());
            match name {
                Ok(name) if seen.slots.contains_key(&slot.name) => seen.objects.push(Leftover {
                    side: Side::Source,
                    database,
                    object: Object::Slot(name),
                }),
                _ if chosen.contains(database.as_str()) => found.others.push(format!(
                    "source, database {database}: replication slot {}",
                    slot.name
                )),
                _ => {}
            }
        }
        let present: BTreeSet<&String> = slots.iter().map(|slot| &slot.name).collect();
        // What a dead target would have to give up is known from the slots alone.
        if self.target_system.is_none() {
            seen.slots.retain(|name, _| present.contains(name));
        }
    }
}

/// Looks for subscriptions and origins; `owned` are the slots of this pair, where they are known.
async fn look_at_target(
    target: &Reached,
    endpoint: &Endpoint,
    owned: Option<&BTreeMap<String, String>>,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let side = Side::Target;
    let wrap = Error::examine(side);
    let mut origins = BTreeMap::new();
    for database in &target.databases {
        let name = database.name.as_str();
        let session = match endpoint
            .with_database(name)
            .session(Purpose::Introspect)
            .await
        {
            // Dropped meanwhile.
            Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => continue,
            other => other.map_err(|source| Error::Connect { side, source })?,
        };
        for slot in owned.into_iter().flatten().map(|(slot, _)| slot) {
            if logical::has_origin(&session, slot).await.map_err(wrap)? {
                origins.insert(slot.clone(), name.to_owned());
            }
        }
        let Some(subscription) = logical::find_subscription(&session).await.map_err(wrap)? else {
            continue;
        };
        let is_ours = match (&subscription.slot, owned) {
            (None, _) => true,
            (Some(slot), Some(owned)) => owned.contains_key(slot),
            (Some(slot), None) => slot.starts_with("seren_"),
        };
        if is_ours {
            found.objects.push(Leftover {
                side,
                database: name.to_owned(),
                object: Object::Subscription(subscription),
            });
        } else {
            let slot = subscription.slot.unwrap_or_default();
            found.others.push(format!(
                "target, database {name}: subscription {SUBSCRIPTION}, which reads from slot {slot}"
            ));
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

/// What to run on a source that does not answer: what its target knows of it.
fn source_statements(found: &Leftovers, error: Option<Error>) -> Unreachable {
    let slots = found.objects.iter().filter_map(|leftover| {
        let Object::Subscription(subscription) = &leftover.object else {
            return None;
        };
        subscription.slot.clone()
    });
    let mut statements: Vec<String> = slots
        .map(|slot| {
            let sql = sql!(
                "SELECT pg_catalog.pg_drop_replication_slot({})",
                Literal(&slot)
            );
            format!("{};", sql.as_str())
        })
        .collect();
    if statements.is_empty() {
        statements.push(
            "SELECT slot_name, database FROM pg_catalog.pg_replication_slots WHERE slot_name LIKE \
             'seren\\_%' AND NOT active; -- drop those of this run with pg_drop_replication_slot"
                .to_owned(),
        );
    }
    let drop = logical::drop_statement();
    statements.push(format!("{}; -- in every database copied", drop.as_str()));
    Unreachable {
        side: Side::Source,
        error,
        statements,
    }
}

/// What to run on a target that does not answer.
fn target_statements(slots: &BTreeMap<String, String>, error: Option<Error>) -> Unreachable {
    let mut statements = Vec::new();
    for (slot, database) in slots {
        let database = Ident::from_catalog(database.as_str());
        statements.push(format!(
            "-- in database {database}, if it has the subscription:"
        ));
        let of_subscription = logical::drop_statements();
        statements.extend(
            of_subscription
                .iter()
                .map(|sql| format!("{};", sql.as_str())),
        );
        let origin = sql!(
            "SELECT pg_catalog.pg_replication_origin_drop(roname) \
               FROM pg_catalog.pg_replication_origin WHERE roname = {}",
            Literal(slot)
        );
        statements.push(format!("{};", origin.as_str()));
    }
    Unreachable {
        side: Side::Target,
        error,
        statements,
    }
}
