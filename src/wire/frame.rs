//! Messages out of a byte stream, and back into one.
//!
//! [`Scanner`] finds the messages without any I/O; [`FrameReader`] feeds it from one reused buffer.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::scan::{FrameError, HEADER_BYTES, STARTUP_LIMIT, Scan, Scanner};

/// The buffer of a copy: about what loopback and unix sockets deliver at once, and small enough
/// to stay in a core's cache between reading and writing.
pub const COPY_BUFFER_BYTES: usize = 256 * 1024;

/// The buffer of a connection that carries commands and answers.
pub const CONTROL_BUFFER_BYTES: usize = 16 * 1024;

/// Received bytes and the messages in them. One buffer, reused; it grows beyond its usual size
/// only for a message that must be held whole, and shrinks again after it.
#[derive(Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
    usual: usize,
    control_limit: usize,
    scanner: Scanner,
}

impl FrameReader {
    /// A reader with an empty buffer of [`CONTROL_BUFFER_BYTES`].
    pub fn new() -> Self {
        Self {
            buffer: vec![0; CONTROL_BUFFER_BYTES],
            // Room for the header that a copy may have to put before the rest of a row.
            head: HEADER_BYTES,
            tail: HEADER_BYTES,
            usual: CONTROL_BUFFER_BYTES,
            control_limit: STARTUP_LIMIT,
            scanner: Scanner::default(),
        }
    }

    /// Sets the largest message held whole, in bytes.
    pub const fn set_control_limit(&mut self, limit: usize) {
        self.control_limit = limit;
    }

    /// Sets the buffer's usual size, in bytes.
    pub fn set_usual_size(&mut self, size: usize) {
        self.usual = size;
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
    }

    /// Bytes received and not consumed.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.head..self.tail]
    }

    /// The bytes that a [`Scan`] returned by [`take`](Self::take) is in.
    pub fn body(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Consumes what is at the front, if enough has arrived. Ranges of the answer are for
    /// [`body`](Self::body), and hold until bytes are received again.
    ///
    /// # Errors
    /// The bytes are no message.
    pub fn take(&mut self) -> Result<Option<Scan>, FrameError> {
        let at = self.head;
        let place = |range: Range<usize>| at + range.start..at + range.end;
        match self
            .scanner
            .scan(&self.buffer[self.head..self.tail], self.control_limit)?
        {
            Scan::Incomplete { needed } => {
                self.make_room(needed);
                Ok(None)
            }
            Scan::Message { tag, body } => {
                let body = place(body);
                self.head = body.end;
                Ok(Some(Scan::Message { tag, body }))
            }
            Scan::Copy { body, first, last } => {
                let body = place(body);
                self.head = body.end;
                Ok(Some(Scan::Copy { body, first, last }))
            }
        }
    }

    /// Whether more can be received before something is consumed.
    pub const fn has_room(&self) -> bool {
        self.tail < self.buffer.len() || self.head == self.tail
    }

    /// Receives once, as much as there is and fits; 0 bytes are the end of the stream.
    ///
    /// # Errors
    /// The stream failed.
    pub fn poll_fill<S: AsyncRead + Unpin + ?Sized>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.head == self.tail {
            self.empty_buffer();
        }
        debug_assert!(self.tail < self.buffer.len(), "a fill needs room");
        let mut space = ReadBuf::new(&mut self.buffer[self.tail..]);
        ready!(Pin::new(stream).poll_read(cx, &mut space))?;
        let received = space.filled().len();
        self.tail += received;
        Poll::Ready(Ok(received))
    }

    /// Exchanges the buffer for `spare`, to which the bytes after `end` are moved.
    /// The caller gets the buffer as it is, frames and all.
    pub(super) fn exchange_buffer(&mut self, spare: &mut Vec<u8>, end: usize, remaining: usize) {
        let kept = self.tail - end;
        let fits = HEADER_BYTES + kept < spare.len();
        if !fits {
            spare.resize(self.usual.max(HEADER_BYTES + kept + HEADER_BYTES), 0);
        }
        spare[HEADER_BYTES..HEADER_BYTES + kept].copy_from_slice(&self.buffer[end..self.tail]);
        std::mem::swap(&mut self.buffer, spare);
        self.head = HEADER_BYTES;
        self.tail = HEADER_BYTES + kept;
        self.scanner.set_remaining(remaining);
    }

    /// The buffer, where its unread bytes begin and end, and what is still to come of the current
    /// `CopyData`: for following the frames of a copy in place.
    pub(super) fn buffer_parts(&mut self) -> (&mut [u8], Range<usize>, usize) {
        (
            &mut self.buffer,
            self.head..self.tail,
            self.scanner.remaining(),
        )
    }

    /// Makes room for `needed` bytes from the head on.
    fn make_room(&mut self, needed: usize) {
        if self.head + needed <= self.buffer.len() {
            return;
        }
        self.buffer.copy_within(self.head..self.tail, HEADER_BYTES);
        self.tail -= self.head - HEADER_BYTES;
        self.head = HEADER_BYTES;
        let end = HEADER_BYTES + needed;
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
    }

    /// Starts over with an empty buffer of the usual size.
    fn empty_buffer(&mut self) {
        self.head = HEADER_BYTES;
        self.tail = HEADER_BYTES;
        if self.buffer.len() > self.usual {
            self.buffer.truncate(self.usual);
            self.buffer.shrink_to_fit();
        }
    }
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes to be sent.
#[derive(Debug, Default)]
pub struct FrameWriter {
    queued: BytesMut,
}

impl FrameWriter {
    /// The queue, for encoders to append whole messages to.
    pub const fn queue(&mut self) -> &mut BytesMut {
        &mut self.queued
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queued.is_empty()
    }

    /// Sends what waits and flushes the stream. What was sent before `Pending` stays sent.
    ///
    /// # Errors
    /// The stream failed.
    pub fn poll_flush<S: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.queued.is_empty() {
            let sent = ready!(Pin::new(&mut *stream).poll_write(cx, &self.queued))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.queued.advance(sent);
        }
        Pin::new(stream).poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::wire::backend::tag;
    use crate::wire::scan::CONTROL_LIMIT;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag], &length.to_be_bytes()[..], body].concat()
    }

    /// What arrived: tag and body; of copies, the joined pieces.
    type Arrived = Vec<(u8, Vec<u8>)>;

    /// Takes all that is there.
    fn take(reader: &mut FrameReader, arrived: &mut Arrived) -> Result<(), FrameError> {
        while let Some(scan) = reader.take()? {
            match scan {
                Scan::Message { tag, body } => arrived.push((tag, reader.body(body).to_vec())),
                Scan::Copy { body, first, .. } => {
                    if first {
                        arrived.push((tag::COPY_DATA, Vec::new()));
                    }
                    let piece = reader.body(body).to_vec();
                    arrived.last_mut().expect("a first piece").1.extend(piece);
                }
                Scan::Incomplete { .. } => unreachable!("take returns None"),
            }
        }
        Ok(())
    }

    fn messages() -> impl Strategy<Value = Arrived> {
        let tag = prop_oneof![Just(tag::COPY_DATA), any::<u8>()];
        vec((tag, vec(any::<u8>(), 0..60)), 0..20)
    }

    proptest! {
        #[test]
        fn any_chunks_give_the_same_messages(
            messages in messages(),
            cuts in vec(1_usize..40, 1..20),
        ) {
            let stream: Vec<u8> =
                messages.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
            let (mut reader, mut arrived) = (FrameReader::new(), Arrived::new());
            let mut rest = &stream[..];
            let mut cx = Context::from_waker(std::task::Waker::noop());
            for cut in cuts.iter().cycle() {
                let (chunk, left) = rest.split_at((*cut).min(rest.len()));
                rest = left;
                let mut chunk = chunk;
                while !chunk.is_empty() {
                    prop_assert!(reader.poll_fill(&mut chunk, &mut cx).is_ready());
                }
                take(&mut reader, &mut arrived).unwrap();
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(arrived, messages);
            prop_assert!(reader.unread().is_empty());
        }
    }

    #[test]
    fn a_message_larger_than_the_buffer_is_held_whole_and_the_buffer_shrinks_again() {
        let mut reader = FrameReader::new();
        reader.set_control_limit(CONTROL_LIMIT);
        let body = vec![7; 10 * CONTROL_BUFFER_BYTES];
        let stream = [message(b'E', &body), message(b'Z', b"I")].concat();
        let (mut chunk, mut arrived) = (&stream[..], Arrived::new());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while !chunk.is_empty() {
            assert!(reader.poll_fill(&mut chunk, &mut cx).is_ready());
            take(&mut reader, &mut arrived).unwrap();
        }
        assert_eq!(arrived, [(b'E', body), (b'Z', b"I".to_vec())]);
        assert!(reader.poll_fill(&mut chunk, &mut cx).is_ready());
        assert_eq!(reader.buffer.len(), CONTROL_BUFFER_BYTES);
    }

    #[test]
    fn a_copy_never_grows_the_buffer() {
        let mut reader = FrameReader::new();
        let row = message(tag::COPY_DATA, &vec![7; 5 * CONTROL_BUFFER_BYTES]);
        let (mut chunk, mut arrived) = (&row[..], Arrived::new());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while !chunk.is_empty() {
            assert!(reader.poll_fill(&mut chunk, &mut cx).is_ready());
            take(&mut reader, &mut arrived).unwrap();
            assert_eq!(reader.buffer.len(), CONTROL_BUFFER_BYTES);
        }
        assert_eq!(arrived[0].1.len(), 5 * CONTROL_BUFFER_BYTES);
    }

    /// Polls a receive `polls` times, drops it, and continues: nothing is lost for any number.
    #[tokio::test]
    async fn a_dropped_receive_loses_nothing() {
        let sent: Arrived = vec![(b'T', vec![1; 90]), (b'd', vec![2; 90]), (b'Z', vec![3])];
        let stream: Vec<u8> = sent
            .iter()
            .flat_map(|(tag, body)| message(*tag, body))
            .collect();
        for polls in 0..40 {
            let (mut near, mut far) = tokio::io::duplex(7);
            let (mut reader, mut arrived) = (FrameReader::new(), Arrived::new());
            let write = async {
                far.write_all(&stream).await.unwrap();
                drop(far);
            };
            let read = async {
                let mut left = polls;
                loop {
                    let filled = poll_fn(|cx| {
                        // A future that was polled in vain and dropped is one `Pending` more.
                        match reader.poll_fill(&mut near, cx) {
                            Poll::Pending if left > 0 => {
                                left -= 1;
                                Poll::Ready(None)
                            }
                            filled @ (Poll::Ready(_) | Poll::Pending) => {
                                filled.map(|filled| Some(filled.unwrap()))
                            }
                        }
                    });
                    match filled.await {
                        Some(0) => break,
                        Some(_) => take(&mut reader, &mut arrived).unwrap(),
                        None => tokio::task::yield_now().await,
                    }
                }
            };
            tokio::join!(write, read);
            assert_eq!(arrived, sent, "dropped after {polls} polls");
        }
    }
}
