//! Work counts as finished only when the target has *flushed* it: a commit that was acknowledged under
//! `synchronous_commit = off` can still vanish in a crash.

use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::Sql;

/// The target did not confirm that everything is on its disk.
#[derive(Debug, thiserror::Error)]
#[error("wait for the target to flush its WAL")]
pub struct FlushError(#[source] connect::Error);

/// A session that waits for the target's disk. Opened early, it works even if later logins are refused.
#[derive(Debug)]
pub struct Flush(Session);

impl Flush {
    /// Opens the session.
    ///
    /// # Errors
    /// The target cannot be reached.
    pub async fn open(target: &Endpoint) -> Result<Self, FlushError> {
        let opened = target.session(Purpose::Build).await;
        opened.map(Self).map_err(FlushError)
    }

    /// Returns when everything that the target has committed so far is on its disk. Call it as often as
    /// needed.
    ///
    /// It runs one small transaction with a synchronous commit. WAL is flushed in order, so what was
    /// committed before is flushed with it. A comparison of positions is not sufficient: the insert position
    /// may be behind a page header that nothing has written yet.
    ///
    /// # Errors
    /// The target refuses or cannot be reached.
    pub async fn wait(&self) -> Result<(), FlushError> {
        let flush = Sql::fixed(
            "BEGIN; SET LOCAL synchronous_commit = local; \
             SELECT pg_catalog.pg_logical_emit_message(true, 'seren_replicator', 'flush'); COMMIT",
        );
        self.0.batch(&flush).await.map_err(FlushError)
    }
}
