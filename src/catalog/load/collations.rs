//! Reads the collations of users.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::cluster::LocaleProvider;
use crate::catalog::model::{Class, Collation};
use crate::connect::Session;

const WHAT: &str = "collations";

pub(super) async fn load_collations(session: &Session) -> Result<Vec<Collation>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/collations.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let locale: Option<String> = row.value("locale")?;
            let letter = row.value("provider")?;
            Ok(Collation {
                id: row.id(Class::Collation)?,
                name: row.qualified("schema", "name")?,
                owner: row.name("owner")?,
                provider: LocaleProvider::parse(letter, locale, row.value("rules")?)?,
                collate: row.value("collate")?,
                ctype: row.value("ctype")?,
                is_deterministic: row.value("is_deterministic")?,
            })
        })
        .collect()
}
