use std::time::Duration;

use serde::Serialize;

use crate::ui::{Style, text};

/// What a command reports at its end.
pub trait Report {
    /// Its form for programs: the fields of the JSON report that are the command's own. A field
    /// `databases` lists databases and nothing else.
    type Body: Serialize;

    /// The command, such as `verify`.
    fn command(&self) -> &'static str;

    /// The report for people, each line ended. Names from servers must be clean
    /// ([`clean`](crate::ui::text::clean), or the `Display` of names).
    fn render_text(&self, style: Style) -> String;

    /// The report for programs.
    fn body(&self) -> Self::Body;

    /// What to do next, the line ended.
    fn render_next(&self, next: &str) -> String {
        format!("next: {}\n", text::clean(next))
    }

    /// Whether its lines may be broken between words.
    fn is_prose(&self) -> bool {
        true
    }

    /// Warnings that no event has reported.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Whole milliseconds, for programs.
pub(in crate::ui) fn milliseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// A number of things, for [`counted`](crate::ui::text::counted).
pub(in crate::ui) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
