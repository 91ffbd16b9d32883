//! Keeps the statement that contains a password out of the target's server log and statistics (manual, "Error Reporting and
//! Logging"). `CREATE SUBSCRIPTION` is logged like any statement, password included.

use super::error::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Side, Sql, SqlState};

/// The settings by which a statement can get into the server log, into statistics or into the activity view, and the value
/// that prevents it. Those of modules that are not loaded are not set.
const SETTINGS: [(&str, &str); 8] = [
    ("log_statement", "none"),
    ("log_min_error_statement", "panic"),
    ("log_min_duration_statement", "-1"),
    ("log_min_duration_sample", "-1"),
    ("log_transaction_sample_rate", "0"),
    ("track_activities", "off"),
    ("pg_stat_statements.track_utility", "off"),
    ("pgaudit.log", "none"),
];

/// Has the session log and record nothing of its next statements. Returns the settings that the role may not change.
///
/// # Errors
/// The server refused for another reason.
pub(super) async fn hide_statements(
    session: &Session,
) -> Result<Vec<&'static str>, connect::Error> {
    let set = Sql::fixed(
        "SELECT pg_catalog.set_config(s.name, $2::text, false) FROM pg_catalog.pg_settings s WHERE s.name = $1::text",
    );
    let mut refused = Vec::new();
    for (name, value) in SETTINGS {
        match session.query(&set, &[&name, &value]).await {
            Ok(_) => {}
            Err(error) if error.sqlstate() == Some(SqlState::INSUFFICIENT_PRIVILEGE) => {
                refused.push(name);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}

/// The settings that our role would have to change to keep a statement out of the target's server log.
///
/// # Errors
/// The target cannot be reached, or refused for another reason.
pub(super) async fn find_exposing_settings(target: &Endpoint) -> Result<Vec<&'static str>, Error> {
    let session = target.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(Side::Target))?;
    let hidden = hide_statements(&session).await;
    hidden.map_err(Error::query(Side::Target))
}
