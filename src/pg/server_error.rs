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
    /// The line and the column of a `COPY` that the error is about, without the value.
    pub fn copy_place(&self) -> Option<String> {
        // The outermost context is the last line.
        let place = self.context.as_deref()?.lines().last()?;
        let place = place.split(": \"").next()?;
        place.starts_with("COPY ").then(|| on_one_line(place))
    }

    /// The whole context on one line.
    pub fn context_line(&self) -> Option<String> {
        let context = self.context.as_deref()?;
        Some(format!("context: {}", on_one_line(context)))
    }

    /// What helps against an encoding that text does not fit.
    pub fn encoding_remedy(&self) -> Option<&'static str> {
        match self.code {
            SqlState::CHARACTER_NOT_IN_REPERTOIRE => Some(
                "the bytes are not valid in the encoding of their database; correct the value on the source",
            ),
            SqlState::UNTRANSLATABLE_CHARACTER => Some(
                "one encoding lacks the character; use a target database of the source's encoding, or \
                 correct the value on the source",
            ),
            _ => None,
        }
    }

    /// Whether the server ended the session with this error.
    pub fn ends_session(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }
}

/// Text without control characters, so that it is one line and cannot forge output.
fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|part| if part.is_control() { ' ' } else { part })
        .collect()
}

/// Message and code on one line, free of control characters.
impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = on_one_line(&self.message);
        write!(f, "{message} (SQLSTATE {})", self.code)?;
        if let Some(detail) = &self.detail {
            write!(f, "; detail: {}", on_one_line(detail))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; hint: {}", on_one_line(hint))?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}
