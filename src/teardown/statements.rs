//! Statements for a side that does not answer.

use std::collections::BTreeMap;

use crate::logical::{self, PUBLICATION};
use crate::pg::Side;
use crate::pg::{Ident, Literal};
use crate::sql;
use crate::teardown::error::Error;
use crate::teardown::{Leftovers, Object, Unreachable, drop_slot_statement};

/// What to run on a source that does not answer: what its target knows of it.
pub(crate) fn source_statements(found: &Leftovers, error: Option<Error>) -> Unreachable {
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
pub(crate) fn target_statements(
    slots: &BTreeMap<String, String>,
    error: Option<Error>,
) -> Unreachable {
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
