//! Readers that lock all tables for themselves, while DDL is to wait.
//!
//! With that option a session that waits for our locks keeps waiting. A reader without a lock on the table would
//! queue behind it, while it waits for us: neither would continue. A session that has a lock already gets it again
//! without a queue. So each reader locks all tables at the consistent point, before any session waits for us.
//! The server's lock table must have room for that.

use std::sync::{Arc, Mutex};

use super::lease::Snapshot;
use super::lock::{TableLocks, render_lock_text};
use super::sessions::CopierConnections;
use crate::pg::SqlState;
use crate::snapshot::error::Error;
use crate::sql;

/// The readers of one database. Those that no row copier has taken end when it is dropped.
#[derive(Debug)]
pub(crate) struct KeptLocks {
    snapshot: Snapshot,
}

impl KeptLocks {
    /// Locks all tables with each of these connections at the same time; None without connections.
    ///
    /// # Errors
    /// The lock table is too small, a lock could not be obtained at once, or a connection is lost.
    pub(crate) async fn take(
        snapshot: &Snapshot,
        locks: &TableLocks,
        copiers: CopierConnections,
    ) -> Result<Option<Self>, Error> {
        let CopierConnections {
            connections,
            have_locks,
        } = copiers;
        if connections.is_empty() {
            return Ok(None);
        }
        let needed = (locks.tables().len() + 1) * (connections.len() + 2);
        if !locks.are_locked() {
            return Err(Error::LockTableFull { needed });
        }
        let full = |error: Error| match error.sqlstate() {
            Some(SqlState::OUT_OF_MEMORY) => Error::LockTableFull { needed },
            _ => error,
        };
        let mut snapshot = snapshot.clone();
        snapshot.locks = Some(render_lock_text(locks.tables()));
        let locking = connections.into_iter().map(|mut connection| async {
            match (have_locks, &snapshot.locks) {
                (true, Some(locks)) => {
                    let import = snapshot.render_import();
                    let import = sql!("{}; {}; SAVEPOINT rows", import, locks);
                    connection.execute(&import).await.map_err(Error::Lane)?;
                }
                _ => snapshot.import_into(&mut connection).await?,
            }
            Ok(connection)
        });
        let ready = futures_util::future::try_join_all(locking).await;
        snapshot.ready = Arc::new(Mutex::new(ready.map_err(full)?));
        Ok(Some(Self { snapshot }))
    }

    /// Returns the snapshot with these connections.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}
