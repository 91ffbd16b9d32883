//! Reads the text search objects of users.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Search, SearchKind};
use crate::connect::Session;
use crate::pg::{Ident, Sql};

const WHAT: &str = "text search objects";

pub(super) async fn load_search(session: &Session) -> Result<Vec<Search>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/search.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let kind: SearchKind = row.value::<&str>("kind")?.parse()?;
            let tokens: Vec<&str> = row.value("tokens")?;
            let dictionaries: Vec<&str> = row.value("dictionaries")?;
            let tokens = tokens.into_iter().map(Ident::from_catalog);
            Ok(Search {
                id: row.id(kind.class())?,
                kind,
                name: row.qualified("schema", "name")?,
                owner: row.optional_name("owner")?,
                definition: row.sql("definition")?,
                mappings: tokens
                    .zip(dictionaries.into_iter().map(Sql::deparsed))
                    .collect(),
            })
        })
        .collect()
}
