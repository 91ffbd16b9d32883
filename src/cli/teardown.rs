use super::args::{DatabaseSelection, Mapping, OptionalConnections, State, parse_publication};
use super::connections::warn_about;
use super::next::next_command;
use super::{ALL_OPTIONS, Error, exit};
use crate::pg::{Ident, InvalidName, Sides, SlotName};
use crate::selection::Databases;
use crate::task::Scope;
use crate::teardown::{Leftovers, TeardownOptions, Which, find_leftovers, remove_leftovers};
use crate::ui::report::{TornDown, show_leftovers};
use crate::ui::{self, Conclusion, Ui};

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  List what earlier runs have left; write nothing:
    postgres-seren-replicator teardown --dry-run
  Drop it in database shop, without a question:
    postgres-seren-replicator teardown --include-databases shop --yes";

/// Drop the slots, publications and subscriptions of earlier runs
///
/// Data, databases and roles remain. Objects of runs that the state directory does not record are only
/// listed; --run RUN drops them. If one server no longer exists, omit its URL: teardown cleans the other
/// server and prints the statements for the missing one.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: OptionalConnections,

    #[command(flatten)]
    databases: DatabaseSelection,

    #[command(flatten)]
    mapping: Mapping,

    /// Drop only publications of this name, and their slots
    #[arg(long, help_heading = "Replication", value_name = "NAME", value_parser = parse_publication)]
    publication: Option<Ident>,

    /// Name of the subscription in each target database, if sync was given another one; drops it as well if it reads
    /// from a slot of the run, or from none
    #[arg(long, help_heading = "Replication", value_name = "NAME", hide_short_help = true, value_parser = parse_publication)]
    subscription: Option<Ident>,

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
    #[arg(long, help_heading = "Replication", value_name = "NAME", value_parser = parse_slot, conflicts_with_all = ["include_databases", "exclude_databases", "publication", "subscription"])]
    slot: Option<SlotName>,

    /// Do not ask for confirmation
    #[arg(short, long, help_heading = "Run")]
    yes: bool,

    /// List the objects that teardown would drop; writes nothing
    #[arg(long, help_heading = "Run")]
    dry_run: bool,

    #[command(flatten)]
    state: State,
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
        servers: Sides { source, target },
        databases,
        map: arguments.mapping.map()?,
        publication: arguments.publication.clone(),
        subscription: arguments.subscription.clone(),
        which: arguments.which(),
        removes_state: is_whole && arguments.publication.is_none(),
        // Where nothing says where states are, none is looked at.
        state_root: match arguments.state.root() {
            Err(_) if !is_whole || arguments.slot.is_some() => None,
            root => Some(root?),
        },
    };
    let given = options.servers.iter();
    let given = given.filter_map(|(_, endpoint)| endpoint.as_ref());
    warn_about(ui, given);
    let leftovers = tokio::select! {
        biased;
        () = scope.stop.cancelled() => return Err(crate::teardown::Error::Stopped.into()),
        found = scope.events.reporting("objects of earlier runs", find_leftovers(&options)) => found?,
    };
    let shows_statements = matches!(options.which, Which::Slot(_));
    show_leftovers(ui, &leftovers, shows_statements);
    let removes = !arguments.dry_run && leftovers.has_any();
    if removes && !arguments.yes && !ui.confirm(ui::REMOVE, &scope.stop).await? {
        return Err(Error::Declined);
    }
    if !arguments.dry_run {
        let removing = remove_leftovers(&leftovers, &options);
        let what = "the removal of these objects";
        scope.events.reporting(what, removing).await?;
    }
    let end = conclude(&leftovers);
    let report = TornDown {
        leftovers: &leftovers,
        is_done: !arguments.dry_run,
        setting_name: ui.setting_name(),
    };
    let next = describe_next(&leftovers, arguments.dry_run);
    ui.report(&report, &end, &next)?;
    Ok(end.exit_code())
}

/// What to do after this.
fn describe_next(leftovers: &Leftovers, is_dry_run: bool) -> String {
    if is_dry_run && leftovers.has_any() {
        return next_command("teardown");
    }
    if leftovers.unreachable.is_empty() {
        return "nothing; the servers can be used independently".to_owned();
    }
    "run the statements above on the server that was not cleaned".to_owned()
}

fn conclude(leftovers: &Leftovers) -> Conclusion {
    match leftovers.unreachable.first() {
        None => Conclusion::Done,
        Some(one) => Conclusion::Failed {
            exit_code: exit::PARTIAL,
            message: format!(
                "the {} was not cleaned: run the listed statements there",
                one.side
            ),
        },
    }
}
