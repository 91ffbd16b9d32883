//! Reads what depends on what.

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Dependency, ObjectId};
use crate::connect::Session;

const WHAT: &str = "dependencies";

/// Reads `pg_depend`. Rows of catalogs that hold no objects of a database are left out.
pub(super) async fn load_dependencies(session: &Session) -> Result<Vec<Dependency>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/dependencies.sql"), &[]).await?;
    let mut dependencies = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let from = Class::from_oid(row.oid("from_class")?);
        let to = Class::from_oid(row.oid("to_class")?);
        if let (Some(from), Some(to)) = (from, to) {
            dependencies.push(Dependency {
                from: ObjectId::new(from, row.oid("from_oid")?),
                to: ObjectId::new(to, row.oid("to_oid")?),
                kind: row.value::<&str>("kind")?.parse()?,
            });
        }
    }
    Ok(dependencies)
}
