//! Reads foreign data wrappers, foreign servers and user mappings.

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, ForeignDataWrapper, ForeignServer, Options, UserMapping};
use crate::connect::{Secret, Session};

pub(super) async fn load_wrappers(session: &Session) -> Result<Vec<ForeignDataWrapper>, Error> {
    const WHAT: &str = "foreign data wrappers";
    let text = include_str!("../sql/foreign_data_wrappers.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(ForeignDataWrapper {
                id: row.id(Class::ForeignDataWrapper)?,
                name: row.name("name")?,
                owner: row.name("owner")?,
                handler: row.optional_qualified("handler_schema", "handler")?,
                validator: row.optional_qualified("validator_schema", "validator")?,
                options: row.options("options")?,
            })
        })
        .collect()
}

pub(super) async fn load_servers(session: &Session) -> Result<Vec<ForeignServer>, Error> {
    const WHAT: &str = "foreign servers";
    let text = include_str!("../sql/foreign_servers.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(ForeignServer {
                id: row.id(Class::ForeignServer)?,
                name: row.name("name")?,
                owner: row.name("owner")?,
                wrapper: row.name("wrapper")?,
                server_type: row.value("type")?,
                version: row.value("version")?,
                options: row.options("options")?,
            })
        })
        .collect()
}

pub(super) async fn load_user_mappings(session: &Session) -> Result<Vec<UserMapping>, Error> {
    const WHAT: &str = "user mappings";
    let text = include_str!("../sql/user_mappings.sql");
    let rows = query(session, WHAT, text, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(UserMapping {
                id: row.id(Class::UserMapping)?,
                server: row.name("server")?,
                role: row.optional_name("role")?,
                options: mapping_options(&row)?,
            })
        })
        .collect()
}

/// The options of a user mapping; None where they are hidden.
fn mapping_options(row: &Columns<'_>) -> Result<Option<Vec<(String, Secret)>>, Error> {
    if !row.value::<bool>("is_readable")? {
        return Ok(None);
    }
    let is_null = row.value::<Option<Vec<&str>>>("options")?.is_none();
    let options = if is_null {
        Options::new()
    } else {
        row.options("options")?
    };
    let secret = |(name, value): (String, String)| (name, Secret::new(value));
    Ok(Some(options.into_iter().map(secret).collect()))
}
