//! Lists what a database holds that this program does not copy, so that a run can be refused
//! before anything is written. Nothing is skipped in silence.
//!
//! A kind leaves the query when it becomes a part of the model: one line there, one file here.

use super::{Columns, query};
use crate::catalog::Error;
use crate::connect::Session;
use crate::pg::{Oid, UnknownLetter};

const WHAT: &str = "objects that are not copied";

/// What follows from an object that is not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run is refused: the target would lack a definition that others may need.
    Refuse,
    /// The run goes on without it; the report says so.
    Note,
}

/// An object that is not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// What follows from it.
    pub severity: Severity,
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
        let clean = self.identity.chars().map(|part| {
            if part.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                part
            }
        });
        write!(f, "{} {}", self.kind, clean.collect::<String>())
    }
}

/// Reads every object of users whose kind is not copied so far; the refusing ones first.
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
                severity: severity(row.value("severity")?)?,
                kind: row.value("kind")?,
                identity: identity.unwrap_or_default(),
                class: row.oid("class")?,
                oid: row.oid("oid")?,
            })
        })
        .collect()
}

fn severity(word: &str) -> Result<Severity, Error> {
    match word {
        "refuse" => Ok(Severity::Refuse),
        "note" => Ok(Severity::Note),
        _ => Err(Error::Letter(UnknownLetter {
            what: "severity",
            letter: word.to_owned(),
        })),
    }
}
