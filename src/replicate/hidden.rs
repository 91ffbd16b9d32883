//! Keeps the statement that contains a password out of the target's logs and statistics (manual, "Error Reporting and
//! Logging"). `CREATE SUBSCRIPTION` is logged like any statement, password included.

use super::error::Error;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Side, Sql, SqlState};

/// Nothing of a statement is logged, also if it fails or takes long, and statistics do not record it. Settings of modules
/// that are not loaded are not set.
const HIDE: &str = "\
    SET log_statement = 'none'; \
    SET log_min_error_statement = 'panic'; \
    SET log_min_duration_statement = -1; \
    SET track_activities = off; \
    SELECT pg_catalog.set_config(s.name, CASE s.name WHEN 'log_min_duration_sample' THEN '-1' WHEN 'pgaudit.log' THEN 'none' ELSE 'off' END, false) \
      FROM pg_catalog.pg_settings s \
     WHERE s.name IN ('log_min_duration_sample', 'pg_stat_statements.track_utility', 'pgaudit.log')";

/// Has the session log and record nothing of its next statements. Whether the role may do that.
///
/// # Errors
/// The server refused for another reason.
pub(super) async fn hide_statements(session: &Session) -> Result<bool, connect::Error> {
    match session.batch(&Sql::fixed(HIDE)).await {
        Ok(()) => Ok(true),
        Err(error) if error.sqlstate() == Some(SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether our role may keep a statement out of the target's server log.
///
/// # Errors
/// The target cannot be reached, or refused for another reason.
pub(super) async fn may_hide(target: &Endpoint) -> Result<bool, Error> {
    let session = target.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(Side::Target))?;
    let hidden = hide_statements(&session).await;
    hidden.map_err(Error::query(Side::Target))
}
