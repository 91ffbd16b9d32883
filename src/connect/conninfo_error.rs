/// Why a text is no connection string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConninfoError {
    /// libpq knows no such keyword.
    #[error("unknown connection parameter {keyword:?}; did you mean {nearest:?}?")]
    Unknown {
        /// As given.
        keyword: String,
        /// The known one that looks most like it.
        nearest: &'static str,
    },
    /// The keyword is known, and not supported.
    #[error("connection parameter {keyword} cannot be used: {reason}")]
    Refused {
        /// The keyword.
        keyword: String,
        /// Why.
        reason: &'static str,
    },
    /// A keyword occurs twice, with different values.
    #[error("connection parameter {keyword} is given twice, with different values")]
    Twice {
        /// The keyword.
        keyword: String,
    },
    /// A value cannot be what its keyword needs.
    #[error("connection parameter {keyword}: {problem}")]
    Value {
        /// The keyword.
        keyword: &'static str,
        /// What is wrong; never shows a password.
        problem: String,
    },
    /// Two parameters exclude each other.
    #[error("connection parameters contradict each other: {problem}")]
    Contradiction {
        /// Which, and why.
        problem: String,
    },
    /// A percent sign is not followed by two hexadecimal digits, or the bytes are no UTF-8.
    #[error("the connection string's {part} is not percent-encoded as it should be")]
    Encoding {
        /// Which part.
        part: String,
    },
    /// The text does not follow the form.
    #[error("the connection string is malformed: {problem}")]
    Malformed {
        /// What is wrong.
        problem: &'static str,
    },
}

pub(super) fn value_error(keyword: &'static str, problem: impl Into<String>) -> ConninfoError {
    ConninfoError::Value {
        keyword,
        problem: problem.into(),
    }
}
