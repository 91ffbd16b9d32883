//! The two ends of a copy.
//!
//! `COPY … TO STDOUT` sends one `CopyData` per row ("Messages sent from the backend will always
//! correspond to single data rows"). The binary header is within the first, the trailer is one
//! more. So rows are counted without being read. Both servers also count, in their command tags;
//! a copy whose counts differ is an error.
//!
//! One command may hold several copies, which then cost one round trip together: the server
//! begins the next as soon as one has ended.
//!
//! A copy into a table ends by [`finish`](Connection::finish) only. Anything else that happens to a
//! [`Connection<CopyIn>`], dropping it included, the server sees the stream end without
//! `CopyDone` and rolls the copy back.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use std::future::poll_fn;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use super::backend::{self, Backend, CopyFormat};
use super::connection::{Connection, Failure, Idle};
use super::copy_header::{COPY_HEADER_BYTES, COPY_TRAILER_BYTES, CopyHeader, CopyHeaderError};
use super::error::Error;
use super::frame::{CONTROL_BUFFER_BYTES, COPY_BUFFER_BYTES};
use super::frontend;
use super::link::{Item, Link, unexpected};
use crate::pg::{ServerError, SqlState};

/// The server sends rows.
#[derive(Debug)]
pub struct CopyOut {
    pub(super) tally: Tally,
    pub(super) ending: Ending,
    /// The copies of the same command that have ended, as all parties counted them.
    pub(super) ended: Vec<Copied>,
}

/// The server takes rows.
#[derive(Debug)]
pub struct CopyIn {
    pub(super) format: CopyFormat,
    pub(super) ending: Ending,
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

/// What a finished copy moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows, as every party counted them.
    pub rows: u64,
    /// Bytes of COPY data, without the protocol's headers.
    pub bytes: u64,
}

/// Counts what a source sends and watches its shape.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) format: CopyFormat,
    header: CopyHeader,
    frames: u64,
    bytes: u64,
    /// Bytes of the last `CopyData` begun.
    last_frame: usize,
}

impl Tally {
    pub(super) fn new(format: CopyFormat) -> Self {
        Self {
            format,
            header: CopyHeader::default(),
            frames: 0,
            bytes: 0,
            last_frame: 0,
        }
    }

    /// Whether the next bytes must be shown to [`header`](Self::header).
    pub(super) fn wants_header(&self) -> bool {
        self.format == CopyFormat::Binary && !self.header.is_complete()
    }

    /// Checks bytes against the binary header.
    pub(super) fn header(&mut self, data: &[u8]) -> Result<(), Error> {
        Ok(self.header.check(data)?)
    }

    /// Counts `frames` begun, `bytes` of data, and the size of the last frame begun.
    pub(super) fn count(&mut self, frames: u64, bytes: u64, last_frame: Option<usize>) {
        self.frames += frames;
        self.bytes += bytes;
        if let Some(length) = last_frame {
            self.last_frame = length;
        }
    }

    /// A piece of one frame.
    fn piece(&mut self, data: &[u8], first: bool) -> Result<(), Error> {
        if self.wants_header() {
            self.header(data)?;
        }
        if first {
            self.frames += 1;
            self.last_frame = 0;
        }
        self.last_frame += data.len();
        self.bytes += data.len() as u64;
        Ok(())
    }

    /// Average bytes of a frame so far.
    pub(super) const fn average(&self) -> u64 {
        match self.bytes.checked_div(self.frames) {
            Some(average) => average,
            None => 0,
        }
    }

    /// Frames that are no rows: the trailer of binary data that has ended.
    pub(super) fn trailers(&self) -> u64 {
        u64::from(self.format == CopyFormat::Binary)
    }

    /// What was counted, once the data has ended.
    pub(super) fn copied(&self) -> Result<Copied, Error> {
        let rows = match self.format {
            CopyFormat::Text => self.frames,
            CopyFormat::Binary => self.binary_rows()?,
        };
        Ok(Copied {
            rows,
            bytes: self.bytes,
        })
    }

    /// All frames but the trailer; with no rows, the header precedes the trailer.
    fn binary_rows(&self) -> Result<u64, CopyHeaderError> {
        if !self.header.is_complete() {
            return Err(CopyHeaderError::Truncated);
        }
        let trailer = match self.frames {
            1 => COPY_HEADER_BYTES + COPY_TRAILER_BYTES,
            _ => COPY_TRAILER_BYTES,
        };
        if self.last_frame != trailer {
            return Err(CopyHeaderError::Trailer);
        }
        Ok(self.frames - 1)
    }
}

/// What the server says at the end of a copy, collected up to `ReadyForQuery`.
#[derive(Debug, Default)]
pub(super) struct Ending {
    error: Option<ServerError>,
    /// The tags of the command's statements so far.
    tags: Vec<String>,
    done: bool,
    ready: bool,
    /// The format in which the command's copies into tables are to be announced, where they are
    /// sent without waiting for that.
    announces: Option<CopyFormat>,
}

impl Ending {
    /// Whether the server has ended the copy by an error.
    pub(super) const fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// Whether the server has ended the session with its error.
    pub(super) fn session_ended(&self) -> bool {
        self.error.as_ref().is_some_and(ServerError::ends_session)
    }

    /// Whether the server waits for a command again.
    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Takes in one message.
    pub(super) fn accept(
        &mut self,
        link: &mut Link,
        tag: u8,
        body: Range<usize>,
    ) -> Result<(), Error> {
        let status = match Backend::decode(tag, link.body(body))? {
            Backend::CopyDone => {
                self.done = true;
                return Ok(());
            }
            Backend::CommandComplete(tag) => {
                self.tags.push(tag.to_owned());
                return Ok(());
            }
            Backend::ErrorResponse(error) => {
                self.error.get_or_insert(error);
                return Ok(());
            }
            Backend::CopyInResponse(format) if self.announces == Some(format) => return Ok(()),
            Backend::ReadyForQuery(status) => status,
            other => return Err(unexpected("the end of a copy", &other)),
        };
        link.ready(status);
        self.ready = true;
        Ok(())
    }

    /// Waits for `ReadyForQuery`. An error that ends the session is followed by nothing.
    pub(super) fn poll_ready(
        &mut self,
        link: &mut Link,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while !self.ready {
            if self.session_ended() {
                break;
            }
            match ready!(link.poll_item(cx)) {
                Ok(Item::Message { tag, body }) => self.accept(link, tag, body)?,
                Ok(Item::Copy { .. }) => {
                    return Poll::Ready(Err(Error::Unexpected {
                        expected: "the end of a copy",
                        received: "CopyData",
                    }));
                }
                // The error that was announced explains the end.
                Err(_) if self.error.is_some() => break,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the server has no more data.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// The server's error, if it reported one.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.error.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The rows of the command's last copy, which other statements may follow, or the server's error.
    pub(super) fn rows(&mut self) -> Result<u64, Error> {
        self.check()?;
        let last = self.tags.last().ok_or(Error::OutOfStep)?;
        let mut tags = self.tags.iter().rev();
        let rows = tags.find_map(|tag| copied_rows(tag));
        rows.ok_or_else(|| Error::CopyTag { tag: last.clone() })
    }

    /// The rows of each copy that the server has ended so far.
    pub(super) fn counts(&self) -> impl Iterator<Item = u64> {
        self.tags.iter().filter_map(|tag| copied_rows(tag))
    }

    /// Whether the server has ended one copy and its command may continue with another.
    const fn is_between(&self) -> bool {
        self.done && !self.tags.is_empty() && !self.ready
    }
}

fn copied_rows(tag: &str) -> Option<u64> {
    tag.strip_prefix("COPY ")?.parse().ok()
}

/// Compares a server's count with ours.
pub(super) const fn compare(tagged: u64, counted: u64) -> Result<(), Error> {
    if tagged == counted {
        Ok(())
    } else {
        Err(Error::RowCount { tagged, counted })
    }
}

impl CopyOut {
    pub(super) fn enter(mut connection: Connection<Idle>, format: CopyFormat) -> Connection<Self> {
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
                return Poll::Ready(self.judge().map(|_| None));
            }
            match ready!(self.link.poll_item(cx))? {
                Item::Message { tag, body } => {
                    self.state.ending.accept(&mut self.link, tag, body)?;
                }
                Item::Copy { body, first, last } => {
                    self.state
                        .tally
                        .piece(self.link.body(body.clone()), first)?;
                    return Poll::Ready(Ok(Some(Located { body, first, last })));
                }
            }
        }
    }

    /// What was copied, after the server's tag.
    pub(super) fn judge(&mut self) -> Result<Copied, Error> {
        let tagged = self.state.ending.rows()?;
        let copied = self.state.tally.copied()?;
        compare(tagged, copied.rows)?;
        self.state.ended.push(copied);
        Ok(copied)
    }

    /// Takes in a message at the end of a copy; what was copied, if the command's next copy begins
    /// with it.
    pub(super) fn accept(&mut self, tag: u8, body: Range<usize>) -> Result<Option<Copied>, Error> {
        if tag != backend::tag::COPY_OUT_RESPONSE || !self.state.ending.is_between() {
            self.state.ending.accept(&mut self.link, tag, body)?;
            return Ok(None);
        }
        let Backend::CopyOutResponse(format) = Backend::decode(tag, self.link.body(body))? else {
            return Err(Error::OutOfStep);
        };
        let copied = self.judge()?;
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
            self.judge()
        };
        match end.await {
            Ok(copied) => self.into_idle().map(|idle| (idle, copied)).ok_or(Failure {
                error: Error::OutOfStep,
                connection: None,
            }),
            Err(error) => Err(self.fail(error)),
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
            Item::Message { tag, body } => self.state.ending.accept(&mut self.link, tag, body)?,
            Item::Copy { body, first, .. } => {
                self.state.tally.piece(self.link.body(body), first)?;
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

impl CopyIn {
    pub(super) fn enter(connection: Connection<Idle>, format: CopyFormat) -> Connection<Self> {
        connection.with_state(Self {
            format,
            ending: Ending::default(),
        })
    }

    /// A copy that the server has still to announce.
    pub(super) fn unannounced(format: CopyFormat) -> Self {
        let ending = Ending {
            announces: Some(format),
            ..Ending::default()
        };
        Self { format, ending }
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
            self.listen().await?;
        }
        Ok(())
    }

    /// Looks, without waiting, whether the server has refused the data.
    async fn listen(&mut self) -> Result<(), Error> {
        poll_fn(|cx| Poll::Ready(self.link.poll_listen(cx))).await?;
        self.note_answers()?;
        if self.state.ending.has_error() {
            poll_fn(|cx| self.state.ending.poll_ready(&mut self.link, cx)).await?;
            self.state.ending.rows()?;
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
            self.state.ending.accept(&mut self.link, tag, body)?;
        }
        Ok(())
    }

    /// Ends the data; the rows that the server counted. Not cancel safe: with the future is lost
    /// the knowledge whether the server took the copy.
    ///
    /// # Errors
    /// The server refused the data, or the connection failed.
    pub async fn finish(mut self) -> Result<(Connection<Idle>, u64), Failure> {
        match self.complete().await {
            Ok(rows) => self.into_idle().map(|idle| (idle, rows)).ok_or(Failure {
                error: Error::OutOfStep,
                connection: None,
            }),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Sends `CopyDone` and waits for the server's count.
    pub(super) async fn complete(&mut self) -> Result<u64, Error> {
        if !self.link.outbox.is_empty() {
            return Err(Error::OutOfStep);
        }
        frontend::copy_done(self.link.outbox.queue());
        self.link.flush().await?;
        poll_fn(|cx| self.state.ending.poll_ready(&mut self.link, cx)).await?;
        self.state.ending.rows()
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
        match self.state.ending.rows() {
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
