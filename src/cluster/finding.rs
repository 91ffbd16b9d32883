use std::fmt;

use crate::pg::{Printable, Side};
use crate::remedy::Remedy;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Examined, and as it should be.
    Ok,
    /// Good to know.
    Note,
    /// The run continues, but somebody should look.
    Warning,
    /// The run is refused.
    Error,
}

/// One result of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// The server; `None` for the pair.
    pub side: Option<Side>,
    /// The database it is about; `None` for the cluster.
    pub database: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub cure: Option<String>,
    /// What to do about it.
    pub remedies: Vec<Remedy>,
}

impl Finding {
    /// Creates a finding about one server.
    pub fn new(level: Level, side: Side, message: impl Into<String>) -> Self {
        Self {
            side: Some(side),
            ..Self::of_pair(level, message)
        }
    }

    /// Creates a finding about the two servers together.
    pub fn of_pair(level: Level, message: impl Into<String>) -> Self {
        Self {
            level,
            side: None,
            database: None,
            message: message.into(),
            cure: None,
            remedies: Vec::new(),
        }
    }

    /// Returns which servers it is about: `source`, `target` or `both`.
    pub fn servers(&self) -> String {
        self.side
            .map_or_else(|| "both".to_owned(), |side| side.to_string())
    }

    /// Names the database.
    #[must_use]
    pub fn in_database(mut self, database: &str) -> Self {
        self.database = Some(database.to_owned());
        self
    }

    /// What was found and what to do about it.
    pub fn text(&self) -> String {
        let Self { message, cure, .. } = self;
        cure.as_ref()
            .map_or_else(|| message.clone(), |cure| format!("{message}; {cure}"))
    }

    /// Adds what to do.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// `error    source myapp: message; cure`, free of control characters.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {}", self.level, self.servers())?;
        if let Some(database) = &self.database {
            write!(f, " {}", Printable(database))?;
        }
        write!(f, ": {}", Printable(&self.message))?;
        if let Some(cure) = &self.cure {
            write!(f, "; {}", Printable(cure))?;
        }
        Ok(())
    }
}
