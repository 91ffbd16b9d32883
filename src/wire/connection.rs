//! A session whose type says what the server is ready for. A command that is dropped or fails half-way
//! leaves the connection out of step. Every later call says so ([`Error::OutOfStep`]) rather than reading
//! another command's answer.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use super::backend::{Backend, CancelKey, CopyFormat, TransactionStatus};
use super::error::Error;
use super::link::{Link, unexpected_message};
use super::parts::Parts;
use crate::pg::{ServerError, Sql, text_from_bytes};

/// The server waits for a command.
#[derive(Debug)]
pub struct Idle(());

/// A session. `S` is what it is in the middle of: [`Idle`], [`CopyOut`](super::CopyOut),
/// [`CopyIn`](super::CopyIn) or [`CopyBoth`](super::CopyBoth). Dropping it closes the stream, and the server
/// rolls back everything that is not committed.
#[derive(Debug)]
pub struct Connection<S> {
    pub(super) link: Box<Link>,
    pub(super) state: S,
}

/// A call that consumed a connection and failed.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Why.
    #[source]
    pub error: Error,
    /// The connection, where it is still in step.
    pub connection: Option<Connection<Idle>>,
}

/// The rows of one statement, every value as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultSet {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// The command tag, such as `SELECT 1`; empty for an empty statement.
    pub tag: String,
}

impl ResultSet {
    /// The value in the only row, by column name.
    pub fn single(&self, column: &str) -> Option<&str> {
        let [row] = self.rows.as_slice() else {
            return None;
        };
        let at = self.columns.iter().position(|name| name == column)?;
        row.get(at)?.as_deref()
    }
}

impl<S> Connection<S> {
    /// A server parameter, as last reported.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.link.parameters.get(name).map(String::as_str)
    }

    /// What a cancel request for this session needs; poolers may give none.
    pub fn cancel_key(&self) -> Option<CancelKey> {
        self.link.key
    }

    /// Takes the notices since the last call, at most the last hundred.
    pub fn take_notices(&mut self) -> Vec<ServerError> {
        self.link.take_notices()
    }

    pub(super) fn with_state<T>(self, state: T) -> Connection<T> {
        Connection {
            link: self.link,
            state,
        }
    }

    /// The connection, if the server waits for a command.
    pub(super) fn if_idle(self) -> Option<Connection<Idle>> {
        self.link.status()?;
        Some(self.with_state(Idle(())))
    }

    pub(super) fn into_failure(self, error: Error) -> Failure {
        Failure {
            error,
            connection: self.if_idle(),
        }
    }
}

impl Connection<Idle> {
    pub(super) fn new_idle(link: Box<Link>) -> Self {
        Self {
            link,
            state: Idle(()),
        }
    }

    /// Whether a transaction is open, and whether it has failed.
    ///
    /// # Errors
    /// The connection is out of step.
    pub fn transaction_status(&self) -> Result<TransactionStatus, Error> {
        self.link.status().ok_or(Error::OutOfStep)
    }

    /// Whether commands can still be given.
    pub fn is_usable(&self) -> bool {
        self.link.status().is_some()
    }

    /// Runs one or more statements; their rows. Not cancel safe: the connection is out of step
    /// if the future is dropped.
    ///
    /// # Errors
    /// The server refused a statement: those before it in the same text are rolled back with it.
    /// Or the connection failed.
    ///
    /// # Protocol
    /// Simple `Query`, the only one that a replication connection takes.
    pub async fn query(&mut self, sql: &Sql) -> Result<Vec<ResultSet>, Error> {
        self.link.begin_command(sql)?;
        self.link.flush().await?;
        let is_raw = self.link.is_raw();
        let mut results = Vec::new();
        let mut open = ResultSet::default();
        loop {
            match self.link.receive().await? {
                Backend::RowDescription(columns) => open.columns = columns,
                Backend::DataRow(row) => open.rows.push(text_row(&row, is_raw)?),
                Backend::CommandComplete(tag) => {
                    tag.clone_into(&mut open.tag);
                    results.push(std::mem::take(&mut open));
                }
                Backend::EmptyQueryResponse => results.push(ResultSet::default()),
                Backend::ErrorResponse(error) => return Err(self.link.settle_error(error).await),
                Backend::ReadyForQuery(status) => {
                    self.link.set_ready(status);
                    return Ok(results);
                }
                other => return Err(unexpected_message("a result", &other)),
            }
        }
    }

    /// Runs one or more statements whose rows, if any, do not matter. Not cancel safe, as
    /// [`query`](Self::query).
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn execute(&mut self, sql: &Sql) -> Result<(), Error> {
        self.query(sql).await.map(drop)
    }

    /// Sends a statement whose first answer must be the one that `accept` knows.
    pub(super) async fn enter_copy(
        mut self,
        sql: &Sql,
        expected: &'static str,
        accept: impl Fn(&Backend<'_>) -> Option<CopyFormat>,
    ) -> Result<(Self, CopyFormat), Failure> {
        match self.first_answer(sql, expected, accept).await {
            Ok(format) => Ok((self, format)),
            Err(error) => Err(self.into_failure(error)),
        }
    }

    async fn first_answer(
        &mut self,
        sql: &Sql,
        expected: &'static str,
        accept: impl Fn(&Backend<'_>) -> Option<CopyFormat>,
    ) -> Result<CopyFormat, Error> {
        self.link.begin_command(sql)?;
        self.link.flush().await?;
        match self.link.receive().await? {
            Backend::ErrorResponse(error) => Err(self.link.settle_error(error).await),
            answer => accept(&answer).ok_or_else(|| unexpected_message(expected, &answer)),
        }
    }

    /// Takes the session apart, for another client to speak on.
    ///
    /// # Errors
    /// The connection is out of step.
    pub fn into_parts(self) -> Result<Parts, Error> {
        self.transaction_status()?;
        let link = *self.link;
        Ok(Parts {
            unread: link.inbox.unread().to_vec(),
            stream: link.stream,
            parameters: link.parameters.into_iter().collect(),
            key: link.key,
        })
    }

    /// Ends the session in order. Cancel safe in that the stream is closed with the future.
    ///
    /// # Errors
    /// The stream failed before the server knew.
    pub async fn close(mut self) -> Result<(), Error> {
        super::frontend::encode_terminate(self.link.outbox.queue());
        self.link.flush().await?;
        tokio::io::AsyncWriteExt::shutdown(&mut self.link.stream).await?;
        Ok(())
    }
}

fn text_row(row: &[Option<&[u8]>], is_raw: bool) -> Result<Vec<Option<String>>, Error> {
    let text = |value: &Option<&[u8]>| match value {
        None => Ok(None),
        Some(bytes) if is_raw => Ok(Some(text_from_bytes(bytes).into_owned())),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(Error::Answer {
                command: "a query",
                field: "UTF-8 value",
            }),
        },
    };
    row.iter().map(text).collect()
}
