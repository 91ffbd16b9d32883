//! Lines of standard error as values: text for people, events for programs.

mod kind;
mod layer;
mod line;

pub use kind::LogKind;
pub use layer::LogLayer;
pub use line::{LogLine, Severity};

/// The form of standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One event a line, for programs.
    Json,
}
