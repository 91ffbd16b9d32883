//! Cancelling what another session does ("Canceling Requests in Progress").

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::backend::CancelKey;
use super::error::Error;
use super::frontend;
use super::link::Stream;

/// Asks the server to cancel what the session of `key` does, on a stream of its own, and waits
/// until the server has taken note. Whether anything was cancelled is seen on that session only.
/// Cancel safe in that the stream is closed with the future.
///
/// # Errors
/// The stream failed before the request was sent.
///
/// # Protocol
/// `CancelRequest`; the server closes the stream without an answer once the signal is sent.
pub async fn send_cancel_request<S: Stream>(mut stream: S, key: CancelKey) -> Result<(), Error> {
    let mut request = BytesMut::new();
    frontend::cancel_request(key, &mut request);
    stream.write_all(&request).await?;
    stream.flush().await?;
    // The end may come as a reset; either way the server is done.
    let mut nothing = [0];
    drop(stream.read(&mut nothing).await);
    Ok(())
}
