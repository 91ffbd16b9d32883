//! From the frames that a source sent to the frames that a target gets, within one buffer and
//! without I/O.
//!
//! A target does not care where its `CopyData` are cut, but each costs it a round through its message
//! loop. A narrow row is more expensive to receive than to parse. So rows are either passed through as
//! they came, or their payloads are moved together into one frame; [`Packing`] chooses.
//!
//! Both pass on what has arrived of a row without waiting for its end. The frame's length is rewritten to
//! what is there, and the rest is sent in frames of its own. So the bytes to be sent are always whole
//! frames, and `CopyFail` can follow at any time.

use std::ops::Range;

use super::backend::tag;
use super::frontend::copy_data_header;
use super::scan::{CONTROL_LIMIT, FrameError, HEADER_BYTES, decode_header};

/// Average bytes of a row's frame from which on rows are passed through. See
/// `docs/performance.md` for the measurement.
pub const PASS_THROUGH_FROM_BYTES: u64 = 1024;

/// How rows are framed for the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// By the width of the rows, buffer by buffer.
    #[default]
    Adaptive,
    /// One frame for each row, as the source sent it.
    PassThrough,
    /// One frame for each buffer.
    Repack,
}

/// What [`pack`] made of a buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// The range of the frames to send.
    pub send: Range<usize>,
    /// Where what was not consumed begins: half a header, or a message of another kind.
    pub end: usize,
    /// Frames that began.
    pub frames: u64,
    /// Bytes of payload.
    pub bytes: u64,
    /// Bytes of the last frame that are still to come.
    pub remaining: usize,
    /// Bytes of the last frame that began.
    pub last_frame: Option<usize>,
}

/// Follows the frames in `buffer[filled]`, where `remaining` bytes of an earlier frame come
/// first, and converts them to what the target gets. The [`HEADER_BYTES`] before `filled` are free
/// to be written to. `repack` moves the payloads together.
///
/// # Errors
/// A frame has an impossible length.
pub fn pack(
    buffer: &mut [u8],
    filled: Range<usize>,
    remaining: usize,
    repack: bool,
) -> Result<Packed, FrameError> {
    if repack {
        Gather::new(filled.start, remaining).gather_frames(buffer, filled, remaining)
    } else {
        pass_through(buffer, filled, remaining)
    }
}

/// The frame of a copy at `at`, if its header has arrived: bytes of its payload, and how many
/// of them are there.
fn frame_at(buffer: &[u8], at: usize, end: usize) -> Result<Option<(usize, usize)>, FrameError> {
    let Some(header) = buffer
        .get(at..end)
        .and_then(|rest| rest.first_chunk::<HEADER_BYTES>())
    else {
        return Ok(None);
    };
    if header[0] != tag::COPY_DATA {
        return Ok(None);
    }
    let (_, length) = decode_header(*header, CONTROL_LIMIT)?;
    Ok(Some((length, length.min(end - at - HEADER_BYTES))))
}

/// The payloads of whole frames, such as [`pack`] makes.
pub(super) fn frame_payloads(mut frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (header, rest) = frames.split_first_chunk::<HEADER_BYTES>()?;
        let (_, length) = decode_header(*header, CONTROL_LIMIT).ok()?;
        let (payload, next) = rest.split_at_checked(length)?;
        frames = next;
        Some(payload)
    })
}

fn put_header(buffer: &mut [u8], at: usize, length: usize) {
    buffer[at..at + HEADER_BYTES].copy_from_slice(&copy_data_header(length));
}

fn pass_through(
    buffer: &mut [u8],
    filled: Range<usize>,
    remaining: usize,
) -> Result<Packed, FrameError> {
    let mut packed = Packed {
        send: filled.start..filled.start,
        remaining,
        ..Packed::default()
    };
    let mut at = filled.start;
    if remaining > 0 {
        let present = remaining.min(filled.len());
        packed.send.start = at - HEADER_BYTES;
        put_header(buffer, packed.send.start, present);
        packed.bytes += present as u64;
        packed.remaining -= present;
        at += present;
    }
    packed.send.end = at;
    while packed.remaining == 0 {
        let Some((length, present)) = frame_at(buffer, at, filled.end)? else {
            break;
        };
        packed.frames += 1;
        packed.bytes += present as u64;
        packed.last_frame = Some(length);
        packed.remaining = length - present;
        if packed.remaining > 0 {
            put_header(buffer, at, present);
        }
        at += HEADER_BYTES + present;
        packed.send.end = at;
    }
    packed.end = at;
    Ok(packed)
}

/// Moves payloads together behind the first one.
struct Gather {
    /// Where the one header will be: right before the first payload.
    header: usize,
    /// Where the next payload goes.
    to: usize,
}

impl Gather {
    const fn new(start: usize, remaining: usize) -> Self {
        let header = if remaining > 0 {
            start - HEADER_BYTES
        } else {
            start
        };
        Self {
            header,
            to: header + HEADER_BYTES,
        }
    }

    fn gather_frames(
        mut self,
        buffer: &mut [u8],
        filled: Range<usize>,
        remaining: usize,
    ) -> Result<Packed, FrameError> {
        let mut packed = Packed::default();
        let present = remaining.min(filled.len());
        packed.remaining = remaining - present;
        self.to += present;
        let mut at = filled.start + present;
        while packed.remaining == 0 {
            let Some((length, present)) = frame_at(buffer, at, filled.end)? else {
                break;
            };
            packed.frames += 1;
            packed.last_frame = Some(length);
            packed.remaining = length - present;
            let from = at + HEADER_BYTES;
            if from != self.to {
                buffer.copy_within(from..from + present, self.to);
            }
            self.to += present;
            at = from + present;
        }
        packed.end = at;
        let payload = self.to - self.header - HEADER_BYTES;
        if payload > 0 {
            put_header(buffer, self.header, payload);
            packed.send = self.header..self.to;
        }
        packed.bytes = payload as u64;
        Ok(packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn frames(rows: &[Vec<u8>]) -> Vec<u8> {
        rows.iter()
            .flat_map(|row| [&copy_data_header(row.len())[..], row].concat())
            .collect()
    }

    /// The payloads, and that there is nothing else.
    fn whole_payloads(sent: &[u8]) -> Vec<u8> {
        let lengths: usize = frame_payloads(sent)
            .map(|payload| HEADER_BYTES + payload.len())
            .sum();
        assert_eq!(lengths, sent.len(), "only whole frames are sent");
        frame_payloads(sent).collect::<Vec<_>>().concat()
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_payload_in_whole_frames(
            rows in vec(vec(any::<u8>(), 0..40), 0..30),
            cuts in vec(1_usize..50, 1..20),
            repack: bool,
        ) {
            let stream = [&frames(&rows)[..], b"c\0\0\0\x04"].concat();
            let mut unread = vec![0_u8; HEADER_BYTES];
            let (mut payload, mut counted, mut bytes, mut remaining) = (Vec::new(), 0, 0, 0);
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                rest = left;
                unread.extend_from_slice(piece);
                let filled = HEADER_BYTES..unread.len();
                let packed = pack(&mut unread, filled, remaining, repack).unwrap();
                payload.extend(whole_payloads(&unread[packed.send]));
                counted += packed.frames;
                bytes += packed.bytes;
                remaining = packed.remaining;
                unread.drain(HEADER_BYTES..packed.end);
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(&unread[HEADER_BYTES..], b"c\0\0\0\x04");
            prop_assert_eq!(counted, rows.len() as u64);
            prop_assert_eq!(bytes, payload.len() as u64);
            prop_assert_eq!(payload, rows.concat());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, remaining in 0_usize..100, repack: bool) {
            let mut buffer = [&[0; HEADER_BYTES][..], &bytes].concat();
            let filled = HEADER_BYTES..buffer.len();
            let _ = pack(&mut buffer, filled, remaining, repack);
        }
    }

    #[test]
    fn an_impossible_length_is_an_error() {
        let mut buffer = b".....d\0\0\0\x03".to_vec();
        for repack in [true, false] {
            let refused = pack(&mut buffer, HEADER_BYTES..10, 0, repack);
            assert_eq!(
                refused,
                Err(FrameError::Length {
                    tag: b'd',
                    length: 3
                })
            );
        }
    }
}
