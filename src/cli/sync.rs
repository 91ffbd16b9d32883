use std::time::Duration;

use super::args::{Connections, Replications, parse_size};
use super::next::next_command;
use super::{ALL_OPTIONS, Error, exit};
use crate::cluster::Finding;
use crate::connect::SubscriptionSource;
use crate::pg::Sides;
use crate::replicate::{self, Options, Prepared, Report};
use crate::task::Scope;
use crate::ui::report::{ShownSync, show_findings};
use crate::ui::{Conclusion, LogKind, LogLine, Ui};

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  Start the replication of everything that init has copied, and wait until it has caught up:
    postgres-seren-replicator sync
  The target's server reaches the source under another address, with a password file of its own:
    postgres-seren-replicator sync --subscription-source \\
      'host=10.0.0.5 user=replicator passfile=/var/lib/postgresql/.pgpass sslmode=require'";

/// Start continuous replication where the copy has ended, or repair it
///
/// Creates a subscription in each target database, on the slot that init has left, and waits until the target has
/// caught up. The target's server itself must reach the source. Repeating the command changes nothing that works.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: Connections,

    #[command(flatten)]
    replications: Replications,

    /// The source as the target's server reaches it, a URL or a key=value list; used as it is
    ///
    /// Its paths, such as passfile and sslrootcert, are those of the target's server. By default, the
    /// connection string is built from --source, without its files.
    #[arg(long, help_heading = "Replication", value_name = "URL")]
    subscription_source: Option<String>,

    /// If no slot exists, let the target's server copy all rows; the target tables must be empty
    #[arg(long, help_heading = "Replication")]
    copy_data: bool,

    /// Warn if a slot retains more WAL than this, such as 20GB
    #[arg(long, help_heading = "Replication", value_name = "SIZE", value_parser = parse_size, hide_short_help = true)]
    max_retained_wal: Option<u64>,

    /// How long to wait until the target has caught up, in seconds
    #[arg(long, help_heading = "Run", value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=604_800))]
    timeout: u64,

    /// Do not ask before a password is sent that the target's server log may record
    #[arg(short, long, help_heading = "Run")]
    yes: bool,

    /// Print what would be changed; writes nothing
    #[arg(long, help_heading = "Run")]
    dry_run: bool,

    /// List every finding of the checks; by default, findings of one kind are summarized
    #[arg(long, help_heading = "Output")]
    verbose: bool,
}

impl Arguments {
    /// The target's way to the source, if it is given. Its text may contain a password, so no usage error shows it.
    fn subscription_source(&self) -> Result<Option<SubscriptionSource>, Error> {
        let given = self.subscription_source.as_deref();
        let parsed = given.map(SubscriptionSource::parse).transpose();
        let side = "subscription-source";
        parsed.map_err(|source| Error::Url { side, source })
    }
}

/// Checks, starts, waits, reports.
///
/// # Errors
/// The checks refuse, a server refuses a change, or a database does not catch up in time.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let (source, target) = arguments.connections.resolve("sync", scope)?;
    let subscription_source = arguments.subscription_source()?;
    let servers = Sides { source, target };
    let finding = arguments.replications.find(servers.as_ref(), ui, scope);
    let followed = Box::pin(finding).await?;
    let options = Options {
        servers,
        followed,
        state_root: arguments.replications.state_root(),
        subscription_source,
        copy_data: arguments.copy_data,
        timeout: Duration::from_secs(arguments.timeout),
        max_retained_wal: arguments.max_retained_wal,
    };
    let preparing = replicate::prepare(&options, scope);
    let what = "the replication objects of both servers";
    let prepared = scope.events.reporting(what, preparing).await?;
    ui.keep_findings(&prepared.findings);
    show_findings(ui, &prepared.findings, arguments.verbose);
    refuse_errors(&prepared.findings)?;
    if arguments.dry_run {
        let nothing = replicate::Planned::new(&prepared);
        ui.report(&nothing, &Conclusion::Done, &next_command("sync"))?;
        return Ok(exit::DONE);
    }
    for change in prepared.describe() {
        ui.screen().show(&LogLine::new(LogKind::Plan, &change));
    }
    confirm_password(arguments, &prepared, ui, scope).await?;
    let report = Box::pin(replicate::execute(prepared, &options, scope)).await?;
    conclude(report, ui)
}

/// Reports; the only database of a command that has failed is its error.
fn conclude(mut report: Report, ui: &Ui) -> Result<u8, Error> {
    if report.databases.is_empty() && report.failures.len() == 1 {
        return Err(report.failures.remove(0).error.into());
    }
    let end = match report.failures.len() {
        0 => Conclusion::Done,
        failed => Conclusion::Failed {
            exit_code: exit::FAILED,
            message: format!("databases that have not caught up: {failed}"),
        },
    };
    let shown = ShownSync {
        report: &report,
        setting_name: ui.setting_name(),
    };
    ui.report(&shown, &end, &next_command("status"))?;
    Ok(end.exit_code())
}

fn refuse_errors(findings: &[Finding]) -> Result<(), Error> {
    match Finding::count_errors(findings) {
        0 => Ok(()),
        count => Err(Error::Refused { count }),
    }
}

/// Asks before a statement with a password is sent that the target's server log may record.
async fn confirm_password(
    arguments: &Arguments,
    prepared: &Prepared,
    ui: &Ui,
    scope: &Scope,
) -> Result<(), Error> {
    if !prepared.exposes_password() || arguments.yes {
        return Ok(());
    }
    const QUESTION: &str =
        "Send the password, although the target's server log may record it? [y/N]:";
    match ui.confirm(QUESTION, &scope.stop).await? {
        true => Ok(()),
        false => Err(Error::PasswordExposed),
    }
}
