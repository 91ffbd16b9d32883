//! How many connections a copy opens. Whoever keeps another session open adds it here; a test counts the
//! sessions of a run on both servers.

use crate::connect::ConnectionNeed;

/// On the source.
pub const SOURCE_NEED: ConnectionNeed = ConnectionNeed {
    fixed: LEASES + LOCKS + SLOT + READER + ROW_VERSIONS + WAITERS + SLOT_WATCH,
    // Rows or large objects: a worker reads one of them at a time.
    per_worker: 1,
};

/// On the target.
pub const TARGET_NEED: ConnectionNeed = ConnectionNeed {
    // What waits until the target has flushed.
    fixed: 1,
    // What writes rows or large objects, and what builds upon them.
    per_worker: 2,
};

/// Sessions that keep the snapshot importable.
const LEASES: i64 = 2;

/// The session that holds the locks on tables.
const LOCKS: i64 = 1;

/// The connection that has created the slot.
const SLOT: i64 = 1;

/// The session that reads the catalog under the snapshot.
const READER: i64 = 1;

/// The session that compares the versions of catalog rows.
const ROW_VERSIONS: i64 = 1;

/// The session that looks for sessions that wait for our locks.
const WAITERS: i64 = 1;

/// The session that looks after slots.
const SLOT_WATCH: i64 = 1;
