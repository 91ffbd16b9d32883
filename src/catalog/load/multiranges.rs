//! Finds what is made of multiranges.

use std::collections::BTreeSet;

use super::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::{Class, ObjectId};
use crate::connect::Session;

const WHAT: &str = "uses of multiranges";

/// The relations, with the column's number, and the routines and domains that are made of them.
pub(super) async fn load_multiranges(
    session: &Session,
) -> Result<BTreeSet<(ObjectId, i16)>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/multiranges.sql"), &[]).await?;
    let mut uses = BTreeSet::new();
    for row in &rows {
        let row = Columns::new(WHAT, row);
        if let Some(class) = Class::from_oid(row.oid("class")?) {
            uses.insert((ObjectId::new(class, row.oid("oid")?), row.value("number")?));
        }
    }
    Ok(uses)
}
