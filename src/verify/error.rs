use super::digest::CutOff;
use crate::catalog;
use crate::connect;
use crate::connect::waiters::Waiter;
use crate::pg::{Side, SqlState};
use crate::wire;

/// Why something could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A side cannot be reached, or refuses.
    #[error("connect to the {side}")]
    Connect {
        /// Which.
        side: Side,
        /// Why.
        #[source]
        source: connect::Error,
    },
    /// The snapshot or the list of tables of a side cannot be loaded.
    #[error("read the catalog of the {side}")]
    Catalog {
        /// Which.
        side: Side,
        /// Why.
        #[source]
        source: connect::Error,
    },
    /// The list of hypertables of a side cannot be loaded.
    #[error("read the catalog of the {side}")]
    Hypertables {
        /// Which.
        side: Side,
        /// Why.
        #[source]
        source: catalog::Error,
    },
    /// A side's rows cannot be read.
    #[error("read the rows on the {side}")]
    Rows {
        /// Which.
        side: Side,
        /// Why.
        #[source]
        source: wire::Error,
    },
    /// Another session held a lock for too long.
    #[error("lock a table on the {side}")]
    Locked {
        /// Which.
        side: Side,
        /// Who it was.
        #[source]
        source: connect::Error,
    },
    /// A session waited for the lock that the table was read under.
    #[error("{waiter}; reading the table was stopped so that it need not wait")]
    Wanted {
        /// The session.
        waiter: Box<Waiter>,
    },
    /// A side's rows ended too early.
    #[error("read the rows on the {side}")]
    CutOff {
        /// Which.
        side: Side,
        /// Where.
        #[source]
        source: CutOff,
    },
    /// What arrived is not what the server says it sent.
    #[error("the {side} reports that it sent {sent} rows, but {arrived} arrived")]
    Miscounted {
        /// Which.
        side: Side,
        /// As the server counted.
        sent: u64,
        /// As we counted.
        arrived: u64,
    },
    /// The table got another file or became another table after the snapshot was taken, whose
    /// rows the snapshot does not see: it would look empty.
    #[error("the table was rewritten on the {side} while it was compared")]
    Rewritten {
        /// Which.
        side: Side,
    },
    /// The run was stopped.
    #[error("stopped")]
    Stopped,
}

impl Error {
    /// Whether the side has no such database.
    pub(super) fn is_missing_database(&self) -> bool {
        self.refused_with() == Some(SqlState::INVALID_CATALOG_NAME)
    }

    /// Whether a server has no connection left: for the role, the database, or anybody.
    pub(super) fn lacks_connection(&self) -> bool {
        self.refused_with() == Some(SqlState::TOO_MANY_CONNECTIONS)
    }

    /// How a connection was refused.
    fn refused_with(&self) -> Option<SqlState> {
        match self {
            Self::Connect { source, .. } => source.sqlstate(),
            Self::Catalog { .. }
            | Self::Hypertables { .. }
            | Self::Rows { .. }
            | Self::Locked { .. }
            | Self::Wanted { .. }
            | Self::CutOff { .. }
            | Self::Miscounted { .. }
            | Self::Rewritten { .. }
            | Self::Stopped => None,
        }
    }
}
