//! Work counts as done only when the target has *flushed* it: a commit that was acknowledged under
//! `synchronous_commit = off` can still vanish in a crash.

use super::error::Error;
use crate::connect::{Endpoint, Purpose, Session};
use crate::pg::Sql;

/// A session that waits for the target's disk. Opened early, it works even where nobody can log in
/// any more.
#[derive(Debug)]
pub struct Flush(Session);

impl Flush {
    /// Opens the session.
    ///
    /// # Errors
    /// The target cannot be reached.
    pub async fn open(target: &Endpoint) -> Result<Self, Error> {
        let session = target.session(Purpose::Build).await.map_err(Error::Flush)?;
        Ok(Self(session))
    }

    /// Returns when everything that the target has committed so far is on its disk. To be called as often
    /// as needed.
    ///
    /// One small transaction with a synchronous commit does it: the log is flushed in order, so what
    /// was committed before is flushed with it. (Comparing positions does not: the insert position
    /// may stand behind a page header that nothing has written yet.)
    ///
    /// # Errors
    /// The target refuses or is gone.
    pub async fn wait(&self) -> Result<(), Error> {
        let flush = Sql::fixed(
            "BEGIN; SET LOCAL synchronous_commit = local; \
             SELECT pg_catalog.pg_logical_emit_message(true, 'seren_replicator', 'flush'); COMMIT",
        );
        self.0.batch(&flush).await.map_err(Error::Flush)
    }
}
