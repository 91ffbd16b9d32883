//! What the target refused, and what was not attempted for it.

use std::fmt;

use super::compared::Mismatch;
use crate::catalog;
use crate::connect;
use crate::pg::ServerError;

/// A statement that the target refused.
#[derive(Debug)]
pub struct Refusal {
    /// What it makes.
    pub object: String,
    /// Its text, unless it holds a secret.
    pub statement: Option<String>,
    /// The target's answer, or what differs.
    pub source: Reason,
}

impl Refusal {
    /// The target's answer, in fields, if it refused.
    pub fn answer(&self) -> Option<&ServerError> {
        match &self.source {
            Reason::Answer(error) => error.answer(),
            Reason::Catalog(_) | Reason::Mismatch(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = super::super::error::statement_note(self.statement.as_deref());
        write!(f, "{}{note}", self.object)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Why a statement is refused.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// By the target.
    #[error(transparent)]
    Answer(connect::Error),
    /// What the target recorded could not be read.
    #[error(transparent)]
    Catalog(catalog::Error),
    /// By us: it would call other operators.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// An object that was not attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What.
    pub object: String,
    /// What was refused and is needed for it.
    pub cause: String,
}

/// All that is missing of a section; everything else of it was made.
#[derive(Debug)]
pub struct Refused {
    /// In the order of the script; at least one.
    pub refusals: Vec<Refusal>,
    /// In the order of the script.
    pub skipped: Vec<Skipped>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let count = self.refusals.len();
        write!(f, "the target refused {count} statement{}", plural(count))?;
        match self.skipped.len() {
            0 => Ok(()),
            count => write!(
                f,
                ", and {count} object{} that need{} them {} not attempted",
                plural(count),
                if count == 1 { "s" } else { "" },
                if count == 1 { "was" } else { "were" }
            ),
        }
    }
}

impl std::error::Error for Refused {
    /// The first.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let first = self.refusals.first();
        first.map(|first| first as &(dyn std::error::Error + 'static))
    }
}
