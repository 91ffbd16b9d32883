//! Finds messages in received bytes. Pure.
//!
//! Each message is a tag, a length that counts itself, and a body. A length is believed only
//! within its limit, before memory is taken for it. Messages that we act on must fit
//! [`CONTROL_LIMIT`] and are held whole. `CopyData`, where one row may reach 1 GB, is passed on
//! in the pieces that have arrived.

use std::ops::Range;

use super::backend::tag;

/// Tag and length.
pub const HEADER_BYTES: usize = 5;

/// The largest message held whole. Answers to our own commands are small; an error message may
/// quote a value.
pub const CONTROL_LIMIT: usize = 16 * 1024 * 1024;

/// The largest message before the server has proven itself (libpq allows 30000 bytes).
pub const STARTUP_LIMIT: usize = 64 * 1024;

/// The largest `CopyData`: a server builds a row in one allocation, at most 1 GB.
pub const COPY_LIMIT: usize = 0x4000_0000;

/// A header that no server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length does not even count itself.
    #[error("message {:?} has the impossible length {length}", char::from(*tag))]
    Length {
        /// The message's tag.
        tag: u8,
        /// The length as sent.
        length: u32,
    },
    /// The message is larger than any of its kind may be.
    #[error("message {:?} of {length} bytes exceeds the limit of {limit}", char::from(*tag))]
    TooLong {
        /// The message's tag.
        tag: u8,
        /// Bytes of its body.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// Decodes a header: the tag and the body's length in bytes.
///
/// # Errors
/// The length is impossible, or above the limit of its kind.
pub(super) fn decode_header(
    header: [u8; HEADER_BYTES],
    control_limit: usize,
) -> Result<(u8, usize), FrameError> {
    let [tag, length @ ..] = header;
    let length = u32::from_be_bytes(length);
    let body = length
        .checked_sub(4)
        .and_then(|body| usize::try_from(body).ok())
        .ok_or(FrameError::Length { tag, length })?;
    let limit = if tag == tag::COPY_DATA {
        COPY_LIMIT
    } else {
        control_limit
    };
    if body > limit {
        return Err(FrameError::TooLong {
            tag,
            length: body,
            limit,
        });
    }
    Ok((tag, body))
}

/// What is at the front of the bytes received. Ranges count from the front; the caller
/// consumes up to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Nothing is known before this many bytes have arrived.
    Incomplete {
        /// Bytes needed, counted from the front.
        needed: usize,
    },
    /// A whole message.
    Message {
        /// Its tag.
        tag: u8,
        /// The range of its body.
        body: Range<usize>,
    },
    /// A piece of a `CopyData`.
    Copy {
        /// The range of the piece.
        body: Range<usize>,
        /// Whether the message begins with it.
        first: bool,
        /// Whether the message ends with it.
        last: bool,
    },
}

/// Finds messages in bytes; remembers only how much of the current `CopyData` is still to come.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    remaining: usize,
}

impl Scanner {
    /// Bytes of the current `CopyData` that are still to come.
    pub const fn remaining(&self) -> usize {
        self.remaining
    }

    /// Sets what is still to come, after the frames were followed elsewhere.
    pub(super) const fn set_remaining(&mut self, remaining: usize) {
        self.remaining = remaining;
    }

    /// Looks at the front of `bytes`.
    ///
    /// # Errors
    /// What is there is no header.
    pub fn scan(&mut self, bytes: &[u8], control_limit: usize) -> Result<Scan, FrameError> {
        if self.remaining > 0 {
            return Ok(self.continue_copy(bytes.len()));
        }
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Ok(Scan::Incomplete {
                needed: HEADER_BYTES,
            });
        };
        let (tag, length) = decode_header(*header, control_limit)?;
        let end = HEADER_BYTES + length;
        if tag == tag::COPY_DATA {
            let present = end.min(bytes.len());
            self.remaining = end - present;
            return Ok(Scan::Copy {
                body: HEADER_BYTES..present,
                first: true,
                last: self.remaining == 0,
            });
        }
        if bytes.len() < end {
            return Ok(Scan::Incomplete { needed: end });
        }
        Ok(Scan::Message {
            tag,
            body: HEADER_BYTES..end,
        })
    }

    fn continue_copy(&mut self, available: usize) -> Scan {
        if available == 0 {
            return Scan::Incomplete { needed: 1 };
        }
        let present = self.remaining.min(available);
        self.remaining -= present;
        Scan::Copy {
            body: 0..present,
            first: false,
            last: self.remaining == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_scanner_panic(bytes: Vec<u8>) {
            let mut scanner = Scanner::default();
            let mut rest = &bytes[..];
            while let Ok(Scan::Message { body, .. } | Scan::Copy { body, .. }) =
                scanner.scan(rest, CONTROL_LIMIT)
            {
                rest = &rest[body.end..];
            }
        }
    }

    #[test]
    fn lengths_are_believed_within_their_limit_only() {
        let scan = |bytes: &[u8]| Scanner::default().scan(bytes, 1000);
        let tag = b'Z';
        assert_eq!(
            scan(b"Z\0\0\0\x03"),
            Err(FrameError::Length { tag, length: 3 })
        );
        assert_eq!(
            scan(b"Z\0\0\x03\xec"),
            Ok(Scan::Incomplete { needed: 1005 })
        );
        let (length, limit) = (1001, 1000);
        assert_eq!(
            scan(b"Z\0\0\x03\xed"),
            Err(FrameError::TooLong { tag, length, limit })
        );
        assert!(scan(b"d\x40\0\0\x04").is_ok());
        assert!(scan(b"d\x40\0\0\x05").is_err());
        assert!(scan(b"d\xff\xff\xff\xff").is_err());
    }
}
