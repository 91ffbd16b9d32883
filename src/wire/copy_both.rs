//! A stream of logical changes: both sides talk at the same time, until both have said
//! `CopyDone` ("Streaming Replication Protocol", START_REPLICATION).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use std::future::poll_fn;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;

use super::backend::Backend;
use super::connection::{Connection, Failure, Idle};
use super::ending::Ending;
use super::error::Error;
use super::frame::{CONTROL_BUFFER_BYTES, COPY_BUFFER_BYTES};
use super::frontend;
use super::link::Item;
use super::replication::{ReplicationMessage, StandbyStatusUpdate};
use crate::pg::{Ident, Literal, Lsn, SlotName, Sql};
use crate::sql;

/// The server sends changes and takes word of how far they have come.
#[derive(Debug, Default)]
pub struct CopyBoth {
    ending: Ending,
    /// A message of which only pieces have arrived. Unlike rows of a copy, a change is decoded
    /// as a whole; the largest is one row, at most 1 GB.
    partial: Vec<u8>,
}

/// The range of the data of a whole message.
enum Whole {
    /// In the link's buffer.
    Received(Range<usize>),
    /// In [`CopyBoth::partial`].
    Assembled,
}

impl Connection<Idle> {
    /// Starts streaming the changes of a slot from a position on, or from the slot's confirmed
    /// position if that is behind it. Not cancel safe: the connection is lost with the future.
    ///
    /// Once for each connection: servers end a second stream as soon as it has begun, since they
    /// remember that the first one was ended.
    ///
    /// # Errors
    /// There is no such slot, it is in use, or the output plugin refuses an option.
    ///
    /// # Protocol
    /// `START_REPLICATION SLOT … LOGICAL …`, answered by `CopyBothResponse`.
    pub async fn start_replication(
        self,
        slot: &SlotName,
        from: Lsn,
        options: &[(&str, &str)],
    ) -> Result<Connection<CopyBoth>, Failure> {
        let accept = |answer: &Backend<'_>| match answer {
            Backend::CopyBothResponse(format) => Some(*format),
            _ => None,
        };
        let command = start_command(slot, from, options);
        let (mut connection, _) = self
            .enter_copy(&command, "CopyBothResponse", accept)
            .await?;
        connection.link.inbox.set_usual_size(COPY_BUFFER_BYTES);
        Ok(connection.with_state(CopyBoth::default()))
    }
}

fn start_command(slot: &SlotName, from: Lsn, options: &[(&str, &str)]) -> Sql {
    let option =
        |(name, value): &(&str, &str)| sql!("{} {}", Ident::from_catalog(*name), Literal(value));
    // This grammar takes a position without quotes.
    let position = Sql::deparsed(from.to_string());
    let options = Sql::join(options.iter().map(option), ", ");
    if options.is_empty() {
        return sql!("START_REPLICATION SLOT \"{}\" LOGICAL {}", slot, position);
    }
    sql!(
        "START_REPLICATION SLOT \"{}\" LOGICAL {} ({})",
        slot,
        position,
        options
    )
}

impl Connection<CopyBoth> {
    /// The next message; `None` when the server has ended the stream. Cancel safe.
    ///
    /// # Errors
    /// The server ended the stream by an error, or the connection failed.
    pub async fn next_message(&mut self) -> Result<Option<ReplicationMessage<'_>>, Error> {
        let data = match poll_fn(|cx| self.poll_whole(cx)).await? {
            None => return Ok(None),
            Some(Whole::Received(body)) => self.link.body(body),
            Some(Whole::Assembled) => &self.state.partial,
        };
        Ok(Some(ReplicationMessage::decode(data)?))
    }

    fn poll_whole(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Whole>, Error>> {
        loop {
            if self.state.ending.has_error() {
                ready!(self.state.ending.poll_ready(&mut self.link, cx))?;
                return Poll::Ready(self.state.ending.check_error().map(|()| None));
            }
            if self.state.ending.is_done() {
                return Poll::Ready(Ok(None));
            }
            if self.state.ending.is_ready() {
                return Poll::Ready(Err(Error::Unexpected {
                    expected: "CopyDone",
                    received: "ReadyForQuery",
                }));
            }
            match ready!(self.link.poll_item(cx))? {
                Item::Message { tag, body } => {
                    self.state.ending.take_message(&mut self.link, tag, body)?;
                }
                Item::Copy { body, first, last } => {
                    if first && last {
                        return Poll::Ready(Ok(Some(Whole::Received(body))));
                    }
                    if first {
                        self.state.partial = Vec::new();
                    }
                    self.state.partial.extend_from_slice(self.link.body(body));
                    if last {
                        return Poll::Ready(Ok(Some(Whole::Assembled)));
                    }
                }
            }
        }
    }

    /// Reports to the server how far its changes have come. Cancel safe: a report that was begun is
    /// completed with the next one.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn report(&mut self, status: &StandbyStatusUpdate) -> Result<(), Error> {
        let mut message = BytesMut::new();
        status.encode(&mut message);
        frontend::copy_data(&message, self.link.outbox.queue());
        self.link.flush().await
    }

    /// Ends the stream; changes that are still on their way are dropped, and come again when
    /// the slot is next streamed. Not cancel safe: the connection is lost with the future.
    ///
    /// # Errors
    /// The connection failed, or the server reports an error.
    pub async fn finish(mut self) -> Result<Connection<Idle>, Failure> {
        match self.await_end().await {
            Ok(()) => {
                self.link.inbox.set_usual_size(CONTROL_BUFFER_BYTES);
                self.if_idle().ok_or(Failure {
                    error: Error::OutOfStep,
                    connection: None,
                })
            }
            Err(error) => Err(self.into_failure(error)),
        }
    }

    async fn await_end(&mut self) -> Result<(), Error> {
        frontend::copy_done(self.link.outbox.queue());
        self.link.flush().await?;
        poll_fn(|cx| self.poll_end(cx)).await?;
        self.state.ending.check_error()
    }

    /// Waits until the server takes commands again. It answers our `CopyDone` in the middle of
    /// its stream, and continues that stream: changes come behind its `CopyDone`, too.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.state.ending.is_ready() && !self.state.ending.has_error() {
            if let Item::Message { tag, body } = ready!(self.link.poll_item(cx))? {
                self.state.ending.take_message(&mut self.link, tag, body)?;
            }
        }
        self.state.ending.poll_ready(&mut self.link, cx)
    }
}
