use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::LogKind;
use crate::ui::text;

/// Version of an event's form.
const SCHEMA: u32 = 1;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The command fails.
    Error,
    /// Someone should look at it.
    Warn,
    /// Information.
    Info,
    /// For diagnosis.
    Debug,
    /// For diagnosis, in detail.
    Trace,
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// A line of standard error.
#[derive(Clone, Debug)]
pub struct LogLine {
    kind: LogKind,
    severity: Severity,
    message: String,
    shown: Option<String>,
    fields: Map<String, Value>,
}

/// An event as programs read it.
#[derive(Serialize)]
struct Event<'a> {
    schema: u32,
    time: String,
    level: &'static str,
    event: &'static str,
    message: &'a str,
    fields: &'a Map<String, Value>,
}

impl LogLine {
    /// A line with this message, whose control characters are removed.
    pub fn new(kind: LogKind, message: &str) -> Self {
        Self {
            kind,
            severity: kind.severity(),
            message: text::clean(message),
            shown: None,
            fields: Map::new(),
        }
    }

    /// The same line of another severity.
    #[must_use]
    pub fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same line, which people read in another form: with a mark, in colour, on several lines. Names in it must
    /// be clean.
    #[must_use]
    pub fn shown_as(self, text: impl Into<String>) -> Self {
        Self {
            shown: Some(text.into()),
            ..self
        }
    }

    /// The same line with something before the message that people read.
    #[must_use]
    pub fn marked(self, mark: &str) -> Self {
        let text = format!("{mark}{}", self.message);
        self.shown_as(text)
    }

    /// The same line with a field for programs.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("strings and numbers are JSON");
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// The same line with the fields of a structure.
    #[must_use]
    pub fn with_fields(mut self, fields: &impl Serialize) -> Self {
        let value = serde_json::to_value(fields).expect("strings and numbers are JSON");
        if let Value::Object(fields) = value {
            self.fields.extend(fields);
        }
        self
    }

    /// What people read, without a line end.
    pub fn text(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.message)
    }

    /// What is kept of it: the message without marks.
    pub(in crate::ui) fn message(&self) -> &str {
        &self.message
    }

    /// What programs read at this time, on one line without a line end.
    pub(in crate::ui) fn json(&self, time: Timestamp) -> String {
        let event = Event {
            schema: SCHEMA,
            time: format!("{time:.3}"),
            level: self.severity.name(),
            event: self.kind.name(),
            message: &self.message,
            fields: &self.fields,
        };
        serde_json::to_string(&event).expect("strings and numbers are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_a_text_and_programs_one_object_on_one_line() {
        let line = LogLine::new(LogKind::Plan, "a\nb\u{1b}[2J")
            .shown_as("a\n  b")
            .with("tables", 3);
        assert_eq!(line.text(), "a\n  b");
        assert_eq!(
            line.json(Timestamp::UNIX_EPOCH),
            "{\"schema\":1,\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"plan\",\
             \"message\":\"a b [2J\",\"fields\":{\"tables\":3}}"
        );
    }

    #[test]
    fn a_mark_is_for_people_only() {
        let line = LogLine::new(LogKind::Warning, "late").marked("warning: ");
        assert_eq!((line.text(), line.message()), ("warning: late", "late"));
        assert!(
            line.json(Timestamp::UNIX_EPOCH)
                .contains("\"level\":\"warn\"")
        );
    }

    #[test]
    fn the_fields_of_a_structure_are_fields_of_the_event() {
        #[derive(Serialize)]
        struct Body {
            name: &'static str,
        }
        let line = LogLine::new(LogKind::Finding, "m").with_fields(&Body { name: "x" });
        let json = line.json(Timestamp::UNIX_EPOCH);
        assert!(json.ends_with("\"fields\":{\"name\":\"x\"}}"), "{json}");
    }
}
