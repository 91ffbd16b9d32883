//! The report of `init`: what was copied of each database, and the slots that remain.

use serde::Serialize;

use super::contract::{Report, milliseconds, number};
use super::table::{self, Column};
use crate::migrate::{self, DatabaseReport, KeptSlot};
use crate::snapshot::CopiedTable;
use crate::ui::{Style, text};

/// The result of `init`.
#[derive(Debug)]
pub struct Copied<'a> {
    /// What was copied.
    pub report: &'a migrate::Report,
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
        slot: Option<String>,
    },
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
            out.push_str(&line(
                "",
                &format!("{kept}: kept, finished by the interrupted run"),
            ));
        }
        for database in &report.databases {
            out.push_str(&database_text(database, style));
        }
        out.extend(report.differences.iter().map(|one| line("differs: ", one)));
        out.extend(report.slots.iter().map(slot_line));
        out + &format!("Done in {}.\n", text::duration(report.elapsed))
    }

    fn body(&self) -> CopiedBody {
        let report = self.report;
        let kept = report.kept.iter().map(|name| DatabaseBody::Kept {
            database: name.clone(),
            action: "keep",
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

fn slot_line(kept: &KeptSlot) -> String {
    let text = format!(
        "of database {} retains WAL on the source until teardown removes it; replicate from it with a subscription \
         of your own",
        kept.database
    );
    line(&format!("slot {} ", kept.slot), &text)
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
        slot: slot.map(|kept| kept.slot.as_str().to_owned()),
    }
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
