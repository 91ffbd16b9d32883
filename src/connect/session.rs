//! Sessions for SQL, and the settings each purpose needs, in one place.

use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, NoTls, Row, SimpleQueryMessage, SimpleQueryRow};

use super::Error;
use crate::pg::{ServerVersion, Sql};
use crate::task::Background;

/// What a session is for; decides its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Reading catalogs: read-only.
    Introspect,
    /// COPY out of the source: read-only.
    CopyOut,
    /// COPY into the target.
    CopyIn,
    /// DDL, index builds, sequence values on the target.
    Build,
    /// Control statements on the source that may not be read-only: locks, slots.
    Control,
}

/// A session for SQL on one database; ends when dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    version: ServerVersion,
    _driver: Background<()>,
}

impl Session {
    /// Wraps a connected client whose settings are made.
    pub(super) fn new(client: Client, version: ServerVersion, driver: Background<()>) -> Self {
        Self {
            client,
            version,
            _driver: driver,
        }
    }

    /// What cancels the statement at work.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.client.cancel_token())
    }

    /// The server's version.
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// Runs one statement with parameters; all rows.
    ///
    /// # Errors
    /// The server refused the statement, or the connection broke.
    pub async fn query(
        &self,
        sql: &Sql,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        self.client
            .query(sql.as_str(), parameters)
            .await
            .map_err(Error::from_statement)
    }

    /// Runs one statement with parameters that gives exactly one row.
    ///
    /// # Errors
    /// As [`query`](Self::query), and when there is not exactly one row.
    pub async fn query_one(
        &self,
        sql: &Sql,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Error> {
        self.client
            .query_one(sql.as_str(), parameters)
            .await
            .map_err(Error::from_statement)
    }

    /// Runs one statement with parameters; the number of rows it touched.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn execute(
        &self,
        sql: &Sql,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.client
            .execute(sql.as_str(), parameters)
            .await
            .map_err(Error::from_statement)
    }

    /// Runs one or more statements by the simple protocol, dropping their rows.
    ///
    /// # Errors
    /// As [`query`](Self::query); statements after the failing one are not run.
    pub async fn batch(&self, sql: &Sql) -> Result<(), Error> {
        self.client
            .batch_execute(sql.as_str())
            .await
            .map_err(Error::from_statement)
    }

    /// Runs one or more statements by the simple protocol; every value comes as text.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    pub async fn rows(&self, sql: &Sql) -> Result<Vec<SimpleQueryRow>, Error> {
        let messages = self
            .client
            .simple_query(sql.as_str())
            .await
            .map_err(Error::from_statement)?;
        let row = |message| {
            if let SimpleQueryMessage::Row(row) = message {
                Some(row)
            } else {
                None
            }
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }
}

/// Cancels what a session does.
pub struct Canceller(CancelToken);

impl Canceller {
    /// Asks the server to cancel the statement at work, if there is one.
    ///
    /// # Errors
    /// The request could not be delivered.
    pub async fn cancel(&self) -> Result<(), Error> {
        let cancelled = self.0.cancel_query(NoTls).await;
        cancelled.map_err(Error::from_statement)
    }
}
