use std::net::SocketAddr;
use std::time::Duration;

use super::args::{Connections, Replications, parse_size};
use super::next::next_command;
use super::watch::{Watching, watch_replication};
use super::{ALL_OPTIONS, Error, exit};
use crate::pg::Sides;
use crate::status::{Options, Report, Verdict, Watcher};
use crate::task::Scope;
use crate::ui::report::ShownStatus;
use crate::ui::{Conclusion, Ui, text};

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  Show lag and health of every replication once:
    postgres-seren-replicator status
  The same for database shop, as JSON:
    postgres-seren-replicator status --include-databases shop --output json
  Watch it on this terminal and on a web page, with metrics for Prometheus:
    postgres-seren-replicator status --watch --listen 127.0.0.1:9187";

/// Show lag and health of the replication; writes nothing
///
/// Exit code 0: everything has caught up; 3: a database is behind; 4: a database is not replicated or
/// cannot be; 1: a server could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: Connections,

    #[command(flatten)]
    replications: Replications,

    /// Write a message to the source's WAL for each measurement of the lag
    ///
    /// The message is decoded like a changed row, so it also proves that an idle replication works. Without this
    /// option, status writes nothing.
    #[arg(long, help_heading = "Replication", hide_short_help = true)]
    heartbeat: bool,

    /// Observe again and again, every SECONDS [default: 5], on a terminal as a full-screen monitor
    ///
    /// Without a terminal, each observation is a line for each database; with --output json, one object. Ctrl-C or q ends
    /// it, with exit code 0.
    #[arg(long, help_heading = "Run", value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", value_parser = parse_seconds)]
    watch: Option<Duration>,

    /// Serve a web page, /metrics, /healthz and /readyz on this address, such as 127.0.0.1:9187; implies --watch
    ///
    /// On an address that other machines reach, the environment variable SEREN_STATUS_TOKEN must contain a token. Clients
    /// send it in the header Authorization, or log in on the page.
    #[arg(long, help_heading = "Run", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Warn if a slot retains more WAL than this, such as 20GB
    #[arg(long, help_heading = "Replication", value_name = "SIZE", value_parser = parse_size, hide_short_help = true)]
    max_retained_wal: Option<u64>,

    /// While watching, drop a slot that retains more WAL than --max-retained-wal; ends that replication
    ///
    /// This keeps the disk of the source from filling up. The database must be copied again afterwards.
    #[arg(
        long,
        help_heading = "Replication",
        hide_short_help = true,
        requires = "max_retained_wal"
    )]
    drop_slots_over_limit: bool,
}

/// How often a replication is watched where nothing says so.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// The shortest time between two observations.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// A time in seconds, at least a tenth of one.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is no number of seconds"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(interval) if interval >= SHORTEST_INTERVAL => Ok(interval),
        _ => Err("a time of at least 0.1 seconds is needed".to_owned()),
    }
}

impl Arguments {
    /// How the replication is watched, if it is.
    fn watching(&self) -> Result<Option<Watching>, Error> {
        if self.watch.is_none() && self.listen.is_none() {
            return match self.drop_slots_over_limit {
                true => Err(Error::Usage {
                    message: "--drop-slots-over-limit needs --watch or --listen".to_owned(),
                }),
                false => Ok(None),
            };
        }
        Ok(Some(Watching {
            interval: self.watch.unwrap_or(WATCH_INTERVAL),
            listen: self.listen,
            drops_slots: self.drop_slots_over_limit,
        }))
    }
}

/// How long the lag is measured at most.
const LAG_LIMIT: Duration = Duration::from_secs(2);

/// Observes and reports.
///
/// # Errors
/// No server can be asked, or the command was stopped.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let (source, target) = arguments.connections.resolve("status", scope)?;
    let servers = Sides { source, target };
    let finding = arguments.replications.find(servers.as_ref(), ui, scope);
    let followed = Box::pin(finding).await?;
    let options = Options {
        servers,
        databases: followed
            .databases
            .into_iter()
            .map(|one| one.database)
            .collect(),
        lag_limit: LAG_LIMIT,
        heartbeat: arguments.heartbeat,
        max_retained_wal: arguments.max_retained_wal,
    };
    if let Some(watching) = arguments.watching()? {
        return watch_replication(&options, watching, ui, scope).await;
    }
    let mut watcher = Watcher::new(&options);
    let observing = watcher.observe(scope);
    let what = "the state of the replication";
    let report = scope.events.reporting(what, observing).await?;
    let end = conclude(&report);
    let shown = ShownStatus {
        report: &report,
        setting_name: ui.setting_name(),
    };
    ui.report(&shown, &end, &describe_next(&report))?;
    Ok(end.exit_code())
}

fn conclude(report: &Report) -> Conclusion {
    let count = |is_counted: &dyn Fn(Option<Verdict>) -> bool| {
        let databases = report.databases.iter();
        let counted = databases.filter(|one| is_counted(one.verdict())).count();
        text::counted(u64::try_from(counted).unwrap_or(u64::MAX), "database")
    };
    let (exit_code, message) = match report.verdict() {
        Some(Verdict::CaughtUp) => return Conclusion::Done,
        Some(Verdict::Lagging) => {
            let behind = count(&|verdict| verdict == Some(Verdict::Lagging));
            (exit::LAGGING, format!("{behind} lagging"))
        }
        Some(worst @ (Verdict::NotActive | Verdict::Broken)) => {
            let stopped = count(&|verdict| verdict >= Some(Verdict::NotActive));
            let what = match worst {
                Verdict::Broken => "broken or not active",
                Verdict::CaughtUp | Verdict::Lagging | Verdict::NotActive => "not active",
            };
            (exit::NOT_ACTIVE, format!("{stopped} {what}"))
        }
        None => {
            let unknown = count(&|verdict| verdict.is_none());
            (exit::FAILED, format!("{unknown} could not be observed"))
        }
    };
    Conclusion::Failed { exit_code, message }
}

/// What to do after an observation.
fn describe_next(report: &Report) -> String {
    match report.verdict() {
        Some(Verdict::CaughtUp) => format!("compare the rows: {}", next_command("verify")),
        Some(Verdict::Lagging) => format!("observe again: {}", next_command("status")),
        Some(Verdict::NotActive | Verdict::Broken) => {
            "follow the remedies of the findings above".to_owned()
        }
        None => "resolve the causes above, and repeat the command".to_owned(),
    }
}
