//! The messages of a server that we act on ("Message Formats", those marked B).

use super::reader::{DecodeError, Reader};
use crate::pg::{ServerError, SqlState};

/// Tags, by the protocol's names.
#[expect(missing_docs, reason = "the protocol's own names")]
pub mod tag {
    pub const AUTHENTICATION: u8 = b'R';
    pub const BACKEND_KEY_DATA: u8 = b'K';
    pub const COMMAND_COMPLETE: u8 = b'C';
    pub const COPY_BOTH_RESPONSE: u8 = b'W';
    pub const COPY_DATA: u8 = b'd';
    pub const COPY_DONE: u8 = b'c';
    pub const COPY_IN_RESPONSE: u8 = b'G';
    pub const COPY_OUT_RESPONSE: u8 = b'H';
    pub const DATA_ROW: u8 = b'D';
    pub const EMPTY_QUERY_RESPONSE: u8 = b'I';
    pub const ERROR_RESPONSE: u8 = b'E';
    pub const NEGOTIATE_PROTOCOL_VERSION: u8 = b'v';
    pub const NOTICE_RESPONSE: u8 = b'N';
    pub const NOTIFICATION_RESPONSE: u8 = b'A';
    pub const PARAMETER_STATUS: u8 = b'S';
    pub const READY_FOR_QUERY: u8 = b'Z';
    pub const ROW_DESCRIPTION: u8 = b'T';
}

/// Bytes that are no message of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No message that we could be sent has this tag.
    #[error("unknown message {:?} from the server", char::from(*tag))]
    UnknownTag {
        /// The tag.
        tag: u8,
    },
    /// The body is not what the tag says.
    #[error("malformed message {:?} from the server", char::from(*tag))]
    Malformed {
        /// The tag.
        tag: u8,
        /// What is wrong, and where.
        #[source]
        cause: DecodeError,
    },
}

/// Whether a transaction is open, as each `ReadyForQuery` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// None is open.
    Idle,
    /// One is open.
    InTransaction,
    /// One is open and has failed: it takes only ROLLBACK.
    Failed,
}

/// A process on the server and the word that lets us cancel what it does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CancelKey {
    /// The backend's process number.
    pub process_id: i32,
    /// The word.
    pub secret_key: i32,
}

/// The word is not shown.
impl std::fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelKey")
            .field("process_id", &self.process_id)
            .finish_non_exhaustive()
    }
}

/// The format of a copy's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    /// Text or CSV.
    Text,
    /// Binary.
    Binary,
}

/// What a server asks for, or says, during authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthenticationRequest<'a> {
    /// We are in.
    Ok,
    /// The password itself.
    CleartextPassword,
    /// The password, hashed with this salt.
    Md5Password([u8; 4]),
    /// SASL, by one of these mechanisms.
    Sasl(Vec<&'a str>),
    /// The server's word in the SASL exchange.
    SaslContinue(&'a [u8]),
    /// The server's last word.
    SaslFinal(&'a [u8]),
    /// A method that this program does not speak, by the protocol's name.
    Unsupported(&'static str),
}

/// A message that answers what we did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the protocol's own names")]
pub enum Backend<'a> {
    Authentication(AuthenticationRequest<'a>),
    BackendKeyData(CancelKey),
    CommandComplete(&'a str),
    CopyBothResponse(CopyFormat),
    CopyDone,
    CopyInResponse(CopyFormat),
    CopyOutResponse(CopyFormat),
    DataRow(Vec<Option<&'a [u8]>>),
    EmptyQueryResponse,
    ErrorResponse(ServerError),
    NegotiateProtocolVersion {
        /// The newest minor version of protocol 3 that the server speaks.
        newest_minor: i32,
        /// Options it does not know.
        unrecognized: Vec<String>,
    },
    ReadyForQuery(TransactionStatus),
    /// The columns' names.
    RowDescription(Vec<String>),
}

/// A message that may come at any time and answers nothing ("Asynchronous Operations").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asynchronous {
    /// Something to show.
    Notice(ServerError),
    /// A parameter has this value now.
    Parameter {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
    },
    /// A `NOTIFY` of another session.
    Notification,
}

impl Asynchronous {
    /// Whether messages with this tag are asynchronous.
    pub const fn has_tag(tag: u8) -> bool {
        matches!(
            tag,
            tag::NOTICE_RESPONSE | tag::PARAMETER_STATUS | tag::NOTIFICATION_RESPONSE
        )
    }

    /// Decodes a message.
    ///
    /// # Errors
    /// The tag is not one of these, or the body is not what it says.
    pub fn decode(tag: u8, body: &[u8]) -> Result<Self, MessageError> {
        decode_whole(tag, body, |body| match tag {
            tag::NOTICE_RESPONSE => server_error(body).map(Self::Notice).map(Some),
            tag::PARAMETER_STATUS => Ok(Some(Self::Parameter {
                name: body.text()?.into_owned(),
                value: body.text()?.into_owned(),
            })),
            tag::NOTIFICATION_RESPONSE => {
                let (_process, _channel, _payload) = (body.i32()?, body.cstr()?, body.cstr()?);
                Ok(Some(Self::Notification))
            }
            _ => Ok(None),
        })
    }
}

impl<'a> Backend<'a> {
    /// Decodes a message that is neither asynchronous nor `CopyData`.
    ///
    /// # Errors
    /// The tag is unknown, or the body is not what it says.
    pub fn decode(tag: u8, body: &'a [u8]) -> Result<Self, MessageError> {
        decode_whole(tag, body, |body| Self::decode_fields(tag, body))
    }

    fn decode_fields(tag: u8, body: &mut Reader<'a>) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match tag {
            tag::AUTHENTICATION => Self::Authentication(decode_authentication(body)?),
            tag::BACKEND_KEY_DATA => Self::BackendKeyData(CancelKey {
                process_id: body.i32()?,
                secret_key: body.i32()?,
            }),
            tag::COMMAND_COMPLETE => Self::CommandComplete(body.utf8()?),
            tag::COPY_BOTH_RESPONSE => Self::CopyBothResponse(copy_format(body)?),
            tag::COPY_DONE => Self::CopyDone,
            tag::COPY_IN_RESPONSE => Self::CopyInResponse(copy_format(body)?),
            tag::COPY_OUT_RESPONSE => Self::CopyOutResponse(copy_format(body)?),
            tag::DATA_ROW => Self::DataRow(data_row(body)?),
            tag::EMPTY_QUERY_RESPONSE => Self::EmptyQueryResponse,
            tag::ERROR_RESPONSE => Self::ErrorResponse(server_error(body)?),
            tag::NEGOTIATE_PROTOCOL_VERSION => decode_negotiation(body)?,
            tag::READY_FOR_QUERY => Self::ReadyForQuery(transaction_status(body)?),
            tag::ROW_DESCRIPTION => Self::RowDescription(row_description(body)?),
            _ => return Ok(None),
        }))
    }

    /// The message's name, for errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Authentication(_) => "Authentication",
            Self::BackendKeyData(_) => "BackendKeyData",
            Self::CommandComplete(_) => "CommandComplete",
            Self::CopyBothResponse(_) => "CopyBothResponse",
            Self::CopyDone => "CopyDone",
            Self::CopyInResponse(_) => "CopyInResponse",
            Self::CopyOutResponse(_) => "CopyOutResponse",
            Self::DataRow(_) => "DataRow",
            Self::EmptyQueryResponse => "EmptyQueryResponse",
            Self::ErrorResponse(_) => "ErrorResponse",
            Self::NegotiateProtocolVersion { .. } => "NegotiateProtocolVersion",
            Self::ReadyForQuery(_) => "ReadyForQuery",
            Self::RowDescription(_) => "RowDescription",
        }
    }
}

/// Decodes a body to its end; `None` from `fields` says that the tag is unknown.
fn decode_whole<'a, T>(
    tag: u8,
    body: &'a [u8],
    fields: impl FnOnce(&mut Reader<'a>) -> Result<Option<T>, DecodeError>,
) -> Result<T, MessageError> {
    let mut reader = Reader::new(body);
    let malformed = |cause| MessageError::Malformed { tag, cause };
    let message = fields(&mut reader)
        .map_err(malformed)?
        .ok_or(MessageError::UnknownTag { tag })?;
    reader.end().map_err(malformed)?;
    Ok(message)
}

fn decode_authentication<'a>(
    body: &mut Reader<'a>,
) -> Result<AuthenticationRequest<'a>, DecodeError> {
    Ok(match body.i32()? {
        0 => AuthenticationRequest::Ok,
        2 => AuthenticationRequest::Unsupported("Kerberos V5"),
        3 => AuthenticationRequest::CleartextPassword,
        5 => {
            let salt = body.u32()?;
            AuthenticationRequest::Md5Password(salt.to_be_bytes())
        }
        6 => AuthenticationRequest::Unsupported("SCM credentials"),
        7 => AuthenticationRequest::Unsupported("GSSAPI"),
        9 => AuthenticationRequest::Unsupported("SSPI"),
        10 => AuthenticationRequest::Sasl(decode_mechanisms(body)?),
        11 => AuthenticationRequest::SaslContinue(body.rest()),
        12 => AuthenticationRequest::SaslFinal(body.rest()),
        _ => return Err(body.error("a known authentication request")),
    })
}

fn decode_mechanisms<'a>(body: &mut Reader<'a>) -> Result<Vec<&'a str>, DecodeError> {
    let mut names = Vec::new();
    loop {
        match body.utf8()? {
            "" => return Ok(names),
            name => names.push(name),
        }
    }
}

/// Format of the whole, then of each column: in COPY they cannot differ.
fn copy_format(body: &mut Reader<'_>) -> Result<CopyFormat, DecodeError> {
    let format = match body.u8()? {
        0 => CopyFormat::Text,
        1 => CopyFormat::Binary,
        _ => return Err(body.error("copy format 0 or 1")),
    };
    for _ in 0..body.u16()? {
        body.u16()?;
    }
    Ok(format)
}

fn data_row<'a>(body: &mut Reader<'a>) -> Result<Vec<Option<&'a [u8]>>, DecodeError> {
    let count = body.u16()?;
    (0..count).map(|_| body.value()).collect()
}

fn row_description(body: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    /// Table oid, column number, type oid, type size, type modifier, format.
    const ATTRIBUTES_BYTES: usize = 4 + 2 + 4 + 2 + 4 + 2;
    let count = body.u16()?;
    let column = |_| {
        let name = body.text()?.into_owned();
        body.bytes(ATTRIBUTES_BYTES).map(|_| name)
    };
    (0..count).map(column).collect()
}

fn transaction_status(body: &mut Reader<'_>) -> Result<TransactionStatus, DecodeError> {
    match body.u8()? {
        b'I' => Ok(TransactionStatus::Idle),
        b'T' => Ok(TransactionStatus::InTransaction),
        b'E' => Ok(TransactionStatus::Failed),
        _ => Err(body.error("transaction status I, T or E")),
    }
}

fn decode_negotiation<'a>(body: &mut Reader<'_>) -> Result<Backend<'a>, DecodeError> {
    let newest_minor = body.i32()?;
    let count = body.u32()?;
    let mut unrecognized = Vec::new();
    for _ in 0..count {
        unrecognized.push(body.text()?.into_owned());
    }
    Ok(Backend::NegotiateProtocolVersion {
        newest_minor,
        unrecognized,
    })
}

/// "Error and Notice Message Fields". Unknown fields are skipped, as the protocol demands.
fn server_error(body: &mut Reader<'_>) -> Result<ServerError, DecodeError> {
    let mut error = ServerError {
        severity: String::new(),
        code: SqlState::UNKNOWN,
        message: String::new(),
        detail: None,
        hint: None,
        context: None,
        position: None,
    };
    let mut localized = None;
    loop {
        let field = body.u8()?;
        if field == 0 {
            break;
        }
        let text = body.text()?.into_owned();
        match field {
            b'S' => localized = Some(text),
            b'V' => error.severity = text,
            b'C' => error.code = SqlState::parse(&text),
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'W' => error.context = Some(text),
            b'P' => error.position = text.parse().ok(),
            _ => {}
        }
    }
    if error.severity.is_empty() {
        error.severity = localized.unwrap_or_default();
    }
    Ok(error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_errors_fields_are_kept_and_unknown_ones_skipped() {
        let body = b"SFEHLER\0VERROR\0C23505\0Mdup\0DKey\0Hhint\0Wcopy\0P12\0Zfuture\0\0";
        let Ok(Backend::ErrorResponse(error)) = Backend::decode(tag::ERROR_RESPONSE, body) else {
            panic!("an ErrorResponse");
        };
        assert_eq!(error.severity, "ERROR");
        assert_eq!(error.code.as_str(), "23505");
        assert_eq!(
            (error.position, error.context.as_deref()),
            (Some(12), Some("copy"))
        );
        let old = Backend::decode(tag::ERROR_RESPONSE, b"SFATAL\0C57P01\0M\xe9teint\0\0");
        assert!(matches!(old, Ok(Backend::ErrorResponse(error)) if error.ends_session()));
    }

    #[test]
    fn an_unknown_tag_is_named() {
        let unknown = Backend::decode(b'?', b"").unwrap_err();
        assert_eq!(unknown, MessageError::UnknownTag { tag: b'?' });
        assert_eq!(unknown.to_string(), "unknown message '?' from the server");
        assert!(Backend::decode(tag::NOTICE_RESPONSE, b"\0").is_err());
        assert!(Asynchronous::decode(tag::READY_FOR_QUERY, b"I").is_err());
    }

    #[test]
    fn a_body_too_long_or_too_short_is_malformed() {
        assert!(Backend::decode(tag::READY_FOR_QUERY, b"I").is_ok());
        for body in [&b""[..], b"X", b"IT"] {
            assert!(
                Backend::decode(tag::READY_FOR_QUERY, body).is_err(),
                "{body:?}"
            );
        }
    }

    #[test]
    fn the_rarer_messages_are_read() {
        let both = Backend::decode(tag::COPY_BOTH_RESPONSE, &[0, 0, 0]);
        assert_eq!(both, Ok(Backend::CopyBothResponse(CopyFormat::Text)));
        let binary = Backend::decode(tag::COPY_OUT_RESPONSE, &[1, 0, 1, 0, 1]);
        assert_eq!(binary, Ok(Backend::CopyOutResponse(CopyFormat::Binary)));
        let negotiate = Backend::decode(
            tag::NEGOTIATE_PROTOCOL_VERSION,
            b"\0\0\0\x02\0\0\0\x01_pq_.x\0",
        );
        let expected = Backend::NegotiateProtocolVersion {
            newest_minor: 2,
            unrecognized: vec!["_pq_.x".to_owned()],
        };
        assert_eq!(negotiate, Ok(expected));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoders_panic(tag: u8, body: Vec<u8>) {
            let _ = Backend::decode(tag, &body);
            let _ = Asynchronous::decode(tag, &body);
        }

        #[test]
        fn rows_are_read_as_they_were_written(
            row in proptest::collection::vec(proptest::option::of(any::<Vec<u8>>()), 0..20),
        ) {
            let mut body = u16::try_from(row.len()).unwrap().to_be_bytes().to_vec();
            for value in &row {
                let length = value.as_ref().map_or(-1, |value| i32::try_from(value.len()).unwrap());
                body.extend(length.to_be_bytes());
                body.extend(value.iter().flatten());
            }
            let values = row.iter().map(Option::as_deref).collect();
            prop_assert_eq!(Backend::decode(tag::DATA_ROW, &body), Ok(Backend::DataRow(values)));
        }
    }
}
