//! Where a user has written an entry.

use std::fmt;

/// A place in the configuration file, counted from 1. Columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where an entry comes from. What is selected on a terminal counts as the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An option of the command line.
    #[default]
    CommandLine,
    /// The configuration file.
    File(Position),
    /// An answer about a table that cannot be treated as it was asked for.
    Answer,
}

/// What follows the name of an entry in messages: nothing for the command line and for answers.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine | Self::Answer => Ok(()),
            Self::File(position) => write!(f, " ({position} of the configuration file)"),
        }
    }
}
