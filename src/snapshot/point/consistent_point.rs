//! The consistent point of one database, what it starts from, and what keeps it readable.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::kept_locks::KeptLocks;
use super::lease::{Snapshot, SnapshotLease};
use super::listed_tables::ListedTable;
use super::lock::TableLocks;
use crate::catalog::Catalog;
use crate::catalog::load::cached::CachedCatalog;
use crate::connect::Session;
use crate::logical::Publisher;
use crate::pg::{Lsn, QualifiedName, ServerVersion, SlotName};
use crate::snapshot::error::Error;
use crate::wire;

/// Where the snapshot comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotSource {
    /// From the creation of this slot. The slot stays, so that replication can start exactly there.
    Slot(NewSlot),
    /// From a plain exported snapshot: a one-off copy.
    SnapshotOnly,
}

/// A slot to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSlot {
    /// Its name.
    pub name: SlotName,
    /// Whether standbys of the source synchronize it.
    pub is_failover: bool,
}

impl NewSlot {
    /// How it is created.
    pub(crate) const fn kind(&self) -> wire::SlotKind {
        match self.is_failover {
            true => wire::SlotKind::Failover,
            false => wire::SlotKind::Permanent,
        }
    }
}

/// What the checks have found out about a database.
#[derive(Clone, Debug, Default)]
pub struct CheckedDatabase {
    /// Its definitions, which are used again if nothing has changed since.
    pub definitions: Option<CachedCatalog>,
    /// The excluded tables: they are not locked.
    pub excluded: BTreeSet<QualifiedName>,
    /// The version of the server that its definitions are for; None for one of its own major version.
    pub target: Option<ServerVersion>,
    /// The publication that is kept equal to the locked tables until the slot is created. The target gets
    /// the replica identities from before the changes of this run.
    pub publisher: Option<Arc<Publisher>>,
    /// How many readers lock all tables for themselves, so that they never wait behind a session that
    /// waits for our locks; 0: such a session ends the copy.
    pub keeping: usize,
}

impl CheckedDatabase {
    /// Returns the same for another attempt, which reads the definitions again.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            definitions: None,
            excluded: self.excluded.clone(),
            target: self.target,
            publisher: self.publisher.clone(),
            keeping: self.keeping,
        }
    }
}

/// A consistent point.
#[derive(Debug)]
pub struct ConsistentPoint {
    /// The database as the snapshot shows it.
    pub catalog: Catalog,
    /// Where the WAL continues after the snapshot; only with a slot.
    pub consistent_point: Option<Lsn>,
    /// What keeps snapshot, locks and slot.
    pub hold: SourceLocks,
}

/// What keeps a consistent point readable; released on drop. The slot itself stays.
#[derive(Debug)]
pub struct SourceLocks {
    pub(crate) lease: SnapshotLease,
    /// None once the locks are released.
    pub(crate) locks: Option<TableLocks>,
    /// Tables that may change while they are read.
    pub(crate) unlocked: Vec<ListedTable>,
    /// Readers that have locked all tables for themselves.
    kept: Option<KeptLocks>,
    /// The connection that has created the slot.
    exporter: Option<wire::Connection<wire::Idle>>,
}

impl SourceLocks {
    pub(super) fn new(
        lease: SnapshotLease,
        locks: TableLocks,
        kept: Option<KeptLocks>,
        exporter: Option<wire::Connection<wire::Idle>>,
    ) -> Self {
        let unlocked = match locks.are_locked() {
            true => Vec::new(),
            false => locks.tables().to_vec(),
        };
        Self {
            lease,
            locks: Some(locks),
            unlocked,
            kept,
            exporter,
        }
    }

    /// Returns the snapshot that readers import, with locks of their own if those are kept.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        let kept = self.kept.as_ref().map(KeptLocks::snapshot);
        kept.unwrap_or_else(|| self.lease.snapshot())
    }

    /// Does work with a session that sees the snapshot.
    ///
    /// # Errors
    /// A connection cannot be opened, or the error of the work.
    pub(crate) async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.locks {
            Some(locks) => work(locks.reader()).await,
            None => work(&self.lease.open_session().await?).await,
        }
    }

    /// Releases the locks and keeps the snapshot. Tables that are read from now on are compared with what
    /// they were.
    pub fn unlock(&mut self) {
        self.kept = None;
        if let Some(locks) = self.locks.take() {
            self.unlocked = locks.tables().to_vec();
        }
    }

    /// Ends snapshot and locks. The slot stays: whoever began the run drops it if that fails.
    pub async fn release(self) {
        let Self {
            lease,
            locks,
            kept,
            exporter,
            ..
        } = self;
        drop((locks, kept));
        drop(lease);
        // The slot stays also if the connection that created it is lost.
        if let Some(connection) = exporter
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection that created the slot was lost before its end");
        }
    }
}
