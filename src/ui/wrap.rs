//! Line breaks between words, where a terminal would break within them.

use unicode_width::UnicodeWidthChar as _;

/// Columns by which the continuation of a line is indented, beyond the line itself.
const INDENT: usize = 2;

/// The fewest columns of text beside an indentation.
const NARROWEST: usize = 20;

/// What a shell command of ours contains: a line break would end it where it is copied into a shell.
const COMMAND: &str = "postgres-seren-replicator ";

/// Breaks each line that is wider than `columns` between words. Lines that contain a command of this program, and
/// words that are wider than a row, are left to the terminal.
pub(super) fn wrap(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| wrap_line(line, columns)).collect();
    let end = if text.ends_with('\n') { "\n" } else { "" };
    lines.join("\n") + end
}

fn wrap_line(line: &str, columns: usize) -> String {
    if width(line) <= columns || line.contains(COMMAND) {
        return line.to_owned();
    }
    let own = line.len() - line.trim_start_matches(' ').len();
    let indent = " ".repeat((own + INDENT).min(columns.saturating_sub(NARROWEST)));
    let mut rows = Vec::new();
    let mut rest = line.to_owned();
    while width(&rest) > columns {
        let Some(at) = find_break(&rest, columns) else {
            break;
        };
        let (row, behind) = rest.split_at(at);
        rows.push(row.trim_end().to_owned());
        rest = format!("{indent}{}", behind.trim_start());
    }
    rows.push(rest);
    rows.join("\n")
}

/// The last blank between words at which a row is at most so wide; the first one, if its word is wider.
fn find_break(line: &str, columns: usize) -> Option<usize> {
    let start = line.len() - line.trim_start_matches(' ').len();
    let blanks = line.match_indices(' ').map(|(at, _)| at);
    let blanks: Vec<usize> = blanks.filter(|at| *at > start).collect();
    let fitting = blanks
        .iter()
        .rev()
        .find(|at| width(&line[..**at]) <= columns);
    fitting.or(blanks.first()).copied()
}

/// Columns that a text fills; escape sequences fill none.
fn width(text: &str) -> usize {
    let mut width = 0;
    let mut is_escape = false;
    for part in text.chars() {
        match part {
            '\u{1b}' => is_escape = true,
            'm' if is_escape => is_escape = false,
            _ if is_escape => {}
            part => width += part.width().unwrap_or_default(),
        }
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINDING: &str = "error    source shop: table public.orders has no primary key and no other replica identity; \
                           pass --replica-identity-full";

    #[test]
    fn lines_break_between_words_at_80_and_at_40_columns() {
        insta::assert_snapshot!(wrap(FINDING, 80), @r"
        error    source shop: table public.orders has no primary key and no other
          replica identity; pass --replica-identity-full
        ");
        insta::assert_snapshot!(wrap(FINDING, 40), @r"
        error    source shop: table
          public.orders has no primary key and
          no other replica identity; pass
          --replica-identity-full
        ");
        for columns in 20..120 {
            for row in wrap(FINDING, columns).lines() {
                assert!(width(row) <= columns.max(23 + 2), "{columns}: {row}");
            }
        }
    }

    #[test]
    fn each_line_keeps_its_indentation() {
        let text = "  where: source, database shop\n  next: raise max_wal_senders";
        assert_eq!(
            wrap(text, 24),
            "  where: source,\n    database shop\n  next: raise\n    max_wal_senders"
        );
        // A narrow terminal has no room for indentation.
        assert_eq!(wrap("a b\n\nc d\n", 2), "a\nb\n\nc\nd\n");
    }

    #[test]
    fn what_fits_or_has_no_blank_stays_as_it_is() {
        for text in ["short", "", "\n", "0123456789012345678901234567890"] {
            assert_eq!(wrap(text, 30), text);
        }
        let command = "next: postgres-seren-replicator init --include-databases shop";
        assert_eq!(wrap(command, 40), command);
    }

    #[test]
    fn colours_fill_no_columns() {
        let text = "\u{1b}[31merror:\u{1b}[0m not there";
        assert_eq!(wrap(text, 16), text);
        assert_eq!(wrap(text, 12), "\u{1b}[31merror:\u{1b}[0m not\nthere");
    }
}
