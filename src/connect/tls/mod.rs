//! TLS to a server, with libpq's settings and libpq's meaning of them.
//!
//! Differences from libpq, each on the safe side:
//!
//! - A file that was named must exist in every mode.
//! - RSA keys below 2048 bits and SHA-1 signatures are refused where the chain is checked.
//! - TLS 1.0 and 1.1 are not supported.
//!
//! ```text
//!   sslmode                   chain              name   TLS, if the server refuses it
//!   allow, prefer, require    if roots are set   -      `connect` decides by the mode
//!   verify-ca                 yes                -      no connection
//!   verify-full               yes                yes    no connection
//! ```

mod binding;
mod certificate;
mod dates;
mod error;
mod exception;
mod files;
mod grounds;
mod identity;
mod names;
mod refusal;
mod revocation;
mod settings;
mod verifier;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{DnsName, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls::{AlertDescription, ClientConfig, ClientConnection, SupportedProtocolVersion};
use tokio::io::BufReader;
use tokio_rustls::TlsConnector;

pub use error::{Error, Moment, Refusal};
pub use settings::{Root, Settings, SslMode, TlsVersion, UnknownWord};

use crate::wire::{BoxStream, ChannelBinding};
use verifier::Verifier;

/// How PostgreSQL is called within TLS.
const PROTOCOL: &[u8] = b"postgresql";

/// Read from the socket at once. rustls asks for 4 KiB at a time: three system calls for each
/// record of a copy.
const READ_BUFFER: usize = 64 * 1024;

/// Encrypted and not sent yet, at most; rustls's own 64 KiB are less than one chunk of a copy.
const WRITE_BUFFER: usize = 1024 * 1024;

/// Converts a stream into one of TLS, and returns what an authentication on it can be bound to.
///
/// The stream is fresh with [`direct`](Settings::direct) negotiation, and else just behind the
/// server's consent. `host` is the server's name as the user gave it; without one it is empty.
/// There is no time limit here; whoever dials sets one. Cancel safe in that the stream is closed
/// with the future.
///
/// # Errors
/// A file of the settings is missing or bad, the server is not who it should be, or the
/// handshake broke off.
pub async fn handshake(
    stream: BoxStream,
    settings: &Settings,
    host: &str,
) -> Result<(BoxStream, ChannelBinding), Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(build_verifier(settings, host, &provider)?);
    let name = server_name(host);
    let mut config = build_config(settings, &provider, &verifier)?;
    config.enable_sni = settings.sni && matches!(name, Some(ServerName::DnsName(_)));
    let connector = TlsConnector::from(Arc::new(config));
    let stream = BufReader::with_capacity(READ_BUFFER, stream);
    let mut stream = connector
        .connect(name.unwrap_or_else(placeholder_name), stream)
        .await
        .map_err(|error| broken_off(error, &verifier, settings))?;
    let (_, connection) = stream.get_mut();
    connection.set_buffer_limit(Some(WRITE_BUFFER));
    if settings.direct && connection.alpn_protocol() != Some(PROTOCOL) {
        return Err(Error::NotPostgres);
    }
    let binding = binding_of(connection);
    Ok((Box::new(stream), binding))
}

fn build_verifier(
    settings: &Settings,
    host: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<Verifier, Error> {
    let wants_name = settings.effective_mode() == SslMode::VerifyFull;
    if wants_name && host.is_empty() {
        return Err(Error::HostMissing);
    }
    let host = wants_name.then(|| host.to_owned());
    Verifier::new(files::load_roots(settings)?, host, provider)
}

fn build_config(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
    verifier: &Arc<Verifier>,
) -> Result<ClientConfig, Error> {
    let identity = identity::load_identity(settings, provider)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&versions_within(settings)?)
        .map_err(Error::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Verifier>::clone(verifier) as _);
    let mut config = match identity {
        Some(identity) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // The configuration lives as long as one connection.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The versions that we speak, within the bounds.
fn versions_within(settings: &Settings) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
    let min = settings.min_version.unwrap_or(TlsVersion::Tls12);
    let max = settings.max_version.unwrap_or(TlsVersion::Tls13);
    let spoken = [
        (TlsVersion::Tls13, &rustls::version::TLS13),
        (TlsVersion::Tls12, &rustls::version::TLS12),
    ];
    let within = spoken
        .into_iter()
        .filter(|(one, _)| (min..=max).contains(one));
    let versions: Vec<_> = within.map(|(_, version)| version).collect();
    if versions.is_empty() {
        return Err(Error::Versions { min, max });
    }
    Ok(versions)
}

/// The host, where it is a name that TLS can carry, or an address.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(ServerName::IpAddress(address.into()));
    }
    let name = DnsName::try_from(host.to_owned()).ok()?;
    Some(ServerName::DnsName(name))
}

/// Something to call a server by that has no name. It is neither sent nor compared.
fn placeholder_name() -> ServerName<'static> {
    ServerName::DnsName(DnsName::try_from("nameless").expect("a valid name"))
}

/// The most precise of the reasons for a broken handshake.
fn broken_off(error: io::Error, verifier: &Verifier, settings: &Settings) -> Error {
    if let Some(refusal) = verifier.refusal() {
        return Error::Certificate(refusal.clone());
    }
    let library = error.get_ref().and_then(|inner| inner.downcast_ref());
    let no_protocol = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
    // Servers before 17 take the handshake for a broken start-up packet, and hang up.
    let is_old = settings.direct && error.kind() == io::ErrorKind::UnexpectedEof;
    if library == Some(&no_protocol) || is_old {
        return Error::NotPostgres;
    }
    Error::Handshake(error)
}

fn binding_of(connection: &ClientConnection) -> ChannelBinding {
    connection
        .peer_certificates()
        .and_then(|chain| chain.first())
        .map_or(ChannelBinding::Unsupported, |leaf| {
            binding::binding_for(leaf)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_within_the_bounds() {
        use TlsVersion::{Tls10, Tls11, Tls12, Tls13};
        for (min, max, expected) in [
            (None, None, 2),
            (Some(Tls10), None, 2),
            (Some(Tls13), None, 1),
            (None, Some(Tls12), 1),
            (Some(Tls12), Some(Tls12), 1),
            (Some(Tls13), Some(Tls12), 0),
            (Some(Tls10), Some(Tls11), 0),
        ] {
            let settings = Settings {
                min_version: min,
                max_version: max,
                ..Settings::default()
            };
            let count = versions_within(&settings).map_or(0, |versions| versions.len());
            assert_eq!(count, expected, "{min:?} {max:?}");
        }
    }

    #[test]
    fn any_host_has_a_name_for_the_library() {
        assert!(matches!(
            server_name("db_1.example.com"),
            Some(ServerName::DnsName(_))
        ));
        assert!(matches!(server_name("::1"), Some(ServerName::IpAddress(_))));
        assert_eq!(server_name("no name"), None);
        assert_eq!(server_name(""), None);
        assert!(matches!(placeholder_name(), ServerName::DnsName(_)));
    }
}
