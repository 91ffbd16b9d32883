//! What an error says about the statement that it answers: pure.

use crate::catalog;
use crate::pg::SqlState;
use crate::snapshot::refusal::Reason;

/// The consequence of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The statement is refused.
    Refusal,
    /// Other steps were in the way, or the lock table is full: alone it may succeed.
    Crowded,
    /// Nothing more can be run on this server.
    End,
}

/// Judges a refusal.
pub(super) fn judge_refusal(reason: &Reason) -> Verdict {
    let answer = match reason {
        Reason::Answer(error) => error.answer(),
        Reason::Catalog(catalog::Error::Query { source, .. }) => source.answer(),
        Reason::Catalog(_) | Reason::Mismatch(_) => return Verdict::Refusal,
    };
    let Some(answer) = answer else {
        return Verdict::End;
    };
    let code = answer.code;
    if answer.ends_session() || code.as_str().starts_with("57P0") || code == SqlState::DISK_FULL {
        Verdict::End
    } else if matches!(
        code,
        SqlState::OUT_OF_MEMORY | SqlState::DEADLOCK_DETECTED | SqlState::SERIALIZATION_FAILURE
    ) {
        Verdict::Crowded
    } else {
        Verdict::Refusal
    }
}

/// Whether a refusal names something that does not exist, as when a function's body names a table
/// that is created later.
pub(super) fn names_what_is_missing(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_FUNCTION
            | SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_OBJECT
            | SqlState::UNDEFINED_COLUMN
            | SqlState::INVALID_SCHEMA_NAME
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect;
    use crate::pg::ServerError;

    fn answer(severity: &str, code: SqlState) -> Reason {
        Reason::Answer(connect::Error::Server(Box::new(ServerError {
            severity: severity.to_owned(),
            code,
            message: "no".to_owned(),
            detail: None,
            hint: None,
            context: None,
            position: None,
        })))
    }

    #[test]
    fn only_an_error_of_the_statement_itself_refuses_it() {
        let table = [
            ("ERROR", SqlState::UNIQUE_VIOLATION, Verdict::Refusal),
            ("ERROR", SqlState::UNDEFINED_TABLE, Verdict::Refusal),
            ("ERROR", SqlState::DEADLOCK_DETECTED, Verdict::Crowded),
            ("ERROR", SqlState::OUT_OF_MEMORY, Verdict::Crowded),
            ("ERROR", SqlState::DISK_FULL, Verdict::End),
            ("FATAL", SqlState::UNDEFINED_TABLE, Verdict::End),
        ];
        for (severity, code, expected) in table {
            assert_eq!(
                judge_refusal(&answer(severity, code)),
                expected,
                "{severity} {code:?}"
            );
        }
    }
}
