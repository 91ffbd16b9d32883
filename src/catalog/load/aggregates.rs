//! Reads the aggregates of users.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Aggregate, Class};
use crate::connect::Session;
use crate::pg::Sql;

const WHAT: &str = "aggregates";

pub(super) async fn load_aggregates(session: &Session) -> Result<Vec<Aggregate>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/aggregates.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let arguments = row.sql("arguments")?;
            Ok(Aggregate {
                id: row.id(Class::Routine)?,
                name: row.qualified("schema", "name")?,
                owner: row.name("owner")?,
                arguments: if arguments.is_empty() {
                    Sql::fixed("*")
                } else {
                    arguments
                },
                definition: row.sql("definition")?,
                has_internal_state: row.value("has_internal_state")?,
                uses_old_arrays: row.value("uses_old_arrays")?,
            })
        })
        .collect()
}
