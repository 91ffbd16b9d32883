//! The keys by which a run locks the databases that it works on.

use crate::catalog::cluster::Database;
use crate::cluster::run_lock::LockKey;
use crate::migrate::options::Options;

/// The keys of one database.
#[derive(Debug)]
pub(crate) struct DatabaseKeys {
    /// On the source, where the database is to replicate.
    pub(crate) source: Option<LockKey>,
    /// On the target.
    pub(crate) target: LockKey,
}

/// Returns the keys by which a run locks a database.
pub(crate) fn lock_keys(options: &Options, database: &Database) -> DatabaseKeys {
    let name = database.name.as_str();
    let publication = &options.replication.publication;
    let on_source = LockKey::of_source(name, database.oid, publication);
    DatabaseKeys {
        source: options.creates_replication().then_some(on_source),
        target: LockKey::of_target(options.map.target(name)),
    }
}
