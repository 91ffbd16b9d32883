//! The consistent point of one database: what is locked, what the snapshot shows, and where the
//! log goes on from there.
//!
//! The order is the guarantee. Tables are listed and locked, and the publication is made to list them;
//! *then* the slot is made, which waits
//! for older transactions and exports the snapshot of its consistent point; *then* the catalog
//! is read under that snapshot and compared with what was locked. Whatever DDL slipped in between
//! shows as a difference, and the basis is made anew.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tokio::time::{Duration, Instant};

use super::Error;
use super::lease::SnapshotLease;
use super::lock::{self, ListedTable, TableLocks};
use crate::catalog::load::quoting::quote_for;
use crate::catalog::load::remembered::Remembered;
use crate::catalog::load::turns::set_savepoint;
use crate::catalog::{self, Catalog};
use crate::connect::{Endpoint, Purpose, Session};
use crate::event::Event;
use crate::logical::{FormerIdentity, Publisher, drop_slot, find_slot};
use crate::pg::{Lsn, Oid, QualifiedName, ServerVersion, SlotName, SqlState};
use crate::task::{Background, Scope};
use crate::wire::{self, SlotSnapshot};

/// How often the basis is made anew because of DDL before the run gives up.
const ATTEMPTS: u32 = 3;

/// How often a slot's creation looks for sessions that wait for our locks.
const LOOK: Duration = Duration::from_millis(500);

/// How long the server may take to give up a slot's creation once it is told to.
const CLEARING: Duration = Duration::from_secs(3);

/// When a slot's creation that waits for older transactions says whom it waits for.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// The connection that made the slot.
    exporter: Option<wire::Connection<wire::Idle>>,
}

impl Hold {
    /// Lets go of the locks, and keeps the snapshot. Tables read from now on are compared with what
    /// they were.
    pub fn unlock(&mut self) {
        if let Some(locks) = self.locks.take() {
            self.unlocked = locks.tables().to_vec();
        }
    }

    /// Ends snapshot and locks. The slot stays: whoever began the run drops it if that fails.
    pub async fn release(self) {
        let Self {
            lease,
            locks,
            exporter,
            ..
        } = self;
        drop(lease);
        drop(locks);
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
}

/// Makes the basis of the database that `source` names.
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
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let attempted = Box::pin(attempt(source, kind, &mut before, scope)).await;
        match cleared(source, kind, attempted).await? {
            Attempt::Settled(basis) => return Ok(*basis),
            Attempt::Disturbed(what) => {
                let note = format!(
                    "definitions changed while the snapshot was made ({what}); beginning again"
                );
                scope.events.emit(Event::Note(note)).await;
                last = what;
            }
        }
    }
    Err(Error::Unsettled { what: last })
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
    match (attempted, drop_leftover(source, name).await) {
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

async fn attempt(
    source: &Endpoint,
    kind: &PointKind,
    before: &mut Before,
    scope: &Scope,
) -> Result<Attempt, Error> {
    let locks = Box::pin(TableLocks::take(source, &before.left_out, scope)).await?;
    let Some(locks) = published(source, before, locks).await? else {
        let what = "the publication did not list every table".to_owned();
        return Ok(Attempt::Disturbed(what));
    };
    let (exporter, consistent_point, lease) = match kind {
        PointKind::SnapshotOnly => (None, None, SnapshotLease::take(source, None, scope).await?),
        PointKind::Slot(name) => match create_slot(source, name, &locks, scope).await? {
            Created::Slot(connection, slot) => {
                let snapshot = slot.snapshot_name.as_deref();
                let lease = SnapshotLease::take(source, snapshot, scope).await?;
                (Some(connection), Some(slot.consistent_point), lease)
            }
            Created::Disturbed(what) => return Ok(Attempt::Disturbed(what)),
        },
    };
    let session = lease.session().await?;
    let seen = lock::list_tables(&session, &before.left_out).await;
    let seen = seen.map_err(Error::Lock)?;
    if let Some(what) = difference(locks.tables(), &seen) {
        return Ok(Attempt::Disturbed(what));
    }
    if let Some(target) = before.target {
        quote_for(&session, target).await.map_err(Error::Lease)?;
    }
    set_savepoint(&session).await.map_err(Error::Lock)?;
    match read(&session, before.definitions.take()).await {
        Ok(mut catalog) => {
            let publisher = before.publisher.as_ref();
            let identities = publisher.map(|one| one.identities()).unwrap_or_default();
            bring_back(&mut catalog, &identities);
            let unlocked = if locks.are_locked() {
                Vec::new()
            } else {
                locks.tables().to_vec()
            };
            let hold = Hold {
                lease,
                locks: Some(locks),
                unlocked,
                exporter,
            };
            let basis = Basis {
                catalog,
                consistent_point,
                hold,
            };
            Ok(Attempt::Settled(Box::new(basis)))
        }
        // The deparse functions look at the latest state: what they were asked about is gone.
        Err(error) if error.sqlstate().is_some_and(vanished) => {
            Ok(Attempt::Disturbed(error.to_string()))
        }
        Err(error) => Err(Error::Catalog(error)),
    }
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

/// Whether a code means that a definition vanished between the snapshot and now.
fn vanished(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::INTERNAL_ERROR
            | SqlState::UNDEFINED_OBJECT
            | SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_FUNCTION
    )
}

/// The first table that is not under the snapshot what it was when locked.
fn difference(locked: &[ListedTable], seen: &[ListedTable]) -> Option<String> {
    let known: HashMap<Oid, &ListedTable> = locked.iter().map(|table| (table.oid, table)).collect();
    let shown: HashSet<Oid> = seen.iter().map(|table| table.oid).collect();
    let made = |table: &ListedTable| format!("table {} was made", table.name);
    let changed = seen.iter().find_map(|table| match known.get(&table.oid) {
        Some(before) if *before == table => None,
        Some(_) => Some(format!("table {} was altered", table.name)),
        None => Some(made(table)),
    });
    // Locked and not shown: it was made by a transaction that the snapshot does not include.
    changed.or_else(|| {
        locked
            .iter()
            .find(|table| !shown.contains(&table.oid))
            .map(made)
    })
}

enum Created {
    Slot(wire::Connection<wire::Idle>, wire::CreatedSlot),
    Disturbed(String),
}

/// Creates the slot, unless a session that waits for our locks stands in the way.
///
/// The creation waits for every transaction that has written. If one of those waits for our table
/// locks, neither would ever go on, and the server's deadlock detector does not see it: our lock
/// session waits for nothing. The locks then give way.
async fn create_slot(
    source: &Endpoint,
    name: &SlotName,
    locks: &TableLocks,
    scope: &Scope,
) -> Result<Created, Error> {
    if drop_leftover(source, name).await? {
        let note = format!("replication slot {name}, left by an earlier run, was dropped");
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
            (connection, Ok(slot)) => Ok(Created::Slot(connection, slot)),
            (_, Err(error)) => Err(Error::Replication(error)),
        },
        () = scope.stop.cancelled() => Err(Error::Stopped),
        found = wait_in_the_way(source, locks, scope) => found.map(Created::Disturbed),
    };
    // The server does not notice a closed connection while it waits for transactions.
    if let Some(key) = key {
        source.cancel(&key).await.map_err(Error::Connect)?;
    }
    // Until it has cleared up, the slot's name is taken.
    drop(tokio::time::timeout(CLEARING, creation).await);
    abandoned
}

/// Returns when a session waits for our locks, with what it does. Reports once whom the creation
/// waits for.
async fn wait_in_the_way(
    source: &Endpoint,
    locks: &TableLocks,
    scope: &Scope,
) -> Result<String, Error> {
    let session = source
        .session(Purpose::Introspect)
        .await
        .map_err(Error::Connect)?;
    let begun = Instant::now();
    let mut told = false;
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let waiters = lock::waiters(&session, locks.pid()).await?;
        if let Some(waiter) = waiters.iter().find(|waiter| waiter.holds_up_writers) {
            return Ok(format!("{waiter} waited for a table lock"));
        }
        if !told && begun.elapsed() > PATIENCE {
            told = true;
            for holder in lock::old_transactions(&session).await? {
                let text = format!("the slot waits for an older transaction: {holder}");
                scope.events.emit(Event::Warning(text)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lock::listed;
    use super::*;

    #[test]
    fn the_same_tables_are_no_difference() {
        let tables = [listed(1, "a", "r:1"), listed(2, "b", "r:2")];
        assert_eq!(difference(&tables, &tables), None);
    }

    #[test]
    fn a_rewrite_a_new_and_a_missing_table_are_named() {
        let locked = [listed(1, "a", "r:1")];
        let rewritten = [listed(1, "a", "r:9")];
        assert_eq!(
            difference(&locked, &rewritten).unwrap(),
            "table s.a was altered"
        );
        let more = [listed(1, "a", "r:1"), listed(2, "b", "r:2")];
        assert_eq!(difference(&locked, &more).unwrap(), "table s.b was made");
        assert_eq!(difference(&more, &locked).unwrap(), "table s.b was made");
    }
}
