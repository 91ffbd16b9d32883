//! Whether the server quotes every name that it deparses.

use crate::connect::{self, Session};
use crate::pg::{ServerVersion, Sql};

/// Prepares a session to read definitions that a server of another version will parse. A server
/// quotes the keywords that it knows itself; an unquoted `system_user` of 15 is a function since 16.
///
/// # Errors
/// The server refused, or the connection broke.
pub async fn quote_for(session: &Session, target: ServerVersion) -> Result<(), connect::Error> {
    if session.version().major() == target.major() {
        return Ok(());
    }
    let quote = Sql::fixed("SET quote_all_identifiers = on");
    session.batch(&quote).await
}
