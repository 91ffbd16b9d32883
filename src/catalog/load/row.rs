use std::str::FromStr;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::catalog::Error;
use crate::catalog::acl::{Acl, Grantee};
use crate::catalog::model::{Class, ObjectId, Options};
use crate::connect::Session;
use crate::pg::{Ident, Oid, QualifiedName, Sql, UnknownLetter};

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

    /// The object itself: the column `oid` of a row of `class`.
    pub(super) fn id(&self, class: Class) -> Result<ObjectId, Error> {
        Ok(ObjectId::new(class, self.oid("oid")?))
    }

    pub(super) fn qualified(
        &self,
        schema: &'static str,
        name: &'static str,
    ) -> Result<QualifiedName, Error> {
        Ok(QualifiedName {
            schema: self.name(schema)?,
            name: self.name(name)?,
        })
    }

    /// A qualified name, or nothing where its last part is NULL.
    pub(super) fn optional_qualified(
        &self,
        schema: &'static str,
        name: &'static str,
    ) -> Result<Option<QualifiedName>, Error> {
        let Some(name) = self.optional_name(name)? else {
            return Ok(None);
        };
        let schema = self.name(schema)?;
        Ok(Some(QualifiedName { schema, name }))
    }

    /// Text that the server deparsed.
    pub(super) fn sql(&self, column: &'static str) -> Result<Sql, Error> {
        self.value::<&str>(column).map(Sql::deparsed)
    }

    pub(super) fn optional_sql(&self, column: &'static str) -> Result<Option<Sql>, Error> {
        let text: Option<&str> = self.value(column)?;
        Ok(text.map(Sql::deparsed))
    }

    /// A catalog letter; the empty one and NULL mean none.
    pub(super) fn letter<T>(&self, column: &'static str) -> Result<Option<T>, Error>
    where
        T: FromStr<Err = UnknownLetter>,
    {
        match self.value::<Option<&str>>(column)? {
            None | Some("") => Ok(None),
            Some(letter) => Ok(Some(letter.parse()?)),
        }
    }

    /// Options as `name=value`; a value may itself hold `=`.
    pub(super) fn options(&self, column: &'static str) -> Result<Options, Error> {
        let entries: Vec<&str> = self.value(column)?;
        let pair = |entry: &str| {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            (name.to_owned(), value.to_owned())
        };
        Ok(entries.into_iter().map(pair).collect())
    }
}

impl Columns<'_> {
    /// A list that the query gives as JSON; NULL means an empty one.
    pub(super) fn json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Vec<T>, Error> {
        match self.value::<Option<&str>>(column)? {
            None => Ok(Vec::new()),
            Some(text) => {
                serde_json::from_str(text).map_err(|source| Error::Json { column, source })
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Exploded(Option<String>, Option<String>, String, bool);

impl Columns<'_> {
    /// An ACL as the queries give it: JSON of `[grantee, grantor, privilege, grantable]` in the
    /// array's order. The empty name is PUBLIC. Null is a role that no longer exists, which can hold nothing.
    /// NULL instead of the JSON means an empty list.
    pub(super) fn acl(&self, column: &'static str) -> Result<Acl, Error> {
        let mut acl = Acl::default();
        let items: Vec<Exploded> = self.json(column)?;
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
