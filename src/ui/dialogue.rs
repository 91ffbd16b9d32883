//! The texts of the interactive selection.

use std::fmt::Write as _;

use super::text;

/// The question after the summary.
pub const PROCEED: &str = "Proceed with this configuration? [Y/n]:";

/// The question about a file for the next time.
pub const WRITE_FILE: &str = "Name of a file to save this selection in (Enter: do not save):";

/// A line of equal signs above and below the summary.
const RULE: &str = "========================================";

/// What was selected.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The databases.
    pub databases: &'a [String],
    /// Tables that are not created, as `database.table`.
    pub excluded: &'a [String],
    /// Tables that are created without rows.
    pub schema_only: &'a [String],
    /// Tables of which only recent rows are copied, with column and window.
    pub recent: &'a [String],
    /// The command that repeats the selection.
    pub command: &'a str,
}

/// `✓ Selected 2 database(s):` and a line for each name.
pub fn ticked(verb: &str, noun: &str, place: &str, names: &[String]) -> String {
    let place = text::clean(place);
    let mut lines = format!("✓ {verb} {} {noun}(s){place}:", names.len());
    for name in names {
        write!(lines, "\n  - {}", text::clean(name)).expect("a string takes any text");
    }
    lines
}

/// The summary between two rules.
pub fn summary(summary: Summary<'_>) -> String {
    let mut lines = vec![
        RULE.to_owned(),
        "Replication Configuration Summary".to_owned(),
        RULE.to_owned(),
    ];
    let parts = [
        ("Databases to replicate", "✓", summary.databases),
        ("Tables to exclude", "✗", summary.excluded),
        ("Tables without rows", "○", summary.schema_only),
        ("Tables with recent rows only", "◐", summary.recent),
    ];
    for (title, mark, names) in parts.into_iter().filter(|(_, _, names)| !names.is_empty()) {
        lines.push(format!("{title}: {}", names.len()));
        let names = names.iter().map(|name| text::clean(name));
        lines.extend(names.map(|name| format!("  {mark} {name}")));
    }
    lines.push("Equivalent command:".to_owned());
    lines.push(format!("  {}", text::clean(summary.command)));
    lines.push(RULE.to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_lists_what_was_ticked() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let shown = summary(Summary {
            databases: &names(&["app", "crm"]),
            excluded: &names(&["app.logs"]),
            schema_only: &[],
            recent: &names(&["app.events: at, last 6 months"]),
            command: "postgres-seren-replicator init --include-databases 'app,crm'",
        });
        insta::assert_snapshot!(shown, @r"
        ========================================
        Replication Configuration Summary
        ========================================
        Databases to replicate: 2
          ✓ app
          ✓ crm
        Tables to exclude: 1
          ✗ app.logs
        Tables with recent rows only: 1
          ◐ app.events: at, last 6 months
        Equivalent command:
          postgres-seren-replicator init --include-databases 'app,crm'
        ========================================
        ");
        assert_eq!(
            ticked("Excluding", "table", " from 'app'", &names(&["app.logs"])),
            "✓ Excluding 1 table(s) from 'app':\n  - app.logs"
        );
    }
}
