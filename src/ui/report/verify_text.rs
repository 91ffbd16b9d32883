//! The report of `verify` for people: what is equal in a few lines, and what differs at the end.

use std::error::Error;

use super::contract::number;
use crate::connect;
use crate::event::find_cause;
use crate::ui::{Style, failure, text};
use crate::verify::{
    self, Class, Contents, DatabaseReport, Mismatch, Outcome, TableReport, Verdict,
};

/// What a difference may be besides a fault.
const IN_USE: &str = "rows that change while verify runs differ: on a source in use, differences are to be expected. Stop \
     writes and repeat to be certain";

/// The report, each line ended.
pub(super) fn render_lines(report: &verify::Report, style: Style) -> String {
    let mut lines = Vec::new();
    for database in &report.databases {
        lines.extend(equal_line(database, report.strict, style));
        lines.extend(class_lines(database, Class::Equal, report.strict, style));
    }
    if !report.strict {
        lines.extend(report.databases.iter().flat_map(target_only_lines));
    }
    lines.extend(report.databases.iter().flat_map(not_followed_lines));
    lines.push(format!("- not covered: {}", verify::NOT_COVERED.join(", ")));
    // What needs attention comes last, where a reader looks first.
    for class in [Class::NotCompared, Class::Different] {
        for database in &report.databases {
            lines.extend(class_lines(database, class, report.strict, style));
        }
    }
    lines.extend(
        report
            .databases
            .iter()
            .flat_map(|database| insert_only_lines(database, report.strict)),
    );
    if report.class() == Class::Different {
        lines.push(format!("- {IN_USE}"));
    }
    lines.push(totals_line(report, style));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn mark(class: Class, style: Style) -> String {
    match class {
        Class::Equal => style.good("✓"),
        Class::Different => style.bad("✗"),
        Class::NotCompared => style.doubtful("?"),
    }
}

/// What equal tables of a database have in common: one line, since there may be thousands.
fn equal_line(database: &DatabaseReport, strict: bool, style: Style) -> Option<String> {
    let tables = database.tables().iter();
    let equal: Vec<_> = tables
        .filter(|table| table.class(strict) == Class::Equal)
        .collect();
    if equal.is_empty() {
        return None;
    }
    let rows = equal.iter().map(|table| table.verdict.rows()).sum();
    Some(format!(
        "{} {}: {} equal, {}",
        mark(Class::Equal, style),
        text::clean(&database.source),
        text::counted(number(equal.len()), "table"),
        text::counted(rows, "row"),
    ))
}

/// Tables that only the target has, where they are no differences.
fn target_only_lines(database: &DatabaseReport) -> impl Iterator<Item = String> {
    let name = text::clean(&database.source);
    let tables = database.target_only().iter();
    tables.map(move |table| format!("- {name}.{table}: only on the target"))
}

/// Tables that are copied once: their rows may differ.
fn not_followed_lines(database: &DatabaseReport) -> impl Iterator<Item = String> {
    let name = text::clean(&database.source);
    let tables = database.not_followed().iter();
    tables
        .map(move |table| format!("- {name}.{table}: not compared, its changes are not replicated"))
}

/// Insert-only tables that differ: it may be what was asked for.
fn insert_only_lines(database: &DatabaseReport, strict: bool) -> impl Iterator<Item = String> {
    let name = text::clean(&database.source);
    let tables = database.tables().iter();
    let different = tables.filter(move |table| {
        table.class(strict) == Class::Different && database.insert_only().contains(&table.name)
    });
    different.map(move |table| {
        format!(
            "- {name}.{}: insert-only, so that UPDATE and DELETE on the source are not replicated; after those it differs",
            table.name
        )
    })
}

/// Whether an equal table is more than one of many: something about it differs that does not count.
fn is_noteworthy(table: &TableReport) -> bool {
    !table.mismatches.is_empty() || matches!(table.verdict, Verdict::Moved { .. })
}

/// The lines of what is of a class: the database itself, or its tables. Of equal tables, only the noteworthy
/// ones have a line.
fn class_lines(database: &DatabaseReport, class: Class, strict: bool, style: Style) -> Vec<String> {
    let name = text::clean(&database.source);
    let mark = mark(class, style);
    match &database.outcome {
        Outcome::MissingOnTarget if class == Class::Different => {
            let target = text::clean(&database.target);
            vec![format!(
                "{mark} {name}: the target has no database {target}"
            )]
        }
        Outcome::NotCompared(reason) if class == Class::NotCompared => {
            let line = format!("{mark} {name}: {}", sentence(reason.as_ref()));
            let hint = find_cause::<connect::Error>(reason.as_ref()).and_then(connect::Error::hint);
            let next = hint.map(|hint| format!("  next: {hint}"));
            std::iter::once(line).chain(next).collect()
        }
        Outcome::MissingOnTarget | Outcome::NotCompared(_) => Vec::new(),
        Outcome::Compared {
            tables,
            target_only,
            ..
        } => {
            let is_listed = |table: &&TableReport| {
                table.class(strict) == class && (class != Class::Equal || is_noteworthy(table))
            };
            let of_class = tables.iter().filter(is_listed);
            let mut lines: Vec<_> = of_class
                .map(|table| format!("{mark} {name}.{}: {}", table.name, facts(table)))
                .collect();
            if strict && class == Class::Different {
                let extra = target_only.iter();
                lines.extend(
                    extra.map(|table| format!("{mark} {name}.{table}: only on the target")),
                );
            }
            lines
        }
    }
}

/// An error with its causes.
pub(super) fn sentence(error: &(dyn Error + 'static)) -> String {
    failure::chain(error).join(": ")
}

/// What was found in a table.
fn facts(table: &TableReport) -> String {
    let mut parts: Vec<String> = table.mismatches.iter().map(mismatch).collect();
    parts.push(verdict(&table.verdict));
    parts.join("; ")
}

fn rows(contents: Contents) -> String {
    text::counted(contents.rows, "row")
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Equal(contents) => format!("{}, {}", rows(*contents), contents.digest),
        Verdict::Different { source, target } if source.rows == target.rows => {
            let sums = sums(*source, *target);
            format!("{} on both servers, {sums}", rows(*source))
        }
        Verdict::Different { source, target } => {
            format!(
                "{} on the source, {} on the target",
                rows(*source),
                target.rows
            )
        }
        Verdict::Moved {
            root,
            source,
            target,
        } => format!(
            "{} on the source, {} on the target, equal over all partitions of {root}",
            rows(*source),
            target.rows
        ),
        Verdict::MissingOnTarget => "missing on the target".to_owned(),
        Verdict::NotCompared(reason) => sentence(reason.as_ref()),
    }
}

/// Both sums, as long as it takes to see that they differ.
fn sums(source: Contents, target: Contents) -> String {
    let (mut one, mut other) = (source.digest.to_string(), target.digest.to_string());
    if one == other {
        (one, other) = (source.digest.full(), target.digest.full());
    }
    format!("{one} on the source, {other} on the target")
}

/// What differs in a table's definition.
pub(super) fn mismatch(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::MissingOnTarget(column) => format!("column {column} is missing on the target"),
        Mismatch::OnlyOnTarget(column) => format!("column {column} is only on the target"),
        Mismatch::Type {
            column,
            source,
            target,
        } => {
            let (source, target) = (text::clean(source), text::clean(target));
            format!("column {column} is {source} on the source, {target} on the target")
        }
        Mismatch::ParentOnSource(parent) => {
            format!("on the target it is no partition or child of {parent}, which lacks its rows")
        }
        Mismatch::ParentOnTarget(parent) => {
            format!("only on the target it is a partition or child of {parent}")
        }
    }
}

fn totals_line(report: &verify::Report, style: Style) -> String {
    let (totals, class) = (report.totals(), report.class());
    let mark = mark(class, style);
    let word = match class {
        Class::Equal => "equal",
        Class::Different => "different",
        Class::NotCompared => "not everything could be compared",
    };
    let mut line = format!(
        "{mark} {}: {}, {}, {} equal, {} different, {} not compared",
        style.strong(word),
        text::counted(totals.tables, "table"),
        text::counted(totals.rows, "row"),
        totals.equal,
        totals.different,
        totals.not_compared,
    );
    let count = |is_of: fn(&Outcome) -> bool| {
        let databases = report.databases.iter();
        number(databases.filter(|one| is_of(&one.outcome)).count())
    };
    // Their tables are in none of these numbers.
    let missing = count(|outcome| matches!(outcome, Outcome::MissingOnTarget));
    let unknown = count(|outcome| matches!(outcome, Outcome::NotCompared(_)));
    for (databases, what) in [
        (missing, "missing on the target"),
        (unknown, "not compared"),
    ] {
        if databases > 0 {
            let databases = text::counted(databases, "database");
            line.push_str("; ");
            line.push_str(&databases);
            line.push(' ');
            line.push_str(what);
        }
    }
    line
}
