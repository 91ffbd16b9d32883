//! Reads foreign data wrappers, foreign servers and user mappings.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, ForeignDataWrapper, ForeignServer, Options, UserMapping};
use crate::connect::{Secret, Session};
use crate::pg::UnknownLetter;

const WHAT: &str = "foreign data";

/// What belongs to foreign data, but for the tables.
#[derive(Default)]
pub(super) struct ForeignData {
    pub(super) wrappers: Vec<ForeignDataWrapper>,
    pub(super) servers: Vec<ForeignServer>,
    pub(super) user_mappings: Vec<UserMapping>,
}

pub(super) async fn load_foreign_data(session: &Session) -> Result<ForeignData, Error> {
    let rows = query(session, WHAT, include_str!("../sql/foreign_data.sql"), &[]).await?;
    let mut found = ForeignData::default();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        match row.value("kind")? {
            "wrapper" => found.wrappers.push(read_wrapper(&row)?),
            "server" => found.servers.push(read_server(&row)?),
            "mapping" => found.user_mappings.push(read_mapping(&row)?),
            word => {
                return Err(Error::Letter(UnknownLetter {
                    what: "kind of foreign data",
                    letter: word.to_owned(),
                }));
            }
        }
    }
    Ok(found)
}

fn read_wrapper(row: &Columns<'_>) -> Result<ForeignDataWrapper, Error> {
    Ok(ForeignDataWrapper {
        id: row.id(Class::ForeignDataWrapper)?,
        name: row.name("name")?,
        owner: row.name("owner")?,
        handler: row.optional_qualified("handler_schema", "handler")?,
        validator: row.optional_qualified("validator_schema", "validator")?,
        options: row.options("options")?,
    })
}

fn read_server(row: &Columns<'_>) -> Result<ForeignServer, Error> {
    Ok(ForeignServer {
        id: row.id(Class::ForeignServer)?,
        name: row.name("name")?,
        owner: row.name("owner")?,
        wrapper: row.name("wrapper")?,
        server_type: row.value("type")?,
        version: row.value("version")?,
        options: row.options("options")?,
    })
}

fn read_mapping(row: &Columns<'_>) -> Result<UserMapping, Error> {
    Ok(UserMapping {
        id: row.id(Class::UserMapping)?,
        server: row.name("server")?,
        role: row.optional_name("role")?,
        options: mapping_options(row)?,
    })
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
