//! Counts what a source sends, and checks its shape.
//!
//! `COPY … TO STDOUT` sends one `CopyData` per row ("Messages sent from the backend will always
//! correspond to single data rows"). The binary header comes within the first one, the trailer as one
//! more. So rows are counted without being read.

use super::backend::CopyFormat;
use super::copy_header::{COPY_HEADER_BYTES, COPY_TRAILER_BYTES, CopyHeader, CopyHeaderError};
use super::error::Error;

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

    /// Whether the next bytes must be shown to [`check_header`](Self::check_header).
    pub(super) fn wants_header(&self) -> bool {
        self.format == CopyFormat::Binary && !self.header.is_complete()
    }

    /// Checks bytes against the binary header.
    pub(super) fn check_header(&mut self, data: &[u8]) -> Result<(), Error> {
        Ok(self.header.check(data)?)
    }

    /// Counts `frames` begun, `bytes` of data, and the size of the last frame begun.
    pub(super) fn count_frames(&mut self, frames: u64, bytes: u64, last_frame: Option<usize>) {
        self.frames += frames;
        self.bytes += bytes;
        if let Some(length) = last_frame {
            self.last_frame = length;
        }
    }

    /// A piece of one frame.
    pub(super) fn count_piece(&mut self, data: &[u8], first: bool) -> Result<(), Error> {
        if self.wants_header() {
            self.check_header(data)?;
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
    pub(super) const fn average_frame_bytes(&self) -> u64 {
        match self.bytes.checked_div(self.frames) {
            Some(average) => average,
            None => 0,
        }
    }

    /// Frames that are no rows: the trailer of binary data that has ended.
    pub(super) fn trailer_frames(&self) -> u64 {
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

/// Compares a server's count with ours.
pub(super) const fn compare_row_counts(tagged: u64, counted: u64) -> Result<(), Error> {
    if tagged == counted {
        Ok(())
    } else {
        Err(Error::RowCount { tagged, counted })
    }
}
