//! Looks for what runs have left. Read-only.

use std::collections::{BTreeMap, BTreeSet};

use super::whose::Wanted;
use super::{
    Leftover, Leftovers, Object, TeardownOptions, Unreachable, Which, drop_slot_statement, orphan,
};
use crate::catalog::cluster::Database;
use crate::checkpoint::{self, DatabasePair, Pair, find_copies, find_owed};
use crate::connect::{Endpoint, Purpose};
use crate::logical::{
    self, FoundPublication, Mark, PUBLICATION, RunId, SUBSCRIPTION, Slot, SlotIdentity, slot_name,
};
use crate::migrate::prepare::Cluster;
use crate::migrate::resume::quoted_pair;
use crate::migrate::run_lock::{Holder, LockKey};
use crate::migrate::{Error, Side};
use crate::pg::{Ident, Literal, Oid, SlotName, SqlState};
use crate::sql;

/// A cluster that answers, with its databases that can be connected to.
pub(super) struct Reached {
    pub(super) cluster: Cluster,
    databases: Vec<Database>,
}

/// A side: reached, or why not.
type Answer = Result<Reached, Option<Error>>;

/// A publication, and where it is.
pub(super) struct Marked {
    pub(super) database: String,
    oid: Oid,
    pub(super) publication: FoundPublication,
}

impl Marked {
    /// The lock of the run that uses it.
    pub(super) fn key(&self) -> LockKey {
        LockKey::source(&self.database, self.oid, &self.publication.name)
    }

    /// Where it is and whose, in words.
    pub(super) fn describe(&self) -> String {
        let Self {
            database,
            publication,
            ..
        } = self;
        let name = &publication.name;
        let place = format!("source, database {database}: publication {name}");
        match &publication.mark {
            Some(mark) => format!(
                "{place}, of {} into database {} (teardown --run {})",
                mark.describe(),
                mark.target,
                mark.name()
            ),
            None => format!("{place}, which no run has marked"),
        }
    }
}

/// Looks at both sides. A side that does not answer is no error, as long as the other one does.
///
/// # Errors
/// Neither side answers, one that answers refuses a question, a name stands for no database, or a run is at
/// work.
pub async fn find_leftovers(options: &TeardownOptions) -> Result<Leftovers, Error> {
    let source = reach(Side::Source, options.source.as_ref()).await;
    if let Which::Slot(slot) = &options.which {
        let source = source.map_err(|error| error.unwrap_or(Error::NoSource))?;
        return find_orphan(slot, &source, options).await;
    }
    let target = reach(Side::Target, options.target.as_ref()).await;
    let (source, target) = match (source, target) {
        (Err(Some(error)), _) | (_, Err(Some(error))) if error.is_final() => return Err(error),
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
        refuse_beside(Side::Source, reached, &found.locks.source).await?;
    }
    if let (Ok(from), Ok(to), Some(endpoint)) = (&source, &target, &options.target) {
        found
            .objects
            .extend(memberships(from, to, options, endpoint));
    }
    if let (Ok(reached), Some(endpoint)) = (&target, &options.target) {
        let owned = source.is_ok().then_some(&slots);
        look_at_target(reached, endpoint, owned, &mut found).await?;
        refuse_beside(Side::Target, reached, &found.locks.target).await?;
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

async fn find_orphan(
    slot: &SlotName,
    source: &Reached,
    options: &TeardownOptions,
) -> Result<Leftovers, Error> {
    let mut found = Leftovers::default();
    let endpoint = options.source.as_ref().ok_or(Error::NoSource)?;
    let databases: Vec<&Database> = source.databases.iter().collect();
    let marked = publications(endpoint, &databases, options).await?;
    orphan::find(slot, (source, marked), &mut found).await?;
    refuse_beside(Side::Source, source, &found.locks.source).await?;
    Ok(found)
}

/// Memberships that a killed run has left granted to its own role: only the state knows them, which is
/// removed at the end.
fn memberships(
    source: &Reached,
    target: &Reached,
    options: &TeardownOptions,
    endpoint: &Endpoint,
) -> Vec<Leftover> {
    let systems = source.cluster.system().zip(target.cluster.system());
    let (Some((source, target)), Some(root)) = (systems, &options.state_root) else {
        return Vec::new();
    };
    let pair = Pair {
        source: source.to_owned(),
        target: target.to_owned(),
    };
    let owed = find_owed(root, &pair).into_iter();
    owed.map(|membership| Leftover {
        side: Side::Target,
        database: endpoint.database().to_owned(),
        object: Object::Membership(membership),
    })
    .collect()
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

/// Refuses to go on while a run holds one of these locks.
async fn refuse_beside(side: Side, reached: &Reached, keys: &[LockKey]) -> Result<(), Error> {
    match reached.cluster.holder(side, keys).await? {
        Some(Holder { database, by }) => Err(Error::Busy { side, database, by }),
        None => Ok(()),
    }
}

/// The publications of databases that runs have marked, and those that have our name without a mark.
async fn publications(
    endpoint: &Endpoint,
    databases: &[&Database],
    options: &TeardownOptions,
) -> Result<Vec<Marked>, Error> {
    let side = Side::Source;
    let wrap = Error::examine(side);
    let usual = Ident::from_catalog(PUBLICATION);
    let mut all = Vec::new();
    for database in databases {
        let name = database.name.as_str();
        let endpoint = endpoint.with_database(name);
        let session = endpoint.session(Purpose::Introspect).await;
        let session = session.map_err(|source| Error::Connect { side, source })?;
        let mut found = logical::find_marked(&session).await.map_err(wrap)?;
        let ours = options.publication.as_ref().unwrap_or(&usual);
        let named = logical::find_publication(&session, ours).await;
        found.extend(named.map_err(wrap)?.filter(|one| one.mark.is_none()));
        let is_asked_for = |one: &FoundPublication| {
            let asked = options.publication.as_ref();
            asked.is_none_or(|asked| one.name == *asked)
        };
        let found = found.into_iter().filter(is_asked_for);
        all.extend(found.map(|publication| Marked {
            database: name.to_owned(),
            oid: database.oid,
            publication,
        }));
    }
    Ok(all)
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
    /// Slots that other runs' marks name.
    foreign: BTreeSet<String>,
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
        let slots = self.source.cluster.slots(Side::Source).await?;
        let marked = publications(endpoint, &self.databases, self.options).await?;
        let runs = self.runs(&marked, found);
        let mut seen = Seen {
            slots: self.named_slots(),
            foreign: BTreeSet::new(),
            objects: Vec::new(),
        };
        found.locks.source.extend(self.keys(&marked));
        let mut publications = Vec::new();
        for one in marked {
            match &one.publication.mark {
                Some(mark) if runs.contains(mark.name()) && self.is_other_copy(&one, mark) => {
                    let pair = quoted_pair(&DatabasePair::new(&one.database, &mark.target));
                    found.others.push(format!(
                        "{}, of the copy to database {}; teardown --map-database {pair} removes it",
                        one.describe(),
                        Ident::from_catalog(mark.target.as_str())
                    ));
                    // The state knows that copy, too.
                    found.run = None;
                }
                Some(mark) if runs.contains(mark.name()) => {
                    seen.slots.insert(mark.slot.clone(), mark.target.clone());
                    found.locks.source.push(one.key());
                    publications.push(Leftover {
                        side: Side::Source,
                        database: one.database,
                        object: Object::Publication(Box::new(one.publication)),
                    });
                }
                mark => {
                    seen.foreign
                        .extend(mark.iter().map(|mark| mark.slot.clone()));
                    found.others.push(one.describe());
                }
            }
        }
        self.sort_slots(&slots, &mut seen, found);
        seen.objects.extend(publications);
        Ok(seen)
    }

    /// Whether a publication is of another copy of its database than the one that `--map-database` names.
    fn is_other_copy(&self, one: &Marked, mark: &Mark) -> bool {
        let name = one.database.as_str();
        let is_mapped = self.options.map.sources().any(|mapped| mapped == name);
        is_mapped && mark.target != self.options.map.target(name)
    }

    fn pair(&self) -> Option<RunId> {
        let target = self.target_system.as_ref()?;
        Some(RunId::new(&self.source_system, target))
    }

    /// The names of the runs that are torn down; notes whose state goes along.
    fn runs(&self, marked: &[Marked], found: &mut Leftovers) -> BTreeSet<String> {
        let marks = marked.iter();
        let marks = marks.filter_map(|one| one.publication.mark.as_ref());
        let marks: Vec<&Mark> = marks.collect();
        let pair = self.pair();
        let of_marks = marks
            .iter()
            .map(|mark| &mark.run)
            .filter(|_| pair.is_none());
        let pairs: BTreeSet<&RunId> = pair.iter().chain(of_marks).collect();
        let root = self.options.state_root.iter();
        let known = root.flat_map(|root| pairs.iter().map(|run| checkpoint::known_runs(root, run)));
        let (numbers, latest): (Vec<_>, Vec<_>) = known.unzip();
        let wanted = Wanted {
            which: &self.options.which,
            numbers: numbers.into_iter().flatten().collect(),
            pair: pair.clone(),
        };
        let runs = wanted.runs(&marks);
        found.run = match &self.options.which {
            Which::Slot(_) => None,
            // The state of a run that goes on with others stays.
            Which::Run(run) => {
                let latest = latest.iter().flatten().any(|latest| latest == run);
                let mark = marks.iter().find(|mark| mark.name() == run);
                mark.filter(|_| latest).map(|mark| mark.run.clone())
            }
            Which::Pair => pair.or_else(|| {
                let removed = marks.iter().filter(|mark| runs.contains(mark.name()));
                removed.map(|mark| mark.run.clone()).next()
            }),
        };
        runs
    }

    /// The slots that a run between the two clusters would have.
    fn named_slots(&self) -> BTreeMap<String, String> {
        let (Some(system), Which::Pair) = (&self.target_system, &self.options.which) else {
            return BTreeMap::new();
        };
        let named = self.databases.iter().map(|database| {
            let target = self.options.map.target(database.name.as_str());
            let slot = self.slot(database, system, target);
            (slot.as_str().to_owned(), target.to_owned())
        });
        named.collect()
    }

    /// The locks of runs between the two clusters that have made no publication yet, or that the state does
    /// not know.
    fn keys(&self, marked: &[Marked]) -> Vec<LockKey> {
        let Some(pair) = self.pair().filter(|_| self.options.which == Which::Pair) else {
            return Vec::new();
        };
        let name = self.publication();
        let is_elsewhere = |one: &&Marked| {
            let mark = one.publication.mark.as_ref();
            mark.is_some_and(|mark| mark.run != pair)
        };
        let elsewhere: BTreeSet<Oid> = marked
            .iter()
            .filter(|one| one.publication.name == name)
            .filter(is_elsewhere)
            .map(|one| one.oid)
            .collect();
        let databases = self.databases.iter();
        let databases = databases.filter(|one| !elsewhere.contains(&one.oid));
        databases
            .map(|one| LockKey::source(one.name.as_str(), one.oid, &name))
            .collect()
    }

    fn publication(&self) -> Ident {
        let asked = self.options.publication.clone();
        asked.unwrap_or_else(|| Ident::from_catalog(PUBLICATION))
    }

    fn slot(&self, database: &Database, target_system: &str, target: &str) -> SlotName {
        slot_name(
            database.name.as_str(),
            &SlotIdentity {
                source_system: &self.source_system,
                source_database: database.oid,
                target_system,
                target_database: target,
                publication: &self.publication(),
            },
        )
    }

    /// Which copy of this pair a slot belongs to, and how it is removed, where the state tells.
    fn copy_of(&self, slot: &str) -> String {
        let (Some(target), Some(root)) = (&self.target_system, &self.options.state_root) else {
            return String::new();
        };
        let pair = Pair {
            source: self.source_system.clone(),
            target: target.clone(),
        };
        let copies = find_copies(root, &pair).into_iter();
        let mut of_slot = copies.filter(|copy| {
            let mut databases = self.databases.iter();
            let database = databases.find(|one| one.name.as_str() == copy.source);
            database.is_some_and(|one| self.slot(one, target, &copy.target).as_str() == slot)
        });
        of_slot.next().map_or_else(String::new, |copy| {
            format!(
                ", of the copy to database {}; teardown --map-database {} removes it",
                Ident::from_catalog(copy.target.as_str()),
                quoted_pair(&copy)
            )
        })
    }

    fn sort_slots(&self, slots: &[Slot], seen: &mut Seen, found: &mut Leftovers) {
        let chosen: BTreeSet<&str> = self.databases.iter().map(|one| one.name.as_str()).collect();
        let foreign = std::mem::take(&mut seen.foreign);
        seen.slots.retain(|name, _| !foreign.contains(name));
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
                    "source, database {database}: replication slot {}{}",
                    slot.name,
                    self.copy_of(&slot.name)
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
            found.locks.target.push(LockKey::target(name));
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
        .map(|slot| format!("{};", drop_slot_statement(&slot).as_str()))
        .collect();
    if statements.is_empty() {
        statements.push(
            "SELECT slot_name, database FROM pg_catalog.pg_replication_slots WHERE slot_name LIKE \
             'seren\\_%' AND NOT active; -- drop those of this run with pg_drop_replication_slot"
                .to_owned(),
        );
    }
    let drop = logical::drop_statement(&Ident::from_catalog(PUBLICATION));
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
