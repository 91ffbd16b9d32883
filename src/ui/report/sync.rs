//! The report of `sync`.

use std::fmt::Write as _;

use serde::Serialize;

use super::contract::{Report, milliseconds, number};
use super::verify_text::sentence;
use crate::pg::Ident;
use crate::replicate::{self, FailedDatabase, SyncedDatabase};
use crate::status::LagTime;
use crate::ui::{SettingName, Style, render_remedies, text};

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct SyncBody {
    elapsed_ms: u64,
    databases: Vec<DatabaseBody>,
    failures: Vec<FailureBody>,
}

#[derive(Debug, Serialize)]
struct FailureBody {
    database: String,
    target_database: String,
    reason: String,
    hint: Option<String>,
}

#[derive(Debug, Serialize)]
struct DatabaseBody {
    database: String,
    target_database: String,
    subscription: String,
    publications: Vec<String>,
    slot: Option<String>,
    changes: Vec<String>,
    added_tables: Vec<TableBody>,
    tables: usize,
    lag_ms: Option<u64>,
    lag_bytes: Option<u64>,
    elapsed_ms: u64,
}

#[derive(Debug, Serialize)]
struct TableBody {
    schema: String,
    name: String,
}

/// What `sync` has done, and how remedies name settings.
#[derive(Clone, Copy, Debug)]
pub struct ShownSync<'a> {
    /// What was done.
    pub report: &'a replicate::Report,
    /// How remedies name settings.
    pub setting_name: SettingName,
}

impl Report for ShownSync<'_> {
    type Body = SyncBody;

    fn command(&self) -> &'static str {
        "sync"
    }

    fn render_text(&self, style: Style) -> String {
        let Self { report, .. } = self;
        let databases = report.databases.iter();
        let mut lines: String = databases.map(|one| render(one, style)).collect();
        for failed in &report.failures {
            lines.push_str(&self.render_failure(failed, style));
        }
        lines.push_str(&render_total(report, style));
        lines
    }

    fn body(&self) -> SyncBody {
        let failures = self.report.failures.iter();
        SyncBody {
            elapsed_ms: milliseconds(self.report.elapsed),
            databases: self.report.databases.iter().map(body).collect(),
            failures: failures
                .map(|failed| FailureBody {
                    database: failed.source.clone(),
                    target_database: failed.target.clone(),
                    reason: sentence(&failed.error),
                    hint: self.hint(failed),
                })
                .collect(),
        }
    }
}

impl ShownSync<'_> {
    fn hint(&self, failed: &FailedDatabase) -> Option<String> {
        render_remedies(&failed.error.remedies(), self.setting_name)
    }

    fn render_failure(&self, failed: &FailedDatabase, style: Style) -> String {
        let [source, target] = [&failed.source, &failed.target].map(|name| text::clean(name));
        let reason = text::clean(&sentence(&failed.error));
        let hint = self.hint(failed);
        let hint = hint.map_or_else(String::new, |hint| {
            format!("  next: {}\n", text::clean(&hint))
        });
        format!("{} {source} -> {target}: {reason}\n{hint}", style.bad("✗"))
    }
}

fn render_total(report: &replicate::Report, style: Style) -> String {
    let took = text::duration(report.elapsed);
    let running = report.databases.len();
    let all = running + report.failures.len();
    match report.failures.is_empty() {
        true => {
            let databases = text::counted(number(running), "database");
            let done = style.strong("replicating");
            format!(
                "{} {done}: {databases}, caught up after {took}\n",
                style.good("✓")
            )
        }
        false => {
            let word = style.strong("not complete");
            format!(
                "{} {word}: {running} of {all} databases have caught up\n",
                style.bad("✗")
            )
        }
    }
}

fn render(database: &SyncedDatabase, style: Style) -> String {
    let [source, target] = [&database.source, &database.target].map(|name| text::clean(name));
    let publications: Vec<String> = database.publications.iter().map(Ident::to_string).collect();
    let slot = database
        .slot
        .as_ref()
        .map_or_else(String::new, |slot| format!(", slot {slot}"));
    let lag = match database.lag.time {
        LagTime::Within(lag) => format!(", lag {}", text::duration(lag)),
        LagTime::Exceeds(_) | LagTime::Unknown => String::new(),
    };
    let mut lines = format!(
        "{} {source} -> {target}: {} replicated{lag}\n",
        style.good("✓"),
        text::counted(number(database.tables), "table"),
    );
    let _ = writeln!(
        lines,
        "  subscription {}, publication {}{slot}",
        database.subscription,
        publications.join(" and "),
    );
    match database.changes.is_empty() {
        true => lines.push_str("  nothing was to be changed\n"),
        false => {
            for change in &database.changes {
                let _ = writeln!(lines, "  {}", text::clean(change));
            }
        }
    }
    lines
}

fn body(database: &SyncedDatabase) -> DatabaseBody {
    let added = database.added.iter().map(|table| TableBody {
        schema: table.schema.as_str().to_owned(),
        name: table.name.as_str().to_owned(),
    });
    DatabaseBody {
        database: database.source.clone(),
        target_database: database.target.clone(),
        subscription: database.subscription.as_str().to_owned(),
        publications: database
            .publications
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect(),
        slot: database.slot.as_ref().map(ToString::to_string),
        changes: database.changes.clone(),
        added_tables: added.collect(),
        tables: database.tables,
        lag_ms: match database.lag.time {
            LagTime::Within(lag) => Some(milliseconds(lag)),
            LagTime::Exceeds(_) | LagTime::Unknown => None,
        },
        lag_bytes: database.lag.bytes,
        elapsed_ms: milliseconds(database.elapsed),
    }
}

/// What would be changed, for programs.
#[derive(Debug, Serialize)]
pub struct PlannedBody {
    changes: Vec<String>,
}

impl Report for replicate::Planned {
    type Body = PlannedBody;

    fn command(&self) -> &'static str {
        "sync"
    }

    fn render_text(&self, _style: Style) -> String {
        match self.changes.is_empty() {
            true => "everything is running; nothing would be changed\n".to_owned(),
            false => self
                .changes
                .iter()
                .map(|change| format!("{}\n", text::clean(change)))
                .collect(),
        }
    }

    fn body(&self) -> PlannedBody {
        PlannedBody {
            changes: self.changes.clone(),
        }
    }
}
