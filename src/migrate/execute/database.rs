//! Makes and configures databases of the target.

use crate::cluster::maintenance;
use crate::connect::Endpoint;
use crate::ddl::cluster::database::{FinishStatement, Omission};
use crate::migrate::error::Error;
use crate::pg::{Oid, Sql, SqlState};

/// Creates a database.
///
/// # Errors
/// The target refuses a statement.
pub(crate) async fn create_database(
    target: &Endpoint,
    name: &str,
    create: &Sql,
) -> Result<(), Error> {
    run_alone(target, "create", name, std::slice::from_ref(create)).await
}

/// The oid of a database, if there is one of this name.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn find_oid(target: &Endpoint, name: &str) -> Result<Option<Oid>, Error> {
    let session = maintenance::open_session_outside(target, name).await?;
    let ask = Sql::fixed("SELECT oid FROM pg_catalog.pg_database WHERE datname = $1::text::name");
    let rows = session.query(&ask, &[&name]).await;
    let rows = rows.map_err(Error::examine(crate::pg::Side::Target))?;
    Ok(rows.first().map(|row| Oid(row.get(0))))
}

/// Runs statements one by one, beside the database.
async fn run_alone(
    target: &Endpoint,
    what: &'static str,
    name: &str,
    statements: &[Sql],
) -> Result<(), Error> {
    let session = maintenance::open_session_outside(target, name).await?;
    for statement in statements {
        let done = session.batch(statement).await;
        done.map_err(Error::change(what, name))?;
    }
    Ok(())
}

/// Sets what may lock us out, such as settings and the connection limit, as the last step; what
/// was refused that may be.
///
/// # Errors
/// The target refuses a statement that must succeed.
pub(crate) async fn finish_database(
    target: &Endpoint,
    name: &str,
    statements: &[FinishStatement],
) -> Result<Vec<Omission>, Error> {
    let session = maintenance::open_session_outside(target, name).await?;
    let mut refused = Vec::new();
    for statement in statements {
        match (session.batch(&statement.sql).await, &statement.otherwise) {
            (Ok(()), _) => {}
            (Err(error), Some(otherwise)) if error.sqlstate().is_some_and(SqlState::is_refusal) => {
                tracing::debug!(%error, database = name, "a property was refused");
                refused.push(otherwise.clone());
            }
            (Err(source), _) => {
                return Err(Error::Database {
                    what: "configure",
                    database: name.to_owned(),
                    source,
                });
            }
        }
    }
    Ok(refused)
}
