//! Whether databases of the target are in use: by a killed run, by slots, by subscriptions.

use std::time::{Duration, Instant};

use crate::cluster::maintenance;
use crate::connect::{Endpoint, Session};
use crate::migrate::error::Error;
use crate::pg::{Ident, Sql};
use crate::task::Scope;

/// How long the work of a killed run on databases is waited for.
const SETTLING: Duration = Duration::from_secs(60);

/// How often it is looked for.
const AGAIN: Duration = Duration::from_millis(100);

/// Waits until no session of ours creates or drops a database of the target. A server continues with that after
/// its client was killed, and nobody else sees a new database before it is complete.
///
/// # Errors
/// The target cannot be asked, or the scope was stopped.
pub(crate) async fn wait_until_settled(session: &Session, scope: &Scope) -> Result<(), Error> {
    let at_work = Sql::fixed(
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity \
          WHERE application_name LIKE 'postgres-seren-replicator/%' AND state = 'active' \
            AND (query LIKE 'CREATE DATABASE %' OR query LIKE 'DROP DATABASE %')",
    );
    let begun = Instant::now();
    while begun.elapsed() < SETTLING {
        let found = session.query_one(&at_work, &[]).await;
        let found: i64 = found
            .map_err(Error::examine(crate::pg::Side::Target))?
            .get(0);
        if found == 0 {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = scope.stop.cancelled() => return Err(Error::Stopped),
        }
    }
    Ok(())
}

/// Finds a slot in the database, or a subscription in it that is none of `own`.
pub(crate) async fn find_user(
    target: &Endpoint,
    name: &str,
    own: &[Ident],
) -> Result<Option<String>, Error> {
    let examine = Error::examine(crate::pg::Side::Target);
    let session = maintenance::open_session_outside(target, name).await?;
    let sql = Sql::fixed(
        "SELECT 'replication slot ' || slot_name FROM pg_catalog.pg_replication_slots \
           WHERE database = $1::text::name \
         UNION ALL \
         SELECT 'subscription ' || s.subname FROM pg_catalog.pg_subscription s \
           JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
          WHERE d.datname = $1::text::name AND s.subname::text <> ALL ($2::text[]) \
         LIMIT 1",
    );
    let own: Vec<&str> = own.iter().map(Ident::as_str).collect();
    let rows = session.query(&sql, &[&name, &own]).await;
    let rows = rows.map_err(examine)?;
    Ok(rows.first().map(|row| row.get(0)))
}
