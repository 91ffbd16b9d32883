/// Why a text is no connection string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConninfoError {
    /// libpq knows no such keyword.
    #[error("unknown connection parameter {keyword:?}{}", question(*nearest))]
    Unknown {
        /// As given.
        keyword: String,
        /// The known one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// The text is neither a URI nor a list of keywords and values. None of it is shown: it may hold a password.
    #[error("the connection string does not begin with postgresql://")]
    NoScheme,
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

fn question(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

impl ConninfoError {
    /// What may help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoScheme => Some("write postgresql://user@host:5432/database"),
            Self::Malformed { .. } => Some(
                "write postgresql://user@host:5432/database, or a list of keywords and values such as \
                 host=… port=5432 user=… dbname=…",
            ),
            Self::Unknown { nearest: None, .. } => Some(
                "omit it; frequent parameters are sslmode, sslrootcert, connect_timeout, target_session_attrs, \
                 options, passfile and service",
            ),
            Self::Unknown {
                nearest: Some(_), ..
            }
            | Self::Refused { .. }
            | Self::Twice { .. }
            | Self::Value { .. }
            | Self::Contradiction { .. } => None,
            Self::Encoding { .. } => {
                Some("write characters such as @ : / ? # % as %40 %3A %2F %3F %23 %25")
            }
        }
    }
}

pub(super) fn value_error(keyword: &'static str, problem: impl Into<String>) -> ConninfoError {
    ConninfoError::Value {
        keyword,
        problem: problem.into(),
    }
}
