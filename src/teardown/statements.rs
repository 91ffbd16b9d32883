//! The statements to run on a server that does not answer.

use std::collections::BTreeMap;

use crate::logical::{self, PUBLICATION, SUBSCRIPTION, inserts_name};
use crate::pg::{Ident, Literal, Side, Sql};
use crate::sql;
use crate::teardown::error::Error;
use crate::teardown::leftover::{Object, render_drop_slot};
use crate::teardown::leftovers::{Leftovers, Unreachable};
use crate::teardown::sync_slots::render_drop_sync_slots;

/// Renders the statements for a source that does not answer, from what its target shows.
/// `target_system` is the system identifier of the target.
pub(crate) fn render_source_statements(
    found: &Leftovers,
    target_system: Option<&str>,
    error: Option<Error>,
) -> Unreachable {
    let subscriptions = found
        .objects
        .iter()
        .filter_map(|leftover| match &leftover.object {
            Object::Subscription(subscription) => Some(subscription),
            Object::Slot(_)
            | Object::Publication(_)
            | Object::Origin(_)
            | Object::Membership(_) => None,
        });
    let mut statements = Vec::new();
    for subscription in subscriptions {
        let slot = subscription.slot.as_deref();
        statements.extend(slot.map(|slot| render_line(&render_drop_slot(slot))));
        let copies = target_system.map(|system| render_drop_sync_slots(subscription.oid, system));
        statements.extend(copies.as_ref().map(render_line));
    }
    if statements.is_empty() {
        statements.push(
            "SELECT slot_name, database FROM pg_catalog.pg_replication_slots WHERE slot_name LIKE \
             'seren\\_%' AND NOT active; -- drop those of this run with pg_drop_replication_slot"
                .to_owned(),
        );
    }
    let publication = Ident::from_catalog(PUBLICATION);
    let drop = logical::drop_statement([&publication]);
    statements.push(format!("{}; -- in every database copied", drop.as_str()));
    let drop = logical::drop_statement([&inserts_name(&publication)]);
    statements.push(format!(
        "{}; -- the same, if there were insert-only tables",
        drop.as_str()
    ));
    Unreachable {
        side: Side::Source,
        error,
        statements,
    }
}

/// Renders the statements for a target that does not answer.
pub(crate) fn render_target_statements(
    slots: &BTreeMap<String, String>,
    subscription: Option<&Ident>,
    error: Option<Error>,
) -> Unreachable {
    let mut statements = Vec::new();
    let usual = Ident::from_catalog(SUBSCRIPTION);
    let name = subscription.unwrap_or(&usual);
    for (slot, database) in slots {
        let database = Ident::from_catalog(database.as_str());
        statements.push(format!(
            "-- in database {database}, if it has the subscription:"
        ));
        statements.extend(logical::drop_statements(name).iter().map(render_line));
        statements.push(render_line(&render_drop_origin(slot)));
    }
    Unreachable {
        side: Side::Target,
        error,
        statements,
    }
}

fn render_drop_origin(slot: &str) -> Sql {
    sql!(
        "SELECT pg_catalog.pg_replication_origin_drop(roname) \
           FROM pg_catalog.pg_replication_origin WHERE roname = {}",
        Literal(slot)
    )
}

/// Renders a statement with its semicolon.
fn render_line(statement: &Sql) -> String {
    format!("{};", statement.as_str())
}
