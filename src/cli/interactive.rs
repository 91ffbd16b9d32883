//! Interactive selection: databases, then the tables of each that are excluded or created without rows.

use super::{Error, NAME};
use crate::cluster::{Offer, OfferedTable};
use crate::connect::Endpoint;
use crate::migrate::Options;
use crate::pg::QualifiedName;
use crate::selection::quoted::quote_name;
use crate::selection::{Databases, Entry, Rule, RuleEntry, Rules, Tables};
use crate::task::Scope;
use crate::ui::{ChecklistItem, Ui, dialogue, shell_quote, shell_quoted, text};

/// What is printed instead of the lists where nobody can be asked.
const NO_TERMINAL: &str = "No terminal: running as with --no-interactive.";

/// A table of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NamedTable {
    database: String,
    name: QualifiedName,
}

/// What the user has ticked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ticked {
    databases: Vec<String>,
    excluded: Vec<NamedTable>,
    schema_only: Vec<NamedTable>,
}

/// Asks a user at a terminal what to select, unless the command line has decided that or asks for no question.
///
/// # Errors
/// The source cannot be read, or the user cancels.
pub(super) async fn complete_options(
    command: &'static str,
    options: Options,
    is_decided: bool,
    ui: &Ui,
    scope: &Scope,
) -> Result<Options, Error> {
    if is_decided || !ui.has_lists() {
        return Ok(options);
    }
    if !ui.streams().are_interactive() {
        ui.screen().line(NO_TERMINAL);
        return Ok(options);
    }
    let ticked = ask(&options.source, ui, scope).await?;
    ui.screen().line(&ticked.render_summary(command));
    match ui.confirm_or_enter(dialogue::PROCEED, &scope.stop).await? {
        true => Ok(ticked.complete(options)),
        false => Err(Error::Cancelled),
    }
}

async fn ask(source: &Endpoint, ui: &Ui, scope: &Scope) -> Result<Ticked, Error> {
    let screen = ui.screen();
    screen.line("Connecting to source database...");
    let offer = Offer::open(source).await?;
    screen.line("✓ Connected to source");
    screen.line("Discovering databases on source...");
    let databases = offer.load_databases().await?;
    screen.line(&format!("✓ Found {} database(s)", databases.len()));
    let items = databases.into_iter().map(|one| ChecklistItem {
        name: one.name,
        bytes: one.bytes,
    });
    let names = tick(ui, "Select databases to replicate:", items.collect(), scope).await?;
    if names.is_empty() {
        return Err(Error::NothingSelected);
    }
    screen.line(&dialogue::ticked("Selected", "database", "", &names));
    let mut ticked = Ticked::default();
    for database in &names {
        let tables = load_tables(&offer, database, ui).await?;
        let question =
            format!("Select tables to EXCLUDE from '{database}' (or press Enter to include all):");
        let excluded = tick_tables(ui, &question, database, &tables, scope).await?;
        if !excluded.is_empty() {
            let shown: Vec<String> = excluded.iter().map(NamedTable::shown).collect();
            let place = format!(" from '{database}'");
            screen.line(&dialogue::ticked("Excluding", "table", &place, &shown));
        }
        let rest = tables.into_iter();
        let rest = rest.filter(|table| excluded.iter().all(|one| one.name != table.name));
        let question = format!(
            "Select tables of '{database}' to create WITHOUT rows (or press Enter to copy all):"
        );
        let rest: Vec<OfferedTable> = rest.collect();
        let schema_only = tick_tables(ui, &question, database, &rest, scope).await?;
        ticked.excluded.extend(excluded);
        ticked.schema_only.extend(schema_only);
    }
    ticked.databases = names;
    Ok(ticked)
}

async fn load_tables(offer: &Offer, database: &str, ui: &Ui) -> Result<Vec<OfferedTable>, Error> {
    let screen = ui.screen();
    let name = text::clean(database);
    screen.line(&format!("Discovering tables in database '{name}'..."));
    let tables = offer.load_tables(database).await?;
    let count = tables.len();
    screen.line(&format!("✓ Found {count} table(s) in '{name}'"));
    Ok(tables)
}

/// Asks for some of the names.
async fn tick(
    ui: &Ui,
    question: &str,
    items: Vec<ChecklistItem>,
    scope: &Scope,
) -> Result<Vec<String>, Error> {
    let names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
    let places = ui.tick(question, items, &scope.stop).await?;
    let places = places.ok_or(Error::Cancelled)?;
    Ok(places
        .into_iter()
        .map(|place| names[place].clone())
        .collect())
}

async fn tick_tables(
    ui: &Ui,
    question: &str,
    database: &str,
    tables: &[OfferedTable],
    scope: &Scope,
) -> Result<Vec<NamedTable>, Error> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let items = tables.iter().map(|table| ChecklistItem {
        name: shown_in_database(&table.name),
        bytes: table.bytes,
    });
    let places = ui.tick(question, items.collect(), &scope.stop).await?;
    let places = places.ok_or(Error::Cancelled)?;
    let named = |place: usize| NamedTable {
        database: database.to_owned(),
        name: tables[place].name.clone(),
    };
    Ok(places.into_iter().map(named).collect())
}

/// The name of a table within its database; those of `public` without the schema.
fn shown_in_database(name: &QualifiedName) -> String {
    match name.schema.as_str() {
        "public" => name.name.as_str().to_owned(),
        schema => format!("{schema}.{}", name.name.as_str()),
    }
}

impl NamedTable {
    fn shown(&self) -> String {
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

    /// The table in a list of a flag.
    fn item(&self) -> String {
        let parts = [
            self.database.as_str(),
            self.name.schema.as_str(),
            self.name.name.as_str(),
        ];
        parts.map(quote_name).join(".")
    }
}

impl Ticked {
    /// The options with this selection.
    fn complete(self, options: Options) -> Options {
        let excluded: Vec<Entry> = self.excluded.iter().map(NamedTable::entry).collect();
        let rules = self.schema_only.iter().map(|table| RuleEntry {
            entry: table.entry(),
            rule: Rule::SchemaOnly,
        });
        Options {
            tables: match excluded.is_empty() {
                true => Tables::All,
                false => Tables::AllBut(excluded),
            },
            rules: Rules::of_command_line(rules.collect()),
            databases: Databases::Only(self.databases),
            ..options
        }
    }

    fn render_summary(&self, command: &str) -> String {
        let shown = |tables: &[NamedTable]| tables.iter().map(NamedTable::shown).collect();
        let (excluded, schema_only): (Vec<_>, Vec<_>) =
            (shown(&self.excluded), shown(&self.schema_only));
        let given = repeated_arguments(std::env::args().skip(1), command);
        let given = given.iter().map(|argument| shell_quoted(argument));
        let begin = [NAME.to_owned(), command.to_owned()].into_iter();
        let command: Vec<String> = begin.chain(given).chain(self.render_flags()).collect();
        dialogue::summary(dialogue::Summary {
            databases: &self.databases,
            excluded: &excluded,
            schema_only: &schema_only,
            command: &command.join(" "),
        })
    }

    /// The flags that repeat the selection.
    fn render_flags(&self) -> Vec<String> {
        let list = |flag: &str, items: Vec<String>| {
            (!items.is_empty()).then(|| format!("{flag} {}", shell_quote(&items.join(","))))
        };
        let databases = self.databases.iter().map(|name| quote_name(name));
        let items = |tables: &[NamedTable]| tables.iter().map(NamedTable::item).collect();
        [
            list("--include-databases", databases.collect()),
            list("--exclude-tables", items(&self.excluded)),
            list("--schema-only-tables", items(&self.schema_only)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
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

    fn table(database: &str, schema: &str, name: &str) -> NamedTable {
        NamedTable {
            database: database.to_owned(),
            name: QualifiedName::from_catalog(schema, name),
        }
    }

    fn ticked() -> Ticked {
        Ticked {
            databases: vec!["app".to_owned(), "it's".to_owned()],
            excluded: vec![table("app", "public", "logs"), table("app", "s,1", "a.b")],
            schema_only: vec![table("it's", "x", "t")],
        }
    }

    #[test]
    fn the_equivalent_command_selects_the_same() {
        assert_eq!(
            ticked().render_flags(),
            [
                r"--include-databases 'app,it'\''s'",
                r#"--exclude-tables 'app.public.logs,app."s,1"."a.b"'"#,
                r"--schema-only-tables 'it'\''s.x.t'",
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
