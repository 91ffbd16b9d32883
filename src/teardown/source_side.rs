//! What runs have left on the source.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::cluster::Database;
use crate::checkpoint::{self, DatabasePair, KnownRuns, Pair, find_copies};
use crate::cluster::other::Other;
use crate::cluster::run_lock::LockKey;
use crate::connect::Endpoint;
use crate::logical::{Mark, PUBLICATION, RunId, Slot, SlotIdentity, slot_name};
use crate::pg::Side;
use crate::pg::{Ident, Oid, SlotName};
use crate::remedy::{Command, Remedy};
use crate::teardown::error::Error;
use crate::teardown::find::Reached;
use crate::teardown::marked::{Marked, list_runs, publications};
use crate::teardown::whose::{Sorted, Wanted};
use crate::teardown::{Leftover, Leftovers, Object, TeardownOptions, Which};

/// What is known of the pair before the source is looked at.
pub(crate) struct Known<'a> {
    databases: Vec<&'a Database>,
    source: &'a Reached,
    source_system: String,
    target_system: Option<String>,
    options: &'a TeardownOptions,
}

/// The runs that publications name.
struct Runs {
    sorted: Sorted,
    /// Whether there is a local state of the clusters.
    has_state: bool,
}

/// What is on the source.
#[derive(Default)]
pub(crate) struct Seen {
    /// Slots of this pair, each with the target's database.
    pub(crate) slots: BTreeMap<String, String>,
    /// Names that slots of this pair would have, where no local state says whose they are.
    pub(crate) unrecorded: BTreeSet<String>,
    /// Slots that other runs' marks name.
    foreign: BTreeSet<String>,
    pub(crate) objects: Vec<Leftover>,
}

impl<'a> Known<'a> {
    pub(crate) fn new(
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
            let system = reached.cluster.system_identifier().map(str::to_owned);
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

    pub(crate) async fn look(
        &self,
        endpoint: &Endpoint,
        found: &mut Leftovers,
    ) -> Result<Seen, Error> {
        let slots = self.source.cluster.load_slots().await?;
        let marked = publications(endpoint, &self.databases, self.options).await?;
        let runs = self.runs(&marked, found);
        let mut seen = Seen::default();
        match runs.has_state {
            true => seen.slots = self.named_slots(),
            false => seen.unrecorded = self.named_slots().into_keys().collect(),
        }
        found.locks.source.extend(self.keys(&marked));
        let mut publications = Vec::new();
        let mut unknown = Vec::new();
        for one in marked {
            match &one.publication.mark {
                Some(mark)
                    if runs.sorted.removed.contains(mark.name())
                        && self.is_other_copy(&one, mark) =>
                {
                    let pair = DatabasePair::new(&one.database, &mark.target);
                    let mut other = one.as_other();
                    let target = Ident::from_catalog(mark.target.as_str());
                    other.what.push_str(", of the copy to database ");
                    other.what.push_str(&target.to_string());
                    let remove = pair.remedy("remove it", Command::Teardown);
                    found.others.push(other.removed_by(remove));
                    // The state knows that copy, too.
                    found.run = None;
                }
                Some(mark) if runs.sorted.removed.contains(mark.name()) => {
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
                    let is_unknown = |mark: &Mark| runs.sorted.unknown.contains(mark.name());
                    match mark.as_ref().is_some_and(is_unknown) {
                        true => unknown.push(one),
                        false => found.others.push(one.as_other()),
                    }
                }
            }
        }
        self.sort_slots(&slots, &mut seen, found);
        seen.objects.extend(publications);
        if seen.objects.is_empty() {
            // A run at work is refused as such.
            found.locks.source.extend(unknown.iter().map(Marked::key));
        }
        found.unknown.extend(list_runs(&unknown));
        Ok(seen)
    }

    /// Whether a publication is of another copy of its database than the one that is mapped.
    fn is_other_copy(&self, one: &Marked, mark: &Mark) -> bool {
        let name = one.database.as_str();
        let is_mapped = self.options.map.sources().any(|mapped| mapped == name);
        is_mapped && mark.target != self.options.map.target(name)
    }

    fn pair(&self) -> Option<RunId> {
        let target = self.target_system.as_ref()?;
        Some(RunId::new(&self.source_system, target))
    }

    /// Sorts the runs that are found; notes whose state is removed.
    fn runs(&self, marked: &[Marked], found: &mut Leftovers) -> Runs {
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
        let known = root.flat_map(|root| {
            let read = |run: &&RunId| ((*run).clone(), checkpoint::known_runs(root, run));
            pairs.iter().map(read)
        });
        let known: BTreeMap<RunId, KnownRuns> = known.filter(|(_, one)| one.exists).collect();
        let numbers = known.values().flat_map(|one| one.numbers.iter().cloned());
        let wanted = Wanted {
            which: &self.options.which,
            numbers: numbers.collect(),
            pairs: known.keys().cloned().collect(),
            pair: pair.clone(),
        };
        let sorted = wanted.sort(&marks);
        found.run = match &self.options.which {
            Which::Slot(_) => None,
            // The state of a run that continues with others stays.
            Which::Run(run) => {
                let latest = known.values().any(|one| one.latest.as_ref() == Some(run));
                let mark = marks.iter().find(|mark| mark.name() == run);
                mark.filter(|_| latest).map(|mark| mark.run.clone())
            }
            Which::Pair => pair.or_else(|| {
                let removed = marks.iter();
                let removed = removed.filter(|mark| sorted.removed.contains(mark.name()));
                removed.map(|mark| mark.run.clone()).next()
            }),
        };
        Runs {
            sorted,
            has_state: !known.is_empty(),
        }
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
            .map(|one| LockKey::of_source(one.name.as_str(), one.oid, &name))
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

    /// The copy of this pair that a slot belongs to, where the state knows it.
    fn copy_of(&self, slot: &str) -> Option<DatabasePair> {
        let (Some(target), Some(root)) = (&self.target_system, &self.options.state_root) else {
            return None;
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
        of_slot.next()
    }

    fn slot_of_others(&self, database: &str, slot: &str) -> Other {
        let what = format!("source, database {database}: replication slot {slot}");
        let Some(copy) = self.copy_of(slot) else {
            return Other::new(what);
        };
        let target = Ident::from_catalog(copy.target.as_str());
        Other::new(format!("{what}, of the copy to database {target}"))
            .removed_by(copy.remedy("remove it", Command::Teardown))
    }

    fn sort_slots(&self, slots: &[Slot], seen: &mut Seen, found: &mut Leftovers) {
        let chosen: BTreeSet<&str> = self.databases.iter().map(|one| one.name.as_str()).collect();
        let foreign = std::mem::take(&mut seen.foreign);
        seen.slots.retain(|name, _| !foreign.contains(name));
        seen.unrecorded.retain(|name| !foreign.contains(name));
        for slot in slots.iter().filter(|slot| slot.name.starts_with("seren_")) {
            let database = slot.database.clone().unwrap_or_default();
            let name = SlotName::new(slot.name.as_str());
            match name {
                Ok(name) if seen.slots.contains_key(&slot.name) => seen.objects.push(Leftover {
                    side: Side::Source,
                    database,
                    object: Object::Slot(name),
                }),
                Ok(name) if seen.unrecorded.contains(&slot.name) => {
                    let what = format!("replication slot {name} in database {database}");
                    let remove =
                        Remedy::remove_slot("if nobody needs it, remove it", name.as_str());
                    found.unknown.push(Other::new(what).removed_by(remove));
                }
                _ if chosen.contains(database.as_str()) => {
                    found
                        .others
                        .push(self.slot_of_others(&database, &slot.name));
                }
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
