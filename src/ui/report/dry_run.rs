//! The report of a dry run of `init`: what would be run, as one script for `psql`.

use serde::Serialize;

use super::contract::Report;
use super::plan::{PlannedBody, planned_body};
use crate::migrate::Prepared;
use crate::ui::{Style, text};

/// The result of a dry run.
#[derive(Debug)]
pub struct DryRun<'a> {
    /// What the checks found and planned.
    pub prepared: &'a Prepared,
    /// What would be run.
    pub script: String,
}

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct DryRunBody {
    databases: Vec<PlannedBody>,
    script: String,
}

impl Report for DryRun<'_> {
    type Body = DryRunBody;

    fn command(&self) -> &'static str {
        "init"
    }

    fn render_text(&self, _: Style) -> String {
        self.script.clone()
    }

    fn render_next(&self, next: &str) -> String {
        // A line break would end the comment.
        format!("-- next: {}\n", text::clean(next))
    }

    fn is_prose(&self) -> bool {
        false
    }

    fn body(&self) -> DryRunBody {
        DryRunBody {
            databases: self.prepared.databases.iter().map(planned_body).collect(),
            script: self.script.clone(),
        }
    }
}
