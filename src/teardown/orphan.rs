//! A slot that the user names, and the publication that goes with it, whose target no longer exists. Needs
//! the source only.

use crate::pg::Side;
use crate::pg::SlotName;
use crate::teardown::error::Error;
use crate::teardown::find::Reached;
use crate::teardown::marked::Marked;
use crate::teardown::{Leftover, Leftovers, Object};

/// What the names of our slots begin with.
const PREFIX: &str = "seren_";

/// Adds the slot of this name, and the publication whose mark names it.
///
/// # Errors
/// The slot is in use, or is none of this program's.
pub(crate) async fn find(
    slot: &SlotName,
    (source, marked): (&Reached, Vec<Marked>),
    found: &mut Leftovers,
) -> Result<(), Error> {
    let slots = source.cluster.load_slots().await?;
    let present = slots.iter().find(|one| one.name == slot.as_str());
    let database = present.and_then(|one| one.database.clone());
    if let Some(pid) = present.and_then(|one| one.active_pid) {
        let slot = slot.clone();
        return Err(Error::SlotActive { slot, pid });
    }
    let mut publications = Vec::new();
    for one in marked {
        let Some(mark) = &one.publication.mark else {
            continue;
        };
        if mark.slot == slot.as_str() {
            publications.push(one);
        } else if Some(&one.database) == database.as_ref() {
            found.others.push(one.as_other());
        }
    }
    if present.is_some() && publications.is_empty() && !slot.as_str().starts_with(PREFIX) {
        return Err(Error::SlotNotOurs { slot: slot.clone() });
    }
    if let Some(database) = database {
        found.objects.push(Leftover {
            side: Side::Source,
            database,
            object: Object::Slot(slot.clone()),
        });
    }
    for one in publications {
        found.locks.source.push(one.key());
        found.objects.push(Leftover {
            side: Side::Source,
            database: one.database,
            object: Object::Publication(Box::new(one.publication)),
        });
    }
    Ok(())
}
