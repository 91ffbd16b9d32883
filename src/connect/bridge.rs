//! Wire connections over plain streams to the first host, until the dialer of all kinds of
//! streams takes over.

use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::config::Host;

use super::{Endpoint, Error, Purpose};
use crate::pg::Sql;
use crate::wire::{
    self, Authentication, BoxStream, CancelKey, ChannelBinding, ChannelBindingPolicy, Connection,
    Idle, Startup,
};

/// What a copy needs.
const SETTINGS: &str = "SET search_path = ''; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; \
     SET extra_float_digits = 3; SET TimeZone = 'UTC'; SET bytea_output = 'hex'; SET row_security = off; \
     SET lc_monetary = 'C'; SET synchronous_commit = off";

/// PostgreSQL's port.
const DEFAULT_PORT: u16 = 5432;

impl Endpoint {
    async fn dial(&self) -> Result<BoxStream, wire::Error> {
        let port = self.config.get_ports().first().copied();
        let port = port.unwrap_or(DEFAULT_PORT);
        match self.config.get_hosts().first() {
            Some(Host::Unix(folder)) => {
                let socket = folder.join(format!(".s.PGSQL.{port}"));
                Ok(Box::new(UnixStream::connect(socket).await?))
            }
            Some(Host::Tcp(host)) => Ok(Box::new(TcpStream::connect((host.as_str(), port)).await?)),
            None => Ok(Box::new(TcpStream::connect(("localhost", port)).await?)),
        }
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or("postgres")
    }

    /// The same place, with a name of its own in the server's activity view.
    #[must_use]
    pub fn with_application_name(mut self, name: &str) -> Self {
        self.config.application_name(name);
        self
    }

    /// What should be looked at in the connection string.
    pub fn warnings(&self) -> &[String] {
        &[]
    }

    /// Opens a wire connection with the settings of a copy.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn wire(&self, _purpose: Purpose) -> Result<Connection<Idle>, Error> {
        let mut connection = self.start(&[]).await?;
        let settings = Sql::fixed(SETTINGS);
        connection.execute(&settings).await.map_err(Error::Wire)?;
        Ok(connection)
    }

    /// Opens a connection for replication commands.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn replication(&self) -> Result<Connection<Idle>, Error> {
        self.start(&[("replication", "database")]).await
    }

    async fn start(&self, more: &[(&str, &str)]) -> Result<Connection<Idle>, Error> {
        let config = &self.config;
        let user = config.get_user().unwrap_or("postgres");
        let database = config.get_dbname().unwrap_or(user);
        let password = config.get_password().map(String::from_utf8_lossy);
        let authentication = Authentication {
            user,
            password: password.as_deref(),
            channel_binding: ChannelBinding::Plain,
            policy: ChannelBindingPolicy::Disable,
            allow_cleartext: false,
            methods: None,
        };
        let own = [
            ("user", user),
            ("database", database),
            ("client_encoding", "UTF8"),
        ];
        let parameters = [&own, more].concat();
        let startup = Startup {
            parameters: &parameters,
            authentication: &authentication,
        };
        let stream = self.dial().await.map_err(Error::Wire)?;
        Connection::start(stream, &startup)
            .await
            .map_err(Error::Wire)
    }

    /// Asks the server to cancel what another session does.
    ///
    /// # Errors
    /// The request could not be delivered.
    pub async fn cancel(&self, key: &CancelKey) -> Result<(), Error> {
        let stream = self.dial().await.map_err(Error::Wire)?;
        wire::cancel(stream, *key).await.map_err(Error::Wire)
    }
}
