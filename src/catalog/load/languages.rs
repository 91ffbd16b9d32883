//! Reads languages and access methods of users.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{AccessMethod, Class, Language};
use crate::connect::Session;

const WHAT: &str = "languages and access methods";

pub(super) async fn load_languages(
    session: &Session,
) -> Result<(Vec<Language>, Vec<AccessMethod>), Error> {
    let rows = query(session, WHAT, include_str!("../sql/languages.sql"), &[]).await?;
    let (mut languages, mut access_methods) = (Vec::new(), Vec::new());
    for row in &rows {
        let row = Columns::new(WHAT, row);
        if row.value::<&str>("what")? == "language" {
            languages.push(read_language(&row)?);
        } else {
            access_methods.push(access_method(&row)?);
        }
    }
    Ok((languages, access_methods))
}

fn read_language(row: &Columns<'_>) -> Result<Language, Error> {
    Ok(Language {
        id: row.id(Class::Language)?,
        name: row.name("name")?,
        owner: row.name("owner")?,
        is_trusted: row.value("lanpltrusted")?,
        handler: row.sql("handler")?,
        inline: row.optional_sql("inline")?,
        validator: row.optional_sql("validator")?,
    })
}

fn access_method(row: &Columns<'_>) -> Result<AccessMethod, Error> {
    Ok(AccessMethod {
        id: row.id(Class::AccessMethod)?,
        name: row.name("name")?,
        kind: row.value::<&str>("kind")?.parse()?,
        handler: row.sql("handler")?,
    })
}
