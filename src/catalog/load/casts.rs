//! Reads casts, transforms and conversions of users.

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Cast, Class, Conversion, Transform};
use crate::connect::Session;

const CASTS: &str = "casts";
const TRANSFORMS: &str = "transforms";
const CONVERSIONS: &str = "conversions";

pub(super) async fn load_casts(session: &Session) -> Result<Vec<Cast>, Error> {
    let rows = query(session, CASTS, include_str!("../sql/casts.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(CASTS, row);
            Ok(Cast {
                id: row.id(Class::Cast)?,
                source: row.sql("source")?,
                target: row.sql("target")?,
                method: row.value::<&str>("method")?.parse()?,
                function: row.optional_sql("function")?,
                context: row.value::<&str>("context")?.parse()?,
            })
        })
        .collect()
}

pub(super) async fn load_transforms(session: &Session) -> Result<Vec<Transform>, Error> {
    let sql = include_str!("../sql/transforms.sql");
    let rows = query(session, TRANSFORMS, sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(TRANSFORMS, row);
            Ok(Transform {
                id: row.id(Class::Transform)?,
                type_name: row.sql("type_name")?,
                language: row.name("language")?,
                from_sql: row.optional_sql("from_sql")?,
                to_sql: row.optional_sql("to_sql")?,
            })
        })
        .collect()
}

pub(super) async fn load_conversions(session: &Session) -> Result<Vec<Conversion>, Error> {
    let sql = include_str!("../sql/conversions.sql");
    let rows = query(session, CONVERSIONS, sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(CONVERSIONS, row);
            Ok(Conversion {
                id: row.id(Class::Conversion)?,
                name: row.qualified("schema", "name")?,
                owner: row.name("owner")?,
                source: row.value("source")?,
                target: row.value("target")?,
                function: row.sql("function")?,
                is_default: row.value("condefault")?,
            })
        })
        .collect()
}
