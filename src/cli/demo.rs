use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Error, exit};
use crate::demo::{self, Step};
use crate::task::Scope;
use crate::ui::{self, Style, Ui, text};

/// Copy a live sample database between two temporary clusters and verify the result
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory of the PostgreSQL server programs [default: installed or fetched servers]
    #[arg(long, help_heading = "Run", value_name = "DIR")]
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
    let tell = |step: &Step| ui.screen().line_from_outside("demo: ", step.name);
    let report = demo::run(&options, &tell, scope).await?;
    let shown = Shown(&report);
    ui.report(&shown)?;
    Ok(ui::Report::exit_code(&shown))
}

/// What the demo showed.
struct Shown<'a>(&'a demo::Report);

impl ui::Report for Shown<'_> {
    fn command(&self) -> &'static str {
        "demo"
    }

    fn exit_code(&self) -> u8 {
        if self.0.is_proved() {
            exit::DONE
        } else {
            exit::FAILED
        }
    }

    fn text(&self, style: Style) -> String {
        let line = |step: &Step| {
            let mark = if step.proved {
                style.good("✓")
            } else {
                style.bad("✗")
            };
            let took = text::duration(step.elapsed);
            format!(
                "{mark} {}: {} ({took})\n",
                step.name,
                text::clean(&step.shown)
            )
        };
        let mut out: String = self.0.steps.iter().map(line).collect();
        let kept = |folder: &PathBuf| format!("kept: {}\n", folder.display());
        out.extend(self.0.kept.iter().map(kept));
        let verdict = if self.0.is_proved() {
            "all proved"
        } else {
            "not proved"
        };
        out + &format!("{verdict} in {}\n", text::duration(self.0.elapsed))
    }

    fn databases(&self) -> Vec<Value> {
        let step = |step: &Step| {
            let milliseconds = u64::try_from(step.elapsed.as_millis()).unwrap_or(u64::MAX);
            json!({ "step": step.name, "shown": step.shown, "proved": step.proved, "milliseconds": milliseconds })
        };
        self.0.steps.iter().map(step).collect()
    }
}
