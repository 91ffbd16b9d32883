//! Reads the definitions of a database under the snapshot of an attempt.

use super::attempts::AttemptResult;
use super::consistent_point::CheckedDatabase;
use crate::catalog::load::cached::CachedCatalog;
use crate::catalog::load::lock_batches::set_savepoint;
use crate::catalog::load::quoting::quote_for;
use crate::catalog::{self, Catalog};
use crate::connect::Session;
use crate::event::WithCauses as _;
use crate::snapshot::error::Error;
use crate::snapshot::stop::run_stoppable;
use crate::task::Scope;

/// The definitions, or why the attempt has failed without them.
pub(super) enum Definitions {
    Read(Box<Catalog>),
    Failed(AttemptResult),
}

/// Reads the definitions under the reader's snapshot.
pub(super) async fn read_definitions(
    reader: &Session,
    database: &mut CheckedDatabase,
    scope: &Scope,
) -> Result<Definitions, Error> {
    let readers = [reader];
    let reading = run_stoppable(&readers, scope, read_for_target(reader, database));
    match Box::pin(reading).await {
        Ok(catalog) => Ok(Definitions::Read(Box::new(catalog))),
        // A view, or another object that the locks on tables do not cover, is being changed.
        Err(Error::Catalog(error)) if error.is_lock_conflict() => {
            let what = Error::Catalog(error).chain();
            Ok(Definitions::Failed(AttemptResult::Disturbed(what)))
        }
        // The deparse functions read the latest state: the object that they were asked about is gone.
        Err(Error::Catalog(error)) if error.is_of_change() => {
            let error = Error::Catalog(error);
            Ok(Definitions::Failed(AttemptResult::Vanished(error)))
        }
        Err(error) => Err(error),
    }
}

/// Reads the definitions as the target's version accepts them.
async fn read_for_target(
    reader: &Session,
    database: &mut CheckedDatabase,
) -> Result<Catalog, Error> {
    if let Some(target) = database.target {
        quote_for(reader, target).await.map_err(Error::Lease)?;
    }
    set_savepoint(reader).await.map_err(Error::Lock)?;
    let read = read_or_reuse(reader, database.definitions.take()).await;
    read.map_err(Error::Catalog)
}

/// Uses the cached definitions if nothing has changed since, or loads them.
async fn read_or_reuse(
    session: &Session,
    cached: Option<CachedCatalog>,
) -> Result<Catalog, catalog::Error> {
    if let Some(cached) = cached
        && let Some(catalog) = cached.load_if_unchanged(session).await?
    {
        return Ok(catalog);
    }
    catalog::load_catalog(session).await
}
