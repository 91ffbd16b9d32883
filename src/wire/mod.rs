//! The wire protocol, version 3.0, over any byte stream.
//!
//! `tokio-postgres` serves the control SQL. It has no replication commands and reads 8 KiB at a time.
//! Each row of a copy costs it one allocation and one channel item. So COPY and replication are
//! implemented here, over the streams that `connect` dials.
//!
//! A connection's type says what the conversation is in the middle of:
//!
//! ```text
//!                 start             copy_out                next_piece … finish
//!   BoxStream ────────────▶ Idle ─────────────▶ CopyOut ────────────────────────▶ Idle
//!                            │    copy_in                   send … finish | abort
//!                            ├────────────────▶ CopyIn ─────────────────────────▶ Idle
//!                            │    start_replication
//!                            └────────────────▶ CopyBoth   next_message, report … finish ▶ Idle
//!
//!   Idle ─ask─▶ Asked ─copies_out|copies_in─▶ CopyOut|CopyIn: several copies by one command
//!   pump(CopyOut, CopyIn): the rows of one go to the other, byte for byte
//! ```
//!
//! Rules kept throughout:
//! - A length from the network is believed within its limit only, and rows are never held whole.
//! - An answer is read to its `ReadyForQuery`. A connection left within an answer refuses work.
//! - Asynchronous messages may come anywhere and are noted aside.
//! - While the server does not take our bytes, its own are read: neither side waits for the other.

mod asked;
mod authentication;
mod backend;
mod cancel;
mod connection;
mod copy_both;
mod copy_header;
mod copy_in;
mod copy_out;
mod ending;
mod error;
mod exchange;
mod frame;
mod frontend;
mod link;
mod pack;
mod parts;
mod progress;
mod pump;
mod pump_outcome;
mod raw_text;
mod reader;
mod replication;
mod scan;
mod startup;
mod tally;
mod timestamp;

pub use asked::Asked;
pub use authentication::{
    Authentication, AuthenticationError, ChannelBinding, ChannelBindingPolicy, Method,
};
pub use backend::{
    Asynchronous, AuthenticationRequest, Backend, CancelKey, CopyFormat, MessageError,
    TransactionStatus, tag,
};
pub use cancel::send_cancel_request;
pub use connection::{Connection, Failure, Idle, ResultSet};
pub use copy_both::CopyBoth;
pub use copy_header::{CopyHeader, CopyHeaderError};
pub use copy_in::CopyIn;
pub use copy_out::{CopyOut, Piece};
pub use error::{Error, RAW_BYTES};
pub use exchange::SCRAM_ITERATION_LIMIT;
pub use frame::{CONTROL_BUFFER_BYTES, COPY_BUFFER_BYTES, FrameReader, FrameWriter};
pub use frontend::EncodeError;
pub use link::{BoxStream, Stream};
pub use pack::{PASS_THROUGH_FROM_BYTES, Packed, Packing, pack};
pub use parts::Parts;
pub use progress::Progress;
pub use pump::{PumpOptions, pump};
pub use pump_outcome::{EndedBy, PumpError, PumpOutcome, SourceAfter};
pub use raw_text::RawTextCodec;
pub use reader::{DecodeError, Reader};
pub use replication::{
    CreatedSlot, PrimaryKeepalive, ReplicationMessage, SlotKind, SlotSnapshot, StandbyStatusUpdate,
    SystemIdentity, XLogData,
};
pub use scan::{CONTROL_LIMIT, COPY_LIMIT, FrameError, HEADER_BYTES, STARTUP_LIMIT, Scan, Scanner};
pub use startup::{Startup, TlsAnswer, request_tls};
pub use tally::Copied;
pub use timestamp::Timestamp;
