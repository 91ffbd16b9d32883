//! How the plan, the checks and the result of a copy read.

use serde_json::{Value, json};

use super::exit;
use crate::connect::Endpoint;
use crate::migrate::{
    self, DatabaseReport, Fate, Finding, Level, Options, PlannedDatabase, Prepared,
};
use crate::ui::sizes::{self, Estimate};
use crate::ui::{Report, Style, Ui, table, text};

/// What the estimate of the duration assumes, in bytes an hour, where nothing can be measured.
const ASSUMED_RATE: u64 = 20 * 1024 * 1024 * 1024;

/// Shows what the connection strings say that has no effect, or should be looked at.
pub(super) fn warn_about(ui: &Ui, ends: [&Endpoint; 2]) {
    for warning in ends.iter().flat_map(|end| end.warnings()) {
        ui.warn(&warning.to_string());
    }
}

/// Shows what the checks found, on standard error.
pub(super) fn show_findings(ui: &Ui, prepared: &Prepared) {
    for finding in &prepared.findings {
        match finding.level {
            Level::Ok => ui.screen().line_from_outside("", &finding.to_string()),
            Level::Note | Level::Warning | Level::Error => ui.finding(&finding.to_string()),
        }
    }
}

/// Shows sizes, times and what happens to each database, on standard error.
pub(super) fn show(ui: &Ui, prepared: &Prepared, options: &Options, measured: Option<u64>) {
    let rate = measured.unwrap_or(ASSUMED_RATE);
    let estimate = |planned: &PlannedDatabase| Estimate::new(planned.name(), planned.bytes, rate);
    let estimates: Vec<_> = prepared.databases.iter().map(estimate).collect();
    if !options.schema_only {
        ui.screen().line(sizes::render(&estimates).trim_end());
    }
    match measured {
        _ if options.schema_only => {}
        Some(rate) => tracing::info!(
            "times from a sample of the source: {} an hour",
            text::size(rate)
        ),
        None => tracing::info!("times assume 20 GB an hour: there is too little to measure"),
    }
    for planned in &prepared.databases {
        ui.screen().line_from_outside("  ", &fate_line(planned));
    }
    if options.schema_only {
        let line = format!("Making definitions only, with {} workers.", options.jobs);
        ui.screen().line(&line);
        return;
    }
    let kind = if options.replicate {
        "a replication slot's"
    } else {
        "one plain"
    };
    let line = format!("Copying at {kind} snapshot with {} workers.", options.jobs);
    ui.screen().line(&line);
    ui.screen().line(locks_line(options));
}

/// What becomes of DDL on the source meanwhile.
fn locks_line(options: &Options) -> &'static str {
    if options.locks.keep {
        "DDL on the source that needs a copied table waits until the rows are copied (--keep-locks)."
    } else {
        "DDL on the source that needs a copied table ends the copy (TRUNCATE, ALTER TABLE, DROP, VACUUM \
         FULL, CREATE TABLE … PARTITION OF, …): pause it, or pass --keep-locks to let it wait."
    }
}

fn fate_line(planned: &PlannedDatabase) -> String {
    let name = match (planned.name(), planned.target().as_str()) {
        (source, target) if source == target => source.to_owned(),
        (source, target) => format!("{source} as {target}"),
    };
    match &planned.fate {
        Fate::Keep { tables } => format!(
            "{name}: keep, finished by the interrupted run, {}",
            text::counted(u64::try_from(*tables).unwrap_or(u64::MAX), "table")
        ),
        Fate::Remake { why, .. } => format!(
            "{name}: drop and make again ({why}), {}",
            text::counted(tables(planned), "table")
        ),
        Fate::Clear { why, .. } => format!(
            "{name}: remove what is in it and copy again ({why}), {}",
            text::counted(tables(planned), "table")
        ),
        Fate::Create => format!(
            "{name}: create, {}",
            text::counted(tables(planned), "table")
        ),
        Fate::Use => format!(
            "{name}: use the empty database on the target, {}",
            text::counted(tables(planned), "table")
        ),
        Fate::Replace {
            tables: held,
            bytes,
            ..
        } => format!(
            "{name}: drop and recreate (the target's holds {held} tables, {}), {}",
            text::size(u64::try_from(*bytes).unwrap_or_default()),
            text::counted(tables(planned), "table")
        ),
    }
}

fn tables(planned: &PlannedDatabase) -> u64 {
    u64::try_from(planned.tables).unwrap_or(u64::MAX)
}

fn planned_json(planned: &PlannedDatabase) -> Value {
    let (action, why) = match planned.fate {
        Fate::Create => ("create", None),
        Fate::Use => ("use", None),
        Fate::Replace { .. } => ("replace", None),
        Fate::Keep { .. } => ("keep", Some("finished by the interrupted run")),
        Fate::Remake { why, .. } => ("remake", Some(why)),
        Fate::Clear { why, .. } => ("clear", Some(why)),
    };
    json!({
        "database": planned.name(),
        "target": planned.target().as_str(),
        "action": action,
        "reason": why,
        "tables": planned.tables,
        "estimated_bytes": planned.bytes,
    })
}

/// The result of `validate`.
pub(super) struct Validation<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) exit_code: u8,
}

impl Report for Validation<'_> {
    fn command(&self) -> &'static str {
        "validate"
    }

    fn exit_code(&self) -> u8 {
        self.exit_code
    }

    fn text(&self, style: Style) -> String {
        let mut lines: Vec<_> = self
            .prepared
            .findings
            .iter()
            .map(|finding| colored(finding, style))
            .collect();
        lines.extend(
            self.prepared
                .databases
                .iter()
                .map(|planned| text::clean(&fate_line(planned))),
        );
        let errors = u64::try_from(self.prepared.errors()).unwrap_or(u64::MAX);
        lines.push(match errors {
            0 => style.good("ready"),
            count => style.bad(&text::counted(count, "error")),
        });
        lines.join("\n") + "\n"
    }

    fn databases(&self) -> Vec<Value> {
        self.prepared.databases.iter().map(planned_json).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let noteworthy = |finding: &&Finding| finding.level > Level::Ok;
        self.prepared
            .findings
            .iter()
            .filter(noteworthy)
            .map(ToString::to_string)
            .collect()
    }
}

fn colored(finding: &Finding, style: Style) -> String {
    let line = text::clean(&finding.to_string());
    match finding.level {
        Level::Error => style.bad(&line),
        Level::Warning => style.doubtful(&line),
        Level::Note | Level::Ok => line,
    }
}

/// The result of `init --dry-run`.
pub(super) struct DryRun<'a> {
    pub(super) prepared: &'a Prepared,
    /// What would be run.
    pub(super) script: String,
}

impl Report for DryRun<'_> {
    fn command(&self) -> &'static str {
        "init"
    }

    fn exit_code(&self) -> u8 {
        exit::DONE
    }

    fn text(&self, _: Style) -> String {
        self.script.clone()
    }

    fn script(&self) -> Option<&str> {
        Some(&self.script)
    }

    fn databases(&self) -> Vec<Value> {
        self.prepared.databases.iter().map(planned_json).collect()
    }
}

/// The result of `init`.
pub(super) struct Copied<'a> {
    pub(super) report: &'a migrate::Report,
}

impl Report for Copied<'_> {
    fn command(&self) -> &'static str {
        "init"
    }

    fn exit_code(&self) -> u8 {
        exit::DONE
    }

    fn text(&self, style: Style) -> String {
        let mut out = String::new();
        for kept in &self.report.kept {
            let line = format!("{kept}: kept, finished by the interrupted run");
            out.push_str(&format_line("", &line));
        }
        for database in &self.report.databases {
            out.push_str(&copied_text(database, style));
        }
        for difference in &self.report.differences {
            out.push_str(&format_line("differs: ", difference));
        }
        for kept in &self.report.slots {
            let line = format!(
                "of database {} keeps log on the source until teardown removes it; sync, which would \
                 read it, is not built yet",
                kept.database
            );
            out.push_str(&format_line(&format!("slot {} ", kept.slot), &line));
        }
        let whole = text::duration(self.report.elapsed);
        out + &format!("Done in {whole}.\n")
    }

    fn databases(&self) -> Vec<Value> {
        let report = self.report;
        let kept = |name: &String| json!({"database": name, "action": "keep"});
        let kept = report.kept.iter().map(kept);
        let copied = report.databases.iter().map(|database| {
            let slots = report.slots.iter();
            let mut slots = slots.filter(|kept| kept.database == database.name);
            let mut json = copied_json(database);
            json["slot"] = slots.next().map(|kept| kept.slot.as_str()).into();
            json
        });
        kept.chain(copied).collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.report.differences.clone()
    }
}

fn format_line(prefix: &str, text: &str) -> String {
    format!("{prefix}{}\n", text::clean(text))
}

fn copied_text(database: &DatabaseReport, style: Style) -> String {
    let rows: Vec<[String; 5]> = database
        .tables
        .iter()
        .map(|copied| {
            [
                copied.table.to_string(),
                copied.rows.to_string(),
                text::size(copied.bytes),
                text::duration(copied.elapsed),
                text::rate(copied.bytes, copied.elapsed).unwrap_or_default(),
            ]
        })
        .collect();
    let columns = [
        table::Column::Words("table"),
        table::Column::Number("rows"),
        table::Column::Number("size"),
        table::Column::Number("time"),
        table::Column::Number("rate"),
    ];
    let mut out = format!("{}\n", style.strong(&text::clean(&database.name)));
    out.push_str(&table::render(columns, &rows));
    let point = database
        .consistent_point
        .map_or_else(String::new, |point| format!(", consistent at {point}"));
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let summary = format!(
        "{}, {} in {}{point}; {}, {}, {}\n",
        text::counted(database.rows(), "row"),
        text::size(database.bytes()),
        text::duration(database.elapsed),
        text::counted(number(database.statements), "definition"),
        text::counted(number(database.sequences), "sequence"),
        text::counted(number(database.large_objects), "large object"),
    );
    out.push_str(&summary);
    for difference in &database.differences {
        out.push_str(&format_line("differs: ", difference));
    }
    out
}

fn copied_json(database: &DatabaseReport) -> Value {
    let tables: Vec<Value> = database
        .tables
        .iter()
        .map(|copied| {
            json!({
                "table": copied.table.to_string(),
                "rows": copied.rows,
                "bytes": copied.bytes,
                "milliseconds": u64::try_from(copied.elapsed.as_millis()).unwrap_or(u64::MAX),
                "format": copied.format.name(),
            })
        })
        .collect();
    json!({
        "database": database.name,
        "consistent_point": database.consistent_point.map(|point| point.to_string()),
        "rows": database.rows(),
        "bytes": database.bytes(),
        "milliseconds": u64::try_from(database.elapsed.as_millis()).unwrap_or(u64::MAX),
        "tables": tables,
        "sequences": database.sequences,
        "large_objects": database.large_objects,
        "differences": database.differences,
    })
}
