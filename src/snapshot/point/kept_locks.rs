//! Readers that lock all tables for themselves: `--keep-locks`.
//!
//! A session that waits for our locks is left to wait then. Readers that have no lock on a table yet would
//! queue behind it, and it waits for us: neither would go on. A session that has a lock already gets it again
//! without a queue. So each reader locks all tables at the consistent point, before anybody waits for us.
//! The server's lock table must have room for that.

use std::sync::{Arc, Mutex};

use super::lease::Snapshot;
use super::lock::{TableLocks, lock_text};
use crate::pg::SqlState;
use crate::snapshot::error::Error;
use crate::sql;
use crate::wire::{Connection, Idle};

/// Connections that have all locks, for lanes to take.
pub(in crate::snapshot) type Ready = Arc<Mutex<Vec<Connection<Idle>>>>;

/// The readers of one database; those that no lane has taken end when it is dropped.
#[derive(Debug)]
pub(in crate::snapshot) struct KeptLocks {
    snapshot: Snapshot,
}

impl KeptLocks {
    /// Locks all tables with each of these connections at the same time; nothing for none. Their transactions have begun
    /// already if they `are_ahead`.
    ///
    /// # Errors
    /// The lock table is too small, a lock was not to be had at once, or a connection is lost.
    pub(in crate::snapshot) async fn take(
        snapshot: &Snapshot,
        locks: &TableLocks,
        (lanes, are_ahead): (Vec<Connection<Idle>>, bool),
    ) -> Result<Option<Self>, Error> {
        if lanes.is_empty() {
            return Ok(None);
        }
        let needed = (locks.tables().len() + 1) * (lanes.len() + 2);
        if !locks.are_locked() {
            return Err(Error::LockTableFull { needed });
        }
        let full = |error: Error| match error.sqlstate() {
            Some(SqlState::OUT_OF_MEMORY) => Error::LockTableFull { needed },
            _ => error,
        };
        let mut snapshot = snapshot.clone();
        snapshot.locks = Some(lock_text(locks.tables()));
        let locking = lanes.into_iter().map(|mut lane| async {
            match (are_ahead, &snapshot.locks) {
                (true, Some(locks)) => {
                    let see = sql!("{}; {}; SAVEPOINT rows", snapshot.import(), locks);
                    lane.execute(&see).await.map_err(Error::Lane)?;
                }
                _ => snapshot.see(&mut lane).await?,
            }
            Ok(lane)
        });
        let ready = futures_util::future::try_join_all(locking).await;
        snapshot.ready = Arc::new(Mutex::new(ready.map_err(full)?));
        Ok(Some(Self { snapshot }))
    }

    /// How lanes come to the connections.
    pub(in crate::snapshot) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Snapshot {
    /// A connection that is ready for a lane, if one is left.
    pub(in crate::snapshot) fn take_ready(&self) -> Option<Connection<Idle>> {
        let mut ready = self
            .ready
            .lock()
            .expect("no task panics while it takes a connection");
        ready.pop()
    }

    /// Makes a connection see the snapshot for all of its copies, with the locks that are kept. The
    /// savepoint is what it goes back to in order to give back the locks of what it has read; the session
    /// that is there to hold them keeps them.
    ///
    /// # Errors
    /// The snapshot is gone, a lock is not to be had, or the connection is lost.
    pub(in crate::snapshot) async fn see(
        &self,
        source: &mut Connection<Idle>,
    ) -> Result<(), Error> {
        let mut refusal = None;
        for begin in self.begin_statements() {
            let begin = match &self.locks {
                Some(locks) => sql!("{}; {}; SAVEPOINT rows", begin, locks),
                None => sql!("{}; SAVEPOINT rows", begin),
            };
            match source.execute(&begin).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_lock_conflict() && self.locks.is_some() => {
                    return Err(Error::LocksLost(error));
                }
                Err(error) if error.is_transient() => return Err(Error::Lane(error)),
                Err(error) => refusal = Some(error),
            }
            let rollback = crate::pg::Sql::fixed("ROLLBACK");
            source.execute(&rollback).await.map_err(Error::Lane)?;
        }
        Err(Error::Lane(refusal.expect("a lease has two names")))
    }
}
