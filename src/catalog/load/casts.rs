//! Reads casts, transforms and conversions of users.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Cast, Class, Conversion, Transform};
use crate::connect::Session;

const WHAT: &str = "casts";

/// Ways from one thing to another, by kind.
#[derive(Default)]
pub(super) struct Ways {
    /// From type to type.
    pub(super) casts: Vec<Cast>,
    /// From a type to a language's form of it.
    pub(super) transforms: Vec<Transform>,
    /// From encoding to encoding.
    pub(super) conversions: Vec<Conversion>,
}

/// Reads all three at once.
pub(super) async fn load_casts(session: &Session) -> Result<Ways, Error> {
    let rows = query(session, WHAT, include_str!("../sql/casts.sql"), &[]).await?;
    let mut ways = Ways::default();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        match row.value("what")? {
            "cast" => ways.casts.push(read_cast(&row)?),
            "transform" => ways.transforms.push(read_transform(&row)?),
            _ => ways.conversions.push(read_conversion(&row)?),
        }
    }
    Ok(ways)
}

fn read_cast(row: &Columns<'_>) -> Result<Cast, Error> {
    Ok(Cast {
        id: row.id(Class::Cast)?,
        source: row.sql("source")?,
        target: row.sql("target")?,
        method: row.value::<&str>("method")?.parse()?,
        function: row.optional_sql("function")?,
        context: row.value::<&str>("context")?.parse()?,
        is_of_users_type: row.value("is_users")?,
    })
}

fn read_transform(row: &Columns<'_>) -> Result<Transform, Error> {
    Ok(Transform {
        id: row.id(Class::Transform)?,
        type_name: row.sql("source")?,
        language: row.name("target")?,
        from_sql: row.optional_sql("function")?,
        to_sql: row.optional_sql("back")?,
        is_of_users_parts: row.value("is_users")?,
    })
}

fn read_conversion(row: &Columns<'_>) -> Result<Conversion, Error> {
    Ok(Conversion {
        id: row.id(Class::Conversion)?,
        name: row.qualified("schema", "name")?,
        owner: row.name("owner")?,
        source: row.value("source")?,
        target: row.value("target")?,
        function: row.sql("function")?,
        is_default: row.value("is_default")?,
    })
}
