//! Reads the default privileges of a database.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::acl::DefaultAcl;
use crate::connect::Session;

const WHAT: &str = "default privileges";

/// Reads `pg_default_acl`. On the target it shows what would leak into objects created there.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_default_acls(session: &Session) -> Result<Vec<DefaultAcl>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/default_acl.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(DefaultAcl {
                role: row.name("role")?,
                schema: row.optional_name("schema")?,
                schema_oid: row.oid("schema_oid")?,
                kind: row.value::<&str>("kind")?.parse()?,
                acl: row.acl("acl")?,
                base: row.acl("base")?,
            })
        })
        .collect()
}
