//! Reads the fields of one message body. Every length is checked, so a decoder reads like the
//! protocol's own table ("Message Formats") and no input causes a panic.

use std::borrow::Cow;

use super::timestamp::Timestamp;
use crate::pg::Lsn;

/// A body does not hold what its message must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {offset}")]
pub struct DecodeError {
    /// Where in the body, in bytes from its beginning.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

/// A cursor over a body.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

macro_rules! integers {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)+) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// The body ends before.
        pub fn $name(&mut self) -> Result<$type, DecodeError> {
            const WIDTH: usize = size_of::<$type>();
            let Some((field, rest)) = self.rest.split_first_chunk::<WIDTH>() else {
                return Err(self.error(stringify!($type)));
            };
            self.advance_to(rest);
            Ok(<$type>::from_be_bytes(*field))
        })+
    };
}

impl<'a> Reader<'a> {
    /// A cursor at the beginning of `body`.
    pub const fn new(body: &'a [u8]) -> Self {
        Self {
            rest: body,
            offset: 0,
        }
    }

    integers! {
        /// One byte.
        u8: u8;
        /// Two bytes, unsigned.
        u16: u16;
        /// Two bytes.
        i16: i16;
        /// Four bytes, unsigned.
        u32: u32;
        /// Four bytes.
        i32: i32;
        /// Eight bytes, unsigned.
        u64: u64;
        /// Eight bytes.
        i64: i64;
    }

    /// An LSN.
    ///
    /// # Errors
    /// The body ends before.
    pub fn lsn(&mut self) -> Result<Lsn, DecodeError> {
        self.u64().map(Lsn::new)
    }

    /// A point in time.
    ///
    /// # Errors
    /// The body ends before.
    pub fn timestamp(&mut self) -> Result<Timestamp, DecodeError> {
        self.i64().map(Timestamp::new)
    }

    /// `length` bytes.
    ///
    /// # Errors
    /// The body ends before.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (field, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| self.error("more bytes"))?;
        self.advance_to(rest);
        Ok(field)
    }

    /// A value with its length before it; -1 means NULL.
    ///
    /// # Errors
    /// The length is negative otherwise, or the body ends before.
    pub fn value(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let at = self.offset;
        let length = self.i32()?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| DecodeError {
            offset: at,
            expected: "a length or -1",
        })?;
        self.bytes(length).map(Some)
    }

    /// A string's bytes up to its NUL, in the session's `client_encoding`.
    ///
    /// # Errors
    /// No NUL follows.
    pub fn cstr(&mut self) -> Result<&'a [u8], DecodeError> {
        let end = memchr::memchr(0, self.rest).ok_or_else(|| self.error("a string's NUL"))?;
        let field = self.bytes(end)?;
        self.u8()?;
        Ok(field)
    }

    /// A string that must be UTF-8.
    ///
    /// # Errors
    /// No NUL follows, or the bytes are in another encoding.
    pub fn utf8(&mut self) -> Result<&'a str, DecodeError> {
        let offset = self.offset;
        std::str::from_utf8(self.cstr()?).map_err(|_| DecodeError {
            offset,
            expected: "a UTF-8 string",
        })
    }

    /// A string to be shown: bytes that are not UTF-8 are replaced, because before the session's
    /// encoding is settled a server answers in its own.
    ///
    /// # Errors
    /// No NUL follows.
    pub fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.cstr().map(String::from_utf8_lossy)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let field = self.rest;
        self.advance_to(&[]);
        field
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Bytes are left: the message is not what its tag says.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("the end"))
        }
    }

    /// An error at the current place.
    pub const fn error(&self, expected: &'static str) -> DecodeError {
        DecodeError {
            offset: self.offset,
            expected,
        }
    }

    fn advance_to(&mut self, rest: &'a [u8]) {
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_read_in_order_and_errors_say_where() {
        let mut body = Reader::new(b"\x01\x00\x02name\0\xff\xff\xff\xff\0\0\0\x02ab!");
        assert_eq!((body.u8(), body.i16()), (Ok(1), Ok(2)));
        assert_eq!(body.utf8(), Ok("name"));
        assert_eq!(
            (body.value(), body.value()),
            (Ok(None), Ok(Some(&b"ab"[..])))
        );
        let end = DecodeError {
            offset: 18,
            expected: "the end",
        };
        assert_eq!(body.end(), Err(end));
        assert_eq!(body.rest(), b"!");
        assert_eq!(body.cstr().unwrap_err().expected, "a string's NUL");
    }

    #[test]
    fn a_length_below_minus_one_is_refused() {
        let error = Reader::new(b"\xff\xff\xff\xfe").value().unwrap_err();
        assert_eq!((error.offset, error.expected), (0, "a length or -1"));
    }

    proptest! {
        #[test]
        fn no_field_is_read_past_the_end(body: Vec<u8>, length: usize) {
            let mut reader = Reader::new(&body);
            let read = reader.bytes(length);
            prop_assert_eq!(read.is_ok(), length <= body.len());
            prop_assert_eq!(read.map_or(0, <[u8]>::len) + reader.rest().len(), body.len());
        }
    }
}
