//! Statements that change a subscription.

use crate::connect::SubscriptionConninfo;
use crate::pg::{Ident, Literal, SlotName, Sql};
use crate::sql;

/// Enables a subscription.
pub fn enable_statement(name: &Ident) -> Sql {
    sql!("ALTER SUBSCRIPTION {} ENABLE", name)
}

/// Has a disabled subscription read from a slot again.
pub fn attach_statement(name: &Ident, slot: &SlotName) -> Sql {
    let slot = Literal(slot.as_str());
    sql!("ALTER SUBSCRIPTION {} SET (slot_name = {})", name, slot)
}

/// Has a subscription reach the source by another connection string.
pub fn connect_statement(name: &Ident, conninfo: &SubscriptionConninfo) -> Sql {
    let conninfo = Literal(conninfo.expose());
    sql!("ALTER SUBSCRIPTION {} CONNECTION {}", name, conninfo)
}

/// Has a subscription ask for these publications, without a copy of their tables.
pub fn request_statement(name: &Ident, publications: &[Ident]) -> Sql {
    sql!(
        "ALTER SUBSCRIPTION {} SET PUBLICATION {} WITH (refresh = false)",
        name,
        Sql::join(publications, ", ")
    )
}

/// Has an enabled subscription replicate the tables that its publications have got since. Each is copied first, at a
/// snapshot of its own.
pub fn refresh_statement(name: &Ident) -> Sql {
    sql!(
        "ALTER SUBSCRIPTION {} REFRESH PUBLICATION WITH (copy_data = true)",
        name
    )
}
