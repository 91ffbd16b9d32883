use std::path::PathBuf;

use clap::ValueHint;

use super::{ALL_OPTIONS, Error, NAME, exit};
use crate::demo::{self, Step};
use crate::task::Scope;
use crate::ui::{Conclusion, LogKind, LogLine, Ui};

const EXAMPLES: &str = "\
Examples:
  Start the servers, copy, replicate, verify, and remove everything again:
    postgres-seren-replicator demo
  Use the programs of an installed server and keep the data directories:
    postgres-seren-replicator demo --bin-dir /usr/lib/postgresql/17/bin --keep";

/// Copy and replicate a live sample database between two temporary clusters; prove the result
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Directory of the PostgreSQL server programs [default: installed or fetched servers]
    #[arg(long, help_heading = "Run", value_name = "DIR", value_hint = ValueHint::DirPath)]
    bin_dir: Option<PathBuf>,

    /// System user of the servers when root starts the demo [default: postgres, or nobody]
    #[arg(long, help_heading = "Run", value_name = "USER")]
    run_as: Option<String>,

    /// Keep the data directories of both clusters
    #[arg(long, help_heading = "Run")]
    keep: bool,
}

/// Runs the demo and reports what it proved.
///
/// # Errors
/// A step could not be carried out at all.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let options = demo::Options {
        programs: arguments.bin_dir.clone(),
        run_as: arguments.run_as.clone(),
        keep: arguments.keep,
    };
    let show = |step: &Step| {
        let line = LogLine::new(LogKind::DemoStep, step.name).marked("demo: ");
        ui.screen().show(&line);
    };
    let report = demo::run_demo(&options, &show, scope).await?;
    let end = if report.is_proved() {
        Conclusion::Done
    } else {
        Conclusion::Failed {
            exit_code: exit::FAILED,
            message: "a step was not proved".to_owned(),
        }
    };
    let next = format!("{NAME} validate --source SOURCE_URL --target TARGET_URL");
    ui.report(&report, &end, &next)?;
    Ok(end.exit_code())
}
