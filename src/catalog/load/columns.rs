//! Reads the columns of all relations at once.

use std::collections::HashMap;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Column, Default, NotNull, ObjectId};
use crate::connect::Session;
use crate::pg::Oid;

const WHAT: &str = "columns";

/// Columns by relation, in the order of `attnum`.
pub(super) type ColumnsOf = HashMap<Oid, Vec<Column>>;

/// Reads the columns of tables, views, materialized views and composite types.
pub(super) async fn load_columns(session: &Session) -> Result<ColumnsOf, Error> {
    let rows = query(session, WHAT, include_str!("../sql/columns.sql"), &[]).await?;
    let mut columns = ColumnsOf::new();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let relation = row.oid("relation")?;
        columns
            .entry(relation)
            .or_default()
            .push(read_column(&row)?);
    }
    Ok(columns)
}

fn read_column(row: &Columns<'_>) -> Result<Column, Error> {
    let not_null: bool = row.value("attnotnull")?;
    Ok(Column {
        number: row.value("number")?,
        name: row.name("name")?,
        type_oid: row.oid("type_oid")?,
        type_name: row.sql("type_name")?,
        collation: row.optional_qualified("collation_schema", "collation")?,
        default: read_default(row)?,
        generated: row.letter("generated")?,
        identity: row.letter("identity")?,
        not_null: not_null.then_some(NotNull::Flag),
        is_local: row.value("attislocal")?,
        storage: row.letter("storage")?,
        compression: row.letter("compression")?,
        statistics: row.value("statistics")?,
        options: row.options("options")?,
        foreign_options: row.options("foreign_options")?,
    })
}

fn read_default(row: &Columns<'_>) -> Result<Option<Default>, Error> {
    let Some(expression) = row.optional_sql("default_expression")? else {
        return Ok(None);
    };
    Ok(Some(Default {
        id: ObjectId::new(Class::Default, row.oid("default_oid")?),
        expression,
    }))
}
