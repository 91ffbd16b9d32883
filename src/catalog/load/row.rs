use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::catalog::Error;
use crate::catalog::acl::{Acl, Grantee};
use crate::connect::Session;
use crate::pg::{Ident, Oid, Sql};

/// Runs a query of this module; `what` names the objects in errors.
pub(super) async fn query(
    session: &Session,
    what: &'static str,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    session
        .query(&Sql::fixed(sql), parameters)
        .await
        .map_err(|source| Error::Query { what, source })
}

/// A row whose columns are asked for by name and type; a mismatch is an error, not a panic.
pub(super) struct Columns<'a> {
    what: &'static str,
    row: &'a Row,
}

impl<'a> Columns<'a> {
    pub(super) fn new(what: &'static str, row: &'a Row) -> Self {
        Self { what, row }
    }

    /// The only row of an answer that has exactly one by construction.
    pub(super) fn only(what: &'static str, rows: &'a [Row]) -> Result<Self, Error> {
        match rows {
            [row] => Ok(Self { what, row }),
            _ => Err(Error::RowCount {
                what,
                rows: rows.len(),
            }),
        }
    }

    pub(super) fn value<T: FromSql<'a>>(&self, column: &'static str) -> Result<T, Error> {
        self.row.try_get(column).map_err(|source| Error::Column {
            what: self.what,
            column,
            source,
        })
    }

    pub(super) fn oid(&self, column: &'static str) -> Result<Oid, Error> {
        self.value(column).map(Oid)
    }

    pub(super) fn name(&self, column: &'static str) -> Result<Ident, Error> {
        self.value::<&str>(column).map(Ident::from_catalog)
    }

    pub(super) fn optional_name(&self, column: &'static str) -> Result<Option<Ident>, Error> {
        let name: Option<&str> = self.value(column)?;
        Ok(name.map(Ident::from_catalog))
    }
}

#[derive(serde::Deserialize)]
struct Exploded(Option<String>, Option<String>, String, bool);

impl Columns<'_> {
    /// An ACL as the queries give it: JSON of `[grantee, grantor, privilege, grantable]` in the
    /// array's order; the empty name is PUBLIC, null a role that no longer exists, which can hold
    /// nothing. NULL stands for an empty list.
    pub(super) fn acl(&self, column: &'static str) -> Result<Acl, Error> {
        let mut acl = Acl::default();
        let Some(text) = self.value::<Option<&str>>(column)? else {
            return Ok(acl);
        };
        let items: Vec<Exploded> =
            serde_json::from_str(text).map_err(|source| Error::Acl { column, source })?;
        for Exploded(grantee, grantor, privilege, grantable) in items {
            let (Some(grantee), Some(grantor)) = (grantee, grantor) else {
                continue;
            };
            let grantee = if grantee.is_empty() {
                Grantee::Public
            } else {
                Grantee::Role(Ident::from_catalog(grantee))
            };
            acl.add(
                grantee,
                Ident::from_catalog(grantor),
                privilege.parse()?,
                grantable,
            );
        }
        Ok(acl)
    }
}
