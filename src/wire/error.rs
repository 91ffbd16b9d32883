use std::io;

use super::authentication::AuthenticationError;
use super::backend::{CopyFormat, MessageError};
use super::copy_header::CopyHeaderError;
use super::frontend::EncodeError;
use super::reader::DecodeError;
use super::scan::FrameError;
use crate::pg::{ServerError, SqlState};

/// Why a statement cannot be sent that was built from another database's texts.
pub const RAW_BYTES: &str = "the statement holds bytes that are not UTF-8; only a database of encoding SQL_ASCII takes them: \
     use a target database of that encoding, or correct the text on the source";

/// Why a conversation with a server went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server said no.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The stream failed.
    #[error("connection to the server lost")]
    Lost(#[source] io::Error),
    /// The stream ended without a word of the server.
    #[error("the server closed the connection unexpectedly")]
    Closed,
    /// The server's bytes are not the protocol's.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A message of the server is not the protocol's.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A message that has no place here.
    #[error("expected {expected} from the server, received {received}")]
    Unexpected {
        /// What the protocol foresees.
        expected: &'static str,
        /// What came.
        received: &'static str,
    },
    /// The server speaks no protocol 3.0, or wants options of it that we did not ask for.
    #[error("the server wants to negotiate protocol 3.{newest_minor} instead of 3.0")]
    ProtocolVersion {
        /// The newest minor version it speaks.
        newest_minor: i32,
    },
    /// We are not let in, or do not want to get in this way.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// Something of ours cannot be put into a message.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A statement holds bytes of a database without an encoding, and this one has an encoding.
    #[error("{RAW_BYTES}")]
    RawBytes,
    /// An earlier call on this connection was dropped or failed half-way.
    #[error("the connection was left in the middle of an earlier command")]
    OutOfStep,
    /// Binary COPY data that is none.
    #[error(transparent)]
    CopyHeader(#[from] CopyHeaderError),
    /// The two sides of a copy were started in different formats.
    #[error("the copy's source sends {source_format:?} and its target takes {target_format:?}")]
    CopyFormats {
        /// What the source sends.
        source_format: CopyFormat,
        /// What the target takes.
        target_format: CopyFormat,
    },
    /// The server's tag counts other rows than passed through our hands.
    #[error("the server counted {tagged} rows where {counted} were copied")]
    RowCount {
        /// Rows by the server's `COPY n`.
        tagged: u64,
        /// Rows that we saw.
        counted: u64,
    },
    /// A command tag that is not `COPY n`.
    #[error("the server ended the copy with {tag:?}")]
    CopyTag {
        /// The tag.
        tag: String,
    },
    /// A message within the replication stream that is none.
    #[error("malformed replication message from the server")]
    Replication(#[from] DecodeError),
    /// A server's answer to a command lacks a value, or it cannot be read.
    #[error("the server's answer to {command} has no usable {field}")]
    Answer {
        /// The command.
        command: &'static str,
        /// The value.
        field: &'static str,
    },
}

impl Error {
    /// The server's code, where a server answered.
    pub fn sqlstate(&self) -> Option<SqlState> {
        match self {
            Self::Server(error) => Some(error.code),
            Self::Lost(_)
            | Self::Closed
            | Self::Frame(_)
            | Self::Message(_)
            | Self::Unexpected { .. }
            | Self::ProtocolVersion { .. }
            | Self::Authentication(_)
            | Self::Encode(_)
            | Self::RawBytes
            | Self::OutOfStep
            | Self::CopyHeader(_)
            | Self::CopyFormats { .. }
            | Self::RowCount { .. }
            | Self::CopyTag { .. }
            | Self::Replication(_)
            | Self::Answer { .. } => None,
        }
    }

    /// Whether a lock of another session was in the way.
    pub fn is_lock_conflict(&self) -> bool {
        matches!(
            self.sqlstate(),
            Some(SqlState::LOCK_NOT_AVAILABLE | SqlState::DEADLOCK_DETECTED)
        )
    }

    /// Whether the same may succeed later on a new connection.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Server(error) => error.code.is_transient(),
            // A TLS alert comes as a read error: the server has refused us, not the network.
            Self::Lost(error) => error
                .get_ref()
                .is_none_or(|inner| !inner.is::<rustls::Error>()),
            Self::Closed => true,
            Self::Frame(_)
            | Self::Message(_)
            | Self::Unexpected { .. }
            | Self::ProtocolVersion { .. }
            | Self::Authentication(_)
            | Self::Encode(_)
            | Self::RawBytes
            | Self::OutOfStep
            | Self::CopyHeader(_)
            | Self::CopyFormats { .. }
            | Self::RowCount { .. }
            | Self::CopyTag { .. }
            | Self::Replication(_)
            | Self::Answer { .. } => false,
        }
    }
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}
