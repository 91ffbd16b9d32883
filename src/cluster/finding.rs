//! The results of checks.

mod code;
mod group;

use std::fmt;

pub use code::Code;
pub use group::group_findings;

use crate::pg::{Printable, Side};
use crate::remedy::Remedy;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Checked, without a fault.
    Ok,
    /// Information.
    Note,
    /// The run continues, but the user should look at it.
    Warning,
    /// The run is refused.
    Error,
}

/// One result of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// Its severity.
    pub level: Level,
    /// The server; `None` for the pair.
    pub side: Option<Side>,
    /// The database; `None` for the cluster.
    pub database: Option<String>,
    /// The object: a table, role, extension, slot or other thing of that server, as messages name it.
    pub object: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do about it; what requires the fewest privileges first.
    pub remedies: Vec<Remedy>,
    /// What to do about several findings of its kind at once, if that differs.
    pub group_remedies: Vec<Remedy>,
}

impl Finding {
    /// How many of these refuse a run.
    pub(crate) fn count_errors(findings: &[Self]) -> usize {
        let is_error = |finding: &&Self| finding.level == Level::Error;
        findings.iter().filter(is_error).count()
    }

    /// Creates a finding about one server.
    pub fn new(code: Code, level: Level, side: Side, message: impl Into<String>) -> Self {
        Self {
            side: Some(side),
            ..Self::of_pair(code, level, message)
        }
    }

    /// Creates a finding about the two servers together.
    pub fn of_pair(code: Code, level: Level, message: impl Into<String>) -> Self {
        Self {
            code,
            level,
            side: None,
            database: None,
            object: None,
            message: message.into(),
            remedies: Vec::new(),
            group_remedies: Vec::new(),
        }
    }

    /// Returns which servers it is about: `source`, `target` or `both`.
    pub fn servers(&self) -> &'static str {
        self.side.map_or("both", Side::name)
    }

    /// Adds the database.
    #[must_use]
    pub fn in_database(mut self, database: &str) -> Self {
        self.database = Some(database.to_owned());
        self
    }

    /// Adds the object.
    #[must_use]
    pub fn about(mut self, object: &(impl fmt::Display + ?Sized)) -> Self {
        self.object = Some(object.to_string());
        self
    }

    /// Adds something to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedies.push(remedy.into());
        self
    }

    /// Adds alternatives to do about several findings of its kind at once.
    #[must_use]
    pub fn for_group(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.group_remedies.extend(remedies);
        self
    }

    /// Adds alternatives to do.
    #[must_use]
    pub fn with_remedies(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.remedies.extend(remedies);
        self
    }
}

impl Level {
    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `error    source myapp: message`, free of control characters.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {}", self.level, self.servers())?;
        if let Some(database) = &self.database {
            write!(f, " {}", Printable(database))?;
        }
        write!(f, ": {}", Printable(&self.message))
    }
}
