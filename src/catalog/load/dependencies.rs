//! Reads what depends on what.

use std::collections::HashMap;

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, Dependency, ObjectId};
use crate::connect::Session;
use crate::pg::Oid;

const WHAT: &str = "dependencies";

/// The kind of dependency that is membership of an extension.
const MEMBER: &str = "e";

/// What depends on what, and which extension an object belongs to.
#[derive(Default)]
pub(super) struct Dependencies {
    pub(super) edges: Vec<Dependency>,
    pub(super) members: HashMap<ObjectId, Oid>,
}

/// Reads `pg_depend`. Rows of catalogs that hold no objects of a database are skipped.
pub(super) async fn load_dependencies(session: &Session) -> Result<Dependencies, Error> {
    let rows = query(session, WHAT, include_str!("../sql/dependencies.sql"), &[]).await?;
    let mut dependencies = Dependencies::default();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        let (from, to) = (row.oid("from_oid")?, row.oid("to_oid")?);
        let Some(class) = Class::from_oid(row.oid("from_class")?) else {
            continue;
        };
        let from = ObjectId::new(class, from);
        let kind: &str = row.value("kind")?;
        if kind == MEMBER {
            dependencies.members.insert(from, to);
        } else if let Some(class) = Class::from_oid(row.oid("to_class")?) {
            let to = ObjectId::new(class, to);
            let kind = kind.parse()?;
            dependencies.edges.push(Dependency { from, to, kind });
        }
    }
    Ok(dependencies)
}
