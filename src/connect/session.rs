//! Sessions for SQL, and the settings each purpose needs, in one place.

use std::future::poll_fn;
use std::pin::Pin;

use futures_util::StreamExt as _;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{
    AsyncMessage, Client, Config, NoTls, Row, SimpleQueryMessage, SimpleQueryRow, SimpleQueryStream,
};

use super::handover::Handover;
use super::{Endpoint, Error, Purpose};
use crate::pg::{Oid, ServerVersion, Sql, has_raw_bytes};
use crate::task::Background;
use crate::wire::{CancelKey, Connection, Idle};

/// A session for SQL on one database; ends when dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    version: ServerVersion,
    key: Option<CancelKey>,
    /// Whether the database has an encoding.
    is_encoded: bool,
    endpoint: Endpoint,
    _driver: Background<()>,
}

/// The types of a statement, as oids of `pg_type`. Domains are described by their base types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Those of its parameters.
    pub parameters: Vec<Oid>,
    /// Those of its result's columns.
    pub columns: Vec<Oid>,
}

impl Endpoint {
    /// Opens a session for SQL.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn session(&self, purpose: Purpose) -> Result<Session, Error> {
        let connection = self.wire(purpose).await?;
        Session::hand_over(connection, self.clone()).await
    }
}

impl Session {
    /// Hands a started and prepared connection to the SQL client.
    ///
    /// # Errors
    /// The connection is lost on the way.
    async fn hand_over(connection: Connection<Idle>, endpoint: Endpoint) -> Result<Self, Error> {
        let prepare = |source| endpoint.settings_error(source);
        let version = connection.server_version().map_err(prepare)?;
        let key = connection.cancel_key();
        let is_encoded = connection.parameter("server_encoding") != Some("SQL_ASCII");
        let stream = Handover::new(connection.into_parts().map_err(prepare)?);
        let mut config = Config::new();
        config.user(endpoint.user()).ssl_mode(SslMode::Disable);
        let (client, driver) = config
            .connect_raw(stream, NoTls)
            .await
            .map_err(Error::Lost)?;
        let driver = Background::spawn(drive_session(driver));
        Ok(Self {
            client,
            version,
            key,
            is_encoded,
            endpoint,
            _driver: driver,
        })
    }

    /// The number of its process on the server, with what cancels it; poolers give their own.
    pub fn cancel_key(&self) -> Option<CancelKey> {
        self.key
    }

    /// Where it is connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks the server to cancel the statement at work, as far as it can be reached.
    pub async fn request_cancel(&self) {
        self.endpoint.request_cancel(self.key).await;
    }

    /// What ends a transaction that writes, see [`Endpoint::commit`].
    pub fn commit(&self) -> Sql {
        self.endpoint.commit()
    }

    /// The server's version.
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// The text of a statement. One that was built from texts of a database without an encoding is only for
    /// another such database.
    fn check_sendable<'s>(&self, sql: &'s Sql) -> Result<&'s str, Error> {
        if self.is_encoded && has_raw_bytes(sql.as_str()) {
            return Err(Error::RawBytes);
        }
        Ok(sql.as_str())
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
        let rows = if parameters.is_empty() {
            // Nothing to ask the server about first: one round trip instead of two.
            self.client
                .query_typed(self.check_sendable(sql)?, &[])
                .await
        } else {
            self.client
                .query(self.check_sendable(sql)?, parameters)
                .await
        };
        rows.map_err(Error::from_statement)
    }

    /// Runs one statement whose parameters' types are known; all rows. It takes one round trip.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn query_typed(
        &self,
        sql: &Sql,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Error> {
        self.client
            .query_typed(self.check_sendable(sql)?, parameters)
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
            .query_one(self.check_sendable(sql)?, parameters)
            .await
            .map_err(Error::from_statement)
    }

    /// Has the server parse one statement, without running it.
    ///
    /// # Protocol
    /// `Parse` takes exactly one statement, unlike `Query` (protocol, "Extended Query").
    ///
    /// # Errors
    /// The server refused the statement, or the connection broke.
    pub async fn describe(&self, sql: &Sql) -> Result<Description, Error> {
        let prepared = self.client.prepare(self.check_sendable(sql)?).await;
        let prepared = prepared.map_err(Error::from_statement)?;
        let columns = prepared.columns().iter();
        Ok(Description {
            parameters: prepared.params().iter().map(|one| Oid(one.oid())).collect(),
            columns: columns.map(|column| Oid(column.type_().oid())).collect(),
        })
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
            .execute(self.check_sendable(sql)?, parameters)
            .await
            .map_err(Error::from_statement)
    }

    /// Runs one or more statements by the simple protocol, dropping their rows.
    ///
    /// # Errors
    /// As [`query`](Self::query); statements after the failing one are not run.
    pub async fn batch(&self, sql: &Sql) -> Result<(), Error> {
        self.client
            .batch_execute(self.check_sendable(sql)?)
            .await
            .map_err(Error::from_statement)
    }

    /// Sends one or more statements by the simple protocol without waiting for the answer. What
    /// is sent next is run next.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn send(&self, sql: &Sql) -> Result<Answer, Error> {
        let stream = self
            .client
            .simple_query_raw(self.check_sendable(sql)?)
            .await
            .map_err(Error::from_statement)?;
        Ok(Answer(Box::pin(stream)))
    }

    /// Runs one or more statements by the simple protocol; every value comes as text.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    pub async fn rows(&self, sql: &Sql) -> Result<Vec<SimpleQueryRow>, Error> {
        let messages = self
            .client
            .simple_query(self.check_sendable(sql)?)
            .await
            .map_err(Error::from_statement)?;
        let rows = messages.into_iter().filter_map(|message| {
            if let SimpleQueryMessage::Row(row) = message {
                Some(row)
            } else {
                None
            }
        });
        Ok(rows.collect())
    }
}

/// The answer to statements that were sent. Dropped, it is read by nobody, and the statements run
/// all the same.
pub struct Answer(Pin<Box<SimpleQueryStream>>);

impl Answer {
    /// Waits until all statements were run.
    ///
    /// # Errors
    /// A statement was refused, or the connection broke; with the number of commands completed
    /// before.
    pub async fn finish(mut self) -> Result<(), (usize, Error)> {
        let mut completed = 0;
        while let Some(message) = self.0.next().await {
            match message {
                Ok(SimpleQueryMessage::CommandComplete(_)) => completed += 1,
                Ok(_) => {}
                Err(error) => return Err((completed, Error::from_statement(error))),
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

/// Moves the session's bytes until it ends. What the server says unasked is logged.
async fn drive_session(mut connection: tokio_postgres::Connection<Handover, NoTlsStream>) {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => {
                tracing::debug!(code = notice.code().code(), "notice: {}", notice.message());
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "a session ended");
                return;
            }
        }
    }
}
