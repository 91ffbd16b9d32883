//! Large objects: who owns them, who may use them, what is said of them. Their bytes are data.

use tokio_postgres::types::Type;

use super::row::Columns;
use crate::catalog::Error;
use crate::catalog::acl::Acl;
use crate::connect::Session;
use crate::pg::{Ident, Oid, Sql};

const WHAT: &str = "large objects";

/// A large object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeObject {
    /// Its number, which applications keep.
    pub oid: Oid,
    /// Its owner.
    pub owner: Ident,
    /// Its comment.
    pub comment: Option<String>,
    /// Its privileges.
    pub acl: Acl,
    /// The privileges it would have by itself.
    pub base: Acl,
}

/// Reads these large objects of a database, in the order of their numbers.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_large_objects(
    session: &Session,
    oids: &[u32],
) -> Result<Vec<LargeObject>, Error> {
    let sql = Sql::fixed(include_str!("../sql/large_objects.sql"));
    let rows = session
        .query_typed(&sql, &[(&oids, Type::OID_ARRAY)])
        .await
        .map_err(|source| Error::Query { what: WHAT, source })?;
    rows.iter()
        .map(|row| read_object(&Columns::new(WHAT, row)))
        .collect()
}

fn read_object(row: &Columns<'_>) -> Result<LargeObject, Error> {
    Ok(LargeObject {
        oid: row.oid("oid")?,
        owner: row.name("owner")?,
        comment: row.value("comment")?,
        acl: row.acl("acl")?,
        base: row.acl("base")?,
    })
}
