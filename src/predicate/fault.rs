//! Why a text is no predicate.

use std::fmt;

/// Why a text cannot be used as a predicate, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at character {position}")]
pub struct Fault {
    /// The character, counted from 1.
    pub position: usize,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// There is no expression.
    Empty,
    /// A character that no text of the server can contain.
    Nul,
    /// A comment begins, which could hide what follows.
    Comment,
    /// The statement would end.
    Semicolon,
    /// A parameter, for which there is no value.
    Parameter,
    /// A quote is not closed.
    OpenQuote,
    /// A name written with Unicode escapes.
    EscapedName,
    /// A parenthesis or bracket is not closed.
    NotClosed,
    /// A parenthesis or bracket was not opened.
    NotOpened,
    /// A character that is part of no expression.
    Character(char),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an expression is missing"),
            Self::Nul => f.write_str("a NUL character is not allowed"),
            Self::Comment => f.write_str("a comment is not allowed"),
            Self::Semicolon => f.write_str("a semicolon is not allowed outside quotes"),
            Self::Parameter => f.write_str("a parameter is not allowed"),
            Self::OpenQuote => f.write_str("a quote is not closed"),
            Self::EscapedName => f.write_str("a name with Unicode escapes is not allowed"),
            Self::NotClosed => f.write_str("a parenthesis or bracket is not closed"),
            Self::NotOpened => f.write_str("a parenthesis or bracket was not opened"),
            Self::Character(letter) => write!(f, "{letter:?} is not allowed here"),
        }
    }
}
