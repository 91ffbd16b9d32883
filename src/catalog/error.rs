use crate::connect;
use crate::pg::{SqlState, UnknownLetter};

/// Why the catalog could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused the query, or the connection broke.
    #[error("read {what}")]
    Query {
        /// What was asked for, e.g. `roles`.
        what: &'static str,
        /// The cause.
        #[source]
        source: connect::Error,
    },
    /// The answer has another shape than the query promises.
    #[error("read {what}: column {column}")]
    Column {
        /// What was asked for.
        what: &'static str,
        /// The column of the answer.
        column: &'static str,
        /// The cause.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The answer has more or fewer rows than the query promises.
    #[error("read {what}: {rows} rows where one was expected")]
    RowCount {
        /// What was asked for.
        what: &'static str,
        /// How many came.
        rows: usize,
    },
    /// A list came in another shape than the query promises.
    #[error("read the list in column {column}")]
    Json {
        /// The column of the answer.
        column: &'static str,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// TimescaleDB's catalogs are not those that are known.
    #[error(
        "TimescaleDB {version} is older than 2.0: update it first (ALTER EXTENSION timescaledb UPDATE)"
    )]
    TimescaleVersion {
        /// The installed version.
        version: String,
    },
    /// A catalog letter of a newer server.
    #[error(transparent)]
    Letter(#[from] UnknownLetter),
}

impl Error {
    /// The server's code, where a server refused.
    pub fn sqlstate(&self) -> Option<SqlState> {
        match self {
            Self::Query { source, .. } => source.sqlstate(),
            Self::Column { .. }
            | Self::RowCount { .. }
            | Self::Json { .. }
            | Self::TimescaleVersion { .. }
            | Self::Letter(_) => None,
        }
    }

    /// Whether a lock of another session was in the way.
    pub fn is_lock_conflict(&self) -> bool {
        matches!(self, Self::Query { source, .. } if source.is_lock_conflict())
    }

    /// Whether a change of definitions came between: an object that the snapshot shows is gone, or is being
    /// changed. What the server prints follows the latest state, and is NULL for what is gone.
    pub fn is_of_change(&self) -> bool {
        match self {
            Self::Query { source, .. } => {
                source.is_lock_conflict() || source.sqlstate().is_some_and(is_missing)
            }
            Self::Column { source, .. } => std::error::Error::source(source)
                .is_some_and(<dyn std::error::Error>::is::<tokio_postgres::types::WasNull>),
            Self::RowCount { .. }
            | Self::Json { .. }
            | Self::TimescaleVersion { .. }
            | Self::Letter(_) => false,
        }
    }

    /// Whether the same call may succeed later on a new connection.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Query { source, .. } => match source.sqlstate() {
                Some(code) => code.is_transient(),
                None => true,
            },
            Self::Column { .. }
            | Self::RowCount { .. }
            | Self::Json { .. }
            | Self::TimescaleVersion { .. }
            | Self::Letter(_) => false,
        }
    }
}

/// Whether a code means that something a query was about does not exist any more.
pub fn is_missing(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::INTERNAL_ERROR
            | SqlState::UNDEFINED_OBJECT
            | SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_COLUMN
            | SqlState::UNDEFINED_FUNCTION
            | SqlState::INVALID_SCHEMA_NAME
    )
}
