use crate::pg::Side;
use crate::remedy::Remedy;
use crate::{catalog, connect, selection};

/// Why the two servers could not be reached, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A cluster cannot be reached.
    #[error("connect to the {side}")]
    Connect {
        /// Which one.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// A question of the checks was refused.
    #[error("examine the {side}")]
    Examine {
        /// Which cluster.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The names given select nothing.
    #[error(transparent)]
    Selection(Box<selection::Error>),
    /// The catalog could not be read.
    #[error("read the definitions of the {side}'s {place}")]
    Catalog {
        /// Which cluster.
        side: Side,
        /// Which database, or `roles`.
        place: String,
        /// The cause.
        source: catalog::Error,
    },
    /// Another run copies the database.
    #[error("database {database} on the {side} is being {} by {by}; wait for its end", busy(*side))]
    Busy {
        /// On which side.
        side: Side,
        /// The database.
        database: String,
        /// Who it is.
        by: String,
    },
    /// A session that held the run's locks has ended: another run may have begun.
    #[error(
        "the session that held this run's locks on the {side} was lost; what this run had not finished was \
         taken back where that was possible, and the same command continues"
    )]
    LockLost {
        /// On which side.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// All rows are copied, and changes from there on cannot be followed.
    #[error(
        "database {database} was copied, but its changes since then cannot be followed: {reasons}"
    )]
    PromiseBroken {
        /// The database.
        database: String,
        /// What is wrong.
        reasons: String,
    },
}

const fn busy(side: Side) -> &'static str {
    match side {
        Side::Source => "copied",
        Side::Target => "filled",
    }
}

impl From<selection::Error> for Error {
    fn from(error: selection::Error) -> Self {
        Self::Selection(Box::new(error))
    }
}

impl Error {
    /// Returns where it happened, as far as the message does not say: which server, which database.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Connect { side, .. }
            | Self::Examine { side, .. }
            | Self::LockLost { side, .. }
            | Self::Catalog { side, .. } => Some(side.to_string()),
            Self::PromiseBroken { database, .. } => Some(format!("source, database {database}")),
            Self::Busy { database, side, .. } => Some(format!("{side}, database {database}")),
            Self::Selection(_) => None,
        }
    }

    /// What the user can do about it, as far as its causes do not know.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::PromiseBroken { .. } => vec!["copy it again".into(), Remedy::copy_once()],
            Self::Selection(error) => error.remedies(),
            Self::Connect { .. }
            | Self::Examine { .. }
            | Self::Catalog { .. }
            | Self::Busy { .. }
            | Self::LockLost { .. } => Vec::new(),
        }
    }

    /// Whether locks of other sessions kept something from being read for too long.
    pub(crate) const fn is_lock_wait(&self) -> bool {
        if let Self::Catalog {
            source: catalog::Error::Query { source, .. },
            ..
        }
        | Self::Examine { source, .. } = self
        {
            return matches!(source, connect::Error::LockWait { .. });
        }
        false
    }

    /// Whether another server or another connection would not help: the command was stopped while it
    /// connected, or a transaction pooler answers.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Connect {
                source: connect::Error::Pooler { .. } | connect::Error::Stopped,
                ..
            }
        )
    }

    /// Wraps a failed connection.
    pub(crate) fn connect(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Connect { side, source }
    }

    /// Wraps a failed query of the checks.
    pub(crate) fn examine(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Examine { side, source }
    }

    /// Wraps definitions that could not be read.
    pub(crate) fn read(
        side: Side,
        place: impl Into<String>,
    ) -> impl FnOnce(catalog::Error) -> Self {
        let place = place.into();
        move |source| Self::Catalog {
            side,
            place,
            source,
        }
    }
}
