//! Hands a session that `wire` has started over to the SQL client, so that authentication exists once.
//!
//! The client insists on starting its sessions itself. This stream swallows its `StartupMessage`
//! and answers with what the server has said already: authentication done, parameters, cancel key,
//! ready. From then on it passes bytes; those of a database without an encoding through a
//! [`RawTextCodec`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::{BoxStream, DecodeError, Parts, RawTextCodec};

/// Bytes that are read at a time for the codec.
const PIECE: usize = 8 * 1024;

/// The length field of a startup message.
const LENGTH: usize = 4;

/// A stream whose session is started already.
pub(super) struct Handover {
    stream: BoxStream,
    /// What the client is still to read before the stream's own bytes.
    answer: BytesMut,
    startup: Startup,
    /// Where the database has no encoding.
    codec: Option<RawTextCodec>,
    /// What the codec has built from the client's bytes, for the server.
    unsent: BytesMut,
}

/// How much of the client's startup message has come.
enum Startup {
    Length(BytesMut),
    Body(usize),
    Done,
}

impl Handover {
    pub(super) fn new(parts: Parts) -> Self {
        let mut answer = BytesMut::new();
        put_message(&mut answer, b'R', |body| body.put_i32(0));
        for (name, value) in &parts.parameters {
            put_message(&mut answer, b'S', |body| {
                for text in [name, value] {
                    body.put_slice(text.as_bytes());
                    body.put_u8(0);
                }
            });
        }
        if let Some(key) = parts.key {
            put_message(&mut answer, b'K', |body| {
                body.put_i32(key.process_id);
                body.put_i32(key.secret_key);
            });
        }
        put_message(&mut answer, b'Z', |body| body.put_u8(b'I'));
        let is_raw =
            |(name, value): &(String, String)| name == "server_encoding" && value == "SQL_ASCII";
        let codec = parts
            .parameters
            .iter()
            .any(is_raw)
            .then(RawTextCodec::default);
        // An idle server has said nothing more than notices.
        answer.put_slice(&parts.unread);
        Self {
            codec,
            unsent: BytesMut::new(),
            stream: parts.stream,
            answer,
            startup: Startup::Length(BytesMut::new()),
        }
    }

    /// Takes what belongs to the startup message; how many bytes that were.
    fn swallow_startup(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.startup {
            Startup::Length(length) => {
                let taken = bytes.len().min(LENGTH - length.len());
                length.put_slice(&bytes[..taken]);
                if length.len() == LENGTH {
                    let whole = usize::try_from(length.get_u32()).unwrap_or_default();
                    let rest = whole
                        .checked_sub(LENGTH)
                        .ok_or(io::ErrorKind::InvalidData)?;
                    self.startup = Startup::Body(rest);
                }
                Ok(taken)
            }
            Startup::Body(rest) => {
                let taken = bytes.len().min(*rest);
                *rest -= taken;
                if *rest == 0 {
                    self.startup = Startup::Done;
                }
                Ok(taken)
            }
            Startup::Done => Ok(0),
        }
    }
}

impl Handover {
    /// Writes what the codec has encoded.
    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

fn malformed_error(error: DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Appends a backend message with its length.
fn put_message(out: &mut BytesMut, tag: u8, body: impl FnOnce(&mut BytesMut)) {
    let mut content = BytesMut::new();
    body(&mut content);
    out.put_u8(tag);
    out.put_u32(u32::try_from(LENGTH + content.len()).expect("parameters are short"));
    out.unsplit(content);
}

impl AsyncRead for Handover {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.answer.is_empty() {
            let Self {
                stream,
                answer,
                codec,
                ..
            } = &mut *self;
            let Some(codec) = codec else {
                return Pin::new(stream).poll_read(context, buffer);
            };
            let mut piece = [0; PIECE];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(stream).poll_read(context, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            codec
                .receive(piece.filled(), answer)
                .map_err(malformed_error)?;
        }
        let length = self.answer.len().min(buffer.remaining());
        buffer.put_slice(&self.answer.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Handover {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !matches!(self.startup, Startup::Done) {
            return Poll::Ready(self.swallow_startup(bytes));
        }
        // What was taken before goes first, so that no more than that is kept.
        ready!(self.poll_unsent(context))?;
        let Self {
            stream,
            codec,
            unsent,
            ..
        } = &mut *self;
        let Some(codec) = codec else {
            return Pin::new(stream).poll_write(context, bytes);
        };
        codec.send(bytes, unsent).map_err(malformed_error)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn the_startup_is_swallowed_however_it_is_cut() {
        for cut in 1..12 {
            let (ours, mut server) = tokio::io::duplex(1024);
            let parts = Parts {
                stream: Box::new(ours),
                parameters: vec![("a".to_owned(), "b".to_owned())],
                key: None,
                unread: b"tail".to_vec(),
            };
            let mut handover = Handover::new(parts);
            let startup = [&8_u32.to_be_bytes()[..], b"abcd", b"Query"].concat();
            for piece in startup.chunks(cut) {
                handover.write_all(piece).await.unwrap();
            }
            let mut seen = [0; 5];
            server.read_exact(&mut seen).await.unwrap();
            assert_eq!(&seen, b"Query");
            let mut answer = vec![0; 9 + 9 + 6 + 4];
            handover.read_exact(&mut answer).await.unwrap();
            assert_eq!(
                answer,
                b"R\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0Z\0\0\0\x05Itail"
            );
        }
    }
}
