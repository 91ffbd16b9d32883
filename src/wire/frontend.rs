//! What we send: `postgres_protocol`'s encoders, with our types in and our errors out.

use std::io;

use bytes::{BufMut, BytesMut};
use postgres_protocol::message::frontend;

use super::backend::{CancelKey, tag};
use super::scan::{COPY_LIMIT, HEADER_BYTES};
use crate::pg::{Sql, bytes_from_text};

/// The length field of a message.
const LENGTH: usize = 4;

/// A text of ours that no message can carry: it holds a NUL, or is longer than 2 GB.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be sent")]
pub struct EncodeError {
    what: &'static str,
    #[source]
    cause: io::Error,
}

/// Names what could not be encoded.
fn error_of(what: &'static str) -> impl Fn(io::Error) -> EncodeError {
    move |cause| EncodeError { what, cause }
}

/// `Query`.
///
/// # Errors
/// The statement holds a NUL.
pub(super) fn encode_query(sql: &Sql, out: &mut BytesMut) -> Result<(), EncodeError> {
    frontend::query(sql.as_str(), out).map_err(error_of("the statement"))
}

/// `Query` for a database without an encoding, whose texts may be any bytes.
///
/// # Errors
/// The statement holds a NUL.
pub(super) fn raw_query(sql: &Sql, out: &mut BytesMut) -> Result<(), EncodeError> {
    let bytes = bytes_from_text(sql.as_str());
    let sendable = (!bytes.contains(&0)).then(|| i32::try_from(bytes.len() + LENGTH + 1).ok());
    let refusal = || error_of("the statement")(io::ErrorKind::InvalidInput.into());
    let length = sendable.flatten().ok_or_else(refusal)?;
    out.put_u8(b'Q');
    out.put_i32(length);
    out.put_slice(&bytes);
    out.put_u8(0);
    Ok(())
}

/// `StartupMessage` of protocol 3.0.
///
/// # Errors
/// A name or value holds a NUL.
pub(super) fn encode_startup(
    parameters: &[(&str, &str)],
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    frontend::startup_message(parameters.iter().copied(), out)
        .map_err(error_of("a startup parameter"))
}

/// `PasswordMessage`.
///
/// # Errors
/// The password holds a NUL.
pub(super) fn encode_password(password: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    frontend::password_message(password, out).map_err(error_of("the password"))
}

/// `SASLInitialResponse`.
///
/// # Errors
/// The mechanism's name holds a NUL.
pub(super) fn sasl_initial(
    mechanism: &str,
    data: &[u8],
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    frontend::sasl_initial_response(mechanism, data, out).map_err(error_of("the SASL mechanism"))
}

/// `SASLResponse`.
///
/// # Errors
/// The answer is longer than a message.
pub(super) fn sasl_response(data: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    frontend::sasl_response(data, out).map_err(error_of("the SASL answer"))
}

/// The header of a `CopyData` of `length` bytes.
///
/// # Panics
/// `length` is above [`COPY_LIMIT`]: callers cut pieces far below it.
pub(super) fn copy_data_header(length: usize) -> [u8; HEADER_BYTES] {
    let counted = u32::try_from(length.min(COPY_LIMIT) + 4).expect("the limit fits a length");
    assert!(length <= COPY_LIMIT, "a CopyData above the limit");
    let [a, b, c, d] = counted.to_be_bytes();
    [tag::COPY_DATA, a, b, c, d]
}

/// `CopyData`.
pub(super) fn copy_data(data: &[u8], out: &mut BytesMut) {
    out.put_slice(&copy_data_header(data.len()));
    out.put_slice(data);
}

/// `CopyDone`.
pub(super) fn copy_done(out: &mut BytesMut) {
    frontend::copy_done(out);
}

/// `CopyFail`; NULs of the reason are omitted.
pub(super) fn copy_fail(reason: &str, out: &mut BytesMut) {
    frontend::copy_fail(&reason.replace('\0', ""), out).expect("a reason without NUL fits");
}

/// `Terminate`.
pub(super) fn encode_terminate(out: &mut BytesMut) {
    frontend::terminate(out);
}

/// `SSLRequest`.
pub(super) fn ssl_request(out: &mut BytesMut) {
    frontend::ssl_request(out);
}

/// `CancelRequest`.
pub(super) fn cancel_request(key: CancelKey, out: &mut BytesMut) {
    frontend::cancel_request(key.process_id, key.secret_key, out);
}
