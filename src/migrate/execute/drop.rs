//! Drops a database of the target, and only the one that is meant, with what it is known to hold.
//!
//! `DROP DATABASE` goes by name, and somebody may rename, replace or fill a database at any moment. So:
//!
//! ```text
//! inside   a session in the database: its oid is the expected one, and nobody can rename it any more
//! beside   ALLOW_CONNECTIONS false, end all other sessions: nobody can add anything any more
//! inside   what does the database hold? not what is expected: all back, and refuse
//! beside   DROP DATABASE … WITH (FORCE), which ends the session inside
//! ```
//!
//! A server of version 12 knows no `FORCE`: there the session inside ends right before the `DROP`.

use std::time::Duration;

use crate::cluster::maintenance;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::logical::{FoundSubscription, SUBSCRIPTION, drop_subscription, find_subscription};
use crate::migrate::error::Error;
use crate::migrate::journal::{self, Foreign};
use crate::migrate::target_use::find_user;
use crate::pg::{Ident, Oid, ServerVersion, Side, Sql, SqlState};
use crate::sql;

/// A database of the target, by name and oid: somebody may have put another one into its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetDatabase<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its oid.
    pub(crate) oid: Oid,
}

impl TargetDatabase<'_> {
    /// Opens a session in the database, and only in this one.
    ///
    /// # Errors
    /// It cannot be connected to, or it is another one.
    pub(crate) async fn open_session(self, target: &Endpoint) -> Result<Session, Error> {
        let Self { name, oid } = self;
        let side = Side::Target;
        let session = target.with_database(name).session(Purpose::Build).await;
        let session = session.map_err(Error::connect(side))?;
        let own = Sql::fixed(
            "SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
        );
        let found = session.query_one(&own, &[]).await;
        let found: u32 = found.map_err(Error::examine(side))?.get(0);
        if Oid(found) == oid {
            Ok(session)
        } else {
            let database = name.to_owned();
            Err(Error::Replaced { database })
        }
    }
}

/// What a database must hold to be dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected<'a> {
    /// Nothing but what our runs created in it.
    Ours {
        /// What was recorded when the journal was dropped.
        seal: Option<&'a str>,
    },
    /// What the user was shown.
    Shown {
        /// The digest of it.
        digest: &'a str,
        /// The subscriptions in it that are dropped with it.
        subscribed: &'a [FoundSubscription],
    },
}

impl Expected<'_> {
    /// The subscriptions that do not keep the database from being dropped.
    fn subscriptions(self) -> Vec<Ident> {
        match self {
            Self::Ours { .. } => vec![Ident::from_catalog(SUBSCRIPTION)],
            Self::Shown { subscribed, .. } => {
                subscribed.iter().map(|one| one.name.clone()).collect()
            }
        }
    }
}

/// What `pg_database` says of a database.
struct Found {
    name: Ident,
    oid: Oid,
    allows_connections: bool,
    is_template: bool,
    is_valid: bool,
}

/// How often sessions are looked for that were ended.
const ATTEMPTS: u32 = 100;

/// How long they are waited for each time.
const PAUSE: Duration = Duration::from_millis(50);

/// Drops a database; none of this name is fine.
///
/// # Errors
/// It was replaced, is used by replication, or holds something else than expected: it is then left as it
/// was. Or the target refuses.
pub(crate) async fn drop_database(
    target: &Endpoint,
    database: TargetDatabase<'_>,
    expected: Expected<'_>,
) -> Result<(), Error> {
    let TargetDatabase { name, oid } = database;
    let beside = maintenance::open_session_outside(target, name).await?;
    let Some(found) = find_database(&beside, name).await? else {
        return Ok(());
    };
    let ident = Ident::from_catalog(name);
    if found.oid != oid {
        let database = name.to_owned();
        return Err(Error::Replaced { database });
    }
    let refused = Error::change("drop", name);
    if !found.is_valid {
        // Its files may be gone already: nothing can be done but to end what was begun.
        let drop = sql!("DROP DATABASE {}", ident);
        return beside.batch(&drop).await.map_err(refused);
    }
    if !found.allows_connections {
        // A drop of ours was killed, or the user shut what we made.
        allow_connections(&beside, &ident, true)
            .await
            .map_err(refused)?;
    }
    let inside = database.open_session(target).await?;
    if let Some(by) = find_user(target, name, &expected.subscriptions()).await? {
        let database = name.to_owned();
        return Err(Error::InUse { database, by });
    }
    allow_connections(&beside, &ident, false)
        .await
        .map_err(refused)?;
    let dropped = drop_shut(&beside, inside, &found, expected).await;
    if dropped.is_err() {
        reopen_database(&beside, &found).await;
    }
    dropped
}

async fn find_database(beside: &Session, name: &str) -> Result<Option<Found>, Error> {
    let ask = Sql::fixed(
        "SELECT oid, datallowconn, datistemplate, datconnlimit <> -2 \
           FROM pg_catalog.pg_database WHERE datname = $1::text::name",
    );
    let rows = beside.query(&ask, &[&name]).await;
    let rows = rows.map_err(Error::examine(Side::Target))?;
    Ok(rows.first().map(|row| Found {
        name: Ident::from_catalog(name),
        oid: Oid(row.get(0)),
        allows_connections: row.get(1),
        is_template: row.get(2),
        is_valid: row.get(3),
    }))
}

async fn allow_connections(
    beside: &Session,
    name: &Ident,
    whether: bool,
) -> Result<(), connect::Error> {
    beside.batch(&render_allow(name, whether)).await
}

/// Lets sessions into a database, or keeps new ones out.
pub(crate) fn render_allow(name: &Ident, whether: bool) -> Sql {
    let word = Sql::fixed(if whether { "true" } else { "false" });
    sql!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}", name, word)
}

/// A template cannot be dropped.
pub(crate) fn render_no_template(name: &Ident) -> Sql {
    sql!("ALTER DATABASE {} WITH IS_TEMPLATE false", name)
}

/// Drops a database, with the session that kept it from being renamed where the server can end it.
pub(crate) fn render_drop(name: &Ident, version: ServerVersion) -> Sql {
    let forced = Sql::fixed(if version.has_forced_drop() {
        " WITH (FORCE)"
    } else {
        ""
    });
    sql!("DROP DATABASE {}{}", name, forced)
}

/// Brings back what a drop that is not carried out has changed.
async fn reopen_database(beside: &Session, found: &Found) {
    let name = &found.name;
    let mut opened = allow_connections(beside, name, true).await;
    if found.is_template && opened.is_ok() {
        let template = sql!("ALTER DATABASE {} WITH IS_TEMPLATE true", name);
        opened = beside.batch(&template).await;
    }
    if let Err(error) = opened {
        tracing::warn!(
            %error,
            database = %name,
            "the database could not be opened again; run: ALTER DATABASE … WITH ALLOW_CONNECTIONS true"
        );
    }
}

/// Drops a database that takes no connections.
async fn drop_shut(
    beside: &Session,
    inside: Session,
    found: &Found,
    expected: Expected<'_>,
) -> Result<(), Error> {
    let name = &found.name;
    let database = || name.as_str().to_owned();
    let refused = Error::change("drop", name.as_str());
    let by = end_sessions(beside, &inside, found.oid)
        .await
        .map_err(refused)?;
    if let Some(by) = by {
        let database = database();
        return Err(Error::InUse { database, by });
    }
    check_contents(&inside, name, expected).await?;
    let preparing = async {
        if let Expected::Shown { subscribed, .. } = expected {
            drop_subscriptions(&inside, subscribed).await?;
        }
        if found.is_template {
            beside.batch(&render_no_template(name)).await?;
        }
        Ok(())
    };
    preparing.await.map_err(refused)?;
    if inside.version().has_forced_drop() {
        let dropped = beside.batch(&render_drop(name, inside.version())).await;
        drop(inside);
        return dropped.map_err(refused);
    }
    drop(inside);
    drop_by_name(beside, name, found.oid).await
}

/// Drops those subscriptions that still exist: the server does not drop a database with one.
async fn drop_subscriptions(
    inside: &Session,
    subscribed: &[FoundSubscription],
) -> Result<(), connect::Error> {
    for before in subscribed {
        let found = find_subscription(inside, &before.name).await?;
        if found.is_some_and(|found| found.oid == before.oid) {
            drop_subscription(inside, &before.name).await?;
        }
    }
    Ok(())
}

/// Refuses a database that holds something else than expected.
async fn check_contents(
    inside: &Session,
    name: &Ident,
    expected: Expected<'_>,
) -> Result<(), Error> {
    let examine = Error::examine(Side::Target);
    let database = name.as_str().to_owned();
    match expected {
        Expected::Ours { seal } => match journal::find_foreign_objects(inside, seal)
            .await
            .map_err(examine)?
        {
            None => Ok(()),
            Some(objects) => Err(Error::NotOurs {
                database,
                objects: objects.to_string(),
            }),
        },
        Expected::Shown { digest, .. } => {
            if journal::load_digest(inside).await.map_err(examine)? == digest {
                return Ok(());
            }
            let newest = journal::load_newest_objects(inside)
                .await
                .map_err(examine)?;
            let none = || "none any more".to_owned();
            let objects = newest.map_or_else(none, |newest: Foreign| newest.to_string());
            Err(Error::Changed { database, objects })
        }
    }
}

/// Ends all sessions in a database but one; who cannot be ended, in words.
async fn end_sessions(
    beside: &Session,
    inside: &Session,
    database: Oid,
) -> Result<Option<String>, connect::Error> {
    let own = inside
        .query_one(&Sql::fixed("SELECT pg_catalog.pg_backend_pid()"), &[])
        .await?;
    let own: i32 = own.get(0);
    let end = Sql::fixed(
        "SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
          WHERE datid = $1::oid AND pid <> $2::int AND usesysid IS NOT NULL",
    );
    let mut left = Vec::new();
    for _ in 0..ATTEMPTS {
        left = beside.query(&end, &[&database.0, &own]).await?;
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if let Some(row) = left.first() {
        let pid: i32 = row.get(0);
        return Ok(Some(format!(
            "process {pid} of the server, which does not end"
        )));
    }
    let prepared = Sql::fixed(
        "SELECT 'prepared transaction ' || p.gid FROM pg_catalog.pg_prepared_xacts p \
           JOIN pg_catalog.pg_database d ON d.datname = p.database WHERE d.oid = $1::oid LIMIT 1",
    );
    let rows = beside.query(&prepared, &[&database.0]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Drops a database whose last session is just ending. Nobody can connect to it meanwhile.
async fn drop_by_name(beside: &Session, name: &Ident, oid: Oid) -> Result<(), Error> {
    let database = || name.as_str().to_owned();
    let refused = Error::change("drop", name.as_str());
    let drop = sql!("DROP DATABASE {}", name);
    let mut attempts = 0;
    loop {
        match find_database(beside, name.as_str()).await? {
            Some(found) if found.oid == oid && !found.allows_connections => {}
            _ => {
                return Err(Error::Replaced {
                    database: database(),
                });
            }
        }
        attempts += 1;
        match beside.batch(&drop).await {
            Err(error)
                if error.sqlstate() == Some(SqlState::OBJECT_IN_USE) && attempts < ATTEMPTS =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            other => return other.map_err(refused),
        }
    }
}
