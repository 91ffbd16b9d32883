//! Shared parts of tests: databases on shared clusters, oracles, our program as a process.

pub(crate) mod application;
pub(crate) mod busy;
pub(crate) mod command;
pub(crate) mod cut;
pub(crate) mod distance;
pub(crate) mod follow;
pub(crate) mod gate;
pub(crate) mod installation;
pub(crate) mod operators;
pub(crate) mod oracle;
pub(crate) mod others;
pub(crate) mod pair;
pub(crate) mod pooler;
pub(crate) mod random;
pub(crate) mod route;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod silent;
pub(crate) mod standby;
pub(crate) mod terminal;
pub(crate) mod times;
pub(crate) mod wait;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use seren_replicator::connect::{Endpoint, Environment, Purpose, Session};
use seren_replicator::pg::{Ident, Sql};
use seren_replicator::sandbox::{Shared, join_shared};
use seren_replicator::sql;

pub(crate) use wait::{wait_for, wait_until, wait_until_true};

/// The superuser's URL with another role in its place, which may have a password (`role:password`).
pub(crate) fn url_as(role: &str, url: &str) -> String {
    url.replacen("//postgres@", &format!("//{role}@"), 1)
}

/// A number from the environment.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// SQL that a test wrote.
pub(crate) fn text(sql: &str) -> Sql {
    Sql::deparsed(sql)
}

/// An endpoint that knows nothing of this machine's environment.
pub(crate) fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url, &Environment::default()).unwrap()
}

/// A session that may write.
pub(crate) async fn database(url: &str) -> Session {
    endpoint(url).session(Purpose::Control).await.unwrap()
}

/// Runs statements, some of which the simple protocol would not take in one transaction.
pub(crate) async fn run(url: &str, sql: &str) {
    let session = database(url).await;
    if let Err(error) = session.batch(&text(sql)).await {
        panic!("{error:?}\n{sql}");
    }
}

/// The one value of a query, as text.
pub(crate) async fn value(url: &str, sql: &str) -> String {
    let session = database(url).await;
    let rows = session.rows(&text(sql)).await.unwrap();
    rows[0].get(0).unwrap_or("NULL").to_owned()
}

/// The shared cluster of a major, held for the life of this process.
pub(crate) fn cluster(major: u32) -> &'static Shared {
    static CLUSTERS: OnceLock<Mutex<HashMap<u32, &'static Shared>>> = OnceLock::new();
    let clusters = CLUSTERS.get_or_init(Mutex::default);
    let mut clusters = clusters
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    clusters
        .entry(major)
        .or_insert_with(|| Box::leak(Box::new(join_shared(major).unwrap())))
}

/// A name that no other test uses.
pub(crate) fn fresh_name(hint: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{hint}_{}_{count}", std::process::id())
}

/// A database of its own on the shared cluster of a major; its URL.
pub(crate) async fn fresh_database(major: u32, hint: &str) -> String {
    let name = fresh_name(hint);
    let admin = database(&cluster(major).url("postgres")).await;
    let create = sql!(
        "CREATE DATABASE {} TEMPLATE template0",
        Ident::from_catalog(&name)
    );
    admin.batch(&create).await.unwrap();
    cluster(major).url(&name)
}
