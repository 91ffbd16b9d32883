use super::{DATABASE, Error};
use crate::connect::{Endpoint, Purpose};
use crate::pg::Sql;

/// Counts the replication objects of both servers: publications, slots, subscriptions, origins.
///
/// # Errors
/// A server cannot be reached or read.
pub(super) async fn count_objects(source: &Endpoint, target: &Endpoint) -> Result<i64, Error> {
    let on_source = Sql::fixed(
        "SELECT (SELECT count(*) FROM pg_catalog.pg_publication) \
              + (SELECT count(*) FROM pg_catalog.pg_replication_slots)",
    );
    let on_target = Sql::fixed(
        "SELECT (SELECT count(*) FROM pg_catalog.pg_subscription) \
              + (SELECT count(*) FROM pg_catalog.pg_replication_origin)",
    );
    let source = count(&source.with_database(DATABASE), &on_source).await?;
    Ok(source + count(target, &on_target).await?)
}

async fn count(server: &Endpoint, sql: &Sql) -> Result<i64, Error> {
    let session = server.session(Purpose::Introspect).await;
    let session = session.map_err(Error::Connect)?;
    let row = session.query_one(sql, &[]).await.map_err(Error::Shop)?;
    Ok(row.get(0))
}
