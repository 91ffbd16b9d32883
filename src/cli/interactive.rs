//! Interactive selection: databases, then the tables of each that are excluded, created without rows, or copied in part.

use std::fs::OpenOptions;
use std::io::{self, Write as _};

use super::Error;
use super::next::RepeatedOption;
use super::ticked::{NamedTable, RecentRows, Ticked, repeat_selection, shown_in_database};
use crate::cluster::{Offer, OfferedTable};
use crate::config::render_file;
use crate::connect::Endpoint;
use crate::migrate::Options;
use crate::pg::Ident;
use crate::predicate::Window;
use crate::selection::TimeFilter;
use crate::task::Scope;
use crate::ui::{ChecklistItem, Ui, dialogue, shell_quoted, text};

/// What is printed instead of the lists where nobody can be asked.
const NO_TERMINAL: &str = "No terminal: running as with --no-interactive.";

/// The options of a run, and whether the user has ticked what it selects.
pub(super) struct Selected {
    pub(super) options: Options,
    pub(super) is_ticked: bool,
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
) -> Result<Selected, Error> {
    let given = |options| Selected {
        options,
        is_ticked: false,
    };
    if is_decided || !ui.has_lists() {
        return Ok(given(options));
    }
    if !ui.streams().are_interactive() {
        ui.screen().line(NO_TERMINAL);
        return Ok(given(options));
    }
    let dialogue = Lists { ui, scope };
    let ticked = dialogue.ask(&options.source, options.replicate).await?;
    ui.screen().line(&ticked.render_summary(command));
    if !ui.confirm_or_enter(dialogue::PROCEED, &scope.stop).await? {
        return Err(Error::Cancelled);
    }
    Ok(Selected {
        options: ticked.complete(options),
        is_ticked: true,
    })
}

/// Offers to write what the user has ticked and answered to a configuration file, and returns the options of the
/// command line that repeat it. An existing file is never replaced.
///
/// # Errors
/// A stream is broken.
pub(super) async fn offer_file(
    options: &Options,
    ui: &Ui,
    scope: &Scope,
) -> Result<Vec<RepeatedOption>, Error> {
    loop {
        let name = ui.ask_name(dialogue::WRITE_FILE, &scope.stop).await?;
        if name.is_empty() || matches!(name.as_str(), "n" | "no") {
            return Ok(repeat_selection(
                &options.databases,
                &options.tables,
                &options.rules.entries,
            ));
        }
        let shown = text::clean(&name);
        let problem = match write_file(&name, options) {
            Ok(()) => {
                let config = RepeatedOption::new("config", shell_quoted(&name));
                let line = format!("✓ Written to {shown}; to use it: {config}");
                ui.screen().line(&line);
                return Ok(vec![config]);
            }
            Err(problem) => problem,
        };
        ui.screen().line(&format!("✗ {shown}: {problem}"));
    }
}

/// The lists and questions of the selection.
struct Lists<'a> {
    ui: &'a Ui,
    scope: &'a Scope,
}

impl Lists<'_> {
    async fn ask(&self, source: &Endpoint, replicates: bool) -> Result<Ticked, Error> {
        let screen = self.ui.screen();
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
        let names = self
            .tick("Select databases to replicate:", items.collect())
            .await?;
        if names.is_empty() {
            return Err(Error::NothingSelected);
        }
        screen.line(&dialogue::ticked("Selected", "database", "", &names));
        // A filter that no publication can have would only be refused by the checks.
        let can_filter = offer.can_filter() || !replicates;
        let mut ticked = Ticked::default();
        for database in &names {
            let tables = self.load_tables(&offer, database).await?;
            let rest = self.ask_excluded(database, tables, &mut ticked).await?;
            let rest = self.ask_schema_only(database, rest, &mut ticked).await?;
            if can_filter {
                self.ask_recent(database, rest, &mut ticked).await?;
            }
        }
        ticked.databases = names;
        Ok(ticked)
    }

    async fn load_tables(&self, offer: &Offer, database: &str) -> Result<Vec<OfferedTable>, Error> {
        let screen = self.ui.screen();
        let name = text::clean(database);
        screen.line(&format!("Discovering tables in database '{name}'..."));
        let tables = offer.load_tables(database).await?;
        let count = tables.len();
        screen.line(&format!("✓ Found {count} table(s) in '{name}'"));
        Ok(tables)
    }

    /// Asks which tables are excluded, and returns the others.
    async fn ask_excluded(
        &self,
        database: &str,
        tables: Vec<OfferedTable>,
        ticked: &mut Ticked,
    ) -> Result<Vec<OfferedTable>, Error> {
        let question =
            format!("Select tables to EXCLUDE from '{database}' (or press Enter to include all):");
        let (excluded, rest) = self.tick_tables(&question, tables).await?;
        let excluded: Vec<NamedTable> = excluded
            .iter()
            .map(|table| NamedTable::new(database, &table.name))
            .collect();
        if !excluded.is_empty() {
            let shown: Vec<String> = excluded.iter().map(NamedTable::shown).collect();
            let place = format!(" from '{database}'");
            let line = dialogue::ticked("Excluding", "table", &place, &shown);
            self.ui.screen().line(&line);
        }
        ticked.excluded.extend(excluded);
        Ok(rest)
    }

    /// Asks which tables are created without rows, and returns the others.
    async fn ask_schema_only(
        &self,
        database: &str,
        tables: Vec<OfferedTable>,
        ticked: &mut Ticked,
    ) -> Result<Vec<OfferedTable>, Error> {
        let question = format!(
            "Select tables of '{database}' to create WITHOUT rows (or press Enter to copy all):"
        );
        let (schema_only, rest) = self.tick_tables(&question, tables).await?;
        let schema_only = schema_only.iter();
        let named = schema_only.map(|table| NamedTable::new(database, &table.name));
        ticked.schema_only.extend(named);
        Ok(rest)
    }

    /// Asks of which tables only recent rows are copied, by which column and since when.
    async fn ask_recent(
        &self,
        database: &str,
        tables: Vec<OfferedTable>,
        ticked: &mut Ticked,
    ) -> Result<(), Error> {
        let timed = tables.into_iter();
        let timed = timed.filter(|table| !table.time_columns.is_empty());
        let question = format!(
            "Select tables of '{database}' to copy only RECENT rows of (or press Enter to copy all rows):"
        );
        let (recent, _) = self.tick_tables(&question, timed.collect()).await?;
        for table in recent {
            let named = NamedTable::new(database, &table.name);
            let column = self.choose_column(&named, &table).await?;
            let question = format!(
                "Copy the rows of {} by column {} of the last (such as 6 months):",
                named.shown(),
                column.as_str()
            );
            let check = |text: &str| {
                let window = Window::parse(text);
                window.map(|_| ()).map_err(|error| error.to_string())
            };
            let window = self.ui.enter(&question, check, &self.scope.stop).await?;
            let window = window.ok_or(Error::Cancelled)?;
            let window = Window::parse(&window).map_err(|error| Error::Usage {
                message: error.to_string(),
            })?;
            let filter = TimeFilter { column, window };
            ticked.recent.push(RecentRows {
                table: named,
                filter,
            });
        }
        Ok(())
    }

    /// The column with the time of a row: the only one, or the one that the user chooses.
    async fn choose_column(
        &self,
        named: &NamedTable,
        table: &OfferedTable,
    ) -> Result<Ident, Error> {
        if let [column] = &table.time_columns[..] {
            return Ok(column.clone());
        }
        let question = format!("Column of {} with the time of a row:", named.shown());
        let items = table.time_columns.iter().map(|column| ChecklistItem {
            name: column.as_str().to_owned(),
            bytes: None,
        });
        let chosen = self
            .ui
            .choose(&question, items.collect(), &self.scope.stop)
            .await?;
        let chosen = chosen.ok_or(Error::Cancelled)?;
        Ok(table.time_columns[chosen].clone())
    }

    /// Asks for some of the names.
    async fn tick(&self, question: &str, items: Vec<ChecklistItem>) -> Result<Vec<String>, Error> {
        let names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
        let places = self.ui.tick(question, items, &self.scope.stop).await?;
        let places = places.ok_or(Error::Cancelled)?;
        Ok(places
            .into_iter()
            .map(|place| names[place].clone())
            .collect())
    }

    /// Asks for some of the tables, and returns them and the others.
    async fn tick_tables(
        &self,
        question: &str,
        tables: Vec<OfferedTable>,
    ) -> Result<(Vec<OfferedTable>, Vec<OfferedTable>), Error> {
        if tables.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let items = tables.iter().map(|table| ChecklistItem {
            name: shown_in_database(&table.name),
            bytes: table.bytes,
        });
        let places = self
            .ui
            .tick(question, items.collect(), &self.scope.stop)
            .await?;
        let places = places.ok_or(Error::Cancelled)?;
        let mut is_ticked = vec![false; tables.len()];
        places.into_iter().for_each(|place| is_ticked[place] = true);
        let (ticked, rest): (Vec<_>, Vec<_>) = tables
            .into_iter()
            .zip(is_ticked)
            .partition(|(_, is_ticked)| *is_ticked);
        let tables = |pairs: Vec<(OfferedTable, bool)>| pairs.into_iter().map(|(table, _)| table);
        Ok((tables(ticked).collect(), tables(rest).collect()))
    }
}

/// Writes a new file; why not, in words.
fn write_file(name: &str, options: &Options) -> Result<(), String> {
    if name.contains(char::is_control) || matches!(name, "y" | "yes") {
        return Err("this is no name of a file".to_owned());
    }
    let selection = render_file(&options.databases, &options.tables, &options.rules.entries);
    let created = OpenOptions::new().write(true).create_new(true).open(name);
    let written = created.and_then(|mut file| file.write_all(selection.as_bytes()));
    written.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return "exists already; choose another name".to_owned();
        }
        format!("cannot be written: {error}")
    })
}
