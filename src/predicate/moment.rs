//! What means the current time in an expression.

use std::ops::Range;

/// What a call of the current time gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `now()` and what is the same.
    Timestamp,
    /// `current_date`
    Date,
    /// `current_time`
    Time,
    /// `localtimestamp`
    LocalTimestamp,
    /// `localtime`
    LocalTime,
}

/// Where an expression calls the current time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeCall {
    /// Its place in the text, in bytes.
    pub place: Range<usize>,
    /// What it gives.
    pub moment: Moment,
    /// The digits of a second that it keeps, if it says so.
    pub precision: Option<String>,
}

/// String constants that mean the current time where they become a date or a time.
pub const SPECIAL_LITERALS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

impl Moment {
    /// Reads a key word, which needs no parentheses.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let words = [
            ("current_timestamp", Self::Timestamp),
            ("current_date", Self::Date),
            ("current_time", Self::Time),
            ("localtimestamp", Self::LocalTimestamp),
            ("localtime", Self::LocalTime),
        ];
        let found = words
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        found.map(|(_, moment)| moment)
    }

    /// Whether a function of the server's own, without arguments, is one.
    pub(super) fn is_function(name: &str) -> bool {
        matches!(
            name,
            "now" | "transaction_timestamp" | "statement_timestamp"
        )
    }

    /// The type of its value, as the server names it.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamptz",
            Self::Date => "date",
            Self::Time => "timetz",
            Self::LocalTimestamp => "timestamp",
            Self::LocalTime => "time",
        }
    }
}
