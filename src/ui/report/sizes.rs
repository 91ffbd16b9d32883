//! The table of sizes and times that `init` shows before its question.

use std::fmt::Write as _;

use serde::Serialize;

use crate::ui::{LogKind, LogLine, text};

/// Bytes per hour when nothing could be measured.
const DEFAULT_BYTES_PER_HOUR: u64 = 20 << 30;

/// Widths of the columns; the first grows with the longest name.
const COLUMNS: [usize; 3] = [20, 12, 15];

/// Length of the rules when no name is longer than its column.
const RULE: usize = 50;

/// A database and what it will take to copy it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Estimate {
    /// The database on the source.
    database: String,
    /// Bytes that will be copied.
    bytes: u64,
    /// Whole seconds that this takes.
    seconds: u64,
}

impl Estimate {
    /// An estimate from a rate; a rate of 0 means [`DEFAULT_BYTES_PER_HOUR`].
    pub(super) fn new(database: impl Into<String>, bytes: u64, bytes_per_hour: u64) -> Self {
        let rate = match bytes_per_hour {
            0 => DEFAULT_BYTES_PER_HOUR,
            rate => rate,
        };
        let seconds = u128::from(bytes) * 3600 / u128::from(rate);
        Self {
            database: database.into(),
            bytes,
            seconds: u64::try_from(seconds).unwrap_or(u64::MAX),
        }
    }
}

/// The table for people, and its numbers for programs.
pub(super) fn render_line(estimates: &[Estimate]) -> LogLine {
    LogLine::new(LogKind::Sizes, &total(estimates))
        .shown_as(render_sizes(estimates).trim_end())
        .with("databases", estimates)
}

/// The table, each line ended.
fn render_sizes(estimates: &[Estimate]) -> String {
    let names: Vec<String> = estimates
        .iter()
        .map(|one| text::clean(&one.database))
        .collect();
    let longest = names.iter().map(|name| name.chars().count()).max();
    let first = longest.unwrap_or(0).max(COLUMNS[0]);
    let rule = "─".repeat(RULE + first - COLUMNS[0]);
    let mut out = line(first, ["Database", "Size", "Est. Time"]);
    out.push_str(&rule);
    out.push('\n');
    for (estimate, name) in estimates.iter().zip(&names) {
        let (size, time) = (text::size(estimate.bytes), text::estimate(estimate.seconds));
        out.push_str(&line(first, [name, &size, &time]));
    }
    let total = total(estimates);
    writeln!(out, "{rule}\n{total}").expect("a String takes all text");
    out
}

fn total(estimates: &[Estimate]) -> String {
    let bytes = estimates.iter().map(|one| one.bytes).sum();
    let seconds = estimates.iter().map(|one| one.seconds).sum();
    let (bytes, seconds) = (text::size(bytes), text::estimate(seconds));
    format!("Total: {bytes} (estimated {seconds})")
}

fn line(first: usize, cells: [&str; 3]) -> String {
    let [name, size, time] = cells;
    let [_, second, third] = COLUMNS;
    let padded = format!("{name:<first$} {size:<second$} {time:<third$}");
    format!("{}\n", padded.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    #[test]
    fn the_table_has_the_promised_form() {
        let shown = render_sizes(&[
            Estimate::new("myapp", 15 * GB, 0),
            Estimate::new("analytics", 250 * GB, 0),
            Estimate::new("small", 2 * GB, DEFAULT_BYTES_PER_HOUR),
        ]);
        let rule = "─".repeat(50);
        assert_eq!(
            shown,
            format!(
                "Database             Size         Est. Time\n\
                 {rule}\n\
                 myapp                15.0 GB      ~45.0 minutes\n\
                 analytics            250.0 GB     ~12.5 hours\n\
                 small                2.0 GB       ~6.0 minutes\n\
                 {rule}\n\
                 Total: 267.0 GB (estimated ~13.3 hours)\n"
            )
        );
    }

    #[test]
    fn a_long_name_widens_the_table() {
        let name = "x".repeat(63);
        let shown = render_sizes(&[Estimate::new(name.clone(), 0, 0)]);
        let mut lines = shown.lines();
        assert_eq!(lines.next().unwrap().find("Size"), Some(64));
        assert_eq!(lines.next().unwrap().chars().count(), 93);
        assert_eq!(
            lines.next().unwrap(),
            format!("{name} 0.0 B        ~0 seconds")
        );
    }
}
