use crate::connect;
use crate::logical::LoadError;
use crate::pg::Side;

/// Why the state of a database could not be observed.
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
    /// A server refused a query.
    #[error("read the replication state of the {side}")]
    Query {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The tables of the source could not be read.
    #[error("read the tables of the source")]
    Tables(#[source] LoadError),
    /// A signal stopped the command.
    #[error("stopped")]
    Stopped,
}

impl Error {
    pub(super) fn connect(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Connect { side, source }
    }

    pub(super) fn query(side: Side) -> impl Fn(connect::Error) -> Self + Copy {
        move |source| Self::Query { side, source }
    }
}
