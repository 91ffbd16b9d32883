//! Reads schemas and extensions.

use std::collections::HashMap;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, ConfigTable, Extension, Schema, Table};
use crate::connect::Session;
use crate::pg::{Oid, Sql};

/// Reads the schemas of users.
pub(super) async fn load_schemas(session: &Session) -> Result<Vec<Schema>, Error> {
    const WHAT: &str = "schemas";
    let rows = query(session, WHAT, include_str!("../sql/schemas.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            Ok(Schema {
                id: row.id(Class::Schema)?,
                name: row.name("name")?,
                owner: row.name("owner")?,
            })
        })
        .collect()
}

/// An extension whose configuration tables are known by oid only.
pub(super) struct Bare {
    extension: Extension,
    config: Vec<(Oid, Option<Sql>)>,
}

impl Bare {
    /// The relations whose content belongs to the user.
    pub(super) fn config_oids(&self) -> impl Iterator<Item = u32> {
        self.config.iter().map(|(oid, _)| oid.0)
    }

    /// The extension with its configuration tables, which are taken out of `tables`.
    pub(super) fn complete(self, tables: &mut HashMap<Oid, Table>) -> Extension {
        let found = |(oid, condition)| {
            let table = tables.remove(&oid)?;
            Some(ConfigTable { table, condition })
        };
        Extension {
            config: self.config.into_iter().filter_map(found).collect(),
            ..self.extension
        }
    }
}

/// Reads the installed extensions.
pub(super) async fn load_extensions(session: &Session) -> Result<Vec<Bare>, Error> {
    const WHAT: &str = "extensions";
    let rows = query(session, WHAT, include_str!("../sql/extensions.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let relations: Vec<u32> = row.value("config")?;
            let conditions: Vec<&str> = row.value("conditions")?;
            let condition = |text: &&str| (!text.is_empty()).then(|| Sql::deparsed(*text));
            let conditions = conditions.iter().map(condition);
            Ok(Bare {
                config: relations.into_iter().map(Oid).zip(conditions).collect(),
                extension: Extension {
                    id: row.id(Class::Extension)?,
                    name: row.name("name")?,
                    schema: row.name("schema")?,
                    version: row.value("version")?,
                    config: Vec::new(),
                },
            })
        })
        .collect()
}
