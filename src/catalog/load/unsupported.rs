//! Lists what a database holds that this program does not copy, so that it is reported before anything
//! is written. Nothing is skipped in silence.
//!
//! A kind leaves the query when it becomes a part of the model: one line there, one file here.

use super::row::{Columns, query};
use crate::catalog::Error;
use crate::catalog::model::Unsupported;
use crate::connect::Session;

const WHAT: &str = "objects that are not copied";

/// Reads every object of users whose kind is not copied so far.
///
/// # Errors
/// The server refused the query, or the connection broke.
pub async fn load_unsupported(session: &Session) -> Result<Vec<Unsupported>, Error> {
    let rows = query(session, WHAT, include_str!("../sql/unsupported.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            let row = Columns::new(WHAT, row);
            let identity: Option<String> = row.value("identity")?;
            Ok(Unsupported {
                kind: row.value("kind")?,
                identity: identity.unwrap_or_default(),
                class: row.oid("class")?,
                oid: row.oid("oid")?,
            })
        })
        .collect()
}
