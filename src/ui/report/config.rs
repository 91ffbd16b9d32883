//! The report of `config show`: the values that a run uses, each with its origin.

use std::path::PathBuf;

use serde::Serialize;

use super::contract::Report;
use super::table::{Column, render_table};
use crate::config::{Effective, Source, Sourced};
use crate::selection::quoted::quote_name;
use crate::selection::{Databases, Entry, Rule, RuleEntry, Tables};
use crate::ui::{Style, text};

/// A server without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownServer {
    /// The role that connects.
    pub role: String,
    /// Hosts and ports.
    pub place: String,
    /// The database that is connected to first.
    pub database: String,
}

/// The configuration of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownConfig {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// The source.
    pub source: Sourced<Option<ShownServer>>,
    /// The target.
    pub target: Sourced<Option<ShownServer>>,
    /// The time that filters use as the current time; only an option of the command line can set it.
    pub as_of: Option<String>,
    /// Everything else.
    pub effective: Effective,
}

/// The report for programs.
#[derive(Debug, Serialize)]
pub struct ConfigBody {
    file: Option<String>,
    settings: Vec<SettingBody>,
    rules: Vec<RuleBody>,
}

/// A setting with its value and origin.
#[derive(Debug, Serialize)]
struct SettingBody {
    setting: &'static str,
    value: ValueBody,
    #[serde(flatten)]
    origin: OriginBody,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ValueBody {
    Text(Option<String>),
    List(Vec<String>),
    Number(Option<u16>),
}

/// Where a value comes from.
#[derive(Debug, Serialize)]
struct OriginBody {
    origin: &'static str,
    variable: Option<&'static str>,
    line: Option<usize>,
    column: Option<usize>,
}

/// A rule with its origin.
#[derive(Debug, Serialize)]
struct RuleBody {
    rule: &'static str,
    database: Option<String>,
    table: String,
    condition: Option<String>,
    replaced: bool,
    #[serde(flatten)]
    origin: OriginBody,
}

/// What a setting is set to.
enum Value {
    Server(Option<String>),
    AsOf(Option<String>),
    /// All databases, or all tables.
    All,
    List(Vec<Listed>),
    Jobs(Option<u16>),
}

/// An item of a list. It has a place of its own if it is a table.
struct Listed {
    name: String,
    source: Source,
}

/// A setting as both reports need it.
struct Setting {
    name: &'static str,
    value: Value,
    source: Source,
}

impl Report for ShownConfig {
    type Body = ConfigBody;

    fn command(&self) -> &'static str {
        "config"
    }

    fn render_text(&self, _: Style) -> String {
        let columns = ["setting", "value", "origin"].map(Column::Words);
        let settings = self.settings().into_iter();
        let rows = settings.flat_map(|setting| self.setting_rows(setting));
        let rules = self.effective.rules.entries.iter();
        let rows = rows.chain(rules.map(|rule| self.rule_row(rule)));
        render_table(columns, &rows.collect::<Vec<_>>())
    }

    fn body(&self) -> ConfigBody {
        let settings = self.settings().into_iter();
        let rules = self.effective.rules.entries.iter();
        ConfigBody {
            file: self.file_name(),
            settings: settings.map(Setting::into_body).collect(),
            rules: rules.map(|rule| self.rule_body(rule)).collect(),
        }
    }
}

impl ShownConfig {
    fn file_name(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(text::clean(&file.display().to_string()))
    }

    fn settings(&self) -> Vec<Setting> {
        let Effective {
            databases,
            tables,
            rules: _,
            jobs,
        } = &self.effective;
        vec![
            show_server("source", &self.source),
            show_server("target", &self.target),
            show_databases(databases),
            show_tables(tables),
            Setting {
                name: "as_of",
                value: Value::AsOf(self.as_of.clone()),
                source: match self.as_of {
                    Some(_) => Source::CommandLine,
                    None => Source::Default,
                },
            },
            Setting {
                name: "jobs",
                value: Value::Jobs(jobs.value),
                source: jobs.source,
            },
        ]
    }

    fn render_source(&self, source: Source) -> String {
        match source {
            Source::Default => "default".to_owned(),
            Source::Environment(variable) => format!("environment variable {variable}"),
            Source::CommandLine => "command line".to_owned(),
            Source::File(position) => {
                let file = self.file_name().unwrap_or_default();
                format!("{file}:{position}")
            }
        }
    }

    fn setting_rows(&self, setting: Setting) -> Vec<[String; 3]> {
        let Setting {
            name,
            value,
            source,
        } = setting;
        let row = |value: String, source| [name.to_owned(), value, self.render_source(source)];
        match value {
            Value::Server(server) => {
                vec![row(server.unwrap_or_else(|| "not set".to_owned()), source)]
            }
            Value::AsOf(instant) => {
                let automatic = || "time of the source when the run begins".to_owned();
                vec![row(instant.unwrap_or_else(automatic), source)]
            }
            Value::All => vec![row("all".to_owned(), source)],
            Value::List(items) => {
                let items = items.into_iter();
                items.map(|item| row(item.name, item.source)).collect()
            }
            Value::Jobs(jobs) => {
                let automatic = || "number of CPU cores, at most 8".to_owned();
                vec![row(
                    jobs.map_or_else(automatic, |jobs| jobs.to_string()),
                    source,
                )]
            }
        }
    }

    fn rule_row(&self, rule: &RuleEntry) -> [String; 3] {
        let entry = &rule.entry;
        let table = match entry.section() {
            Some(database) => format!("{}.{}", quote_name(database), name_in_section(entry)),
            None => entry.quoted(),
        };
        let value = match condition(&rule.rule) {
            Some(condition) => format!("{table}: {condition}"),
            None => table,
        };
        let origin = self.render_source(entry.origin().into());
        let replaced = match self.effective.replaces(entry) {
            true => ", replaced by the command line",
            false => "",
        };
        [
            rule_name(&rule.rule).to_owned(),
            value,
            format!("{origin}{replaced}"),
        ]
    }

    fn rule_body(&self, rule: &RuleEntry) -> RuleBody {
        let entry = &rule.entry;
        let table = match entry.section() {
            Some(_) => name_in_section(entry),
            None => entry.quoted(),
        };
        RuleBody {
            rule: rule_name(&rule.rule),
            database: entry.section().map(text::clean),
            table: text::clean(&table),
            condition: condition(&rule.rule).map(|text| text::clean(&text)),
            replaced: self.effective.replaces(entry),
            origin: OriginBody::new(entry.origin().into()),
        }
    }
}

fn show_server(name: &'static str, server: &Sourced<Option<ShownServer>>) -> Setting {
    let shown = server.value.as_ref().map(|server| {
        let ShownServer {
            role,
            place,
            database,
        } = server;
        format!("{role}@{place}/{database}")
    });
    Setting {
        name,
        value: Value::Server(shown),
        source: server.source,
    }
}

fn show_databases(databases: &Sourced<Databases>) -> Setting {
    let source = databases.source;
    let list = |names: &[String]| {
        let names = names.iter().map(|name| Listed {
            name: quote_name(name),
            source,
        });
        Value::List(names.collect())
    };
    let (name, value) = match &databases.value {
        Databases::All => ("include_databases", Value::All),
        Databases::Only(names) => ("include_databases", list(names)),
        Databases::AllBut(names) => ("exclude_databases", list(names)),
    };
    Setting {
        name,
        value,
        source,
    }
}

fn show_tables(tables: &Sourced<Tables>) -> Setting {
    let list = |entries: &[Entry]| {
        let entries = entries.iter().map(|entry| Listed {
            name: entry.quoted(),
            source: entry.origin().into(),
        });
        Value::List(entries.collect())
    };
    let (name, value) = match &tables.value {
        Tables::All => ("include_tables", Value::All),
        Tables::Only(entries) => ("include_tables", list(entries)),
        Tables::AllBut(entries) => ("exclude_tables", list(entries)),
    };
    Setting {
        name,
        value,
        source: tables.source,
    }
}

impl Setting {
    fn into_body(self) -> SettingBody {
        let value = match self.value {
            Value::Server(text) | Value::AsOf(text) => {
                ValueBody::Text(text.map(|text| text::clean(&text)))
            }
            Value::All => ValueBody::List(Vec::new()),
            Value::List(items) => {
                let names = items.into_iter().map(|item| text::clean(&item.name));
                ValueBody::List(names.collect())
            }
            Value::Jobs(jobs) => ValueBody::Number(jobs),
        };
        SettingBody {
            setting: self.name,
            value,
            origin: OriginBody::new(self.source),
        }
    }
}

impl OriginBody {
    fn new(source: Source) -> Self {
        let (origin, variable, position) = match source {
            Source::Default => ("default", None, None),
            Source::Environment(variable) => ("environment", Some(variable), None),
            Source::CommandLine => ("command line", None, None),
            Source::File(position) => ("file", None, Some(position)),
        };
        Self {
            origin,
            variable,
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
        }
    }
}

/// Schema and table, as a list takes them.
fn name_in_section(entry: &Entry) -> String {
    let name = entry.name_in_section();
    format!(
        "{}.{}",
        quote_name(name.schema.as_str()),
        quote_name(name.name.as_str())
    )
}

/// The key of the rule in a section.
const fn rule_name(rule: &Rule) -> &'static str {
    match rule {
        Rule::SchemaOnly => "schema_only",
        Rule::SnapshotOnly => "snapshot_only",
        Rule::InsertOnly => "insert_only",
        Rule::Filter(_) => "table_filters",
        Rule::TimeFilter(_) => "time_filters",
    }
}

/// Which rows a rule selects.
fn condition(rule: &Rule) -> Option<String> {
    match rule {
        Rule::SchemaOnly | Rule::SnapshotOnly | Rule::InsertOnly => None,
        Rule::Filter(predicate) => Some(predicate.text().to_owned()),
        Rule::TimeFilter(filter) => {
            let column = quote_name(filter.column.as_str());
            Some(format!("{column}, last {}", filter.window))
        }
    }
}
