use std::fmt;

use crate::connect::{self, Error as ConnectError};
use crate::logical::{LoadError, PublishError};
use crate::pg::{Ident, Printable, Side, SqlState};
use crate::remedy::{Remedy, Setting};
use crate::{checkpoint, cluster, status};

/// Why `sync` could not start or repair a replication.
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
    #[error("read the replication objects of the {side}")]
    Query {
        /// The server.
        side: Side,
        /// The cause.
        source: connect::Error,
    },
    /// The servers could not be examined, or another run is at work.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The state of the copy could not be read.
    #[error("{0}")]
    State(#[source] Box<checkpoint::Error>),
    /// The tables of the source could not be read.
    #[error("read the tables of the source")]
    Tables(#[source] Box<LoadError>),
    /// The target's server cannot connect to the source.
    #[error("create {subscription}: the target's server cannot connect to the source; {probes}")]
    Unreachable {
        /// The subscription.
        subscription: Box<SubscriptionPlace>,
        /// What an attempt from this machine shows.
        probes: String,
        /// The cause.
        source: connect::Error,
    },
    /// The connection string of the subscription leads to another server or database.
    #[error(
        "create {subscription}: what its connection string ({conninfo}) reaches does not publish table {missing}: it is \
         another server or database than the source"
    )]
    OtherServer {
        /// The subscription.
        subscription: Box<SubscriptionPlace>,
        /// The connection string, without the password.
        conninfo: String,
        /// A table that it does not publish.
        missing: String,
    },
    /// The servers have changed since the checks.
    #[error("the servers have changed since the checks: {reasons}; nothing was changed")]
    Changed {
        /// What the checks find now.
        reasons: String,
    },
    /// The target refused a change of the subscription.
    #[error("{what} {subscription}")]
    Subscription {
        /// What was to be done, such as `create`.
        what: &'static str,
        /// The subscription.
        subscription: Box<SubscriptionPlace>,
        /// The cause.
        source: connect::Error,
    },
    /// The source refused a change of the publication.
    #[error("add tables to publication {publication}")]
    Publication {
        /// The publication.
        publication: Box<Ident>,
        /// The cause.
        source: Box<PublishError>,
    },
    /// The replication could not be observed.
    #[error(transparent)]
    Status(#[from] status::Error),
    /// The target has not caught up in time.
    #[error(
        "database {database} has not caught up within {seconds} s: {state}. The replication continues; \
         repeat the command to wait again"
    )]
    TimedOut {
        /// The database.
        database: String,
        /// The limit.
        seconds: u64,
        /// How far it is.
        state: String,
    },
    /// The replication does not work.
    #[error("database {database}: {reason}")]
    Broken {
        /// The database.
        database: String,
        /// Why.
        reason: String,
        /// What to do.
        remedies: Vec<Remedy>,
    },
    /// Nothing is selected.
    #[error("no database is selected")]
    NothingSelected,
    /// A signal stopped the command.
    #[error("stopped; what was started continues on the servers")]
    Stopped,
}

/// A subscription and its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionPlace {
    /// Its name.
    pub name: Ident,
    /// The target's database.
    pub database: String,
}

impl fmt::Display for SubscriptionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, database } = self;
        write!(f, "subscription {name} in database {}", Printable(database))
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        Self::Tables(Box::new(error))
    }
}

impl From<checkpoint::Error> for Error {
    fn from(error: checkpoint::Error) -> Self {
        Self::State(Box::new(error))
    }
}

impl Error {
    pub(super) fn connect(side: Side) -> impl Fn(ConnectError) -> Self + Copy {
        move |source| Self::Connect { side, source }
    }

    pub(super) fn query(side: Side) -> impl Fn(ConnectError) -> Self + Copy {
        move |source| Self::Query { side, source }
    }

    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        match self {
            Self::OtherServer { .. } => vec![Remedy::with(
                "name the source and its database as the target's server reaches them",
                Setting::SubscriptionSource,
            )],
            Self::Unreachable { .. } => vec![
                Remedy::with(
                    "name the source as the target's server sees it",
                    Setting::SubscriptionSource,
                ),
                "allow the connection in the source's pg_hba.conf and network".into(),
            ],
            Self::Subscription { source, .. } => subscription_remedies(source),
            Self::Publication { source, .. } => source.remedies(),
            Self::Broken { remedies, .. } => remedies.clone(),
            Self::Cluster(error) => error.remedies(),
            Self::State(error) => error.remedies(),
            Self::Connect { source, .. } | Self::Query { source, .. } => source.remedies(),
            Self::TimedOut { .. } => vec![Remedy::Raise(Setting::Timeout)],
            Self::Changed { .. } => vec!["repeat the command".into()],
            Self::Tables(_) | Self::Status(_) | Self::NothingSelected | Self::Stopped => Vec::new(),
        }
    }

    /// Whether a signal ended it.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped | Self::Status(status::Error::Stopped))
    }
}

fn subscription_remedies(source: &connect::Error) -> Vec<Remedy> {
    match source.sqlstate() {
        Some(SqlState::PROHIBITED_SQL_STATEMENT) => vec![
            "the target requires a password from owners of subscriptions that are no superusers: give it in the source's \
             connection string"
                .into(),
            Remedy::with(
                "name a connection string with a password",
                Setting::SubscriptionSource,
            ),
        ],
        Some(SqlState::INSUFFICIENT_PRIVILEGE) => vec![
            "on a target of 16 or newer, grant pg_create_subscription and CREATE on the database; on an older one, connect \
             as a superuser"
                .into(),
        ],
        _ => source.remedies(),
    }
}
