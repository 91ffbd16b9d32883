//! Why a database was not filled.

use std::fmt;

use crate::event::Phase;
use crate::migrate::error::Error;
use crate::{connect, ddl, snapshot};

/// Why a database's contents were not copied.
pub(crate) enum Failure {
    /// Something around the copy failed.
    Around(Box<Error>),
    /// A phase of the copy failed.
    Snapshot(Phase, snapshot::Error),
    /// No script could be rendered.
    Ddl(ddl::Error),
}

impl Failure {
    pub(crate) fn in_phase(phase: Phase) -> impl Fn(snapshot::Error) -> Self {
        move |error| Self::Snapshot(phase, error)
    }

    /// Wraps a server that could not be asked in a phase.
    pub(crate) fn connect(phase: Phase) -> impl Fn(connect::Error) -> Self {
        move |error| Self::Snapshot(phase, snapshot::Error::Connect(error))
    }

    /// What the target has refused, where it has everything else.
    ///
    /// # Errors
    /// The failure, if that is not the cause.
    pub(crate) fn into_refused(self) -> Result<snapshot::Refused, Self> {
        match self {
            Self::Snapshot(_, snapshot::Error::Refused(refused)) => Ok(*refused),
            Self::Snapshot(..) | Self::Ddl(_) | Self::Around(_) => Err(self),
        }
    }

    /// What the target has refused, and what may not be missing.
    pub(crate) fn refused(phase: Phase, refused: snapshot::Refused) -> Self {
        Self::Snapshot(phase, snapshot::Error::Refused(Box::new(refused)))
    }

    pub(crate) fn around_copy(error: Error) -> Self {
        Self::Around(Box::new(error))
    }

    /// Whether the copy ended for a session that waits for our locks.
    pub(crate) fn is_yielding(&self) -> bool {
        matches!(self, Self::Snapshot(_, error) if error.is_yielding())
    }

    /// The error of the run; `removed` says whether the target database is gone.
    pub(crate) fn into_error(self, database: &str, removed: bool) -> Error {
        let database = database.to_owned();
        match self {
            Self::Around(error) => *error,
            Self::Snapshot(_, error) if error.is_stop() => Error::Stopped,
            Self::Snapshot(phase, source) => Error::Copy {
                database,
                phase,
                removed,
                source: Box::new(source),
            },
            Self::Ddl(source) => Error::Ddl { database, source },
        }
    }
}

/// The cause, in words.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(_, error) => error.fmt(f),
            Self::Ddl(error) => error.fmt(f),
            Self::Around(error) => error.fmt(f),
        }
    }
}

/// Something around the copy.
impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Around(Box::new(error.into()))
    }
}
