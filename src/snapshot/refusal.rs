//! What the target refused, and what was not attempted because of that.

use std::fmt;

use crate::ddl::{Kind, Necessity};
use crate::pg::{ServerError, SqlState};
use crate::{catalog, connect};

/// A statement that the target refused.
#[derive(Debug)]
pub struct Refusal {
    /// The object that it creates.
    pub object: String,
    /// The kind of the object.
    pub kind: Kind,
    /// What a copy is without it.
    pub necessity: Necessity,
    /// Its text, without constants if it contains a secret.
    pub statement: Option<String>,
    /// The target's answer, or what differs.
    pub source: Reason,
}

impl Refusal {
    /// The target's answer, in fields, if it refused.
    pub fn answer(&self) -> Option<&ServerError> {
        self.source.answer()
    }
}

impl Refusal {
    /// Returns the remedy, if the code implies one.
    pub fn advice(&self) -> Option<&'static str> {
        let answer = self.answer()?;
        match answer.code {
            SqlState::UNIQUE_VIOLATION => Some(
                "these rows of the source are duplicates that its own index does not find, as after a change \
                 of the system's collations. Find them on the source with SET enable_indexscan = off, \
                 enable_indexonlyscan = off, enable_bitmapscan = off; delete all but one; run REINDEX; \
                 repeat the run",
            ),
            code if code.class() == "23" => Some(
                "rows of the source violate the constraint. Correct them on the source, or replace its \
                 constraint by one that is NOT VALID; repeat the run",
            ),
            SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE
                if answer.context.is_some() =>
            {
                Some(
                    "if the body of a function relies on search_path, run on the source: ALTER FUNCTION ... \
                 SET search_path = ...; repeat the run",
                )
            }
            _ => None,
        }
    }
}

impl Refusal {
    /// Returns how to mend the cause where the copy is kept, if the code implies it: its rows are those of the snapshot, and
    /// its functions exist.
    pub fn repair(&self) -> Option<&'static str> {
        let answer = self.answer()?;
        match answer.code {
            SqlState::UNIQUE_VIOLATION => Some(
                "the copied rows contain duplicates: on the target, correct all but one of them or delete them; then run \
                 the statement again. On the source, an index that does not find them needs REINDEX",
            ),
            code if code.class() == "23" => Some(
                "copied rows violate the constraint: on the target, correct or delete them; then run the statement again",
            ),
            SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE
                if answer.context.is_some() =>
            {
                Some(
                    "if the body of a function relies on search_path, run on both servers: ALTER FUNCTION ... \
                 SET search_path = ...; then run the statement again",
                )
            }
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statement = self.statement.as_deref();
        let position = self.answer().and_then(|answer| answer.position);
        let note = match (statement, position) {
            (Some(statement), Some(position)) => note_at(statement, position),
            _ => statement_note(statement),
        };
        write!(f, "{}{note}", self.object)
    }
}

/// A statement around the character where the server found an error, counted from 1.
fn note_at(statement: &str, position: u32) -> String {
    const BEFORE: usize = 150;
    const SHOWN: usize = 300;
    let at = usize::try_from(position)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let begin = at.saturating_sub(BEFORE);
    let clean = |part: char| if part.is_control() { ' ' } else { part };
    let shown: String = statement
        .chars()
        .skip(begin)
        .take(SHOWN)
        .map(clean)
        .collect();
    let before = if begin > 0 { "… " } else { "" };
    let is_cut = statement.chars().nth(begin + SHOWN).is_some();
    let after = if is_cut { " …" } else { "" };
    format!(" (at character {position}: {before}{shown}{after})")
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

impl Reason {
    /// The target's answer, in fields, if it refused.
    pub fn answer(&self) -> Option<&ServerError> {
        match self {
            Self::Answer(error) => error.answer(),
            Self::Catalog(_) | Self::Mismatch(_) => None,
        }
    }
}

/// An object that was not attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What.
    pub object: String,
    /// Its kind.
    pub kind: Kind,
    /// What a copy is without it.
    pub necessity: Necessity,
    /// The refused object that it depends on.
    pub cause: String,
}

/// Everything that is missing of a section; the rest was created.
#[derive(Debug)]
pub struct Refused {
    /// In the order of the script; at least one.
    pub refusals: Vec<Refusal>,
    /// In the order of the script.
    pub skipped: Vec<Skipped>,
}

impl Refused {
    /// Whether the rest is a complete copy without it. What we have refused ourselves is a sign of tampering, and never
    /// optional.
    pub fn is_optional(&self) -> bool {
        let mut refusals = self.refusals.iter();
        let mut skipped = self.skipped.iter();
        let is_optional =
            |one: &Refusal| one.necessity == Necessity::Optional && one.answer().is_some();
        refusals.all(is_optional) && skipped.all(|one| one.necessity != Necessity::Required)
    }

    /// Whether an object of this kind and name is missing.
    pub fn is_missing(&self, kind: Kind, object: &str) -> bool {
        let mut refusals = self.refusals.iter();
        let mut skipped = self.skipped.iter();
        refusals.any(|one| one.kind == kind && one.object == object)
            || skipped.any(|one| one.kind == kind && one.object == object)
    }

    /// Adds what is missing of another section.
    pub fn add(&mut self, other: Self) {
        self.refusals.extend(other.refusals);
        self.skipped.extend(other.skipped);
    }
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

/// The target resolves names of a definition differently from the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What only the source has recorded.
    pub source: Vec<String>,
    /// What only the target has recorded.
    pub target: Vec<String>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| match names {
            // These are not recorded by name.
            [] => "only functions of pg_catalog".to_owned(),
            names => names.join(", "),
        };
        write!(
            f,
            "its operators and functions would differ: the source calls {}, the target would call {}. \
             On the source, write the operator in the definition as OPERATOR(schema.name), or drop \
             the other candidate; then run again",
            list(&self.source),
            list(&self.target)
        )
    }
}

impl std::error::Error for Mismatch {}

/// The statement on one line, cut after what a reader needs to find it.
pub(super) fn statement_note(statement: Option<&str>) -> String {
    const SHOWN: usize = 300;
    let Some(statement) = statement else {
        return String::new();
    };
    let line: String = statement
        .chars()
        .map(|part| if part.is_control() { ' ' } else { part })
        .collect();
    let cut: String = line.chars().take(SHOWN).collect();
    let dots = if cut.len() < line.len() { " …" } else { "" };
    format!(" ({cut}{dots})")
}
