//! The header of binary COPY data (manual, COPY, "Binary Format"). It is read to be sure that
//! what goes to the target is what the source's answer promised; the rows behind it are not.

/// Signature, flags, length of the extension area.
pub(super) const COPY_HEADER_BYTES: usize = SIGNATURE.len() + 4 + 4;

/// What follows the last row: a field count of -1.
pub(super) const COPY_TRAILER_BYTES: usize = 2;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Flags that a reader may not overlook: bits 16 to 31.
const CRITICAL_FLAGS: u32 = 0xFFFF_0000;

/// Data that claims to be binary COPY data and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyHeaderError {
    /// It does not begin with the signature.
    #[error("binary copy data without its signature (byte {offset})")]
    Signature {
        /// The first byte that differs.
        offset: usize,
    },
    /// A format that came after us, or row oids of a server before 12.
    #[error("binary copy data with the unknown flags {flags:#x}")]
    Flags {
        /// The flags.
        flags: u32,
    },
    /// It ended within the header.
    #[error("binary copy data ended within its header")]
    Truncated,
    /// It ended without the trailer.
    #[error("binary copy data ended without its trailer")]
    Trailer,
}

/// Follows the first bytes of the data, in the pieces in which they come.
#[derive(Clone, Debug, Default)]
pub struct CopyHeader {
    seen: usize,
    flags: u32,
}

impl CopyHeader {
    /// Checks the next bytes of the data; those behind the header are ignored.
    ///
    /// # Errors
    /// They are not the header's.
    pub fn check(&mut self, data: &[u8]) -> Result<(), CopyHeaderError> {
        for byte in data.iter().take(COPY_HEADER_BYTES - self.seen) {
            self.check_byte(*byte)?;
            self.seen += 1;
        }
        Ok(())
    }

    /// Whether the whole header was seen.
    pub const fn is_complete(&self) -> bool {
        self.seen == COPY_HEADER_BYTES
    }

    fn check_byte(&mut self, byte: u8) -> Result<(), CopyHeaderError> {
        let offset = self.seen;
        match SIGNATURE.get(offset) {
            Some(expected) if *expected == byte => return Ok(()),
            Some(_) => return Err(CopyHeaderError::Signature { offset }),
            None => {}
        }
        if offset < SIGNATURE.len() + 4 {
            self.flags = self.flags << 8 | u32::from(byte);
            let complete = offset + 1 == SIGNATURE.len() + 4;
            if complete && self.flags & CRITICAL_FLAGS != 0 {
                return Err(CopyHeaderError::Flags { flags: self.flags });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &[u8; COPY_HEADER_BYTES] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

    proptest! {
        #[test]
        fn a_header_is_known_in_any_pieces(at in 0..=COPY_HEADER_BYTES) {
            let mut header = CopyHeader::default();
            let (first, second) = HEADER.split_at(at);
            header.check(first).unwrap();
            prop_assert_eq!(header.is_complete(), at == COPY_HEADER_BYTES);
            header.check(second).unwrap();
            header.check(b"rows of any kind").unwrap();
            prop_assert!(header.is_complete());
        }

        #[test]
        fn any_other_signature_is_refused(at in 0..SIGNATURE.len(), other: u8) {
            let mut wrong = *HEADER;
            prop_assume!(wrong[at] != other);
            wrong[at] = other;
            let refused = CopyHeader::default().check(&wrong);
            prop_assert_eq!(refused, Err(CopyHeaderError::Signature { offset: at }));
        }
    }

    #[test]
    fn critical_flags_are_refused_and_others_pass() {
        let mut flagged = *HEADER;
        flagged[SIGNATURE.len() + 3] = 1;
        assert_eq!(CopyHeader::default().check(&flagged), Ok(()));
        flagged[SIGNATURE.len() + 1] = 1;
        let flags = 0x0001_0001;
        let refused = CopyHeader::default().check(&flagged);
        assert_eq!(refused, Err(CopyHeaderError::Flags { flags }));
    }
}
