//! What all states of a connection share: the stream, its two buffers, and what the server reported besides
//! its answers.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::ops::Range;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::backend::{Asynchronous, Backend, CancelKey, TransactionStatus};
use super::error::Error;
use super::frame::{FrameReader, FrameWriter};
use super::frontend;
use super::scan::{CONTROL_LIMIT, Scan};
use crate::pg::{ServerError, Sql, has_raw_bytes};

/// A byte stream to a server: TCP or unix socket, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Any [`Stream`].
pub type BoxStream = Box<dyn Stream>;

/// Notices kept until somebody asks for them; the oldest are dropped. One statement rarely
/// raises more than a few.
const NOTICES: usize = 100;

/// How long a server that no longer takes our bytes may need for its last message. It sent it
/// before it closed the stream.
const LAST_WORD: Duration = Duration::from_secs(5);

/// The state of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Within a command, or dropped within one.
    Busy,
    /// The server waits for a command.
    Ready(TransactionStatus),
}

/// What has arrived: ranges are for [`Link::body`].
#[derive(Debug)]
pub(super) enum Item {
    /// An answer.
    Message { tag: u8, body: Range<usize> },
    /// A piece of `CopyData`.
    Copy {
        body: Range<usize>,
        first: bool,
        last: bool,
    },
}

/// See the module's documentation.
pub(super) struct Link {
    pub(super) stream: BoxStream,
    pub(super) inbox: FrameReader,
    pub(super) outbox: FrameWriter,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) key: Option<CancelKey>,
    notices: VecDeque<ServerError>,
    phase: Phase,
}

impl Link {
    /// A link on which nothing was said.
    pub(super) fn new(stream: BoxStream) -> Self {
        Self {
            stream,
            inbox: FrameReader::new(),
            outbox: FrameWriter::default(),
            parameters: BTreeMap::new(),
            key: None,
            notices: VecDeque::new(),
            phase: Phase::Busy,
        }
    }

    /// Records a `ReadyForQuery`.
    pub(super) fn set_ready(&mut self, status: TransactionStatus) {
        self.inbox.set_control_limit(CONTROL_LIMIT);
        self.phase = Phase::Ready(status);
    }

    /// The transaction's status, while the server waits for a command.
    pub(super) const fn status(&self) -> Option<TransactionStatus> {
        match self.phase {
            Phase::Ready(status) => Some(status),
            Phase::Busy => None,
        }
    }

    /// Whether the database has no encoding, so that texts may be any bytes.
    pub(super) fn is_raw(&self) -> bool {
        self.parameters
            .get("server_encoding")
            .is_some_and(|name| name == "SQL_ASCII")
    }

    /// Begins a command: the link is out of step until its `ReadyForQuery`.
    pub(super) fn begin_command(&mut self, sql: &Sql) -> Result<(), Error> {
        if self.phase == Phase::Busy || !self.outbox.is_empty() {
            return Err(Error::OutOfStep);
        }
        match self.is_raw() {
            true => frontend::raw_query(sql, self.outbox.queue())?,
            false if has_raw_bytes(sql.as_str()) => return Err(Error::RawBytes),
            false => frontend::encode_query(sql, self.outbox.queue())?,
        }
        self.phase = Phase::Busy;
        Ok(())
    }

    /// The bytes of an item.
    pub(super) fn body(&self, range: Range<usize>) -> &[u8] {
        self.inbox.body(range)
    }

    /// Takes what the server remarked since the last call.
    pub(super) fn take_notices(&mut self) -> Vec<ServerError> {
        self.notices.drain(..).collect()
    }

    /// The next item; asynchronous messages are noted on the way. Cancel safe.
    pub(super) fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Result<Item, Error>> {
        loop {
            if let Some(item) = self.next_item()? {
                return Poll::Ready(Ok(item));
            }
            if ready!(self.inbox.poll_fill(&mut self.stream, cx))? == 0 {
                return Poll::Ready(Err(Error::Closed));
            }
        }
    }

    /// The next item among the bytes received.
    pub(super) fn next_item(&mut self) -> Result<Option<Item>, Error> {
        loop {
            return Ok(Some(match self.inbox.take()? {
                Some(Scan::Message { tag, body }) if Asynchronous::has_tag(tag) => {
                    let message = Asynchronous::decode(tag, self.inbox.body(body))?;
                    self.note_asynchronous(message);
                    continue;
                }
                Some(Scan::Message { tag, body }) => Item::Message { tag, body },
                Some(Scan::Copy { body, first, last }) => Item::Copy { body, first, last },
                Some(Scan::Incomplete { .. }) | None => return Ok(None),
            }));
        }
    }

    fn note_asynchronous(&mut self, message: Asynchronous) {
        match message {
            Asynchronous::Notice(notice) => {
                if self.notices.len() == NOTICES {
                    self.notices.pop_front();
                }
                self.notices.push_back(notice);
            }
            Asynchronous::Parameter { name, value } => {
                self.parameters.insert(name, value);
            }
            // We listen to nothing.
            Asynchronous::Notification => {}
        }
    }

    /// The next answer. Cancel safe.
    pub(super) async fn receive(&mut self) -> Result<Backend<'_>, Error> {
        match poll_fn(|cx| self.poll_item(cx)).await? {
            Item::Message { tag, body } => Ok(Backend::decode(tag, self.inbox.body(body))?),
            Item::Copy { .. } => Err(Error::Unexpected {
                expected: "an answer",
                received: "CopyData",
            }),
        }
    }

    /// Queues bytes that an encoder made.
    pub(super) fn queue_bytes(&mut self, message: &BytesMut) {
        self.outbox.queue().extend_from_slice(message);
    }

    /// Sends what is queued. While the server does not take it, what it says is received, so
    /// that the two never wait for each other. Cancel safe: the rest stays queued.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        match poll_fn(|cx| self.poll_flush(cx)).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.last_word(error).await),
        }
    }

    /// See [`flush`](Self::flush).
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Poll::Ready(sent) = self.outbox.poll_flush(&mut self.stream, cx) {
            return Poll::Ready(sent.map_err(Error::Lost));
        }
        self.poll_listen(cx)?;
        Poll::Pending
    }

    /// Receives what there is, as far as there is room, and asks to be woken for more.
    pub(super) fn poll_listen(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        while self.inbox.has_room() {
            match self.inbox.poll_fill(&mut self.stream, cx)? {
                Poll::Ready(0) => return Err(Error::Closed),
                Poll::Ready(_) => {}
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Why the server no longer takes our bytes, if it said so before it closed the stream.
    pub(super) async fn last_word(&mut self, error: Error) -> Error {
        let search = async {
            loop {
                match self.receive().await {
                    Ok(Backend::ErrorResponse(server)) => return Some(server),
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        };
        match tokio::time::timeout(LAST_WORD, search).await {
            Ok(Some(server)) => server.into(),
            Ok(None) | Err(_) => error,
        }
    }

    /// Reads up to `ReadyForQuery` after an error, so that the link can be used again; where it
    /// does not come, the link stays out of step. The error is handed back.
    pub(super) async fn settle_error(&mut self, error: ServerError) -> Error {
        while !error.ends_session() {
            match self.receive().await {
                Ok(Backend::ReadyForQuery(status)) => {
                    self.set_ready(status);
                    break;
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        error.into()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("key", &self.key)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

/// The error for an answer that has no place here.
pub(super) fn unexpected_message(expected: &'static str, received: &Backend<'_>) -> Error {
    Error::Unexpected {
        expected,
        received: received.name(),
    }
}
