//! The report of `init`: what was copied of each database, and the slots that remain.

use serde::Serialize;

use super::contract::{Report, milliseconds, number};
use super::table::{self, Column};
use crate::migrate::{self, DatabaseReport, KeptDatabase, KeptSlot};
use crate::remedy::Setting;
use crate::snapshot::{CopiedTable, Refusal, Refused};
use crate::ui::failure::{list_refused, refused_body};
use crate::ui::remedy::SettingName;
use crate::ui::{Style, text};

/// The result of `init`.
#[derive(Debug)]
pub struct Copied<'a> {
    /// What was copied.
    pub report: &'a migrate::Report,
    /// What settings are called.
    pub setting_name: SettingName,
}

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct CopiedBody {
    databases: Vec<DatabaseBody>,
}

/// A database, for programs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum DatabaseBody {
    /// Finished by the interrupted run.
    Kept {
        database: String,
        action: &'static str,
        missing: usize,
    },
    /// Copied by this run.
    Copied {
        database: String,
        consistent_point: Option<String>,
        rows: u64,
        bytes: u64,
        milliseconds: u64,
        tables: Vec<TableBody>,
        sequences: usize,
        large_objects: usize,
        differences: Vec<String>,
        failed_objects: Vec<FailedBody>,
        missing_file: Option<String>,
        slot: Option<String>,
        failover_slot: bool,
    },
}

/// An object that the target has refused, or that depends on one.
#[derive(Debug, Serialize)]
struct FailedBody {
    object: String,
    statement: Option<String>,
    sqlstate: Option<String>,
    message: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
    next: Option<&'static str>,
    /// The refused object that it depends on; it was not attempted.
    needs: Option<String>,
}

#[derive(Debug, Serialize)]
struct TableBody {
    table: String,
    rows: u64,
    bytes: u64,
    milliseconds: u64,
    format: &'static str,
}

impl Report for Copied<'_> {
    type Body = CopiedBody;

    fn command(&self) -> &'static str {
        "init"
    }

    fn render_text(&self, style: Style) -> String {
        let report = self.report;
        let mut out = String::new();
        for kept in &report.kept {
            out.push_str(&line("", &kept_text(kept)));
        }
        for database in &report.databases {
            out.push_str(&database_text(database, style));
            out.push_str(&missing_text(database, self.setting_name, style));
        }
        out.extend(report.differences.iter().map(|one| line("differs: ", one)));
        out.extend(report.slots.iter().map(slot_line));
        let done = format!("Done in {}.\n", text::duration(report.elapsed));
        out + &done + &next_line(report.missing(), self.setting_name)
    }

    fn body(&self) -> CopiedBody {
        let report = self.report;
        let kept = report.kept.iter().map(|kept| DatabaseBody::Kept {
            database: kept.name.clone(),
            action: "keep",
            missing: kept.missing,
        });
        let copied = report.databases.iter();
        let copied = copied.map(|database| copied_body(database, &report.slots));
        CopiedBody {
            databases: kept.chain(copied).collect(),
        }
    }

    fn warnings(&self) -> Vec<String> {
        self.report.differences.clone()
    }
}

fn line(prefix: &str, text: &str) -> String {
    format!("{prefix}{}\n", text::clean(text))
}

fn kept_text(kept: &KeptDatabase) -> String {
    let name = &kept.name;
    let kept_by = "kept, finished by the interrupted run";
    match number(kept.missing) {
        0 => format!("{name}: {kept_by}"),
        count => format!(
            "{name}: {kept_by} without {} that the target had refused",
            text::counted(count, "object")
        ),
    }
}

/// How to create what is missing.
fn next_line(missing: usize, name: SettingName) -> String {
    if missing == 0 {
        return String::new();
    }
    let option = name(Setting::DefinitionsOnly);
    format!(
        "Next: remove the causes on the target, then run init with the same options and {option}.\n"
    )
}

/// The lines before the question whether a copied database is kept: what the target has refused.
pub fn list_refused_objects(database: &str, refused: &Refused, name: SettingName) -> Vec<String> {
    let count = number(refused.refusals.len() + refused.skipped.len());
    let (database, objects) = (text::clean(database), text::counted(count, "object"));
    let mut lines = list_refused(refused, Refusal::repair, name);
    lines.push(format!("Database {database} is copied without {objects}."));
    lines.push("Without an answer it is kept after 10 minutes.".to_owned());
    lines
}

/// What is missing on the target, and where the statements are.
fn missing_text(database: &DatabaseReport, name: SettingName, style: Style) -> String {
    let Some(refused) = &database.refused else {
        return String::new();
    };
    let count = number(refused.refusals.len() + refused.skipped.len());
    let objects = text::counted(count, "missing object");
    let mut out = format!("{}\n", style.bad(&objects));
    let listed = list_refused(refused, Refusal::repair, name);
    out.extend(listed.iter().map(|one| line("", one)));
    if let Some(file) = &database.missing_file {
        out.push_str(&line("statements: ", &file.display().to_string()));
    }
    out
}

fn slot_line(kept: &KeptSlot) -> String {
    let publications: Vec<String> = kept.publications.iter().map(ToString::to_string).collect();
    let kind = match kept.is_failover {
        true => "failover slot",
        false => "slot",
    };
    let text = format!(
        "of database {} retains WAL on the source; sync starts the replication of publication {} from it, and \
         teardown removes it",
        kept.database,
        publications.join(" and ")
    );
    line(&format!("{kind} {} ", kept.slot), &text)
}

fn database_text(database: &DatabaseReport, style: Style) -> String {
    let rows: Vec<[String; 5]> = database.tables.iter().map(table_row).collect();
    let columns = [
        Column::Words("table"),
        Column::Number("rows"),
        Column::Number("size"),
        Column::Number("time"),
        Column::Number("rate"),
    ];
    let mut out = format!("{}\n", style.strong(&text::clean(&database.name)));
    out.push_str(&table::render_table(columns, &rows));
    out.push_str(&summary_line(database));
    out.extend(
        database
            .differences
            .iter()
            .map(|one| line("differs: ", one)),
    );
    out
}

fn table_row(copied: &CopiedTable) -> [String; 5] {
    [
        copied.table.to_string(),
        copied.rows.to_string(),
        text::size(copied.bytes),
        text::duration(copied.elapsed),
        text::rate(copied.bytes, copied.elapsed).unwrap_or_default(),
    ]
}

fn summary_line(database: &DatabaseReport) -> String {
    let point = database
        .consistent_point
        .map_or_else(String::new, |point| format!(", consistent at {point}"));
    format!(
        "{}, {} in {}{point}; {}, {}, {}\n",
        text::counted(database.rows(), "row"),
        text::size(database.bytes()),
        text::duration(database.elapsed),
        text::counted(number(database.statements), "definition"),
        text::counted(number(database.sequences), "sequence"),
        text::counted(number(database.large_objects), "large object"),
    )
}

fn copied_body(database: &DatabaseReport, slots: &[KeptSlot]) -> DatabaseBody {
    let slot = slots.iter().find(|kept| kept.database == database.name);
    DatabaseBody::Copied {
        database: database.name.clone(),
        consistent_point: database.consistent_point.map(|point| point.to_string()),
        rows: database.rows(),
        bytes: database.bytes(),
        milliseconds: milliseconds(database.elapsed),
        tables: database.tables.iter().map(table_body).collect(),
        sequences: database.sequences,
        large_objects: database.large_objects,
        differences: database.differences.clone(),
        failed_objects: database
            .refused
            .as_deref()
            .map(failed_bodies)
            .unwrap_or_default(),
        missing_file: database
            .missing_file
            .as_ref()
            .map(|file| file.display().to_string()),
        slot: slot.map(|kept| kept.slot.as_str().to_owned()),
        failover_slot: slot.is_some_and(|kept| kept.is_failover),
    }
}

fn failed_bodies(refused: &Refused) -> Vec<FailedBody> {
    let refusals = refused.refusals.iter().map(|refusal| {
        let body = refused_body(refusal, Refusal::repair);
        FailedBody {
            object: body.object,
            statement: body.statement,
            sqlstate: body.sqlstate,
            message: Some(body.message),
            detail: body.detail,
            hint: body.hint,
            next: body.next,
            needs: None,
        }
    });
    let skipped = refused.skipped.iter().map(|skipped| FailedBody {
        object: text::clean(&skipped.object),
        statement: None,
        sqlstate: None,
        message: None,
        detail: None,
        hint: None,
        next: None,
        needs: Some(text::clean(&skipped.cause)),
    });
    refusals.chain(skipped).collect()
}

fn table_body(copied: &CopiedTable) -> TableBody {
    TableBody {
        table: copied.table.to_string(),
        rows: copied.rows,
        bytes: copied.bytes,
        milliseconds: milliseconds(copied.elapsed),
        format: copied.format.name(),
    }
}
