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

use tokio::time::{Duration, Instant};

use super::Error;
use super::build::stoppable;
use super::kept::KeptLocks;
use super::lease::{Snapshot, SnapshotLease};
use super::lock::{self, ListedTable, TableLocks, Taken};
use super::settled::renamed_since;
use crate::catalog::load::quoting::quote_for;
use crate::catalog::load::remembered::Remembered;
use crate::catalog::load::turns::set_savepoint;
use crate::catalog::{self, Catalog};
use crate::connect::locks::SILENCE;
use crate::connect::waiters::{load_waiters, watch_readers};
use crate::connect::{Endpoint, Purpose, Session};
use crate::event::Event;
use crate::logical::{FormerIdentity, Publisher, drop_slot, find_slot};
use crate::pg::{Lsn, QualifiedName, ServerVersion, SlotName, SqlState};
use crate::task::{Background, Scope};
use crate::wire::{self, SlotSnapshot};

/// The pause between two attempts, during which whoever waited for us gets what it waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// For how long an attempt fails for a session that began to wait for us right at its end. Later the copy begins
/// all the same: where somebody always waits, it ends with that session's name.
const SETTLING: Duration = Duration::from_secs(15);

/// How long a session may wait for an attempt's locks after that time: enough to lock and to read what few tables hold,
/// and well below the 5 s that nobody waits for us.
const PATIENCE: Duration = Duration::from_secs(2);

/// Attempts in a row that may fail because a definition is gone, before that counts as an error.
const VANISHED: u32 = 10;

/// How often a slot's creation that waits looks for whom it waits.
const LOOK: Duration = Duration::from_secs(1);

/// How long the server may take to give up a slot's creation once it is told to.
const CLEARING: Duration = Duration::from_secs(3);

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
    pub definitions: Option<Remembered>,
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
    pub(super) lease: SnapshotLease,
    /// None once the locks were let go.
    pub(super) locks: Option<TableLocks>,
    /// Tables that may change while they are read.
    pub(super) unlocked: Vec<ListedTable>,
    /// Readers that have locked all tables for themselves.
    kept: Option<KeptLocks>,
    /// The connection that made the slot.
    exporter: Option<wire::Connection<wire::Idle>>,
}

impl Hold {
    fn new(point: Point, locks: TableLocks, kept: Option<KeptLocks>) -> Self {
        let unlocked = match locks.are_locked() {
            true => Vec::new(),
            false => locks.tables().to_vec(),
        };
        Self {
            lease: point.lease,
            locks: Some(locks),
            unlocked,
            kept,
            exporter: point.exporter,
        }
    }

    /// How lanes come to see the snapshot, and to locks of their own where those are kept.
    pub(super) fn snapshot(&self) -> &Snapshot {
        let kept = self.kept.as_ref().map(KeptLocks::snapshot);
        kept.unwrap_or_else(|| self.lease.snapshot())
    }

    /// Does work with a session that sees the snapshot.
    ///
    /// # Errors
    /// A connection cannot be made, or the work's own.
    pub(super) async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.kept {
            Some(kept) => work(kept.reader()).await,
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
    let mut attempts = Attempts {
        begun: Instant::now(),
        limit,
        vanished: 0,
        told: None,
    };
    loop {
        let is_early = attempts.begun.elapsed() < SETTLING;
        let attempted = Box::pin(attempt(source, kind, &mut before, is_early, scope)).await;
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

/// The attempts so far.
struct Attempts {
    begun: Instant,
    limit: Duration,
    /// How many of the last failed because a definition was gone.
    vanished: u32,
    /// When it was last reported that there is another one.
    told: Option<Instant>,
}

impl Attempts {
    /// Pauses after one that was disturbed by `what`.
    async fn after(&mut self, what: String, scope: &Scope) -> Result<(), Error> {
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        if self.begun.elapsed() >= self.limit {
            let seconds = self.begun.elapsed().as_secs();
            return Err(Error::Unsettled { what, seconds });
        }
        if self.told.is_none_or(|told| told.elapsed() >= SILENCE) {
            self.told = Some(Instant::now());
            let note = format!(
                "definitions changed while the snapshot was made ({what}); beginning again, for up to {} s",
                self.limit.as_secs()
            );
            scope.events.emit(Event::Note(note)).await;
        }
        super::lane::pause(PAUSE, scope).await
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

/// Drops a slot of our name. Whether there was one.
async fn drop_leftover(source: &Endpoint, name: &SlotName) -> Result<bool, Error> {
    let wrap = |source| Error::Slot {
        slot: name.clone(),
        source,
    };
    let session = source.session(Purpose::Control).await;
    let session = session.map_err(Error::Connect)?;
    match drop_slot(&session, name).await {
        Err(error) if error.sqlstate() == Some(SqlState::OBJECT_IN_USE) => {
            let slot = find_slot(&session, name).await.map_err(wrap)?;
            Err(match slot.and_then(|slot| slot.active_pid) {
                Some(pid) => Error::SlotInUse {
                    slot: name.clone(),
                    pid,
                },
                None => wrap(error),
            })
        }
        other => other.map_err(wrap),
    }
}

/// A snapshot, and what made it.
struct Point {
    exporter: Option<wire::Connection<wire::Idle>>,
    consistent_point: Option<Lsn>,
    lease: SnapshotLease,
}

async fn attempt(
    source: &Endpoint,
    kind: &PointKind,
    before: &mut Before,
    is_early: bool,
    scope: &Scope,
) -> Result<Attempt, Error> {
    let point = take_point(source, kind, scope).await?;
    // It stops with the run, and when a session waits for our locks.
    let own = scope.child();
    let work = lock_and_read(source, point, before, is_early, &own);
    tokio::pin!(work);
    let patience = if is_early { Duration::ZERO } else { PATIENCE };
    let waiter = tokio::select! {
        biased;
        done = &mut work => return done,
        waiter = watch_readers(source, patience, scope) => waiter,
    };
    own.stop.cancel();
    // With it end its sessions, and all locks.
    drop(work.await);
    Ok(Attempt::Disturbed(waiter.to_string()))
}

async fn take_point(source: &Endpoint, kind: &PointKind, scope: &Scope) -> Result<Point, Error> {
    let PointKind::Slot(name) = kind else {
        return Ok(Point {
            exporter: None,
            consistent_point: None,
            lease: SnapshotLease::take(source, None, scope).await?,
        });
    };
    let (connection, slot) = create_slot(source, name, scope).await?;
    let snapshot = slot.snapshot_name.as_deref();
    Ok(Point {
        lease: SnapshotLease::take(source, snapshot, scope).await?,
        exporter: Some(connection),
        consistent_point: Some(slot.consistent_point),
    })
}

/// Locks what the snapshot shows, and reads the definitions.
async fn lock_and_read(
    source: &Endpoint,
    point: Point,
    before: &mut Before,
    is_early: bool,
    scope: &Scope,
) -> Result<Attempt, Error> {
    let session = point.lease.session().await?;
    let seen = lock::list_tables(&session, &before.left_out).await;
    let locks = match TableLocks::take(source, seen.map_err(Error::Lock)?, scope).await? {
        Taken::Locks(locks) => *locks,
        Taken::Changed(what) => return Ok(Attempt::Disturbed(what)),
    };
    let Some(locks) = published(source, before, locks).await? else {
        let what = "the publication did not list every table".to_owned();
        return Ok(Attempt::Disturbed(what));
    };
    let kept = match KeptLocks::take(point.lease.snapshot(), &locks, before.keeping).await {
        Err(error) if error.is_lock_conflict() => {
            return Ok(Attempt::Disturbed(error.to_string()));
        }
        kept => kept?,
    };
    let reader = kept.as_ref().map_or(&session, KeptLocks::reader);
    let readers = [reader];
    let reading = stoppable(&readers, scope, definitions(reader, before));
    let mut catalog = match Box::pin(reading).await {
        Ok(catalog) => catalog,
        // The deparse functions look at the latest state: what they were asked about is gone.
        Err(Error::Catalog(error)) if error.is_of_change() => {
            return Ok(Attempt::Vanished(Error::Catalog(error)));
        }
        Err(error) => return Err(error),
    };
    if let Some(what) = renamed_since(reader, source).await? {
        return Ok(Attempt::Disturbed(what));
    }
    let waiters = load_waiters(&session, source).await.map_err(Error::Lock)?;
    let waiter = waiters.iter().find(|waiter| !waiter.by_nature);
    if let Some(waiter) = waiter.filter(|_| is_early) {
        return Ok(Attempt::Disturbed(waiter.to_string()));
    }
    let publisher = before.publisher.as_ref();
    let identities = publisher.map(|one| one.identities()).unwrap_or_default();
    bring_back(&mut catalog, &identities);
    Ok(Attempt::Settled(Box::new(Basis {
        catalog,
        consistent_point: point.consistent_point,
        hold: Hold::new(point, locks, kept),
    })))
}

/// The definitions under the session's snapshot, as the target's version takes them.
async fn definitions(reader: &Session, before: &mut Before) -> Result<Catalog, Error> {
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
async fn read(session: &Session, before: Option<Remembered>) -> Result<Catalog, catalog::Error> {
    if let Some(before) = before
        && let Some(catalog) = before.recall(session).await?
    {
        return Ok(catalog);
    }
    catalog::load(session).await
}

/// Creates the slot. No lock on a table is held meanwhile: the creation waits for every transaction that has
/// written, and one of those may want any lock.
async fn create_slot(
    source: &Endpoint,
    name: &SlotName,
    scope: &Scope,
) -> Result<(wire::Connection<wire::Idle>, wire::CreatedSlot), Error> {
    if drop_leftover(source, name).await? {
        let note = format!("replication slot {name} of an earlier attempt was dropped");
        scope.events.emit(Event::Note(note)).await;
    }
    let mut connection = source.replication().await.map_err(Error::Connect)?;
    let key = connection.cancel_key();
    let slot = name.clone();
    let creation = Background::spawn(async move {
        let created = connection
            .create_logical_slot(&slot, false, SlotSnapshot::Export)
            .await;
        (connection, created)
    });
    let creation = creation.join();
    tokio::pin!(creation);
    let abandoned = tokio::select! {
        biased;
        done = &mut creation => return match done {
            (connection, Ok(slot)) => Ok((connection, slot)),
            (_, Err(error)) => Err(Error::Replication(error)),
        },
        () = scope.stop.cancelled() => Error::Stopped,
        error = wait_for_transactions(source, scope) => error,
    };
    // The server does not notice a closed connection while it waits for transactions.
    if let Some(key) = key {
        source.cancel(&key).await.map_err(Error::Connect)?;
    }
    // Until it has cleared up, the slot's name is taken.
    drop(tokio::time::timeout(CLEARING, creation).await);
    Err(abandoned)
}

/// Reports whom a slot's creation waits for; returns when it has waited for too long.
async fn wait_for_transactions(source: &Endpoint, scope: &Scope) -> Error {
    let (begun, limit) = (Instant::now(), source.lock_limit());
    let (mut told, mut session) = (false, None);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let is_over = begun.elapsed() >= limit;
        if !is_over && (told || begun.elapsed() < SILENCE) {
            continue;
        }
        let holders = match old_transactions(source, &mut session).await {
            Ok(holders) => holders,
            Err(error) => {
                tracing::debug!(%error, "old transactions could not be looked for");
                session = None;
                Vec::new()
            }
        };
        if is_over {
            return Error::SlotWaits {
                seconds: begun.elapsed().as_secs(),
                holders: holders.join("; "),
            };
        }
        told = !holders.is_empty();
        for holder in holders {
            let text = format!("the slot waits for an older transaction: {holder}");
            scope.events.emit(Event::Warning(text)).await;
        }
    }
}

async fn old_transactions(
    source: &Endpoint,
    session: &mut Option<Session>,
) -> Result<Vec<String>, crate::connect::Error> {
    let session = match session {
        Some(session) => session,
        None => session.insert(source.session(Purpose::Introspect).await?),
    };
    lock::old_transactions(session).await
}
