//! The one dialer: addresses, sockets, TLS, authentication, in libpq's order.
//!
//! ```text
//! hosts ─▶ addresses ─▶ socket ─▶ (TLS) ─▶ start-up ─▶ the kind of session asked for
//!   sslmode   disable   plain
//!             allow     plain, then TLS if the server refuses us
//!             prefer    TLS, then plain if the handshake or the server refuses us
//!             others    TLS
//! ```
//!
//! Once a host of a list has served, all further connections go to it: a snapshot exported on one
//! server cannot be imported on another.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};

use super::Error;
use super::profile::{Address, Host, Keepalive, Profile, SessionKind};
use super::tls::{self, SslMode};
use crate::pg::{Sql, SqlState};
use crate::wire::{
    self, Authentication, BoxStream, ChannelBinding, Connection, Idle, Startup, TlsAnswer,
};

/// Waits between the four tries at a network that fails or a server that starts up.
const WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Which host of a list serves.
pub(super) type Pinned = OnceLock<usize>;

/// A stream that is ready for start-up, and what it can be bound to.
struct Ready {
    stream: BoxStream,
    binding: ChannelBinding,
}

/// What one connection uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Plain,
    Tls,
}

/// Opens a session, with up to three more tries while the network fails.
pub(super) async fn connect(
    profile: &Profile,
    pinned: &Pinned,
    more: &[(&str, &str)],
) -> Result<Connection<Idle>, Error> {
    let mut waits = WAITS.into_iter();
    loop {
        match once(profile, pinned, more).await {
            Err(error) if may_try_again(&error) => match waits.next() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            },
            other => return other,
        }
    }
}

/// Network errors, and a server that is starting up or shutting down.
fn may_try_again(error: &Error) -> bool {
    if let Some(code) = error.sqlstate() {
        return code == SqlState::CANNOT_CONNECT_NOW;
    }
    // A socket that is not there is a wrong folder or port more often than a server to come.
    let missing = |source: &io::Error| source.kind() == io::ErrorKind::NotFound;
    let is_missing = matches!(error, Error::Dial { source, .. } if missing(source));
    error.is_transient() && !is_missing
}

/// Tries the hosts in their order; the first error but one is the one reported.
async fn once(
    profile: &Profile,
    pinned: &Pinned,
    more: &[(&str, &str)],
) -> Result<Connection<Idle>, Error> {
    let wishes: &[SessionKind] = match profile.session_kind {
        SessionKind::PreferStandby => &[SessionKind::Standby, SessionKind::Any],
        SessionKind::Any
        | SessionKind::ReadWrite
        | SessionKind::ReadOnly
        | SessionKind::Primary
        | SessionKind::Standby => std::slice::from_ref(&profile.session_kind),
    };
    let mut last = None;
    for wish in wishes {
        for at in order(profile, pinned) {
            match at_host(profile, &profile.hosts[at], more, *wish).await {
                Ok(connection) => {
                    // Another connection may have been quicker: its host counts from now on.
                    pinned.get_or_init(|| at);
                    return Ok(connection);
                }
                // The server is there and says no: the others are not asked, as in libpq.
                Err(error @ Error::Start { .. }) if !may_try_again(&error) => return Err(error),
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.expect("there is at least one host"))
}

/// The indexes of the hosts to try.
fn order(profile: &Profile, pinned: &Pinned) -> Vec<usize> {
    if let Some(at) = pinned.get() {
        return vec![*at];
    }
    let mut order: Vec<usize> = (0..profile.hosts.len()).collect();
    if profile.shuffled {
        use std::hash::BuildHasher as _;
        // A hasher's keys are random for each process: enough to spread runs over servers.
        let state = std::hash::RandomState::new();
        order.sort_by_key(|at| state.hash_one(at));
    }
    order
}

async fn at_host(
    profile: &Profile,
    host: &Host,
    more: &[(&str, &str)],
    wish: SessionKind,
) -> Result<Connection<Idle>, Error> {
    let mut last = None;
    for address in resolve(host).await? {
        let work = async {
            let mut connection = at_address(profile, host, address, more).await?;
            let fits = is_of_kind(&mut connection, wish).await;
            let place = || place(profile, host);
            let fits = fits.map_err(|source| Error::Start {
                place: place(),
                source,
            })?;
            Ok(fits.then_some(connection))
        };
        match limited(profile, host, work).await {
            Ok(Some(connection)) => return Ok(connection),
            Ok(None) => {
                last = Some(Error::SessionKind {
                    place: host.to_string(),
                });
            }
            Err(error @ (Error::Start { .. } | Error::Tls { .. } | Error::NoTls { .. })) => {
                return Err(error);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("a resolved host has an address"))
}

/// `connect_timeout` applies to each address, as in libpq; [`super::attempt`] limits all of them together.
async fn limited<T>(
    profile: &Profile,
    host: &Host,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(limit) = profile.connect_timeout else {
        return work.await;
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::TimedOut {
            place: host.to_string(),
            seconds: limit.as_secs(),
        })
    })
}

/// Where a host is: `None` for a socket.
async fn resolve(host: &Host) -> Result<Vec<Option<SocketAddr>>, Error> {
    let Address::Tcp {
        host: name,
        address,
    } = &host.address
    else {
        return Ok(vec![None]);
    };
    let given = address.or_else(|| name.parse().ok());
    if let Some(address) = given {
        return Ok(vec![Some(SocketAddr::new(address, host.port))]);
    }
    let found = tokio::net::lookup_host((name.as_str(), host.port))
        .await
        .map(Vec::from_iter);
    let addresses = match found {
        Ok(addresses) if !addresses.is_empty() => addresses,
        // An empty container has no /etc/hosts.
        _ if name == "localhost" => {
            let loopback = [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ];
            loopback
                .map(|address| SocketAddr::new(address, host.port))
                .to_vec()
        }
        Ok(_) => {
            let source = io::Error::new(io::ErrorKind::NotFound, "it has no address");
            return Err(Error::Resolve {
                place: host.to_string(),
                source,
            });
        }
        Err(source) => {
            return Err(Error::Resolve {
                place: host.to_string(),
                source,
            });
        }
    };
    Ok(addresses.into_iter().map(Some).collect())
}

/// The layers to try at an address, in order.
fn layers(profile: &Profile, host: &Host) -> &'static [Layer] {
    if host.is_unix() {
        return &[Layer::Plain];
    }
    match profile.tls.mode {
        SslMode::Disable => &[Layer::Plain],
        SslMode::Allow => &[Layer::Plain, Layer::Tls],
        SslMode::Prefer => &[Layer::Tls, Layer::Plain],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Layer::Tls],
    }
}

async fn at_address(
    profile: &Profile,
    host: &Host,
    address: Option<SocketAddr>,
    more: &[(&str, &str)],
) -> Result<Connection<Idle>, Error> {
    let mut first = None;
    for layer in layers(profile, host) {
        match with_layer(profile, host, address, (*layer, more)).await {
            Ok(connection) => return Ok(connection),
            // Both tries were refused: the first was what the user prefers.
            Err((error, used)) if used == *layer && is_refusal(&error) => {
                first.get_or_insert(error);
            }
            Err((error, _)) => return Err(first.unwrap_or(error)),
        }
    }
    Err(first.expect("there is at least one layer"))
}

/// Whether the handshake failed, or the server lets nobody in this way (`pg_hba.conf`): another
/// layer may do. A wrong password is wrong on every layer, and is sent once.
fn is_refusal(error: &Error) -> bool {
    if let Error::Tls { source, .. } = error {
        return !source.is_local();
    }
    let unwelcome = error.sqlstate() == Some(SqlState::INVALID_AUTHORIZATION);
    matches!(error, Error::NoTls { .. }) || (matches!(error, Error::Start { .. }) && unwelcome)
}

async fn with_layer(
    profile: &Profile,
    host: &Host,
    address: Option<SocketAddr>,
    (layer, more): (Layer, &[(&str, &str)]),
) -> Result<Connection<Idle>, (Error, Layer)> {
    let ready = stream(profile, host, address, layer)
        .await
        .map_err(|error| (error, layer))?;
    let plain = ready.binding == ChannelBinding::Plain;
    let used = if plain { Layer::Plain } else { Layer::Tls };
    let password = profile.password_for(host);
    let authentication = Authentication {
        user: &profile.user,
        password: password.as_ref().map(super::Secret::expose),
        allow_cleartext: host.is_unix() || !plain,
        channel_binding: ready.binding,
        policy: profile.channel_binding,
        methods: profile.methods.as_deref(),
    };
    let mut parameters = vec![
        ("user", profile.user.as_str()),
        ("database", profile.database.as_str()),
        ("client_encoding", "UTF8"),
    ];
    let named = [
        ("application_name", &profile.application_name),
        ("options", &profile.options),
    ];
    parameters.extend(
        named
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
    );
    parameters.extend_from_slice(more);
    let startup = Startup {
        parameters: &parameters,
        authentication: &authentication,
    };
    Connection::start(ready.stream, &startup)
        .await
        .map_err(|source| {
            (
                Error::Start {
                    place: place(profile, host),
                    source,
                },
                used,
            )
        })
}

/// Dials, and puts TLS on top where it is wanted.
async fn stream(
    profile: &Profile,
    host: &Host,
    address: Option<SocketAddr>,
    layer: Layer,
) -> Result<Ready, Error> {
    let dialled = match (&host.address, address) {
        (_, Some(address)) => tcp(address, &profile.keepalive).await,
        (Address::Unix(folder), None) => unix(folder, host.port).await,
        (Address::Tcp { .. }, None) => unreachable!("a name is resolved before it is dialled"),
    };
    let mut stream = dialled.map_err(|source| Error::Dial {
        place: host.to_string(),
        source,
    })?;
    let plain = |stream| Ready {
        stream,
        binding: ChannelBinding::Plain,
    };
    if layer == Layer::Plain {
        return Ok(plain(stream));
    }
    if !profile.tls.direct {
        let asked = wire::request_tls(&mut stream).await;
        let answer = asked.map_err(|source| Error::Start {
            place: place(profile, host),
            source,
        })?;
        match (answer, profile.tls.mode) {
            (TlsAnswer::Accepted, _) => {}
            (TlsAnswer::Refused, SslMode::Prefer) => return Ok(plain(stream)),
            (TlsAnswer::Refused, mode) => {
                return Err(Error::NoTls {
                    place: host.to_string(),
                    mode,
                });
            }
        }
    }
    let (stream, binding) = tls::handshake(stream, &profile.tls, &tls_name(host))
        .await
        .map_err(|source| Error::Tls {
            place: host.to_string(),
            source: Box::new(source),
        })?;
    Ok(Ready { stream, binding })
}

/// The name to which the certificate must be issued: `host`, never `hostaddr`.
fn tls_name(host: &Host) -> String {
    match &host.address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Unix(_) => String::new(),
    }
}

async fn tcp(address: SocketAddr, keepalive: &Keepalive) -> io::Result<BoxStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if keepalive.on {
        let mut wanted = TcpKeepalive::new()
            .with_time(keepalive.idle)
            .with_interval(keepalive.interval);
        if let Some(count) = keepalive.count {
            wanted = wanted.with_retries(count);
        }
        socket.set_tcp_keepalive(&wanted)?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(keepalive.user_timeout)?;
    Ok(Box::new(stream))
}

async fn unix(folder: &Path, port: u16) -> io::Result<BoxStream> {
    let file = format!(".s.PGSQL.{port}");
    let text = folder.to_string_lossy();
    #[cfg(target_os = "linux")]
    if let Some(name) = text.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixStream as Blocking};
        let address = SocketAddr::from_abstract_name(format!("{name}/{file}"))?;
        let stream = Blocking::connect_addr(&address)?;
        stream.set_nonblocking(true)?;
        return Ok(Box::new(UnixStream::from_std(stream)?));
    }
    let _ = text;
    Ok(Box::new(UnixStream::connect(folder.join(file)).await?))
}

/// Whether a session is of the kind asked for.
async fn is_of_kind(
    connection: &mut Connection<Idle>,
    wish: SessionKind,
) -> Result<bool, wire::Error> {
    if matches!(wish, SessionKind::Any | SessionKind::PreferStandby) {
        return Ok(true);
    }
    let sql = Sql::fixed(
        "SELECT pg_catalog.pg_is_in_recovery() AS standby, \
         pg_catalog.current_setting('transaction_read_only') AS read_only",
    );
    let answers = connection.query(&sql).await?;
    let is = |column, word| answers.first().and_then(|answer| answer.single(column)) == Some(word);
    let (standby, read_only) = (is("standby", "t"), is("read_only", "on"));
    Ok(match wish {
        SessionKind::ReadWrite => !read_only,
        SessionKind::ReadOnly => read_only,
        SessionKind::Primary => !standby,
        SessionKind::Standby => standby,
        SessionKind::Any | SessionKind::PreferStandby => true,
    })
}

/// Host, port and database.
pub(super) fn place(profile: &Profile, host: &Host) -> String {
    format!(
        "{host}/{}",
        crate::pg::Ident::from_catalog(&profile.database)
    )
}

/// A fresh stream to the server that serves, for a cancel request.
pub(super) async fn stream_for_cancel(
    profile: &Profile,
    pinned: &Pinned,
) -> Result<BoxStream, Error> {
    let host = &profile.hosts[pinned.get().copied().unwrap_or_default()];
    let mut last = None;
    for address in resolve(host).await? {
        for layer in layers(profile, host) {
            match limited(profile, host, stream(profile, host, address, *layer)).await {
                Ok(ready) => return Ok(ready.stream),
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.expect("a resolved host has an address"))
}
