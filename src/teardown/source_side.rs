//! What runs have left on the source.

use std::collections::BTreeSet;

use crate::checkpoint::DatabasePair;
use crate::logical::Slot;
use crate::pg::{Side, SlotName};
use crate::remedy::Remedy;
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::leftovers::Leftovers;
use crate::teardown::marked::{Marked, list_runs, load_marked};
use crate::teardown::options::TeardownOptions;
use crate::teardown::other_copy::add_copy;
use crate::teardown::reached::Reached;
use crate::teardown::seen::{SLOT_PREFIX, Seen};
use crate::teardown::source_pair::SourcePair;
use crate::teardown::source_runs::SourceRuns;
use crate::teardown::unrecorded::UnrecordedObject;

/// Finds publications and slots.
///
/// # Errors
/// A name matches no database, a system identifier cannot be read, a run is running, or the source refuses a
/// query.
pub(crate) async fn examine_source(
    source: &Reached,
    target: Option<&Reached>,
    options: &TeardownOptions,
    found: &mut Leftovers,
) -> Result<Seen, Error> {
    let pair = SourcePair::new(source, target, options)?;
    let slots = source.cluster.load_slots().await?;
    let marked = load_marked(source, &pair.databases, options).await?;
    let runs = SourceRuns::of_publications(&pair, &marked);
    found.run.clone_from(&runs.removed_state);
    found.locks.source.extend(pair.list_lock_keys(&marked));
    let mut sorting = Sorting::new(&pair, runs);
    for one in marked {
        sorting.sort_publication(one, found);
    }
    sorting.sort_slots(&slots, found);
    let seen = sorting.finish(found);
    source.refuse_running(&found.locks.source).await?;
    Ok(seen)
}

/// Sorts the objects of the source by whether they are removed.
struct Sorting<'a> {
    pair: &'a SourcePair<'a>,
    runs: SourceRuns,
    seen: Seen,
    /// Publications to remove.
    publications: Vec<Leftover>,
    /// Publications of runs that no local state records.
    unknown: Vec<Marked>,
    /// Slots that the marks of other runs name.
    foreign: BTreeSet<String>,
}

impl<'a> Sorting<'a> {
    fn new(pair: &'a SourcePair<'a>, runs: SourceRuns) -> Self {
        let mut seen = Seen::default();
        if runs.has_state {
            seen.slots = pair.name_slots();
        } else {
            seen.unrecorded = pair.name_slots().into_keys().collect();
        }
        Self {
            pair,
            runs,
            seen,
            publications: Vec::new(),
            unknown: Vec::new(),
            foreign: BTreeSet::new(),
        }
    }

    fn sort_publication(&mut self, one: Marked, found: &mut Leftovers) {
        let mark = one.publication.mark.as_ref();
        let name = mark.map(|mark| mark.name().to_owned());
        let is_in = |runs: &BTreeSet<String>| name.as_ref().is_some_and(|name| runs.contains(name));
        if is_in(&self.runs.sorted.removed) {
            self.remove_publication(one, found);
            return;
        }
        self.foreign.extend(mark.map(|mark| mark.slot.clone()));
        if is_in(&self.runs.sorted.unknown) {
            self.unknown.push(one);
        } else {
            found.others.push(one.to_other());
        }
    }

    /// Adds a publication of a run that is removed, unless it belongs to another copy of the database.
    fn remove_publication(&mut self, one: Marked, found: &mut Leftovers) {
        let Some(mark) = &one.publication.mark else {
            return;
        };
        if self.pair.is_other_copy(&one, mark) {
            let copy = DatabasePair::new(&one.database, &mark.target);
            found.others.push(add_copy(&one.to_other(), &copy));
            // The state records that copy, too.
            found.run = None;
            return;
        }
        let (slot, target) = (mark.slot.clone(), mark.target.clone());
        self.seen.slots.insert(slot, target);
        found.locks.source.push(one.lock_key());
        self.publications.push(one.into_leftover());
    }

    fn sort_slots(&mut self, slots: &[Slot], found: &mut Leftovers) {
        let seen = &mut self.seen;
        seen.slots.retain(|name, _| !self.foreign.contains(name));
        seen.unrecorded.retain(|name| !self.foreign.contains(name));
        for slot in slots {
            if slot.name.starts_with(SLOT_PREFIX) {
                self.sort_slot(slot, found);
            }
        }
        // The target does not answer: its statements are rendered only for slots that exist.
        if self.pair.target_system.is_none() {
            let present: BTreeSet<&String> = slots.iter().map(|slot| &slot.name).collect();
            self.seen.slots.retain(|name, _| present.contains(name));
        }
    }

    fn sort_slot(&mut self, slot: &Slot, found: &mut Leftovers) {
        let database = slot.database.clone().unwrap_or_default();
        match SlotName::new(slot.name.as_str()) {
            Ok(name) if self.seen.slots.contains_key(&slot.name) => {
                self.seen.objects.push(Leftover {
                    side: Side::Source,
                    database,
                    object: Object::Slot(name),
                });
            }
            Ok(name) if self.seen.unrecorded.contains(&slot.name) => {
                let what = format!("replication slot {name} in database {database}");
                let remove = Remedy::remove_slot("if nobody needs it, remove it", name.as_str());
                found
                    .unknown
                    .push(UnrecordedObject::new(what).removed_by(remove));
            }
            _ if self.pair.has_database(&database) => {
                found
                    .others
                    .push(self.describe_other(&database, &slot.name));
            }
            _ => {}
        }
    }

    fn describe_other(&self, database: &str, slot: &str) -> UnrecordedObject {
        let what = format!("source, database {database}: replication slot {slot}");
        let other = UnrecordedObject::new(what);
        match self.pair.find_copy_of_slot(slot) {
            Some(copy) => add_copy(&other, &copy),
            None => other,
        }
    }

    /// Adds the publications behind the slots, and reports runs that no local state records.
    fn finish(mut self, found: &mut Leftovers) -> Seen {
        self.seen.objects.append(&mut self.publications);
        if self.seen.objects.is_empty() {
            // Their locks are checked, too: a running run is reported as such.
            let keys = self.unknown.iter().map(Marked::lock_key);
            found.locks.source.extend(keys);
        }
        found.unknown.extend(list_runs(&self.unknown));
        self.seen
    }
}
