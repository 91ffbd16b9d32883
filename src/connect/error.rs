use std::io;

use super::conninfo_error::ConninfoError;
use super::service::ServiceError;
use super::tls::{self, SslMode};
use crate::pg::{ServerError, SqlState};
use crate::remedy::{Remedy, Setting};
use crate::wire::{self, AuthenticationError};

/// The way around a pooler.
pub const POOLER_HINT: &str = "connect to the server itself: give the host and port of PostgreSQL, not those of the \
     pooler (Neon: the host name without -pooler; Supabase: port 5432 instead of 6543)";

/// Why there is no connection, or why a statement on it did not succeed. No message holds a
/// password; places are `host:port`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string is wrong.
    #[error(transparent)]
    Conninfo(#[from] ConninfoError),
    /// The service gives no parameters.
    #[error(transparent)]
    Service(#[from] Box<ServiceError>),
    /// The host's name leads nowhere.
    #[error("{place}: the host name cannot be resolved")]
    Resolve {
        /// Host and port.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("{place}")]
    Dial {
        /// Host and port, or the socket's folder.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// Nobody answered in time.
    #[error("{place}: no connection within {seconds} s")]
    TimedOut {
        /// Host and port.
        place: String,
        /// `connect_timeout`.
        seconds: u64,
    },
    /// The command was stopped while it connected.
    #[error("stopped")]
    Stopped,
    /// A transaction pooler is between us and the server.
    #[error("{place} is a transaction pooler: {proof}")]
    Pooler {
        /// Hosts, ports and database.
        place: String,
        /// What proves it.
        proof: &'static str,
    },
    /// TLS is wanted, and the server does not offer it.
    #[error("{place}: sslmode={mode} needs TLS, which the server does not offer")]
    NoTls {
        /// Host and port.
        place: String,
        /// What is wanted.
        mode: SslMode,
    },
    /// The TLS handshake did not succeed.
    #[error("{place}")]
    Tls {
        /// Host and port.
        place: String,
        /// The cause.
        source: Box<tls::Error>,
    },
    /// The server did not let us in.
    #[error("{place}")]
    Start {
        /// Host, port and database.
        place: String,
        /// The cause.
        source: wire::Error,
    },
    /// None of the servers is of the kind that `target_session_attrs` asks for.
    #[error("{place}: the server is not what target_session_attrs asks for")]
    SessionKind {
        /// Host and port.
        place: String,
    },
    /// The server is reached and refuses a setting that the session needs.
    #[error("{place}: prepare the session")]
    Settings {
        /// Host, port and database.
        place: String,
        /// The cause.
        source: wire::Error,
    },
    /// A cancel request could not be delivered.
    #[error("deliver a cancel request")]
    Cancel(#[source] wire::Error),
    /// A statement holds bytes of a database without an encoding, and this one has an encoding.
    #[error("{}", wire::RAW_BYTES)]
    RawBytes,
    /// The server refused a statement.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// Other sessions held locks for too long.
    #[error("waited {seconds} s for {what}: {holders}")]
    LockWait {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// Who was in the way, in words.
        holders: String,
        /// The last refusal.
        source: Box<Error>,
    },
    /// The connection broke, or an answer could not be understood.
    #[error("the connection to the server failed")]
    Lost(#[source] tokio_postgres::Error),
}

/// What may help when nobody answers.
const fn dial_hint(kind: io::ErrorKind) -> &'static str {
    if matches!(kind, io::ErrorKind::NotFound) {
        return "check the socket directory and port in the URL, and that the server is running";
    }
    "check host and port in the URL, that the server is running, and that it listens on that address \
     (listen_addresses)"
}

impl Error {
    /// Sorts an error of the SQL client.
    pub(crate) fn from_statement(error: tokio_postgres::Error) -> Self {
        let Some(answer) = error.as_db_error() else {
            return Self::Lost(error);
        };
        Self::Server(Box::new(ServerError {
            severity: answer.severity().to_owned(),
            code: SqlState::parse(answer.code().code()),
            message: answer.message().to_owned(),
            detail: answer.detail().map(str::to_owned),
            hint: answer.hint().map(str::to_owned),
            context: answer.where_().map(str::to_owned),
            position: match answer.position() {
                Some(tokio_postgres::error::ErrorPosition::Original(at)) => Some(*at),
                _ => None,
            },
        }))
    }

    /// Counts the position of a refused statement from a later begin, in characters.
    pub(crate) fn count_from(&mut self, begin: usize) {
        if let Self::Server(answer) = self {
            let begin = u32::try_from(begin).unwrap_or(u32::MAX);
            answer.position = answer.position.and_then(|at| at.checked_sub(begin));
        }
    }

    /// What the server said of a statement, unless the connection broke.
    pub fn answer(&self) -> Option<&ServerError> {
        if let Self::Server(answer) = self {
            Some(answer)
        } else {
            None
        }
    }

    /// What the server, or a pooler, said when it did not let us in.
    pub fn refused_start(&self) -> Option<&ServerError> {
        if let Self::Start {
            source: wire::Error::Server(answer),
            ..
        } = self
        {
            Some(answer)
        } else {
            None
        }
    }

    /// The server's code, where a server answered.
    pub fn sqlstate(&self) -> Option<SqlState> {
        match self {
            Self::Server(answer) => Some(answer.code),
            Self::Start { source, .. } | Self::Settings { source, .. } | Self::Cancel(source) => {
                source.sqlstate()
            }
            Self::LockWait { source, .. } => source.sqlstate(),
            Self::Conninfo(_)
            | Self::Service(_)
            | Self::Resolve { .. }
            | Self::Dial { .. }
            | Self::TimedOut { .. }
            | Self::NoTls { .. }
            | Self::Tls { .. }
            | Self::Stopped
            | Self::RawBytes
            | Self::Pooler { .. }
            | Self::SessionKind { .. }
            | Self::Lost(_) => None,
        }
    }

    /// Whether the same call may succeed later: the network failed, or the server was busy with
    /// itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Resolve { .. } | Self::Dial { .. } | Self::TimedOut { .. } | Self::Lost(_) => {
                true
            }
            Self::Tls { source, .. } => source.is_transient(),
            Self::Start { source, .. } | Self::Settings { source, .. } | Self::Cancel(source) => {
                source.is_transient()
            }
            Self::Server(answer) => answer.code.is_transient(),
            Self::LockWait { .. }
            | Self::Conninfo(_)
            | Self::Service(_)
            | Self::Stopped
            | Self::RawBytes
            | Self::Pooler { .. }
            | Self::NoTls { .. }
            | Self::SessionKind { .. } => false,
        }
    }

    /// Whether a lock of another session was in the way: the wait for it ended early, or in a deadlock.
    pub fn is_lock_conflict(&self) -> bool {
        let code = self.answer().map(|answer| answer.code);
        matches!(
            code,
            Some(SqlState::LOCK_NOT_AVAILABLE | SqlState::DEADLOCK_DETECTED)
        )
    }

    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        if let Self::LockWait { .. } = self {
            return vec![
                "end the transaction that is in the way".into(),
                Remedy::Raise(Setting::MaxLockWait),
            ];
        }
        self.hint().map(Remedy::from).into_iter().collect()
    }

    /// What may help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Tls { source, .. } => source.hint(),
            Self::Pooler { .. } => Some(POOLER_HINT),
            Self::Conninfo(error) => error.hint(),
            Self::Resolve { .. } => {
                Some("check the host name in the URL, and that this machine can resolve it")
            }
            Self::Dial { source, .. } => Some(dial_hint(source.kind())),
            Self::TimedOut { .. } => Some(
                "check host and port in the URL, and that no firewall is in between; connect_timeout in the URL \
                 changes the limit",
            ),
            Self::NoTls { .. } => Some("use another sslmode, or switch ssl on at the server"),
            Self::Start {
                source: wire::Error::Authentication(AuthenticationError::NoPassword { .. }),
                ..
            } => Some(
                "give the password: it is read from the URL, the service file, PGPASSWORD, or the password file \
                 (passfile= in the URL, PGPASSFILE, ~/.pgpass; mode 0600)",
            ),
            Self::Start {
                source: wire::Error::Server(answer),
                ..
            } => match answer.code {
                SqlState::INVALID_PASSWORD => Some(
                    "correct the role or its password: the first is used that is found in the URL, the service \
                     file, PGPASSWORD, the password file (passfile= in the URL, PGPASSFILE, ~/.pgpass)",
                ),
                SqlState::INVALID_CATALOG_NAME => Some("name an existing database in the URL"),
                _ => None,
            },
            Self::Service(_)
            | Self::Stopped
            | Self::RawBytes
            | Self::Start { .. }
            | Self::SessionKind { .. }
            | Self::Settings { .. }
            | Self::Cancel(_)
            | Self::Server(_)
            | Self::LockWait { .. }
            | Self::Lost(_) => None,
        }
    }
}
