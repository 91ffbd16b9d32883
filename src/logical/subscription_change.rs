//! Changes of a subscription that exists.

use crate::connect::{self, Session};
use crate::pg::{Ident, Literal, SlotName, Sql};
use crate::sql;

/// Enables a subscription.
///
/// # Errors
/// The server refused the statement.
pub async fn enable_subscription(session: &Session, name: &Ident) -> Result<(), connect::Error> {
    session
        .batch(&sql!("ALTER SUBSCRIPTION {} ENABLE", name))
        .await
}

/// Has a disabled subscription read from a slot again.
///
/// # Errors
/// The server refused the statement.
pub async fn attach_subscription(
    session: &Session,
    name: &Ident,
    slot: &SlotName,
) -> Result<(), connect::Error> {
    let attach = sql!(
        "ALTER SUBSCRIPTION {} SET (slot_name = {})",
        name,
        Literal(slot.as_str())
    );
    session.batch(&attach).await
}

/// Has a subscription ask for these publications, without a copy of their tables.
///
/// # Errors
/// The server refused the statement.
pub async fn request_publications(
    session: &Session,
    name: &Ident,
    publications: &[Ident],
) -> Result<(), connect::Error> {
    let set = sql!(
        "ALTER SUBSCRIPTION {} SET PUBLICATION {} WITH (refresh = false)",
        name,
        Sql::join(publications, ", ")
    );
    session.batch(&set).await
}

/// Has an enabled subscription replicate the tables that its publications have got since. Each is copied first, at a
/// snapshot of its own.
///
/// # Errors
/// The server refused the statement, or does not reach the source.
pub async fn refresh_subscription(session: &Session, name: &Ident) -> Result<(), connect::Error> {
    let refresh = sql!(
        "ALTER SUBSCRIPTION {} REFRESH PUBLICATION WITH (copy_data = true)",
        name
    );
    session.batch(&refresh).await
}
