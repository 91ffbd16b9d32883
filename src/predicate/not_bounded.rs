//! Why the current time in an expression cannot be computed ahead of the rows.

use std::fmt;

/// An expression whose current time cannot be computed ahead of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {position}")]
pub struct NotBounded {
    /// The character, counted from 1.
    pub position: usize,
    /// Why.
    pub reason: NotBoundedReason,
}

/// Why the current time cannot be computed ahead of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotBoundedReason {
    /// The expression is of a form that is not understood here.
    Form,
    /// The current time is used within a query.
    Query,
    /// `age` with one argument counts from the current date.
    Age,
}

impl fmt::Display for NotBoundedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "an expression with the current time is not understood",
            Self::Query => "a query uses the current time",
            Self::Age => {
                "age with one argument counts from the current date; write age(current_date, …)"
            }
        })
    }
}
