//! A slot that the user names, and its publication, if their target no longer exists. Requires only the
//! source.

use crate::catalog::cluster::Database;
use crate::cluster::ServerIdentity;
use crate::logical::Slot;
use crate::pg::{Side, Sides, SlotName};
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::leftovers::Leftovers;
use crate::teardown::marked::{Marked, load_marked};
use crate::teardown::options::TeardownOptions;
use crate::teardown::reached::Reached;
use crate::teardown::seen::SLOT_PREFIX;
use crate::teardown::unrecorded::UnrecordedObject;

/// Finds the slot of this name, and the publications whose mark names it.
///
/// # Errors
/// The slot does not exist, is in use, or this program has not created it.
pub(crate) async fn find_orphan_slot(
    slot: &SlotName,
    source: &Reached,
    options: &TeardownOptions,
) -> Result<Leftovers, Error> {
    let databases: Vec<&Database> = source.databases.iter().collect();
    let marked = load_marked(source, &databases, options).await?;
    let slots = source.cluster.load_slots().await?;
    let present = slots.iter().find(|one| one.name == slot.as_str());
    let is_named = |one: &Marked| names_slot(one, slot);
    if present.is_none() && !marked.iter().any(is_named) {
        let found = list_own_slots(&slots);
        let slot = slot.clone();
        return Err(Error::NoSuchSlot { slot, found });
    }
    let found = Leftovers {
        servers: Sides {
            source: Some(ServerIdentity::of_server(&source.cluster)),
            target: None,
        },
        ..list_objects(slot, present, marked)?
    };
    source.refuse_running(&found.locks.source).await?;
    Ok(found)
}

/// Returns whether a publication's mark names this slot.
fn names_slot(one: &Marked, slot: &SlotName) -> bool {
    let mark = one.publication.mark.as_ref();
    mark.is_some_and(|mark| mark.slot == slot.as_str())
}

/// Lists the slots that have a name of ours.
fn list_own_slots(slots: &[Slot]) -> Vec<UnrecordedObject> {
    let own = slots.iter();
    let own = own.filter(|slot| slot.name.starts_with(SLOT_PREFIX));
    own.map(|slot| {
        let database = slot.database.as_deref().unwrap_or_default();
        UnrecordedObject::new(format!("{} of database {database}", slot.name))
    })
    .collect()
}

/// Lists the objects to remove, the slot first.
fn list_objects(
    slot: &SlotName,
    present: Option<&Slot>,
    marked: Vec<Marked>,
) -> Result<Leftovers, Error> {
    let database = present.and_then(|one| one.database.clone());
    if let Some(pid) = present.and_then(|one| one.active_pid) {
        let slot = slot.clone();
        return Err(Error::SlotActive { slot, pid });
    }
    let mut found = Leftovers::default();
    let publications = take_publications(slot, database.as_ref(), marked, &mut found);
    if present.is_some() && publications.is_empty() && !slot.as_str().starts_with(SLOT_PREFIX) {
        return Err(Error::SlotNotOurs { slot: slot.clone() });
    }
    found.objects.extend(database.map(|database| Leftover {
        side: Side::Source,
        database,
        object: Object::Slot(slot.clone()),
    }));
    for one in publications {
        found.locks.source.push(one.lock_key());
        found.objects.push(one.into_leftover());
    }
    Ok(found)
}

/// Returns the publications whose mark names the slot. Other marked ones of its database are reported.
fn take_publications(
    slot: &SlotName,
    database: Option<&String>,
    marked: Vec<Marked>,
    found: &mut Leftovers,
) -> Vec<Marked> {
    let mut publications = Vec::new();
    for one in marked {
        let Some(mark) = &one.publication.mark else {
            continue;
        };
        if mark.slot == slot.as_str() {
            publications.push(one);
        } else if Some(&one.database) == database {
            found.others.push(one.to_other());
        }
    }
    publications
}
