//! The report of `demo`: a line per step, and whether all of them are proved.

use serde::Serialize;

use super::contract::{Report, milliseconds};
use crate::demo::{self, Numbers, Step};
use crate::ui::{Style, text};

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct DemoBody {
    steps: Vec<StepBody>,
}

#[derive(Debug, Serialize)]
struct StepBody {
    step: &'static str,
    shown: String,
    proved: bool,
    numbers: Numbers,
    milliseconds: u64,
}

impl Report for demo::Report {
    type Body = DemoBody;

    fn command(&self) -> &'static str {
        "demo"
    }

    fn render_text(&self, style: Style) -> String {
        let mut lines: Vec<String> = self
            .steps
            .iter()
            .map(|step| step_line(step, style))
            .collect();
        let kept = self.kept.iter();
        lines.extend(kept.map(|folder| format!("kept: {}", folder.display())));
        let verdict = if self.is_proved() {
            "all proved"
        } else {
            "not proved"
        };
        lines.push(format!("{verdict} in {}", text::duration(self.elapsed)));
        lines.join("\n") + "\n"
    }

    fn body(&self) -> DemoBody {
        let steps = self.steps.iter().map(step_body).collect();
        DemoBody { steps }
    }
}

fn step_line(step: &Step, style: Style) -> String {
    let mark = if step.proof.proved {
        style.good("✓")
    } else {
        style.bad("✗")
    };
    let (shown, took) = (text::clean(&step.proof.shown), text::duration(step.elapsed));
    format!("{mark} {}: {shown} ({took})", step.name)
}

fn step_body(step: &Step) -> StepBody {
    StepBody {
        step: step.name,
        shown: step.proof.shown.clone(),
        proved: step.proof.proved,
        numbers: step.proof.numbers.clone(),
        milliseconds: milliseconds(step.elapsed),
    }
}
