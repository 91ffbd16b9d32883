//! Lists what a database holds that this program does not copy, so that it is reported before anything
//! is written. Nothing is skipped in silence.
//!
//! A kind leaves the query when it becomes a part of the model: one line there, one file here.

use super::{Columns, query};
use crate::catalog::Error;
use crate::connect::Session;
use crate::pg::{Oid, readable};

const WHAT: &str = "objects that are not copied";

/// An object that is not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Its kind, e.g. `operator class`.
    pub kind: String,
    /// Its identity as the server writes it, quoted where needed.
    pub identity: String,
    /// The catalog that holds it, and its key there; invalid where it has none that we may read.
    pub class: Oid,
    /// Key in that catalog.
    pub oid: Oid,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let identity = readable(&self.identity);
        let clean = identity.chars().map(|part| {
            if part.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                part
            }
        });
        write!(f, "{} {}", self.kind, clean.collect::<String>())
    }
}

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
