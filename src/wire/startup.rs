//! From a byte stream to a connection: start-up packet, authentication, and what the server reports about
//! itself before its first `ReadyForQuery` ("Message Flow: Start-up").

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is unexpected, including those of later versions"
)]

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::authentication::Authentication;
use super::backend::{Backend, tag};
use super::connection::{Connection, Idle};
use super::error::Error;
use super::exchange::Exchange;
use super::frontend;
use super::link::{BoxStream, Link, Stream, unexpected_message};

/// How to start a session.
#[derive(Clone, Debug)]
pub struct Startup<'a> {
    /// `user`, `database`, `replication`, `application_name`, `options`, … in the order given.
    pub parameters: &'a [(&'a str, &'a str)],
    /// How to prove who we are.
    pub authentication: &'a Authentication<'a>,
}

/// The server's answer to the wish for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsAnswer {
    /// The handshake may begin.
    Accepted,
    /// The server does not speak TLS here; the stream is good for a plain session.
    Refused,
}

/// Asks the server for TLS. Exactly one byte is read, so that nothing an attacker sent ahead in
/// clear can be taken for part of the encrypted stream (CVE-2021-23222).
///
/// # Errors
/// The stream failed, or the server answered with something else.
pub async fn request_tls<S: Stream + ?Sized>(stream: &mut S) -> Result<TlsAnswer, Error> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    stream.flush().await?;
    match stream.read_u8().await? {
        b'S' => Ok(TlsAnswer::Accepted),
        b'N' => Ok(TlsAnswer::Refused),
        tag::ERROR_RESPONSE => Err(Error::Unexpected {
            expected: "S or N",
            received: "ErrorResponse",
        }),
        _ => Err(Error::Unexpected {
            expected: "S or N",
            received: "another byte",
        }),
    }
}

impl Connection<Idle> {
    /// Starts a session on a stream. There is no time limit here; whoever dials sets one.
    /// Cancel safe in that the stream is closed with the future.
    ///
    /// # Errors
    /// The server refuses, or asks for what we do not do.
    ///
    /// # Protocol
    /// `StartupMessage` 3.0, `Authentication*`, `ParameterStatus`, `BackendKeyData`.
    pub async fn start(stream: BoxStream, startup: &Startup<'_>) -> Result<Self, Error> {
        let mut link = Box::new(Link::new(stream));
        frontend::encode_startup(startup.parameters, link.outbox.queue())?;
        link.flush().await?;
        authenticate_session(&mut link, startup.authentication).await?;
        loop {
            match link.receive().await? {
                Backend::BackendKeyData(key) => link.key = Some(key),
                Backend::ReadyForQuery(status) => {
                    link.set_ready(status);
                    return Ok(Self::new_idle(link));
                }
                Backend::ErrorResponse(error) => return Err(error.into()),
                other => return Err(unexpected_message("ReadyForQuery", &other)),
            }
        }
    }
}

async fn authenticate_session(link: &mut Link, wanted: &Authentication<'_>) -> Result<(), Error> {
    let mut exchange = Exchange::new(wanted);
    let mut answer = BytesMut::new();
    loop {
        match link.receive().await? {
            Backend::Authentication(request) => {
                if exchange.answer_request(&request, &mut answer)? {
                    return Ok(());
                }
            }
            Backend::ErrorResponse(error) => return Err(error.into()),
            // We ask for nothing beyond 3.0, so that there is nothing to negotiate.
            Backend::NegotiateProtocolVersion { newest_minor, .. } => {
                return Err(Error::ProtocolVersion { newest_minor });
            }
            other => return Err(unexpected_message("Authentication", &other)),
        }
        link.queue_bytes(&answer);
        answer.clear();
        link.flush().await?;
    }
}
