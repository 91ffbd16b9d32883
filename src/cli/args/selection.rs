use std::path::{Path, PathBuf};

use clap::ValueHint;

use super::filter::{parse_table_filter, parse_time_filter};
use crate::cli::Error;
use crate::cluster::{AsOf, RunInstant, Wanted};
use crate::config::{self, Effective, Flags};
use crate::connect::Endpoint;
use crate::migrate;
use crate::pg::Sides;
use crate::selection::quoted::{cut, split_parts, unquoted};
use crate::selection::{Databases, Entry, ObjectEntry, Rule, RuleEntry, Rules, Tables};

/// Which databases take part.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(in crate::cli) struct DatabaseSelection {
    /// Select only these databases; exact names, comma-separated, repeatable
    #[arg(long, value_name = "LIST", conflicts_with = "exclude_databases")]
    include_databases: Vec<String>,

    /// Select all databases except these; comma-separated, repeatable
    #[arg(long, value_name = "LIST")]
    exclude_databases: Vec<String>,
}

/// Which databases and tables take part.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(in crate::cli) struct Selection {
    #[command(flatten)]
    databases: DatabaseSelection,

    /// Select only these tables; comma-separated, repeatable
    ///
    /// A name is table, database.table or database.schema.table. A name without database applies to every
    /// database. Databases without a selected table are skipped.
    #[arg(long, value_name = "LIST", conflicts_with = "exclude_tables")]
    include_tables: Vec<String>,

    /// Select all tables except these; same form
    #[arg(long, value_name = "LIST")]
    exclude_tables: Vec<String>,

    /// Create only the definition of these tables: no rows, no later changes
    ///
    /// The list is comma-separated and repeatable. A name is table, schema.table, database.table or
    /// database.schema.table. A rule on a partitioned table applies to all partitions; single partitions may be named.
    #[arg(long, value_name = "LIST")]
    schema_only_tables: Vec<String>,

    /// Copy the rows of these tables, and do not replicate their later changes; same form
    #[arg(long, value_name = "LIST", hide_short_help = true)]
    snapshot_only_tables: Vec<String>,

    /// Of the later changes of these tables, replicate only INSERT and TRUNCATE; same form
    ///
    /// Such a table needs no replica identity. UPDATE and DELETE on the source have no effect on the target. Its changes
    /// go through a publication of their own, whose name ends with _inserts.
    #[arg(long, value_name = "LIST", hide_short_help = true)]
    insert_only_tables: Vec<String>,

    /// Copy and replicate only the rows of a table that meet a predicate; repeatable
    ///
    /// The first colon ends the table's name. The predicate is an SQL expression on the table's columns; its functions
    /// and types are looked up in the table's schema, then in public. The current time in it is replaced by one
    /// constant for the whole run. The predicate true selects all rows.
    #[arg(long, value_name = "[DB.]TABLE:PREDICATE")]
    table_filter: Vec<String>,

    /// Copy and replicate only the rows of a table since a time, such as events:created_at:6 months; repeatable
    ///
    /// The column must be a timestamp or a date. The window is a whole number of seconds, minutes, hours, days, weeks,
    /// months or years before the run. It does not move on: rows that grow old stay on the target.
    #[arg(long, value_name = "[DB.]TABLE:COLUMN:WINDOW")]
    time_filter: Vec<String>,

    /// The time that filters use as the current time [default: the time of the source when the run begins]
    #[arg(long, value_name = "TIMESTAMP", hide_short_help = true)]
    as_of: Option<String>,

    /// Read selection and rules from a TOML file; options take precedence
    ///
    /// The file can also set the number of workers. A list on the command line replaces the list of the file on the same
    /// subject. A rule replaces the rule of the file on the same table. The command config example prints a file with all
    /// keys.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
}

impl DatabaseSelection {
    /// The databases asked for.
    ///
    /// # Errors
    /// An item is empty or a quote is left open.
    pub(in crate::cli) fn databases(&self) -> Result<Databases, Error> {
        let include = items("--include-databases", &self.include_databases)?;
        let exclude = items("--exclude-databases", &self.exclude_databases)?;
        Ok(match (include.is_empty(), exclude.is_empty()) {
            (true, true) => Databases::All,
            (false, _) => Databases::Only(include),
            (true, false) => Databases::AllBut(exclude),
        })
    }
}

impl Selection {
    /// The configuration file.
    pub(in crate::cli) fn config_file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// What options and the configuration file come to, with the option for the number of workers.
    ///
    /// # Errors
    /// A list or a name of an option cannot be read, or something is wrong with the file.
    pub(in crate::cli) fn resolve(&self, jobs: Option<u16>) -> Result<Effective, Error> {
        let flags = Flags {
            databases: self.databases.databases()?,
            tables: self.tables()?,
            rules: self.rules()?,
            jobs,
        };
        let file = self.config.as_deref().map(config::read_file);
        let file = file.transpose()?.unwrap_or_default();
        Ok(Effective::merge(flags, file))
    }

    /// The tables asked for.
    fn tables(&self) -> Result<Tables, Error> {
        let include = entries("--include-tables", &self.include_tables)?;
        let exclude = entries("--exclude-tables", &self.exclude_tables)?;
        Ok(match (include.is_empty(), exclude.is_empty()) {
            (true, true) => Tables::All,
            (false, _) => Tables::Only(include),
            (true, false) => Tables::AllBut(exclude),
        })
    }
}

impl Selection {
    /// Whether any flag selects something or has a rule, or names a file that does: then nobody is asked.
    pub(in crate::cli) fn is_given(&self) -> bool {
        let DatabaseSelection {
            include_databases,
            exclude_databases,
        } = &self.databases;
        [
            include_databases,
            exclude_databases,
            &self.include_tables,
            &self.exclude_tables,
            &self.schema_only_tables,
            &self.snapshot_only_tables,
            &self.insert_only_tables,
            &self.table_filter,
            &self.time_filter,
        ]
        .into_iter()
        .any(|list| !list.is_empty())
            || self.config.is_some()
    }

    /// The time that filters use as the current time, if the user gives one.
    pub(in crate::cli) fn as_of(&self) -> Option<String> {
        self.as_of.clone()
    }

    /// The instant that the latest run between two servers has recorded, where filters need it and the user gives none.
    /// The folder of the state is only looked for in this case.
    ///
    /// # Errors
    /// The folder is required and not known, a server cannot be reached, or the state cannot be read.
    pub(in crate::cli) async fn recorded_instant(
        &self,
        rules: &Rules,
        servers: Sides<&Endpoint>,
        root: impl FnOnce() -> Result<Option<PathBuf>, Error>,
    ) -> Result<Option<RunInstant>, Error> {
        if self.as_of.is_some() || !rules.have_filters() {
            return Ok(None);
        }
        match root()? {
            Some(root) => Ok(migrate::load_recorded_instant(servers, &root).await?),
            None => Ok(None),
        }
    }

    /// What selects databases and tables of a copy that exists already. The time of its filters is what the user gives or
    /// what was recorded, never now.
    pub(in crate::cli) fn of_copy<'a>(
        &'a self,
        chosen: &'a Effective,
        recorded: Option<&'a RunInstant>,
    ) -> Wanted<'a> {
        Wanted {
            databases: &chosen.databases.value,
            tables: &chosen.tables.value,
            rules: &chosen.rules,
            as_of: AsOf::choose(self.as_of.as_deref(), recorded, AsOf::Unknown),
        }
    }

    /// The rules of tables.
    fn rules(&self) -> Result<Vec<RuleEntry>, Error> {
        let lists = [
            (
                "--schema-only-tables",
                &self.schema_only_tables,
                Rule::SchemaOnly,
            ),
            (
                "--snapshot-only-tables",
                &self.snapshot_only_tables,
                Rule::SnapshotOnly,
            ),
            (
                "--insert-only-tables",
                &self.insert_only_tables,
                Rule::InsertOnly,
            ),
        ];
        let mut rules = Vec::new();
        for (flag, list, rule) in lists {
            let entries = entries(flag, list)?.into_iter();
            rules.extend(entries.map(|entry| RuleEntry {
                entry,
                rule: rule.clone(),
            }));
        }
        for text in &self.table_filter {
            rules.push(parse_table_filter(text)?);
        }
        for text in &self.time_filter {
            rules.push(parse_time_filter(text)?);
        }
        Ok(rules)
    }
}

/// Splits at commas outside double quotes and removes the quotes, two in a row mean one.
pub(super) fn items(flag: &'static str, lists: &[String]) -> Result<Vec<String>, Error> {
    let raw = raw_items(flag, lists)?;
    Ok(raw.into_iter().map(unquoted).collect())
}

/// Names of tables.
fn entries(flag: &'static str, lists: &[String]) -> Result<Vec<Entry>, Error> {
    let raw = raw_items(flag, lists)?;
    raw.into_iter().map(|raw| parse_entry(flag, raw)).collect()
}

/// Reads the name of a table, whose parts are split at dots outside double quotes.
///
/// # Errors
/// It has too many parts, an empty one or an open quote.
pub(super) fn parse_entry(flag: &'static str, raw: &str) -> Result<Entry, Error> {
    Entry::parse(raw).ok_or_else(|| Error::Usage {
        message: format!(
            "{flag}: {raw} is not table, database.table, schema.table or database.schema.table; \
             double quotes keep a dot"
        ),
    })
}

/// Names of views, functions, triggers, indexes and constraints: split like those of tables.
pub(super) fn object_entries(
    flag: &'static str,
    lists: &[String],
) -> Result<Vec<ObjectEntry>, Error> {
    let wrong = |raw: &str| Error::Usage {
        message: format!(
            "{flag}: {raw} is not object, schema.object, schema.table.object, database.schema.object or \
             database.schema.table.object; double quotes keep a dot"
        ),
    };
    let entry = |raw: &str| split_parts(raw).and_then(ObjectEntry::new);
    let raw = raw_items(flag, lists)?;
    raw.into_iter()
        .map(|raw| entry(raw).ok_or_else(|| wrong(raw)))
        .collect()
}

/// Splits at commas outside double quotes, which stay.
fn raw_items<'a>(flag: &'static str, lists: &'a [String]) -> Result<Vec<&'a str>, Error> {
    let mut found = Vec::new();
    for list in lists {
        let mut rest = Some(list.as_str());
        while let Some(text) = rest {
            let (item, after) = cut(text, ',').ok_or(Error::OpenQuote {
                flag,
                text: list.clone(),
            })?;
            if unquoted(item).is_empty() {
                return Err(Error::EmptyItem {
                    flag,
                    text: list.clone(),
                });
            }
            found.push(item);
            rest = after;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<String>, Error> {
        items("--x", &[text.to_owned()])
    }

    #[test]
    fn items_are_trimmed_and_quotes_keep_commas_and_blanks() {
        assert_eq!(split("a, b ,c").unwrap(), ["a", "b", "c"]);
        assert_eq!(split(r#""a,b"," c ""d" "#).unwrap(), ["a,b", " c \"d"]);
    }

    #[test]
    fn a_table_has_up_to_three_parts_and_quotes_keep_dots() {
        let entries = |text: &str| entries("--x", &[text.to_owned()]);
        let parts = |parts: &[&str]| Entry::new(parts.iter().map(|&p| p.to_owned()).collect());
        assert_eq!(
            entries(r#"t, d.t ,"a.b"."c,""d" . t"#).unwrap(),
            [
                parts(&["t"]),
                parts(&["d", "t"]),
                parts(&["a.b", "c,\"d", "t"])
            ]
            .map(Option::unwrap)
        );
        for text in ["a.b.c.d", ".t", "t.", "a..b", "\"\".t", "", "a,,b", "\"a"] {
            assert!(entries(text).is_err(), "{text}");
        }
    }

    #[test]
    fn empty_items_and_open_quotes_are_usage_errors() {
        for text in ["", "a,", ",a", "a,,b", "\"a"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
