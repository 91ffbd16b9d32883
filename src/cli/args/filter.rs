//! Reads the filters of tables from the command line.

use super::selection::parse_entry;
use crate::cli::Error;
use crate::pg::Ident;
use crate::predicate::{Predicate, Window};
use crate::selection::quoted::next_item;
use crate::selection::{Entry, Rule, RuleEntry, TimeFilter};

const TABLE_FILTER: &str = "--table-filter";
const TIME_FILTER: &str = "--time-filter";

/// Reads `[db.]table:predicate`.
///
/// # Errors
/// The text has no colon, or the text before it is no name, or the text after it no predicate.
pub(super) fn parse_table_filter(text: &str) -> Result<RuleEntry, Error> {
    let (table, predicate) = split_at_colon(text)
        .ok_or_else(|| wrong_form(TABLE_FILTER, text, "[database.]table:predicate"))?;
    let entry = parse_entry(TABLE_FILTER, table)?;
    let predicate = Predicate::parse(predicate).map_err(|fault| Error::Predicate {
        flag: TABLE_FILTER,
        table: entry.to_string(),
        text: predicate.to_owned(),
        fault,
    })?;
    Ok(RuleEntry {
        entry,
        rule: Rule::Filter(predicate),
    })
}

/// Reads `[db.]table:column:window`.
///
/// # Errors
/// The text has not two colons, or a part is no name or no window.
pub(super) fn parse_time_filter(text: &str) -> Result<RuleEntry, Error> {
    let wrong = || wrong_form(TIME_FILTER, text, "[database.]table:column:window");
    let (table, rest) = split_at_colon(text).ok_or_else(wrong)?;
    let entry: Entry = parse_entry(TIME_FILTER, table)?;
    let (column, window) = next_item(rest, ':').ok_or_else(wrong)?;
    let window = window.filter(|_| !column.is_empty()).ok_or_else(wrong)?;
    let window = Window::parse(window).map_err(|error| Error::Usage {
        message: format!("{TIME_FILTER}: {error}"),
    })?;
    let column = Ident::from_catalog(column);
    Ok(RuleEntry {
        entry,
        rule: Rule::TimeFilter(TimeFilter { column, window }),
    })
}

/// The table's name, quotes included, and what follows the first colon outside double quotes.
fn split_at_colon(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let at = text.char_indices().find(|(_, letter)| {
        is_quoted ^= *letter == '"';
        *letter == ':' && !is_quoted
    });
    let (at, _) = at?;
    Some((text[..at].trim(), &text[at + 1..]))
}

fn wrong_form(flag: &'static str, text: &str, form: &str) -> Error {
    Error::Usage {
        message: format!("{flag}: {text} is not {form}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_filter(text: &str) -> (String, String) {
        let RuleEntry { entry, rule } = parse_table_filter(text).unwrap();
        let Rule::Filter(predicate) = rule else {
            panic!("{rule:?}")
        };
        (entry.to_string(), predicate.to_string())
    }

    #[test]
    fn a_table_filter_is_split_at_the_first_colon_outside_quotes() {
        let cases = [
            ("t:a = 1", "t", "a = 1"),
            (
                "d.t : a::date > '2026-01-01', b",
                "d.t",
                "a::date > '2026-01-01', b",
            ),
            (
                "d.\"s:x\".\"a.b\":c IN (1,2)",
                "d.\"s:x\".\"a.b\"",
                "c IN (1,2)",
            ),
            ("t:true", "t", "true"),
        ];
        for (text, entry, predicate) in cases {
            let wanted = (entry.to_owned(), predicate.to_owned());
            assert_eq!(table_filter(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_a_usage_error() {
        let wrong = [
            "t",
            "",
            ":a",
            "t:",
            "a.b.c.d:x",
            "t:a)",
            "t:a; b",
            "t:a -- b",
            "t:$1",
            "\"t:a",
            "t:'a",
        ];
        for text in wrong {
            assert!(parse_table_filter(text).is_err(), "{text}");
        }
        let wrong = [
            "t",
            "t:c",
            "t::1 day",
            "t:c:",
            "t:c:0 days",
            "t:c:1 day:x",
            "t:c:6 fortnights",
            ":c:1 day",
        ];
        for text in wrong {
            assert!(parse_time_filter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_filter_has_a_column_and_a_window() {
        let RuleEntry { entry, rule } = parse_time_filter("a.m:\"odd:Col\": 6 Months").unwrap();
        let Rule::TimeFilter(TimeFilter { column, window }) = rule else {
            panic!("{rule:?}")
        };
        assert_eq!(
            (entry.to_string(), column.as_str(), window.to_string()),
            ("a.m".to_owned(), "odd:Col", "6 months".to_owned())
        );
    }
}
