//! The consistent point of one database: what the snapshot shows, what is locked, and where the
//! log goes on from there.
//!
//! The order is the guarantee. The slot is made, which waits for older transactions and exports the snapshot
//! of its consistent point; *then* the tables that the snapshot shows are locked, and compared with it and with
//! the publication; *then* the catalog is read under the snapshot. A table that is not what the snapshot shows,
//! one that is not published, or a session that waits for our locks, ends the attempt with all its locks, and
//! another one begins.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::time::Duration;

use super::attempts::{Attempts, Effort};
use super::kept_locks::KeptLocks;
use super::lease::{Snapshot, SnapshotLease};
use super::lock::{ListedTable, TableLocks, Taken};
use super::locks_ahead::with_locks_ahead;
use super::renames::renamed_since;
use super::sessions::Opened;
use super::slot_creation::{create_slot, drop_leftover};
use crate::catalog::load::cached::CachedCatalog;
use crate::catalog::load::lock_batches::set_savepoint;
use crate::catalog::load::quoting::quote_for;
use crate::catalog::{self, Catalog};
use crate::connect::waiters::{load_waiters, watch_readers};
use crate::connect::{Endpoint, Purpose, Session};
use crate::event::WithCauses as _;
use crate::logical::{FormerIdentity, Publisher};
use crate::pg::{Lsn, QualifiedName, ServerVersion, SlotName};
use crate::snapshot::definitions::section::stoppable;
use crate::snapshot::error::Error;
use crate::task::Scope;
use crate::wire;

/// How long a session may wait for an attempt's locks: enough to read what few tables hold, and well below
/// the 5 s that nobody waits for us.
const PATIENCE: Duration = Duration::from_secs(2);

/// Attempts in a row that may fail because a definition is gone, before that counts as an error.
const VANISHED: u32 = 10;

/// How the consistent point comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// By creating this slot, which stays, so that replication can start exactly there.
    Slot(SlotName),
    /// By a plain exported snapshot: a one-off copy.
    SnapshotOnly,
}

/// What was learned of a database before.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Its definitions, which serve again if nothing has changed since.
    pub definitions: Option<CachedCatalog>,
    /// The tables that do not take part: they are not locked.
    pub left_out: BTreeSet<QualifiedName>,
    /// The version of the server that its definitions are for; None for one of its own major.
    pub target: Option<ServerVersion>,
    /// The publication that is kept equal to the locked tables until the slot is created. The target gets
    /// the replica identities that it has changed as they were.
    pub publisher: Option<Arc<Publisher>>,
    /// How many readers lock all tables for themselves, so that they never wait behind a session that
    /// waits for our locks; 0 where such a session ends the copy.
    pub keeping: usize,
}

impl Before {
    /// The same for another attempt; definitions are read again then.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            definitions: None,
            left_out: self.left_out.clone(),
            target: self.target,
            publisher: self.publisher.clone(),
            keeping: self.keeping,
        }
    }
}

/// A consistent point.
#[derive(Debug)]
pub struct Basis {
    /// The database as the snapshot shows it.
    pub catalog: Catalog,
    /// Where the log continues after the snapshot; only with a slot.
    pub consistent_point: Option<Lsn>,
    /// What keeps snapshot, locks and slot.
    pub hold: Hold,
}

/// What keeps a consistent point readable; gone when dropped. The slot itself stays.
#[derive(Debug)]
pub struct Hold {
    pub(in crate::snapshot) lease: SnapshotLease,
    /// None once the locks were let go.
    pub(in crate::snapshot) locks: Option<TableLocks>,
    /// Tables that may change while they are read.
    pub(in crate::snapshot) unlocked: Vec<ListedTable>,
    /// Readers that have locked all tables for themselves.
    kept: Option<KeptLocks>,
    /// The connection that made the slot.
    exporter: Option<wire::Connection<wire::Idle>>,
}

impl Hold {
    fn new(
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

    /// How lanes come to see the snapshot, and to locks of their own where those are kept.
    pub(in crate::snapshot) fn snapshot(&self) -> &Snapshot {
        let kept = self.kept.as_ref().map(KeptLocks::snapshot);
        kept.unwrap_or_else(|| self.lease.snapshot())
    }

    /// Does work with a session that sees the snapshot.
    ///
    /// # Errors
    /// A connection cannot be made, or the work's own.
    pub(in crate::snapshot) async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.locks {
            Some(locks) => work(locks.reader()).await,
            None => work(&self.lease.session().await?).await,
        }
    }

    /// Lets go of the locks, and keeps the snapshot. Tables read from now on are compared with what
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
        // The slot stays whatever becomes of the connection that made it.
        if let Some(connection) = exporter
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection that made the slot was lost before its end");
        }
    }
}

/// What one attempt came to.
enum Attempt {
    Settled(Box<Basis>),
    /// DDL came between; the text names it.
    Disturbed(String),
    /// A definition was gone when it was asked for.
    Vanished(Error),
}

/// Makes the basis of the database that `source` names. What is disturbed by DDL is repeated for as long as
/// the endpoint's limit for waits allows.
///
/// # Errors
/// DDL came between in every attempt; a lock, a slot or a connection was not to be had; or the
/// scope was stopped. Nothing is left behind on the server then.
pub async fn establish(
    source: &Endpoint,
    kind: &PointKind,
    mut before: Before,
    scope: &Scope,
) -> Result<Basis, Error> {
    let limit = source.lock_limit();
    let source = &source.clone().with_short_lock_waits();
    let mut attempts = Attempts::new(limit);
    loop {
        let effort = attempts.effort();
        let attempted = Box::pin(attempt(source, kind, &mut before, effort, scope)).await;
        match cleared(source, kind, attempted).await? {
            Attempt::Settled(basis) => return Ok(*basis),
            Attempt::Disturbed(what) => {
                attempts.vanished = 0;
                attempts.after(what, scope).await?;
            }
            Attempt::Vanished(error) => {
                attempts.vanished += 1;
                if attempts.vanished == VANISHED {
                    return Err(error);
                }
                attempts.after(error.chain(), scope).await?;
            }
        }
    }
}

/// Drops the slot of an attempt that has not settled: it is older than what follows.
async fn cleared(
    source: &Endpoint,
    kind: &PointKind,
    attempted: Result<Attempt, Error>,
) -> Result<Attempt, Error> {
    let PointKind::Slot(name) = kind else {
        return attempted;
    };
    if matches!(
        attempted,
        Ok(Attempt::Settled(_)) | Err(Error::SlotInUse { .. })
    ) {
        return attempted;
    }
    match (attempted, drop_leftover(&source.despite_stop(), name).await) {
        (Ok(disturbed), dropped) => dropped.map(|_| disturbed),
        (Err(error), Ok(_)) => Err(error),
        (Err(error), Err(left)) => {
            tracing::warn!(error = %left, slot = %name, "the slot could not be dropped");
            Err(error)
        }
    }
}

/// The slot of an attempt, if it makes one.
struct Created {
    exporter: wire::Connection<wire::Idle>,
    slot: wire::CreatedSlot,
}

async fn attempt(
    source: &Endpoint,
    kind: &PointKind,
    before: &mut Before,
    effort: Effort,
    scope: &Scope,
) -> Result<Attempt, Error> {
    let mut opened = Opened::open(source, before.keeping).await?;
    let created = match kind {
        PointKind::SnapshotOnly => None,
        PointKind::Slot(name) => {
            let creating = Box::pin(create_slot(source, name, scope));
            let created = match effort.is_ahead {
                true => Box::pin(with_locks_ahead(&mut opened, &before.left_out, creating)).await,
                false => creating.await,
            };
            let (exporter, slot) = created?;
            Some(Created { exporter, slot })
        }
    };
    // It stops with the run, and when a session waits for our locks.
    let own = scope.child();
    let is_kept = before.keeping > 0;
    let work = lock_and_read(source, (opened, created), before, effort, &own);
    tokio::pin!(work);
    let watching = async {
        match is_kept {
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
    // With it end its sessions, and all locks.
    drop(work.await);
    Ok(Attempt::Disturbed(waiter.to_string()))
}

/// Locks what the snapshot shows, and reads the definitions.
async fn lock_and_read(
    source: &Endpoint,
    (opened, created): (Opened, Option<Created>),
    before: &mut Before,
    effort: Effort,
    scope: &Scope,
) -> Result<Attempt, Error> {
    let Opened {
        reader,
        latest,
        lease,
        lanes,
        is_ahead,
    } = opened;
    let exported = created.as_ref();
    let exported = exported.and_then(|created| created.slot.snapshot_name.as_deref());
    let leasing = SnapshotLease::take(source, lease, exported, scope);
    let locking = async |name: &str| {
        TableLocks::take(reader, (name, is_ahead), &latest, &before.left_out, scope).await
    };
    let (lease, taken) = match exported {
        // At the same time: nothing is to lie between the snapshot and the locks.
        Some(name) => tokio::try_join!(leasing, locking(name))?,
        None => {
            let lease = leasing.await?;
            let taken = locking(lease.name()).await?;
            (lease, taken)
        }
    };
    let locks = match taken {
        Taken::Locks(locks) => *locks,
        Taken::Changed(what) => return Ok(Attempt::Disturbed(what)),
    };
    let Some(locks) = published(source, before, locks).await? else {
        let what = "the publication did not list every table".to_owned();
        return Ok(Attempt::Disturbed(what));
    };
    let kept = match KeptLocks::take(lease.snapshot(), &locks, (lanes, is_ahead)).await {
        Err(error) if error.is_lock_conflict() => {
            let what = "a session waits for a lock in front of a reader".to_owned();
            return Ok(Attempt::Disturbed(what));
        }
        kept => kept?,
    };
    let mut catalog = match definitions(locks.reader(), before, scope).await? {
        Ok(catalog) => *catalog,
        Err(attempt) => return Ok(attempt),
    };
    if let Some(what) = renamed_since(locks.reader(), &latest).await? {
        return Ok(Attempt::Disturbed(what));
    }
    if effort.is_patient && kept.is_none() {
        let waiters = load_waiters(&latest, source).await.map_err(Error::Lock)?;
        if let Some(waiter) = waiters.iter().find(|waiter| !waiter.by_nature) {
            return Ok(Attempt::Disturbed(waiter.to_string()));
        }
    }
    let publisher = before.publisher.as_ref();
    let identities = publisher.map(|one| one.identities()).unwrap_or_default();
    bring_back(&mut catalog, &identities);
    let consistent_point = created.as_ref();
    Ok(Attempt::Settled(Box::new(Basis {
        catalog,
        consistent_point: consistent_point.map(|created| created.slot.consistent_point),
        hold: Hold::new(lease, locks, kept, created.map(|created| created.exporter)),
    })))
}

/// The definitions under the reader's snapshot; or what the attempt comes to without.
async fn definitions(
    reader: &Session,
    before: &mut Before,
    scope: &Scope,
) -> Result<Result<Box<Catalog>, Attempt>, Error> {
    let readers = [reader];
    let reading = stoppable(&readers, scope, for_target(reader, before));
    match Box::pin(reading).await {
        Ok(catalog) => Ok(Ok(Box::new(catalog))),
        // A view, or whatever else the locks on tables do not cover, is being changed.
        Err(Error::Catalog(error)) if error.is_lock_conflict() => {
            Ok(Err(Attempt::Disturbed(Error::Catalog(error).chain())))
        }
        // The deparse functions look at the latest state: what they were asked about is gone.
        Err(Error::Catalog(error)) if error.is_of_change() => {
            Ok(Err(Attempt::Vanished(Error::Catalog(error))))
        }
        Err(error) => Err(error),
    }
}

/// The definitions under the session's snapshot, as the target's version takes them.
async fn for_target(reader: &Session, before: &mut Before) -> Result<Catalog, Error> {
    if let Some(target) = before.target {
        quote_for(reader, target).await.map_err(Error::Lease)?;
    }
    set_savepoint(reader).await.map_err(Error::Lock)?;
    let read = read(reader, before.definitions.take()).await;
    read.map_err(Error::Catalog)
}

/// Returns the locks if the publication lists the tables that are locked. Otherwise they are let go, and the
/// publication is changed: the next attempt is younger than that.
async fn published(
    source: &Endpoint,
    before: &Before,
    locks: TableLocks,
) -> Result<Option<TableLocks>, Error> {
    let Some(publisher) = &before.publisher else {
        return Ok(Some(locks));
    };
    let wrap = |source| Error::Publication {
        name: publisher.name().clone(),
        source: Box::new(source),
    };
    let session = source.session(Purpose::Control).await;
    let session = session.map_err(Error::Connect)?;
    let names = locks.tables().iter().map(|table| table.name.clone());
    let settled = publisher.is_settled(&session, &names.collect()).await;
    if settled.map_err(wrap)? {
        return Ok(Some(locks));
    }
    drop(locks);
    publisher.settle(&session).await.map_err(wrap)?;
    Ok(None)
}

/// Shows identities as they were before this run has changed them.
fn bring_back(catalog: &mut Catalog, identities: &[FormerIdentity]) {
    let former: HashMap<QualifiedName, &FormerIdentity> =
        identities.iter().map(|one| (one.table(), one)).collect();
    for table in &mut catalog.tables {
        if let Some(former) = former.get(&table.name) {
            table.replica_identity = former.identity();
        }
    }
}

/// The definitions under the session's snapshot.
async fn read(session: &Session, before: Option<CachedCatalog>) -> Result<Catalog, catalog::Error> {
    if let Some(before) = before
        && let Some(catalog) = before.load_if_unchanged(session).await?
    {
        return Ok(catalog);
    }
    catalog::load_catalog(session).await
}
