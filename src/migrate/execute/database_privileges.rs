//! The right to create objects in schemas, which owners need while objects are given to them, in a database that is in
//! use: only what they lack is granted, and revoked again.

use crate::connect::{Endpoint, Purpose};
use crate::ddl::{self, Script};
use crate::migrate::error::Error;
use crate::pg::{Ident, Side, Sql};
use crate::sql;

/// A right that was granted for the time of a run.
pub(crate) struct GrantedCreate {
    schema: Ident,
    owner: Ident,
}

/// The schemas in which an owner of the script's objects may not create.
const LACKING: &str = "\
SELECT n.nspname::text, r.rolname::text
  FROM pg_catalog.pg_namespace n, pg_catalog.pg_roles r
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')
   AND r.rolname = ANY ($1::text[]::name[])
   AND NOT pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')";

/// Grants the owners of a script's objects the right to create in the schemas, where they lack it.
///
/// # Errors
/// The target cannot be asked, or refuses.
pub(crate) async fn grant_create(
    target: &Endpoint,
    script: &Script,
    options: &ddl::Options,
) -> Result<Vec<GrantedCreate>, Error> {
    if options.target.is_superuser || script.owners.is_empty() {
        return Ok(Vec::new());
    }
    let (examine, owners) = (Error::examine(Side::Target), script.owners.keys());
    let owners: Vec<&str> = owners.map(Ident::as_str).collect();
    let session = target.session(Purpose::Build).await;
    let session = session.map_err(Error::connect(Side::Target))?;
    let rows = session.query(&Sql::fixed(LACKING), &[&owners]).await;
    let lacking = rows.map_err(examine)?;
    let lacking: Vec<GrantedCreate> = lacking
        .iter()
        .map(|row| GrantedCreate {
            schema: Ident::from_catalog(row.get::<_, String>(0)),
            owner: Ident::from_catalog(row.get::<_, String>(1)),
        })
        .collect();
    let grants = lacking
        .iter()
        .map(|one| sql!("GRANT CREATE ON SCHEMA {} TO {}", one.schema, one.owner));
    let grants = Sql::join(grants, "; ");
    if !grants.as_str().is_empty() {
        session.batch(&grants).await.map_err(examine)?;
    }
    Ok(lacking)
}

/// Revokes what was granted.
///
/// # Errors
/// The target cannot be reached, or refuses.
pub(crate) async fn revoke_create(
    target: &Endpoint,
    granted: &[GrantedCreate],
) -> Result<(), Error> {
    if granted.is_empty() {
        return Ok(());
    }
    let session = target.despite_stop().session(Purpose::Build).await;
    let session = session.map_err(Error::connect(Side::Target))?;
    let revokes = granted
        .iter()
        .map(|one| sql!("REVOKE CREATE ON SCHEMA {} FROM {}", one.schema, one.owner));
    let revoked = session.batch(&Sql::join(revokes, "; ")).await;
    revoked.map_err(Error::examine(Side::Target))
}
