//! The errors of this area.

use crate::cluster::filter::FilterFault;
use crate::pg::Side;
use crate::remedy::{Remedy, Setting};
use crate::{catalog, connect, selection};

/// Why a server could not be used: it was not reached, refused a query, or is in use by another run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server cannot be reached.
    #[error("connect to the {side}")]
    Connect {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// A query of the checks was refused.
    #[error("examine the {side}")]
    Examine {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The given names select nothing.
    #[error(transparent)]
    Selection(Box<selection::Error>),
    /// The catalog could not be read.
    #[error("read the definitions of the {side}'s {place}")]
    Catalog {
        /// The server.
        side: Side,
        /// The database, or `roles`.
        place: String,
        /// The cause.
        source: catalog::Error,
    },
    /// Another run copies the database.
    #[error("database {database} on the {side} is being {} by {by}; wait for its end", busy_verb(*side))]
    Busy {
        /// The server.
        side: Side,
        /// The database.
        database: String,
        /// The other run, in words.
        by: String,
    },
    /// A session that held the run's locks has ended: another run may have started.
    #[error(
        "the session that held this run's locks on the {side} was lost; unfinished work of this run was undone \
         where possible. Repeat the command to resume"
    )]
    LockLost {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The time that filters are to use as the current time is none.
    #[error("{text:?} is no time: {reason}")]
    AsOf {
        /// The text as given.
        text: String,
        /// Why.
        reason: String,
    },
    /// Filters depend on the current time, and the time of the copy is not known.
    #[error(
        "the filters depend on the current time, and the time of the copy is not recorded here"
    )]
    AsOfUnknown,
    /// A filter cannot be used.
    #[error(transparent)]
    Filter(Box<FilterFault>),
    /// All rows are copied, but later changes cannot be followed.
    #[error(
        "database {database} was copied, but its changes since then cannot be followed: {reasons}"
    )]
    PromiseBroken {
        /// The database.
        database: String,
        /// The parts of the promise that are not kept.
        reasons: String,
    },
}

const fn busy_verb(side: Side) -> &'static str {
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
    /// Returns the server and the database where it happened, as far as the message does not name them.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Connect { side, .. }
            | Self::Examine { side, .. }
            | Self::LockLost { side, .. }
            | Self::Catalog { side, .. } => Some(side.to_string()),
            Self::PromiseBroken { database, .. } => Some(format!("source, database {database}")),
            Self::Busy { database, side, .. } => Some(format!("{side}, database {database}")),
            Self::Filter(fault) => Some(format!("source, database {}", fault.database)),
            Self::Selection(_) | Self::AsOf { .. } | Self::AsOfUnknown => None,
        }
    }

    /// Returns what the user can do about it, as far as its causes do not know.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::PromiseBroken { .. } => vec!["copy it again".into(), Remedy::copy_once()],
            Self::Selection(error) => error.remedies(),
            Self::AsOf { .. } => vec![Remedy::Correct(Setting::AsOf)],
            Self::AsOfUnknown => vec![
                Remedy::pass_to(Setting::AsOf, "compare with the time that init has printed"),
                Remedy::pass_to(Setting::StateDir, "read it from the state of init"),
            ],
            Self::Filter(fault) => fault.remedies(),
            Self::Connect { .. }
            | Self::Examine { .. }
            | Self::Catalog { .. }
            | Self::Busy { .. }
            | Self::LockLost { .. } => Vec::new(),
        }
    }

    /// Returns whether a query waited too long for locks of other sessions.
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

    /// Returns whether another connection would fail as well: the command was stopped while it connected, or
    /// a transaction pooler answered.
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
