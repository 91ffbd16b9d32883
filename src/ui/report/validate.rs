//! The report of `validate`: every finding, and what would become of each database.

use serde::Serialize;

use super::contract::{Report, number};
use super::finding::{colored, listed};
use super::plan::{PlannedBody, action_line, excluded_line, planned_body, rule_lines};
use crate::migrate::Prepared;
use crate::ui::remedy::SettingName;
use crate::ui::{Style, text};

/// The result of `validate`.
#[derive(Debug)]
pub struct Validation<'a> {
    /// What the checks found and planned.
    pub prepared: &'a Prepared,
    /// Whether every finding is listed, rather than one line for several of a kind.
    pub verbose: bool,
    /// How remedies name settings.
    pub setting_name: SettingName,
}

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct ValidationBody {
    databases: Vec<PlannedBody>,
}

impl Report for Validation<'_> {
    type Body = ValidationBody;

    fn command(&self) -> &'static str {
        "validate"
    }

    fn render_text(&self, style: Style) -> String {
        let findings = listed(&self.prepared.findings, self.verbose);
        let findings = findings.iter();
        let mut lines: Vec<_> = findings
            .map(|finding| colored(finding, self.setting_name, style))
            .collect();
        for planned in &self.prepared.databases {
            lines.push(text::clean(&action_line(planned)));
            let rules = rule_lines(&planned.scope.rules).into_iter();
            let rules = rules.chain(excluded_line(&planned.scope.objects));
            lines.extend(rules.map(|line| format!("  {}", text::clean(&line))));
        }
        lines.push(match number(self.prepared.errors()) {
            0 => style.good("ready"),
            count => style.bad(&text::counted(count, "error")),
        });
        lines.join("\n") + "\n"
    }

    fn body(&self) -> ValidationBody {
        ValidationBody {
            databases: self.prepared.databases.iter().map(planned_body).collect(),
        }
    }
}
