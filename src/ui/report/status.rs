//! The report of `status` for programs: every fact. For people: [`status_text`](super::status_text).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::contract::{Report, milliseconds, number};
use super::finding::FindingBody;
use super::status_sides::{SourceBody, TargetBody};
use super::status_text::render_lines;
use super::verify_text::sentence;
use crate::connect;
use crate::event::find_cause;
use crate::status::{self, DatabaseStatus, LagTime, Observation, Outcome, TableState};
use crate::ui::json::Line;
use crate::ui::remedy::{SettingName, render_remedies};
use crate::ui::replication::{Health, trouble_code, trouble_text};
use crate::ui::{Style, text};

/// The command of this report.
const COMMAND: &str = "status";

/// The state of the replication, and how remedies name settings.
#[derive(Clone, Copy, Debug)]
pub struct ShownStatus<'a> {
    /// What was observed.
    pub report: &'a status::Report,
    /// How remedies name settings.
    pub setting_name: SettingName,
}

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct StatusBody {
    observed_at: String,
    verdict: &'static str,
    databases: Vec<DatabaseBody>,
}

#[derive(Debug, Serialize)]
struct DatabaseBody {
    database: String,
    target_database: String,
    verdict: &'static str,
    reason: Option<String>,
    publication: Option<String>,
    subscription: Option<String>,
    slot: Option<String>,
    lag_ms: Option<u64>,
    lag_exceeds_ms: Option<u64>,
    lag_bytes: Option<u64>,
    source: Option<SourceBody>,
    target: Option<TargetBody>,
    tables: Option<TablesBody>,
    findings: Vec<FindingBody>,
    next_steps: Vec<String>,
}

/// How many tables are in each state, and those that are not replicated as they should be.
#[derive(Debug, Serialize)]
struct TablesBody {
    ready: u64,
    synchronizing: u64,
    copying: u64,
    initializing: u64,
    troubled: Vec<TroubledBody>,
}

#[derive(Debug, Serialize)]
struct TroubledBody {
    schema: String,
    name: String,
    trouble: &'static str,
    reason: String,
}

impl Report for ShownStatus<'_> {
    type Body = StatusBody;

    fn command(&self) -> &'static str {
        COMMAND
    }

    fn render_text(&self, style: Style) -> String {
        render_lines(*self, style)
    }

    fn body(&self) -> StatusBody {
        let databases = self.report.databases.iter();
        StatusBody {
            observed_at: timestamp(self.report.at),
            verdict: Health::of_all(self.report).code(),
            databases: databases
                .map(|database| database_body(database, self.setting_name))
                .collect(),
        }
    }

    fn render_next(&self, next: &str) -> String {
        match next {
            "" => String::new(),
            next => format!("next: {}\n", text::clean(next)),
        }
    }
}

impl ShownStatus<'_> {
    /// Returns the report as one JSON object on one line, without an end of the command.
    pub fn json_line(&self) -> String {
        Line::new(COMMAND, self.body()).render()
    }

    /// Returns why a database could not be observed; none if it was.
    pub fn unknown_reason(database: &DatabaseStatus) -> Option<String> {
        unknown_reason(database)
    }

    /// Returns what to do about the state of a database, the worst first, each once.
    pub fn next_steps(&self, database: &DatabaseStatus) -> Vec<String> {
        next_steps(database, self.setting_name)
    }
}

/// A time in UTC with milliseconds.
fn timestamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Returns what to do about the state of a database, the worst first, each once.
pub(super) fn next_steps(database: &DatabaseStatus, name: SettingName) -> Vec<String> {
    let mut steps = Vec::new();
    match &database.outcome {
        Outcome::Observed(observation) => {
            let mut findings: Vec<_> = observation.findings.iter().collect();
            findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
            for finding in findings {
                let step = render_remedies(&finding.remedies, name);
                let step = step.as_deref().map(text::clean);
                steps.extend(step.filter(|step| !steps.contains(step)));
            }
        }
        Outcome::Unknown(error) => {
            let cause = find_cause::<connect::Error>(error.as_ref());
            steps.extend(cause.and_then(connect::Error::hint).map(str::to_owned));
        }
    }
    steps
}

/// Returns why a database could not be observed.
pub(super) fn unknown_reason(database: &DatabaseStatus) -> Option<String> {
    match &database.outcome {
        Outcome::Observed(_) => None,
        Outcome::Unknown(error) => Some(sentence(error.as_ref())),
    }
}

fn database_body(database: &DatabaseStatus, name: SettingName) -> DatabaseBody {
    let seen = database.observation();
    let lag = seen.map(|seen| seen.lag);
    let (within, exceeds) = match lag.map(|lag| lag.time) {
        Some(LagTime::Within(time)) => (Some(time), None),
        Some(LagTime::Exceeds(limit)) => (None, Some(limit)),
        Some(LagTime::Unknown) | None => (None, None),
    };
    let names = seen.map(|seen| &seen.names);
    let findings = seen.into_iter().flat_map(|seen| &seen.findings);
    DatabaseBody {
        database: database.source.clone(),
        target_database: database.target.clone(),
        verdict: Health::of(database).code(),
        reason: unknown_reason(database),
        publication: names.map(|names| names.publication.as_str().to_owned()),
        subscription: names.map(|names| names.subscription.as_str().to_owned()),
        slot: names.and_then(|names| Some(names.slot.as_ref()?.as_str().to_owned())),
        lag_ms: within.map(milliseconds),
        lag_exceeds_ms: exceeds.map(milliseconds),
        lag_bytes: lag.and_then(|lag| lag.bytes),
        source: seen.map(|seen| SourceBody::new(&seen.source)),
        target: seen.map(|seen| TargetBody::new(&seen.target)),
        tables: seen.map(tables_body),
        findings: findings
            .map(|finding| FindingBody::new(finding, name))
            .collect(),
        next_steps: next_steps(database, name),
    }
}

fn tables_body(seen: &Observation) -> TablesBody {
    let count = |state| number(seen.target.count_tables(state));
    let troubled = seen.tables.iter().map(|one| TroubledBody {
        schema: one.table.schema.as_str().to_owned(),
        name: one.table.name.as_str().to_owned(),
        trouble: trouble_code(&one.trouble),
        reason: trouble_text(&one.trouble),
    });
    TablesBody {
        ready: count(TableState::Ready),
        synchronizing: count(TableState::Synchronizing),
        copying: count(TableState::Copying),
        initializing: count(TableState::Initializing),
        troubled: troubled.collect(),
    }
}

/// Counts by the server's names.
pub(super) type Counts = BTreeMap<String, i64>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    fn shown(report: &status::Report) -> ShownStatus<'_> {
        ShownStatus {
            report,
            setting_name: |_| "--x",
        }
    }

    #[test]
    fn programs_get_every_fact() {
        let report = samples::all_kinds();
        let json = serde_json::to_string_pretty(&shown(&report).body()).unwrap();
        insta::assert_snapshot!(json);
    }

    #[test]
    fn a_line_has_the_command_and_no_end() {
        let report = samples::report(0, Vec::new());
        assert_eq!(
            shown(&report).json_line(),
            "{\"schema\":3,\"command\":\"status\",\"observed_at\":\"2027-01-15T08:00:00.000Z\",\
             \"verdict\":\"not_active\",\"databases\":[]}\n"
        );
    }

    #[test]
    fn steps_are_listed_once_and_the_worst_first() {
        let database = samples::broken("orders");
        let steps = next_steps(&database, |_| "--x");
        assert_eq!(steps, ["copy the database again"]);
        let steps = next_steps(&samples::unknown("lost"), |_| "--x");
        assert_eq!(steps.len(), 1);
    }

    #[test]
    fn without_a_next_step_there_is_no_line() {
        let report = samples::all_kinds();
        assert_eq!(shown(&report).render_next(""), "");
        assert_eq!(shown(&report).render_next("wait"), "next: wait\n");
    }
}
