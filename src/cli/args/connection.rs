use std::time::Duration;

use crate::cli::Error;
use crate::connect::{Endpoint, Environment};
use crate::task::Scope;

/// The variable that names the source where the flag does not.
pub(in crate::cli) const SOURCE_VARIABLE: &str = "SOURCE_DATABASE_URL";

/// The same for the target.
pub(in crate::cli) const TARGET_VARIABLE: &str = "TARGET_DATABASE_URL";

/// The source and the target server.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct Connections {
    /// Source server: postgresql://user@host:5432/database
    ///
    /// The form is postgresql://[user[:password]@]host[:port]/database[?sslmode=…].
    ///
    /// Other users of this machine can see a password in an argument. Use the environment
    /// variable, a password file (~/.pgpass) or a service file instead.
    #[arg(
        long,
        value_name = "URL",
        env = SOURCE_VARIABLE,
        hide_env_values = true
    )]
    source: String,

    /// Target server, in the same form
    #[arg(
        long,
        value_name = "URL",
        env = TARGET_VARIABLE,
        hide_env_values = true
    )]
    target: String,

    /// How long to wait for locks and transactions of other sessions, in seconds
    ///
    /// Sessions that block are named after 2 seconds. After this time the run ends with an error.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, hide_short_help = true,
          value_parser = clap::value_parser!(u64).range(1..=604_800))]
    max_lock_wait: u64,
}

/// The source and the target server; one of them may no longer exist.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct OptionalConnections {
    /// Source server: postgresql://user@host:5432/database
    ///
    /// The form is postgresql://[user[:password]@]host[:port]/database[?sslmode=…].
    ///
    /// Other users of this machine can see a password in an argument. Use the environment
    /// variable, a password file (~/.pgpass) or a service file instead.
    #[arg(
        long,
        value_name = "URL",
        env = SOURCE_VARIABLE,
        hide_env_values = true,
        required_unless_present = "target"
    )]
    source: Option<String>,

    /// Target server, in the same form
    #[arg(
        long,
        value_name = "URL",
        env = TARGET_VARIABLE,
        hide_env_values = true
    )]
    target: Option<String>,

    /// How long to wait for locks and transactions of other sessions, in seconds
    ///
    /// Sessions that block are named after 2 seconds. After this time the run ends with an error.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, hide_short_help = true,
          value_parser = clap::value_parser!(u64).range(1..=604_800))]
    max_lock_wait: u64,
}

impl OptionalConnections {
    /// The ends that are given, named after the command in the servers' activity views. The scope's stop ends attempts to connect.
    ///
    /// # Errors
    /// A connection string is wrong; nothing was connected to.
    pub(in crate::cli) fn resolve(
        &self,
        command: &str,
        scope: &Scope,
    ) -> Result<(Option<Endpoint>, Option<Endpoint>), Error> {
        let limit = Duration::from_secs(self.max_lock_wait);
        let end = |side, url: &Option<String>| {
            let url = url.as_deref();
            let end = url
                .map(|url| endpoint(side, url, command, scope))
                .transpose();
            Ok::<_, Error>(end?.map(|end: Endpoint| end.with_lock_limit(limit)))
        };
        let source = end("source", &self.source)?;
        let source = source.map(Endpoint::with_short_lock_waits);
        Ok((source, end("target", &self.target)?))
    }
}

/// Reads the connection string of a server.
///
/// # Errors
/// It is wrong.
pub(in crate::cli) fn parse_endpoint(side: &'static str, url: &str) -> Result<Endpoint, Error> {
    let parsed = Endpoint::parse(url, &Environment::from_process());
    parsed.map_err(|source| Error::Url { side, source })
}

fn endpoint(
    side: &'static str,
    url: &str,
    command: &str,
    scope: &Scope,
) -> Result<Endpoint, Error> {
    let name = format!("postgres-seren-replicator/{command}");
    let endpoint = parse_endpoint(side, url)?;
    Ok(endpoint.with_application_name(&name).within(scope))
}

impl Connections {
    /// Both ends, named after the command in the servers' activity views. The scope's stop ends attempts to connect.
    ///
    /// # Errors
    /// A connection string is wrong; nothing was connected to.
    pub(in crate::cli) fn resolve(
        &self,
        command: &str,
        scope: &Scope,
    ) -> Result<(Endpoint, Endpoint), Error> {
        let limit = Duration::from_secs(self.max_lock_wait);
        let end = |side, url| {
            let end = endpoint(side, url, command, scope)?;
            Ok::<_, Error>(end.with_lock_limit(limit))
        };
        let source = end("source", &self.source)?.with_short_lock_waits();
        Ok((source, end("target", &self.target)?))
    }
}
