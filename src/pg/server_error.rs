use std::fmt;

use super::SqlState;

/// What a server said in an `ErrorResponse` or `NoticeResponse` (protocol, "Error and Notice
/// Message Fields"). It may quote user data: show it, never store it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, …: the unlocalized form where the server sends it.
    pub severity: String,
    /// The code.
    pub code: SqlState,
    /// The primary message.
    pub message: String,
    /// The secondary message.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The call stack of functions, or the COPY line.
    pub context: Option<String>,
    /// Character in the statement, from 1.
    pub position: Option<u32>,
}

impl ServerError {
    /// Whether the server ended the session with this error.
    pub fn ends_session(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }
}

/// Message and code on one line, free of control characters.
impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = |part: char| if part.is_control() { ' ' } else { part };
        let message: String = self.message.chars().map(clean).collect();
        write!(f, "{message} (SQLSTATE {})", self.code)?;
        if let Some(detail) = &self.detail {
            let detail: String = detail.chars().map(clean).collect();
            write!(f, "; detail: {detail}")?;
        }
        if let Some(hint) = &self.hint {
            let hint: String = hint.chars().map(clean).collect();
            write!(f, "; hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}
