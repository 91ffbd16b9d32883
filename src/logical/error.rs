//! Why a publication cannot be what it must be.

use super::candidate::LoadError;
use super::identity::Blocked;
use crate::connect;
use crate::pg::{QualifiedName, SqlState};
use crate::remedy::{Remedy, Setting};

/// Why a publication cannot be what it must be.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The tables cannot be read.
    #[error(transparent)]
    Candidates(#[from] LoadError),
    /// The server refused a statement.
    #[error(transparent)]
    Server(#[from] connect::Error),
    /// A table has no usable replica identity.
    #[error("table {} {}; UPDATE and DELETE would fail on the source", .0.table, .0.blocker)]
    Blocked(Box<Blocked>),
    /// The server does not publish a table with its filter.
    #[error("the filter of table {table} cannot be published: {predicate}")]
    Filter {
        /// The table.
        table: Box<QualifiedName>,
        /// Its predicate.
        predicate: String,
        /// The server's answer.
        source: connect::Error,
    },
    /// Somebody dropped the publication.
    #[error("it was dropped by somebody else")]
    Gone,
    /// Somebody replaced the publication, or another run did.
    #[error("it is no longer this run's")]
    Taken,
    /// Somebody changed what only we change.
    #[error("somebody else has changed it: it {differences}")]
    Altered {
        /// What differs.
        differences: String,
    },
}

impl PublishError {
    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::Blocked(blocked) => blocked.all_remedies(),
            Self::Filter { .. } => {
                let mut remedies = filter_remedies();
                remedies.push(Remedy::copy_once());
                remedies
            }
            Self::Server(error) | Self::Candidates(LoadError::Server(error)) => error.remedies(),
            Self::Candidates(LoadError::Letter(_) | LoadError::Catalog(_))
            | Self::Gone
            | Self::Taken
            | Self::Altered { .. } => Vec::new(),
        }
    }

    /// Whether a table was dropped, renamed or published by somebody else at the same time.
    pub(super) fn is_about_a_vanished_table(&self) -> bool {
        let Self::Server(error) = self else {
            return false;
        };
        matches!(
            error.sqlstate(),
            Some(
                SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_OBJECT | SqlState::DUPLICATE_OBJECT
            )
        )
    }
}

/// What to do about a filter that cannot be published.
pub(super) fn filter_remedies() -> Vec<Remedy> {
    vec![
        "rewrite the filter with immutable functions of the server only".into(),
        Remedy::with(
            "copy the table without its later changes",
            Setting::SnapshotOnlyTables,
        ),
    ]
}
