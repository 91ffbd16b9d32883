//! The target's end of a copy.
//!
//! A copy into a table ends by [`finish`](Connection::finish) only. Anything else that happens to a
//! [`Connection<CopyIn>`], dropping it included, the server sees the stream end without
//! `CopyDone` and rolls the copy back.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use std::future::poll_fn;
use std::task::Poll;

use super::backend::{Backend, CopyFormat};
use super::connection::{Connection, Failure, Idle};
use super::ending::Ending;
use super::error::Error;
use super::frame::COPY_BUFFER_BYTES;
use super::frontend;
use super::link::Item;
use crate::pg::{Sql, SqlState};

/// The server takes rows.
#[derive(Debug)]
pub struct CopyIn {
    pub(super) format: CopyFormat,
    pub(super) ending: Ending,
}

impl Connection<Idle> {
    /// Starts `COPY … FROM STDIN`. Not cancel safe: the connection is lost with the future.
    ///
    /// # Errors
    /// The server refused, or the statement is another one.
    pub async fn copy_in(self, sql: &Sql) -> Result<Connection<CopyIn>, Failure> {
        let accept = |answer: &Backend<'_>| match answer {
            Backend::CopyInResponse(format) => Some(*format),
            _ => None,
        };
        let (connection, format) = self.enter_copy(sql, "CopyInResponse", accept).await?;
        Ok(CopyIn::enter_state(connection, format))
    }
}

impl CopyIn {
    pub(super) fn enter_state(
        connection: Connection<Idle>,
        format: CopyFormat,
    ) -> Connection<Self> {
        connection.with_state(Self {
            format,
            ending: Ending::default(),
        })
    }

    /// A copy that the server has still to announce.
    pub(super) fn unannounced(format: CopyFormat) -> Self {
        Self {
            format,
            ending: Ending::announcing(format),
        }
    }
}

impl Connection<CopyIn> {
    /// The format that the server expects.
    pub fn format(&self) -> CopyFormat {
        self.state.format
    }

    /// Sends bytes of the data; where they are cut does not matter. Not cancel safe: after a
    /// dropped future the copy can only be dropped too.
    ///
    /// # Errors
    /// The server has ended the copy with an error, or the connection failed. Either way
    /// [`into_idle`](Self::into_idle) returns whether the connection is usable.
    pub async fn send(&mut self, data: &[u8]) -> Result<(), Error> {
        if !self.link.outbox.is_empty() {
            return Err(Error::OutOfStep);
        }
        for piece in data.chunks(COPY_BUFFER_BYTES) {
            frontend::copy_data(piece, self.link.outbox.queue());
            self.link.flush().await?;
            self.listen_for_refusal().await?;
        }
        Ok(())
    }

    /// Looks, without waiting, whether the server has refused the data.
    async fn listen_for_refusal(&mut self) -> Result<(), Error> {
        poll_fn(|cx| Poll::Ready(self.link.poll_listen(cx))).await?;
        self.note_answers()?;
        if self.state.ending.has_error() {
            poll_fn(|cx| self.state.ending.poll_ready(&mut self.link, cx)).await?;
            self.state.ending.last_rows()?;
        }
        Ok(())
    }

    /// Takes in what the server has said so far.
    pub(super) fn note_answers(&mut self) -> Result<(), Error> {
        while let Some(item) = self.link.next_item()? {
            let Item::Message { tag, body } = item else {
                return Err(Error::Unexpected {
                    expected: "an answer",
                    received: "CopyData",
                });
            };
            self.state.ending.take_message(&mut self.link, tag, body)?;
        }
        Ok(())
    }

    /// Ends the data; the rows that the server counted. Not cancel safe: with the future is lost
    /// the knowledge whether the server took the copy.
    ///
    /// # Errors
    /// The server refused the data, or the connection failed.
    pub async fn finish(mut self) -> Result<(Connection<Idle>, u64), Failure> {
        match self.complete_copy().await {
            Ok(rows) => self.into_idle().map(|idle| (idle, rows)).ok_or(Failure {
                error: Error::OutOfStep,
                connection: None,
            }),
            Err(error) => Err(self.into_failure(error)),
        }
    }

    /// Sends `CopyDone` and waits for the server's count.
    pub(super) async fn complete_copy(&mut self) -> Result<u64, Error> {
        if !self.link.outbox.is_empty() {
            return Err(Error::OutOfStep);
        }
        frontend::copy_done(self.link.outbox.queue());
        self.link.flush().await?;
        poll_fn(|cx| self.state.ending.poll_ready(&mut self.link, cx)).await?;
        self.state.ending.last_rows()
    }

    /// Gives the copy up: the server rolls it back. Not cancel safe, and needs not be: dropping
    /// the connection has the same effect.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn abort(mut self, reason: &str) -> Result<Connection<Idle>, Error> {
        self.give_up(reason).await?;
        self.into_idle().ok_or(Error::OutOfStep)
    }

    /// Sends `CopyFail` and waits for the end; the error that the server had of its own, if it
    /// had one. What it reports because of our `CopyFail` is but an echo.
    pub(super) async fn give_up(&mut self, reason: &str) -> Result<Option<Error>, Error> {
        if !self.link.outbox.is_empty() {
            return Err(Error::OutOfStep);
        }
        let refused_before = self.state.ending.has_error();
        if !refused_before {
            frontend::copy_fail(reason, self.link.outbox.queue());
            self.link.flush().await?;
        }
        poll_fn(|cx| self.state.ending.poll_ready(&mut self.link, cx)).await?;
        match self.state.ending.last_rows() {
            Err(error) => {
                let echo = error.sqlstate() == Some(SqlState::QUERY_CANCELED);
                Ok((refused_before || !echo).then_some(error))
            }
            Ok(_) => Err(Error::Unexpected {
                expected: "ErrorResponse",
                received: "CommandComplete",
            }),
        }
    }

    /// The connection, if the copy has ended and it is in step.
    pub fn into_idle(self) -> Option<Connection<Idle>> {
        self.if_idle()
    }
}
