//! One attempt at a consistent point.

use std::collections::{BTreeSet, HashMap};

use tokio::time::Duration;

use super::attempts::{AttemptResult, Effort};
use super::consistent_point::{CheckedDatabase, ConsistentPoint, SnapshotSource, SourceLocks};
use super::definitions::{Definitions, read_definitions};
use super::kept_locks::KeptLocks;
use super::lease::SnapshotLease;
use super::lock::{LockResult, TableLocks};
use super::locks_ahead::lock_ahead;
use super::renames::renamed_since;
use super::sessions::{AttemptSessions, Reader};
use super::slot_creation::{ExportingSlot, create_slot};
use crate::catalog::Catalog;
use crate::connect::waiters::{load_waiters, watch_readers};
use crate::connect::{Endpoint, Purpose, Session};
use crate::logical::FormerIdentity;
use crate::pg::QualifiedName;
use crate::snapshot::error::Error;
use crate::task::Scope;

/// How long a session may wait for an attempt's locks: enough to read what few tables contain, and well below
/// the 5 s that no session waits for us.
const PATIENCE: Duration = Duration::from_secs(2);

/// One attempt.
pub(super) struct Attempt<'a> {
    pub(super) source: &'a Endpoint,
    pub(super) database: &'a mut CheckedDatabase,
    pub(super) effort: Effort,
}

/// The lease and the locks of an attempt.
struct Locked {
    lease: SnapshotLease,
    locks: LockResult,
}

/// What is locked: what a snapshot shows.
struct Locking<'a> {
    source: &'a Endpoint,
    /// Sees the latest state.
    latest: &'a Session,
    /// The slot's snapshot; None takes one of its own.
    exported: Option<&'a str>,
    excluded: &'a BTreeSet<QualifiedName>,
}

impl Locking<'_> {
    /// Leases the snapshot, and locks the tables that it shows.
    async fn take(
        self,
        reader: Reader,
        lease: [Session; 2],
        scope: &Scope,
    ) -> Result<Locked, Error> {
        let Self {
            source,
            latest,
            exported,
            excluded,
        } = self;
        let leasing = SnapshotLease::take(source, lease, exported, scope);
        Ok(match exported {
            // At the same time: no time may pass between the snapshot and the locks.
            Some(name) => {
                let locking = TableLocks::take(reader, name, latest, excluded, scope);
                let (lease, locks) = tokio::try_join!(leasing, locking)?;
                Locked { lease, locks }
            }
            None => {
                let lease = leasing.await?;
                let name = lease.name();
                let locks = TableLocks::take(reader, name, latest, excluded, scope).await?;
                Locked { lease, locks }
            }
        })
    }
}

impl Attempt<'_> {
    pub(super) async fn run(
        mut self,
        kind: &SnapshotSource,
        scope: &Scope,
    ) -> Result<AttemptResult, Error> {
        let keeping = self.database.keeping;
        let mut sessions = AttemptSessions::open(self.source, keeping).await?;
        let created = match kind {
            SnapshotSource::SnapshotOnly => None,
            SnapshotSource::Slot(slot) => {
                let creating = Box::pin(create_slot(self.source, slot, scope));
                let excluded = &self.database.excluded;
                Some(match self.effort.is_ahead {
                    true => Box::pin(lock_ahead(&mut sessions, excluded, creating)).await?,
                    false => creating.await?,
                })
            }
        };
        // It stops with the run, and when a session waits for our locks.
        let own = scope.child();
        let source = self.source;
        let work = self.lock_and_read(sessions, created, &own);
        tokio::pin!(work);
        let watching = async {
            match keeping > 0 {
                // DDL waits for the copy then, and so it does for its beginning.
                true => std::future::pending().await,
                false => watch_readers(source, PATIENCE, scope).await,
            }
        };
        let waiter = tokio::select! {
            biased;
            done = &mut work => return done,
            waiter = watching => waiter,
        };
        own.stop.cancel();
        // Its sessions end with it, and so do all locks.
        drop(work.await);
        Ok(AttemptResult::Disturbed(waiter.to_string()))
    }

    /// Locks what the snapshot shows, and reads the definitions.
    async fn lock_and_read(
        &mut self,
        sessions: AttemptSessions,
        created: Option<ExportingSlot>,
        scope: &Scope,
    ) -> Result<AttemptResult, Error> {
        let AttemptSessions {
            reader,
            latest,
            lease,
            copiers,
        } = sessions;
        let exported = created.as_ref();
        let exported = exported.and_then(|created| created.slot.snapshot_name.as_deref());
        let locking = Locking {
            source: self.source,
            latest: &latest,
            exported,
            excluded: &self.database.excluded,
        };
        let Locked { lease, locks } = locking.take(reader, lease, scope).await?;
        let locks = match locks {
            LockResult::Locked(locks) => *locks,
            LockResult::Changed(what) => return Ok(AttemptResult::Disturbed(what)),
        };
        let Some(locks) = self.check_publication(locks).await? else {
            let what = "the publication did not list every table";
            return Ok(AttemptResult::disturbed(what));
        };
        let kept = match KeptLocks::take(lease.snapshot(), &locks, copiers).await {
            Err(error) if error.is_lock_conflict() => {
                let what = "a session waits for a lock in front of a reader";
                return Ok(AttemptResult::disturbed(what));
            }
            kept => kept?,
        };
        let mut catalog = match read_definitions(locks.reader(), self.database, scope).await? {
            Definitions::Read(catalog) => *catalog,
            Definitions::Failed(result) => return Ok(result),
        };
        if let Some(what) = self.find_change(&locks, &latest, kept.is_none()).await? {
            return Ok(AttemptResult::Disturbed(what));
        }
        let publisher = self.database.publisher.as_ref();
        let identities = publisher.map(|one| one.identities()).unwrap_or_default();
        restore_identities(&mut catalog, &identities);
        Ok(AttemptResult::Settled(Box::new(ConsistentPoint {
            catalog,
            consistent_point: created
                .as_ref()
                .map(|created| created.slot.consistent_point),
            hold: SourceLocks::new(lease, locks, kept, created.map(|created| created.exporter)),
        })))
    }

    /// Finds a change during the reading, or a session that waits for our locks at its end.
    async fn find_change(
        &self,
        locks: &TableLocks,
        latest: &Session,
        yields: bool,
    ) -> Result<Option<String>, Error> {
        if let Some(what) = renamed_since(locks.reader(), latest).await? {
            return Ok(Some(what));
        }
        if !self.effort.is_patient || !yields {
            return Ok(None);
        }
        let waiters = load_waiters(latest, self.source)
            .await
            .map_err(Error::Lock)?;
        let waiter = waiters.iter().find(|waiter| !waiter.by_nature);
        Ok(waiter.map(ToString::to_string))
    }

    /// Returns the locks if the publication lists the locked tables. Otherwise the locks are released and the
    /// publication is changed: the next attempt is younger than that.
    async fn check_publication(&self, locks: TableLocks) -> Result<Option<TableLocks>, Error> {
        let Some(publisher) = &self.database.publisher else {
            return Ok(Some(locks));
        };
        let wrap = |source| Error::Publication {
            name: publisher.name().clone(),
            source: Box::new(source),
        };
        let opened = self.source.session(Purpose::Control).await;
        let session = opened.map_err(Error::Connect)?;
        let names = locks.tables().iter().map(|table| table.name.clone());
        let settled = publisher.is_settled(&session, &names.collect()).await;
        if settled.map_err(wrap)? {
            return Ok(Some(locks));
        }
        drop(locks);
        publisher.settle(&session).await.map_err(wrap)?;
        Ok(None)
    }
}

/// Shows the replica identities from before the changes of this run.
fn restore_identities(catalog: &mut Catalog, identities: &[FormerIdentity]) {
    let former: HashMap<QualifiedName, &FormerIdentity> =
        identities.iter().map(|one| (one.table(), one)).collect();
    for table in &mut catalog.tables {
        if let Some(former) = former.get(&table.name) {
            table.replica_identity = former.identity();
        }
    }
}
