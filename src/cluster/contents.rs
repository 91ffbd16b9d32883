//! The contents of an existing database.

use std::collections::BTreeSet;
use std::fmt;

use crate::connect::{self, Session};
use crate::pg::{Counted, Ident, Sql};

/// Counts in words, for the ones that are 0 as well.
impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.tables, "table"),
            (self.others, "other object"),
            (self.large_objects, "large object"),
            (self.default_privileges, "default privilege"),
        ];
        for (at, (count, noun)) in counts.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", Counted(count, noun))?;
        }
        Ok(())
    }
}

/// What a database contains beyond a new one's contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Tables of any kind, and materialized views.
    pub(crate) tables: i64,
    /// All other objects outside extensions and system schemas.
    pub(crate) others: i64,
    /// Large objects.
    pub(crate) large_objects: i64,
    /// Default privileges. They would apply to every object that the run creates.
    pub(crate) default_privileges: i64,
    /// Its size on disk.
    pub(crate) bytes: i64,
    /// Extensions.
    pub(crate) extensions: BTreeSet<Ident>,
    /// Objects that scripts of extensions have probably created without making them members.
    pub(crate) beside_extensions: Vec<String>,
    /// Whether the connecting role may create schemas in it.
    pub(crate) may_create: bool,
}

impl Contents {
    /// Loads the contents of the session's database.
    ///
    /// # Errors
    /// The server refused the query.
    pub(crate) async fn load(session: &Session) -> Result<Self, connect::Error> {
        let row = session
            .query_one(&Sql::fixed(include_str!("sql/contents.sql")), &[])
            .await?;
        Ok(Self {
            tables: row.get("tables"),
            others: row.get("others"),
            large_objects: row.get("large_objects"),
            default_privileges: row.get("default_privileges"),
            bytes: row.get("bytes"),
            extensions: row
                .get::<_, Vec<String>>("extensions")
                .into_iter()
                .map(Ident::from_catalog)
                .collect(),
            beside_extensions: row.get("beside_extensions"),
            may_create: row.get("may_create"),
        })
    }

    /// Returns whether it contains no object that a copied one could conflict with.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables == 0 && self.others == 0 && self.large_objects == 0
    }
}
