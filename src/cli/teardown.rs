use serde_json::{Value, json};

use super::args::{DatabaseSelection, Mapping, OptionalConnections, State, parse_publication};
use super::{Error, exit};
use crate::event::WithCauses as _;
use crate::migrate::{
    Leftovers, TeardownOptions, Unreachable, Which, find_leftovers, remove_leftovers,
};
use crate::pg::{Ident, InvalidName, SlotName};
use crate::selection::Databases;
use crate::task::Scope;
use crate::ui::{self, Report, Style, Ui, text};

/// Drop the slots, publications and subscriptions of earlier runs
///
/// Data, databases and roles remain. Objects of runs that the state directory does not record are only
/// listed; --run RUN drops them. If one server no longer exists, omit its URL: teardown cleans the other
/// server and prints the statements for the missing one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: OptionalConnections,

    #[command(flatten)]
    databases: DatabaseSelection,

    #[command(flatten)]
    mapping: Mapping,

    #[command(flatten)]
    state: State,

    /// Drop only publications of this name, and their slots
    #[arg(long, help_heading = "Replication", value_name = "NAME", value_parser = parse_publication)]
    publication: Option<Ident>,

    /// Drop the objects of run RUN, for any target; init and teardown print RUN
    #[arg(
        long,
        help_heading = "Replication",
        value_name = "RUN",
        conflicts_with = "slot"
    )]
    run: Option<String>,

    /// Drop this slot and its publication; requires only the source
    ///
    /// Use it when the target no longer exists.
    #[arg(long, help_heading = "Replication", value_name = "NAME", value_parser = parse_slot, conflicts_with_all = ["include_databases", "exclude_databases", "publication"])]
    slot: Option<SlotName>,

    /// Do not ask for confirmation
    #[arg(short, long, help_heading = "Run")]
    yes: bool,

    /// List the objects that teardown would drop; writes nothing
    #[arg(long, help_heading = "Run")]
    dry_run: bool,
}

/// A slot's name.
fn parse_slot(text: &str) -> Result<SlotName, InvalidName> {
    SlotName::new(text)
}

impl Arguments {
    fn which(&self) -> Which {
        match (&self.run, &self.slot) {
            (_, Some(slot)) => Which::Slot(slot.clone()),
            (Some(run), None) => Which::Run(run.clone()),
            (None, None) => Which::Pair,
        }
    }
}

/// Looks, asks, removes, reports.
///
/// # Errors
/// No side can be reached, the user declines, or a server refuses.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let (source, target) = arguments.connections.resolve("teardown", scope)?;
    let databases = arguments.databases.databases()?;
    // What is recorded of the databases that are not selected must stay.
    let is_whole = databases == Databases::All;
    let options = TeardownOptions {
        source,
        target,
        databases,
        map: arguments.mapping.map()?,
        publication: arguments.publication.clone(),
        which: arguments.which(),
        removes_state: is_whole && arguments.publication.is_none(),
        // Where nothing says where states are, none is looked at.
        state_root: match arguments.state.root() {
            Err(_) if !is_whole || arguments.slot.is_some() => None,
            root => Some(root?),
        },
    };
    for warning in [&options.source, &options.target].into_iter().flatten() {
        warning.warnings().iter().for_each(|text| ui.warn(text));
    }
    let leftovers = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(crate::migrate::Error::Stopped.into()),
        found = find_leftovers(&options) => found?,
    };
    let shows_statements = matches!(options.which, Which::Slot(_));
    for leftover in &leftovers.objects {
        ui.screen().line_from_outside("  ", &leftover.to_string());
        let statement = leftover.statement().filter(|_| shows_statements);
        if let Some(statement) = statement {
            ui.screen().line_from_outside("    ", &statement);
        }
    }
    for other in &leftovers.others {
        let line = format!("of another run, left alone: {other}");
        ui.screen().line_from_outside("  ", &line);
    }
    let removes = !arguments.dry_run && !leftovers.objects.is_empty();
    if removes && !arguments.yes && !ui.confirm(ui::REMOVE, &scope.stop).await? {
        return Err(Error::Declined);
    }
    if !arguments.dry_run {
        remove_leftovers(&leftovers, &options).await?;
    }
    let code = match leftovers.unreachable.is_empty() {
        true => exit::DONE,
        false => exit::NEEDS_A_HAND,
    };
    ui.report(&TornDown {
        leftovers: &leftovers,
        is_done: !arguments.dry_run,
        exit_code: code,
    })?;
    Ok(code)
}

/// The result of `teardown`.
struct TornDown<'a> {
    leftovers: &'a Leftovers,
    is_done: bool,
    exit_code: u8,
}

impl Report for TornDown<'_> {
    fn command(&self) -> &'static str {
        "teardown"
    }

    fn exit_code(&self) -> u8 {
        self.exit_code
    }

    fn text(&self, style: Style) -> String {
        let verb = if self.is_done {
            "removed"
        } else {
            "would remove"
        };
        let mut lines: Vec<String> = self
            .leftovers
            .objects
            .iter()
            .map(|leftover| text::clean(&format!("{verb} {leftover}")))
            .collect();
        if lines.is_empty() {
            lines.push("nothing to remove".to_owned());
        }
        for side in &self.leftovers.unreachable {
            lines.push(style.bad(&text::clean(&reason(side))));
            let statements = side.statements.iter();
            lines.extend(statements.map(|statement| format!("  {}", text::clean(statement))));
        }
        lines.join("\n") + "\n"
    }

    fn databases(&self) -> Vec<Value> {
        let removed = self.leftovers.objects.iter().map(|leftover| {
            json!({
                "database": leftover.database,
                "side": leftover.side.to_string(),
                "object": leftover.to_string(),
                "removed": self.is_done,
            })
        });
        let open = self.leftovers.unreachable.iter().map(|side| {
            json!({
                "side": side.side.to_string(),
                "reason": reason(side),
                "statements": side.statements,
            })
        });
        removed.chain(open).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let others = self.leftovers.others.iter();
        others
            .map(|other| format!("of another run, left alone: {other}"))
            .collect()
    }
}

/// Why a side was not cleaned, with the causes.
fn reason(side: &Unreachable) -> String {
    let what = match &side.error {
        Some(error) => format!("the {} cannot be reached: {}", side.side, error.chain()),
        None => format!("no URL of the {} is given", side.side),
    };
    format!("{what}; run there, if it still exists:")
}
