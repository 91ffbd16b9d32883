//! The source's end of a copy.
//!
//! Both servers count rows, in their command tags; a copy whose counts differ is an error.
//!
//! One command may hold several copies, which then cost one round trip together: the server
//! begins the next as soon as one has ended.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use std::future::poll_fn;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use super::backend::{self, Backend, CopyFormat};
use super::connection::{Connection, Failure, Idle};
use super::ending::Ending;
use super::error::Error;
use super::frame::{CONTROL_BUFFER_BYTES, COPY_BUFFER_BYTES};
use super::link::Item;
use super::tally::{Copied, Tally, compare_row_counts};
use crate::pg::Sql;

/// The server sends rows.
#[derive(Debug)]
pub struct CopyOut {
    pub(super) tally: Tally,
    pub(super) ending: Ending,
    /// The copies of the same command that have ended, as all parties counted them.
    pub(super) ended: Vec<Copied>,
}

/// Bytes of COPY data, as they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The bytes.
    pub data: &'a [u8],
    /// Whether a row begins with them.
    pub first: bool,
    /// Whether a row ends with them.
    pub last: bool,
}

/// A [`Piece`] in the link's buffer.
struct Located {
    body: Range<usize>,
    first: bool,
    last: bool,
}

impl Connection<Idle> {
    /// Starts `COPY … TO STDOUT`. Not cancel safe: the connection is lost with the future.
    ///
    /// # Errors
    /// The server refused, or the statement is another one.
    pub async fn copy_out(self, sql: &Sql) -> Result<Connection<CopyOut>, Failure> {
        let accept = |answer: &Backend<'_>| match answer {
            Backend::CopyOutResponse(format) => Some(*format),
            _ => None,
        };
        let (connection, format) = self.enter_copy(sql, "CopyOutResponse", accept).await?;
        Ok(CopyOut::enter_state(connection, format))
    }
}

impl CopyOut {
    pub(super) fn enter_state(
        mut connection: Connection<Idle>,
        format: CopyFormat,
    ) -> Connection<Self> {
        connection.link.inbox.set_usual_size(COPY_BUFFER_BYTES);
        connection.with_state(Self {
            tally: Tally::new(format),
            ending: Ending::default(),
            ended: Vec::new(),
        })
    }
}

impl Connection<CopyOut> {
    /// The format of the data.
    pub fn format(&self) -> CopyFormat {
        self.state.tally.format
    }

    /// The next bytes of the data, as they come; `None` once the server has confirmed its end
    /// and counted as many rows. Cancel safe.
    ///
    /// # Errors
    /// The server ended the copy with an error, or the connection failed. Either way
    /// [`into_idle`](Self::into_idle) returns whether the connection is usable.
    pub async fn next_piece(&mut self) -> Result<Option<Piece<'_>>, Error> {
        match poll_fn(|cx| self.poll_piece(cx)).await? {
            None => Ok(None),
            Some(piece) => Ok(Some(Piece {
                data: self.link.body(piece.body),
                first: piece.first,
                last: piece.last,
            })),
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Located>, Error>> {
        loop {
            if self.state.ending.has_error() || self.state.ending.is_ready() {
                ready!(self.state.ending.poll_ready(&mut self.link, cx))?;
                return Poll::Ready(self.judge_copy().map(|_| None));
            }
            match ready!(self.link.poll_item(cx))? {
                Item::Message { tag, body } => {
                    self.state.ending.take_message(&mut self.link, tag, body)?;
                }
                Item::Copy { body, first, last } => {
                    self.state
                        .tally
                        .count_piece(self.link.body(body.clone()), first)?;
                    return Poll::Ready(Ok(Some(Located { body, first, last })));
                }
            }
        }
    }

    /// What was copied, after the server's tag.
    pub(super) fn judge_copy(&mut self) -> Result<Copied, Error> {
        let tagged = self.state.ending.last_rows()?;
        let copied = self.state.tally.copied()?;
        compare_row_counts(tagged, copied.rows)?;
        self.state.ended.push(copied);
        Ok(copied)
    }

    /// Takes in a message at the end of a copy; what was copied, if the command's next copy begins
    /// with it.
    pub(super) fn take_message(
        &mut self,
        tag: u8,
        body: Range<usize>,
    ) -> Result<Option<Copied>, Error> {
        if tag != backend::tag::COPY_OUT_RESPONSE || !self.state.ending.is_between() {
            self.state.ending.take_message(&mut self.link, tag, body)?;
            return Ok(None);
        }
        let Backend::CopyOutResponse(format) = Backend::decode(tag, self.link.body(body))? else {
            return Err(Error::OutOfStep);
        };
        let copied = self.judge_copy()?;
        self.state.tally = Tally::new(format);
        self.state.ending = Ending::default();
        Ok(Some(copied))
    }

    /// Reads and drops what is left, up to the server's count. After a cancel request this ends
    /// soon, with the server's error and the connection ready for more. Not cancel safe: the
    /// connection is lost with the future.
    ///
    /// # Errors
    /// As [`next_piece`](Self::next_piece).
    pub async fn finish(mut self) -> Result<(Connection<Idle>, Copied), Failure> {
        let end = async {
            while !self.state.ending.is_ready() {
                let read = poll_fn(|cx| self.poll_piece_or_end(cx)).await?;
                if !read {
                    break;
                }
            }
            self.judge_copy()
        };
        match end.await {
            Ok(copied) => self.into_idle().map(|idle| (idle, copied)).ok_or(Failure {
                error: Error::OutOfStep,
                connection: None,
            }),
            Err(error) => Err(self.into_failure(error)),
        }
    }

    /// Like [`poll_piece`](Self::poll_piece), but leaves the judgement of the end to the caller:
    /// false at the end.
    fn poll_piece_or_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if self.state.ending.has_error() {
            ready!(self.state.ending.poll_ready(&mut self.link, cx))?;
            return Poll::Ready(Ok(false));
        }
        match ready!(self.link.poll_item(cx))? {
            Item::Message { tag, body } => {
                self.state.ending.take_message(&mut self.link, tag, body)?;
            }
            Item::Copy { body, first, .. } => {
                self.state.tally.count_piece(self.link.body(body), first)?;
            }
        }
        Poll::Ready(Ok(true))
    }

    /// The connection, if the copy has ended and it is in step.
    pub fn into_idle(mut self) -> Option<Connection<Idle>> {
        self.link.inbox.set_usual_size(CONTROL_BUFFER_BYTES);
        self.if_idle()
    }
}
