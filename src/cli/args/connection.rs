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

impl Connections {
    /// Both ends, named after the command in the servers' activity views.
    ///
    /// # Errors
    /// A connection string is wrong; nothing was connected to.
    pub(in crate::cli) fn resolve(&self, command: &str) -> Result<(Endpoint, Endpoint), Error> {
        let environment = Environment::from_process();
        let application = format!("postgres-seren-replicator/{command}");
        let end = |side, url: &str| {
            Endpoint::parse(url, &environment)
                .map(|endpoint| endpoint.with_application_name(&application))
                .map_err(|source| Error::Url { side, source })
        };
        Ok((end("source", &self.source)?, end("target", &self.target)?))
    }
}
