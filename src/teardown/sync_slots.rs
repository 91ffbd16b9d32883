//! Slots of unfinished initial copies of single tables. The target's server creates one for each table that a
//! subscription copies, and drops it at the end of that copy. `DROP SUBSCRIPTION` drops those that remain only if the
//! target's server reaches the source then; otherwise they retain WAL for ever.
//!
//! Since 14 they are named `pg_<oid of the subscription>_sync_<oid of the table>_<system identifier of the target>`
//! (`ReplicationSlotNameForTablesync`); before, they are temporary.

use crate::logical::{FoundSubscription, Slot};
use crate::pg::{Literal, Oid, Side, SlotName, Sql};
use crate::sql;
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::reached::Reached;

/// Finds the slots of table copies of the subscriptions among these objects.
///
/// # Errors
/// The source refused a query.
pub(crate) async fn find_sync_slots(
    source: &Reached,
    target: &Reached,
    objects: &[Leftover],
) -> Result<Vec<Leftover>, Error> {
    let subscriptions: Vec<&FoundSubscription> = list_subscriptions(objects).collect();
    let (Some(system), false) = (target.cluster.system_identifier(), subscriptions.is_empty())
    else {
        return Ok(Vec::new());
    };
    let slots = source.cluster.load_slots().await?;
    let is_ours = |slot: &Slot| {
        let mut subscriptions = subscriptions.iter();
        subscriptions.any(|one| is_sync_slot(&slot.name, one.oid, system))
    };
    let found = slots.into_iter().filter(is_ours);
    let found = found.filter_map(|slot| {
        Some(Leftover {
            side: Side::Source,
            database: slot.database?,
            object: Object::Slot(SlotName::new(slot.name).ok()?),
        })
    });
    Ok(found.collect())
}

fn list_subscriptions(objects: &[Leftover]) -> impl Iterator<Item = &FoundSubscription> {
    objects.iter().filter_map(|one| match &one.object {
        Object::Subscription(found) => Some(found),
        Object::Slot(_) | Object::Publication(_) | Object::Origin(_) | Object::Membership(_) => {
            None
        }
    })
}

/// Whether a slot is one for a table copy of this subscription of this cluster.
fn is_sync_slot(slot: &str, subscription: Oid, system: &str) -> bool {
    let prefix = format!("pg_{subscription}_sync_");
    let suffix = format!("_{system}");
    let table = slot
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix(&suffix));
    table.is_some_and(|table| !table.is_empty() && table.bytes().all(|one| one.is_ascii_digit()))
}

/// Renders the statement that drops the slots of a subscription's table copies.
pub(crate) fn render_drop_sync_slots(subscription: Oid, system: &str) -> Sql {
    let pattern = format!("^pg_{subscription}_sync_[0-9]+_{system}$");
    sql!(
        "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots \
          WHERE slot_name ~ {}",
        Literal(&pattern)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slots_of_this_subscription_and_this_cluster_are_found() {
        let found = |slot: &str| is_sync_slot(slot, Oid(16_400), "7312");
        assert!(found("pg_16400_sync_16385_7312"));
        for other in [
            "pg_1640_sync_16385_7312",
            "pg_16400_sync_16385_17312",
            "pg_16400_sync_16385_73120",
            "pg_16400_sync__7312",
            "pg_16400_sync_1_2_7312",
            "xpg_16400_sync_16385_7312",
            "seren_app_7312",
        ] {
            assert!(!found(other), "{other}");
        }
    }
}
