use std::time::Duration;

use super::args::{Connections, Replications};
use super::next::next_command;
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
    postgres-seren-replicator status --include-databases shop --output json";

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
    };
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
