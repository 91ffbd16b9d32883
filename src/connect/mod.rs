//! From connection text to a session or a wire connection.

mod bridge;
mod secret;
mod session;
pub mod tls;

pub use secret::Secret;
pub use session::{Canceller, Purpose, Session};

use crate::pg::{ServerError, ServerVersion, SqlState};
use crate::task::Background;

/// Where and as whom to connect.
#[derive(Clone, Debug)]
pub struct Endpoint {
    config: tokio_postgres::Config,
}

impl Endpoint {
    /// Parses a connection URL.
    ///
    /// # Errors
    /// The text is no connection string.
    pub fn parse(url: &str, _: &Environment) -> Result<Self, Error> {
        Ok(Self {
            config: url.parse().map_err(Error::from_statement)?,
        })
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        let mut config = self.config.clone();
        config.dbname(database);
        Self { config }
    }

    /// Opens a session for SQL.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn session(&self, _purpose: Purpose) -> Result<Session, Error> {
        let (client, connection) = self
            .config
            .connect(tokio_postgres::NoTls)
            .await
            .map_err(Error::from_statement)?;
        let driver = Background::spawn(async move { drop(connection.await) });
        let row = client
            .query_one("SELECT current_setting('server_version_num')::int4", &[])
            .await
            .map_err(Error::from_statement)?;
        let number: i32 = row.get(0);
        client
            .batch_execute("SET search_path = ''; SET quote_all_identifiers = off; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET row_security = off; SET check_function_bodies = off")
            .await
            .map_err(Error::from_statement)?;
        Ok(Session::new(
            client,
            ServerVersion::new(number.unsigned_abs()),
            driver,
        ))
    }
}

/// What of this process's surroundings a connection may depend on.
#[derive(Clone, Debug, Default)]
pub struct Environment {}

impl Environment {
    /// This process's.
    pub fn from_process() -> Self {
        Self {}
    }
}

/// Why there is no connection, or why a statement on it did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused a statement.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The connection broke.
    #[error("connection to the server lost")]
    Lost(#[source] tokio_postgres::Error),
    /// A wire connection cannot be made.
    #[error(transparent)]
    Wire(crate::wire::Error),
}

impl Error {
    /// Sorts an error of the SQL client.
    pub(crate) fn from_statement(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::Lost(error);
        };
        Self::Server(Box::new(ServerError {
            severity: db.severity().to_owned(),
            code: SqlState::parse(db.code().code()),
            message: db.message().to_owned(),
            detail: db.detail().map(str::to_owned),
            hint: db.hint().map(str::to_owned),
            context: db.where_().map(str::to_owned),
            position: match db.position() {
                Some(tokio_postgres::error::ErrorPosition::Original(at)) => Some(*at),
                _ => None,
            },
        }))
    }

    /// The server's code, where a server answered.
    pub fn sqlstate(&self) -> Option<SqlState> {
        match self {
            Self::Server(error) => Some(error.code),
            Self::Lost(_) => None,
            Self::Wire(error) => error.sqlstate(),
        }
    }
}
