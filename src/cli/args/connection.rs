use crate::cli::Error;
use crate::connect::{Endpoint, Environment};

/// Where to copy from and to.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Connections {
    /// The source: postgresql://[user[:password]@]host[:port]/database[?sslmode=…]
    ///
    /// A password in an argument is visible to other users of this machine: prefer the
    /// environment variable, a passfile (~/.pgpass) or a service file.
    #[arg(
        long,
        value_name = "URL",
        env = "SOURCE_DATABASE_URL",
        hide_env_values = true
    )]
    source: String,

    /// The target, written the same way
    #[arg(
        long,
        value_name = "URL",
        env = "TARGET_DATABASE_URL",
        hide_env_values = true
    )]
    target: String,
}

/// Where runs were between; one side may be gone.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OptionalConnections {
    /// The source: postgresql://[user[:password]@]host[:port]/database[?sslmode=…]
    #[arg(
        long,
        value_name = "URL",
        env = "SOURCE_DATABASE_URL",
        hide_env_values = true,
        required_unless_present = "target"
    )]
    source: Option<String>,

    /// The target, written the same way
    #[arg(
        long,
        value_name = "URL",
        env = "TARGET_DATABASE_URL",
        hide_env_values = true
    )]
    target: Option<String>,
}

impl OptionalConnections {
    /// The ends that are given, named after the command in the servers' activity views.
    ///
    /// # Errors
    /// A connection string is wrong; nothing was connected to.
    pub(in crate::cli) fn resolve(
        &self,
        command: &str,
    ) -> Result<(Option<Endpoint>, Option<Endpoint>), Error> {
        let end = |side, url: &Option<String>| {
            let url = url.as_deref();
            url.map(|url| endpoint(side, url, command)).transpose()
        };
        Ok((end("source", &self.source)?, end("target", &self.target)?))
    }
}

fn endpoint(side: &'static str, url: &str, command: &str) -> Result<Endpoint, Error> {
    Endpoint::parse(url, &Environment::from_process())
        .map(|endpoint| {
            endpoint.with_application_name(&format!("postgres-seren-replicator/{command}"))
        })
        .map_err(|source| Error::Url { side, source })
}

impl Connections {
    /// Both ends, named after the command in the servers' activity views.
    ///
    /// # Errors
    /// A connection string is wrong; nothing was connected to.
    pub(in crate::cli) fn resolve(&self, command: &str) -> Result<(Endpoint, Endpoint), Error> {
        let end = |side, url| endpoint(side, url, command);
        Ok((end("source", &self.source)?, end("target", &self.target)?))
    }
}
