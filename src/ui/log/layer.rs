//! Messages of `tracing` as events.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{LogKind, LogLine, Severity};
use crate::event::WithCauses as _;
use crate::ui::{Screen, text};

/// Writes log messages to standard error as events.
#[derive(Debug)]
pub struct LogLayer(Screen);

impl LogLayer {
    /// A layer that writes to this screen.
    pub const fn new(screen: Screen) -> Self {
        Self(screen)
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut record = Record::default();
        event.record(&mut record);
        let line = LogLine::new(LogKind::Log, &record.message)
            .with_severity(severity(*event.metadata().level()))
            .with_fields(&record.fields)
            .with("target", event.metadata().target());
        self.0.show(&line);
    }
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        Level::TRACE => Severity::Trace,
    }
}

/// A log message and its fields.
#[derive(Debug, Default)]
struct Record {
    message: String,
    fields: Map<String, Value>,
}

impl Record {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.fields.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        match field.name() {
            "message" => self.message = value,
            _ => self.add(field, text::clean(&value)),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.add(field, text::clean(value)),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, text::clean(&value.chain()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }
}
