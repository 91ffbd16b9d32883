//! What a user has ticked, as options, as a summary, and as the command that repeats it.

use super::NAME;
use super::next::RepeatedOption;
use crate::migrate::Options;
use crate::pg::QualifiedName;
use crate::selection::quoted::quote_name;
use crate::selection::{Databases, Entry, Rule, RuleEntry, Rules, Tables, TimeFilter};
use crate::ui::{dialogue, shell_quote, shell_quoted};

/// A table of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedTable {
    database: String,
    name: QualifiedName,
}

/// A table of which only recent rows are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecentRows {
    pub(super) table: NamedTable,
    pub(super) filter: TimeFilter,
}

/// What the user has ticked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticked {
    pub(super) databases: Vec<String>,
    pub(super) excluded: Vec<NamedTable>,
    pub(super) schema_only: Vec<NamedTable>,
    pub(super) recent: Vec<RecentRows>,
}

/// The name of a table within its database; those of `public` without the schema.
pub(super) fn shown_in_database(name: &QualifiedName) -> String {
    match name.schema.as_str() {
        "public" => name.name.as_str().to_owned(),
        schema => format!("{schema}.{}", name.name.as_str()),
    }
}

impl NamedTable {
    pub(super) fn new(database: &str, name: &QualifiedName) -> Self {
        Self {
            database: database.to_owned(),
            name: name.clone(),
        }
    }

    /// `database.table`, for people.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.database, shown_in_database(&self.name))
    }

    /// The table as a flag takes it, in three parts.
    fn entry(&self) -> Entry {
        let parts = [
            self.database.as_str(),
            self.name.schema.as_str(),
            self.name.name.as_str(),
        ];
        Entry::new(parts.map(str::to_owned).to_vec()).expect("no name in a catalog is empty")
    }
}

impl RecentRows {
    /// The table, the column and the window, for people.
    fn shown(&self) -> String {
        let TimeFilter { column, window } = &self.filter;
        format!("{}: {}, last {window}", self.table.shown(), column.as_str())
    }
}

impl Ticked {
    /// The options with this selection.
    pub(super) fn complete(&self, options: Options) -> Options {
        Options {
            tables: self.tables(),
            rules: Rules::of_command_line(self.rules()),
            databases: Databases::Only(self.databases.clone()),
            ..options
        }
    }

    fn tables(&self) -> Tables {
        let excluded: Vec<Entry> = self.excluded.iter().map(NamedTable::entry).collect();
        match excluded.is_empty() {
            true => Tables::All,
            false => Tables::AllBut(excluded),
        }
    }

    fn rules(&self) -> Vec<RuleEntry> {
        let schema_only = self.schema_only.iter().map(|table| RuleEntry {
            entry: table.entry(),
            rule: Rule::SchemaOnly,
        });
        let recent = self.recent.iter().map(|one| RuleEntry {
            entry: one.table.entry(),
            rule: Rule::TimeFilter(one.filter.clone()),
        });
        schema_only.chain(recent).collect()
    }

    pub(super) fn render_summary(&self, command: &str) -> String {
        let shown = |tables: &[NamedTable]| tables.iter().map(NamedTable::shown).collect();
        let (excluded, schema_only): (Vec<_>, Vec<_>) =
            (shown(&self.excluded), shown(&self.schema_only));
        let recent: Vec<String> = self.recent.iter().map(RecentRows::shown).collect();
        let given = repeated_arguments(std::env::args().skip(1), command);
        let given = given.iter().map(|argument| shell_quoted(argument));
        let begin = [NAME.to_owned(), command.to_owned()].into_iter();
        let selection = self.repeat().into_iter();
        let selection = selection.map(|option| option.to_string());
        let command: Vec<String> = begin.chain(given).chain(selection).collect();
        dialogue::summary(dialogue::Summary {
            databases: &self.databases,
            excluded: &excluded,
            schema_only: &schema_only,
            recent: &recent,
            command: &command.join(" "),
        })
    }

    /// The options of the command line that select the same.
    fn repeat(&self) -> Vec<RepeatedOption> {
        let databases = Databases::Only(self.databases.clone());
        repeat_selection(&databases, &self.tables(), &self.rules())
    }
}

/// The options of the command line that select the same.
pub(super) fn repeat_selection(
    databases: &Databases,
    tables: &Tables,
    rules: &[RuleEntry],
) -> Vec<RepeatedOption> {
    let list = |name, items: Vec<String>| {
        (!items.is_empty()).then(|| RepeatedOption::new(name, shell_quote(&items.join(","))))
    };
    let names = |names: &[String]| names.iter().map(|name| quote_name(name)).collect();
    let entries = |entries: &[Entry]| entries.iter().map(Entry::quoted).collect();
    let ruled = |wanted: &Rule| {
        let rules = rules.iter().filter(|one| one.rule == *wanted);
        rules.map(|one| one.entry.quoted()).collect()
    };
    let databases = match databases {
        Databases::All => None,
        Databases::Only(list_of) => list("include-databases", names(list_of)),
        Databases::AllBut(list_of) => list("exclude-databases", names(list_of)),
    };
    let tables = match tables {
        Tables::All => None,
        Tables::Only(list_of) => list("include-tables", entries(list_of)),
        Tables::AllBut(list_of) => list("exclude-tables", entries(list_of)),
    };
    let lists = [
        databases,
        tables,
        list("schema-only-tables", ruled(&Rule::SchemaOnly)),
        list("snapshot-only-tables", ruled(&Rule::SnapshotOnly)),
        list("insert-only-tables", ruled(&Rule::InsertOnly)),
    ];
    let filters = rules.iter().filter_map(repeat_filter);
    lists.into_iter().flatten().chain(filters).collect()
}

fn repeat_filter(RuleEntry { entry, rule }: &RuleEntry) -> Option<RepeatedOption> {
    let table = entry.quoted();
    let (name, value) = match rule {
        Rule::SchemaOnly | Rule::SnapshotOnly | Rule::InsertOnly => return None,
        Rule::Filter(predicate) => ("table-filter", format!("{table}:{}", predicate.text())),
        Rule::TimeFilter(TimeFilter { column, window }) => {
            let column = quote_name(column.as_str());
            ("time-filter", format!("{table}:{column}:{window}"))
        }
    };
    Some(RepeatedOption::new(name, shell_quote(&value)))
}

/// The arguments that are given, without the command and without connection strings: they may contain passwords.
fn repeated_arguments(arguments: impl Iterator<Item = String>, command: &str) -> Vec<String> {
    let mut repeated = Vec::new();
    let mut arguments = arguments.peekable();
    let mut has_command = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--source" | "--target" => {
                arguments.next();
            }
            one if one.starts_with("--source=") || one.starts_with("--target=") => {}
            one if one == command && !has_command => has_command = true,
            _ => repeated.push(argument),
        }
    }
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Ident;
    use crate::predicate::Window;

    fn table(database: &str, schema: &str, name: &str) -> NamedTable {
        NamedTable::new(database, &QualifiedName::from_catalog(schema, name))
    }

    fn ticked() -> Ticked {
        Ticked {
            databases: vec!["app".to_owned(), "it's".to_owned()],
            excluded: vec![table("app", "public", "logs"), table("app", "s,1", "a.b")],
            schema_only: vec![table("it's", "x", "t")],
            recent: vec![RecentRows {
                table: table("app", "public", "events"),
                filter: TimeFilter {
                    column: Ident::from_catalog("created:at"),
                    window: Window::parse("6 months").unwrap(),
                },
            }],
        }
    }

    #[test]
    fn the_equivalent_command_selects_the_same() {
        let repeated: Vec<String> = ticked().repeat().iter().map(ToString::to_string).collect();
        assert_eq!(
            repeated,
            [
                r"--include-databases 'app,it'\''s'",
                r#"--exclude-tables 'app.public.logs,app."s,1"."a.b"'"#,
                r"--schema-only-tables 'it'\''s.x.t'",
                r#"--time-filter 'app.public.events:"created:at":6 months'"#,
            ]
        );
        assert_eq!(ticked().excluded[0].entry().to_string(), "app.public.logs");
    }

    #[test]
    fn other_options_are_repeated_and_connection_strings_are_not() {
        let given = [
            "--log-level",
            "debug",
            "init",
            "--source",
            "postgresql://u:pw@h/d",
            "--target=postgresql://u:pw@h/e",
            "--map-database",
            "init=x y",
        ];
        let repeated = repeated_arguments(given.iter().map(|one| (*one).to_owned()), "init");
        assert_eq!(
            repeated,
            ["--log-level", "debug", "--map-database", "init=x y"]
        );
        assert_eq!(shell_quoted("init=x y"), "'init=x y'");
        assert_eq!(shell_quoted("--no-sync"), "--no-sync");
    }

    #[test]
    fn tables_of_public_are_shown_without_schema() {
        let shown = ticked()
            .excluded
            .iter()
            .map(NamedTable::shown)
            .collect::<Vec<_>>();
        assert_eq!(shown, ["app.logs", "app.s,1.a.b"]);
    }
}
