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
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use super::Error;
use super::attempt::Attempts;
use super::host::{Address, Host};
use super::profile::{Profile, SessionKind};
use super::socket::{open_tcp, open_unix, resolve_host};
use super::tls::{self, SslMode};
use crate::pg::{Printable, Sql, SqlState};
use crate::wire::{
    self, Authentication, BoxStream, ChannelBinding, Connection, Idle, Startup, TlsAnswer,
};

/// Waits between the four tries at a network that fails or a server that starts up.
const WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// How many tries there are.
pub(super) const ATTEMPTS: u32 = 4;

/// Which host of a list serves.
pub(super) type Pinned = OnceLock<usize>;

/// A stream that is ready for start-up, and what it can be bound to.
struct Ready {
    stream: BoxStream,
    binding: ChannelBinding,
}

impl Ready {
    fn plain(stream: BoxStream) -> Self {
        Self {
            stream,
            binding: ChannelBinding::Plain,
        }
    }

    fn layer(&self) -> Layer {
        match self.binding {
            ChannelBinding::Plain => Layer::Plain,
            ChannelBinding::Unsupported | ChannelBinding::TlsServerEndPoint(_) => Layer::Tls,
        }
    }
}

/// What one connection uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Plain,
    Tls,
}

/// Where a host is: a socket's folder has no address.
#[derive(Clone, Copy)]
struct Place<'a> {
    host: &'a Host,
    address: Option<SocketAddr>,
}

/// A try that failed, and what it used: a server may refuse TLS where plain will do.
struct Failed {
    error: Error,
    used: Layer,
}

/// Connects to the hosts of a profile.
#[derive(Clone, Copy)]
pub(super) struct Dialer<'a> {
    pub(super) profile: &'a Profile,
    pub(super) pinned: &'a Pinned,
    /// Start-up parameters besides the profile's own.
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// Counts the tries.
    pub(super) attempts: &'a Attempts,
}

impl<'a> Dialer<'a> {
    /// Opens a session, with up to three more tries while the network fails.
    pub(super) async fn connect(self) -> Result<Connection<Idle>, Error> {
        let mut waits = WAITS.into_iter();
        loop {
            self.attempts.begin();
            match self.try_hosts().await {
                Err(error) if may_try_again(&error) => match waits.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
                other => return other,
            }
        }
    }

    /// Tries the hosts in their order; the first error but one is the one reported.
    async fn try_hosts(self) -> Result<Connection<Idle>, Error> {
        let wishes: &[SessionKind] = match self.profile.session_kind {
            SessionKind::PreferStandby => &[SessionKind::Standby, SessionKind::Any],
            SessionKind::Any
            | SessionKind::ReadWrite
            | SessionKind::ReadOnly
            | SessionKind::Primary
            | SessionKind::Standby => std::slice::from_ref(&self.profile.session_kind),
        };
        let mut last = None;
        for wish in wishes {
            for at in self.host_order() {
                match self.try_host(&self.profile.hosts[at], *wish).await {
                    Ok(connection) => {
                        // Another connection may have been quicker: its host counts from now on.
                        self.pinned.get_or_init(|| at);
                        return Ok(connection);
                    }
                    // The server is there and says no: the others are not asked, as in libpq.
                    Err(error @ Error::Start { .. }) if !may_try_again(&error) => {
                        return Err(error);
                    }
                    Err(error) => last = Some(error),
                }
            }
        }
        Err(last.expect("there is at least one host"))
    }

    /// The indexes of the hosts to try.
    fn host_order(self) -> Vec<usize> {
        if let Some(at) = self.pinned.get() {
            return vec![*at];
        }
        let mut order: Vec<usize> = (0..self.profile.hosts.len()).collect();
        if self.profile.shuffled {
            use std::hash::BuildHasher as _;
            // A hasher's keys are random for each process: enough to spread runs over servers.
            let state = std::hash::RandomState::new();
            order.sort_by_key(|at| state.hash_one(at));
        }
        order
    }

    async fn try_host(self, host: &Host, wish: SessionKind) -> Result<Connection<Idle>, Error> {
        let mut last = None;
        for address in resolve_host(host).await? {
            let place = Place { host, address };
            match self.limited(host, self.try_address(place, wish)).await {
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
        self,
        host: &Host,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(limit) = self.profile.connect_timeout else {
            return work.await;
        };
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(Error::TimedOut {
                place: host.to_string(),
                seconds: limit.as_secs(),
            })
        })
    }

    /// Returns a session, or nothing where it is not of the kind asked for.
    async fn try_address(
        self,
        place: Place<'_>,
        wish: SessionKind,
    ) -> Result<Option<Connection<Idle>>, Error> {
        let mut connection = self.try_layers(place).await?;
        match is_of_kind(&mut connection, wish).await {
            Ok(fits) => Ok(fits.then_some(connection)),
            Err(source) => Err(self.start_error(place.host, source)),
        }
    }

    async fn try_layers(self, place: Place<'_>) -> Result<Connection<Idle>, Error> {
        let mut first = None;
        for layer in self.layers_to_try(place.host) {
            match self.try_layer(place, *layer).await {
                Ok(connection) => return Ok(connection),
                // Both tries were refused: the first was what the user prefers.
                Err(Failed { error, used }) if used == *layer && is_refusal(&error) => {
                    first.get_or_insert(error);
                }
                Err(Failed { error, .. }) => return Err(first.unwrap_or(error)),
            }
        }
        Err(first.expect("there is at least one layer"))
    }

    /// The layers to try at an address, in order.
    fn layers_to_try(self, host: &Host) -> &'static [Layer] {
        if host.is_unix() {
            return &[Layer::Plain];
        }
        match self.profile.tls.mode {
            SslMode::Disable => &[Layer::Plain],
            SslMode::Allow => &[Layer::Plain, Layer::Tls],
            SslMode::Prefer => &[Layer::Tls, Layer::Plain],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Layer::Tls],
        }
    }

    async fn try_layer(self, place: Place<'_>, layer: Layer) -> Result<Connection<Idle>, Failed> {
        let ready = self
            .open_stream(place, layer)
            .await
            .map_err(|error| Failed { error, used: layer })?;
        let used = ready.layer();
        let host = place.host;
        let password = self.profile.password_for(host);
        let authentication = Authentication {
            user: &self.profile.user,
            password: password.as_ref().map(super::Secret::expose),
            allow_cleartext: host.is_unix() || used == Layer::Tls,
            channel_binding: ready.binding,
            policy: self.profile.channel_binding,
            methods: self.profile.methods.as_deref(),
        };
        let startup = Startup {
            parameters: &self.startup_parameters(),
            authentication: &authentication,
        };
        Connection::start(ready.stream, &startup)
            .await
            .map_err(|source| Failed {
                error: self.start_error(host, source),
                used,
            })
    }

    fn startup_parameters(self) -> Vec<(&'a str, &'a str)> {
        let mut parameters = vec![
            ("user", self.profile.user.as_str()),
            ("database", self.profile.database.as_str()),
            ("client_encoding", "UTF8"),
        ];
        let named = [
            ("application_name", &self.profile.application_name),
            ("options", &self.profile.options),
        ];
        parameters.extend(
            named
                .iter()
                .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
        );
        parameters.extend_from_slice(self.parameters);
        parameters
    }

    /// Dials, and puts TLS on top where it is wanted.
    async fn open_stream(self, place: Place<'_>, layer: Layer) -> Result<Ready, Error> {
        let mut stream = self.open_socket(place).await?;
        if layer == Layer::Plain {
            return Ok(Ready::plain(stream));
        }
        let host = place.host;
        let tls = &self.profile.tls;
        if !tls.direct {
            let answer = wire::request_tls(&mut stream)
                .await
                .map_err(|source| self.start_error(host, source))?;
            match (answer, tls.mode) {
                (TlsAnswer::Accepted, _) => {}
                (TlsAnswer::Refused, SslMode::Prefer) => return Ok(Ready::plain(stream)),
                (TlsAnswer::Refused, mode) => {
                    return Err(Error::NoTls {
                        place: host.to_string(),
                        mode,
                    });
                }
            }
        }
        let (stream, binding) =
            tls::handshake(stream, tls, &tls_name(host))
                .await
                .map_err(|source| Error::Tls {
                    place: host.to_string(),
                    source: Box::new(source),
                })?;
        Ok(Ready { stream, binding })
    }

    async fn open_socket(self, place: Place<'_>) -> Result<BoxStream, Error> {
        let dialled = match (&place.host.address, place.address) {
            (_, Some(address)) => open_tcp(address, &self.profile.keepalive).await,
            (Address::Unix(folder), None) => open_unix(folder, place.host.port).await,
            (Address::Tcp { .. }, None) => unreachable!("a name is resolved before it is dialled"),
        };
        dialled.map_err(|source| Error::Dial {
            place: place.host.to_string(),
            source,
        })
    }

    fn start_error(self, host: &Host, source: wire::Error) -> Error {
        let database = Printable(&self.profile.database);
        Error::Start {
            place: format!("{host}/{database}"),
            source,
        }
    }

    /// Opens a fresh stream to the server that serves, for a cancel request.
    pub(super) async fn open_for_cancel(self) -> Result<BoxStream, Error> {
        let host = &self.profile.hosts[self.pinned.get().copied().unwrap_or_default()];
        let mut last = None;
        for address in resolve_host(host).await? {
            let place = Place { host, address };
            for layer in self.layers_to_try(host) {
                match self.limited(host, self.open_stream(place, *layer)).await {
                    Ok(ready) => return Ok(ready.stream),
                    Err(error) => last = Some(error),
                }
            }
        }
        Err(last.expect("a resolved host has an address"))
    }
}

/// Network errors, and a server that is starting up or shutting down.
fn may_try_again(error: &Error) -> bool {
    if let Some(code) = error.sqlstate() {
        return code == SqlState::CANNOT_CONNECT_NOW;
    }
    // A missing socket is a wrong folder or port more often than a server to come.
    let is_missing =
        matches!(error, Error::Dial { source, .. } if source.kind() == io::ErrorKind::NotFound);
    error.is_transient() && !is_missing
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

/// The name to which the certificate must be issued: `host`, never `hostaddr`.
fn tls_name(host: &Host) -> String {
    match &host.address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Unix(_) => String::new(),
    }
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
