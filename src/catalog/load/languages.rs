//! Reads languages and access methods of users.

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{AccessMethod, Class, Language};
use crate::connect::Session;

const LANGUAGES: &str = "languages";
const ACCESS_METHODS: &str = "access methods";

pub(super) async fn load_languages(session: &Session) -> Result<Vec<Language>, Error> {
    let rows = query(
        session,
        LANGUAGES,
        include_str!("../sql/languages.sql"),
        &[],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(LANGUAGES, row);
            Ok(Language {
                id: row.id(Class::Language)?,
                name: row.name("name")?,
                owner: row.name("owner")?,
                is_trusted: row.value("lanpltrusted")?,
                handler: row.sql("handler")?,
                inline: row.optional_sql("inline")?,
                validator: row.optional_sql("validator")?,
            })
        })
        .collect()
}

pub(super) async fn load_access_methods(session: &Session) -> Result<Vec<AccessMethod>, Error> {
    let sql = include_str!("../sql/access_methods.sql");
    let rows = query(session, ACCESS_METHODS, sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(ACCESS_METHODS, row);
            Ok(AccessMethod {
                id: row.id(Class::AccessMethod)?,
                name: row.name("name")?,
                kind: row.value::<&str>("kind")?.parse()?,
                handler: row.sql("handler")?,
            })
        })
        .collect()
}
