use super::args::{Connections, Definitions, Mapping, Replication, Selection, State, parse_size};
use super::connections::warn_about;
use super::interactive::{complete_options, offer_file};
use super::next::{self, next_command};
use super::proposals::Dialogue;
use super::refusals::execute_and_ask;
use super::{ALL_OPTIONS, Error, exit};
use crate::ddl;
use crate::migrate::{self, LockOptions, OnRefusal, Options, ReplicationOptions, StateOptions};
use crate::task::Scope;
use crate::ui::report::{Copied, DryRun, show_plan};
use crate::ui::{Conclusion, Ui};

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  Print the plan and the SQL script; write nothing:
    postgres-seren-replicator init --dry-run
  Copy database shop under the name store, without a question:
    postgres-seren-replicator init --include-databases shop \\
      --map-database shop=store --yes";

/// Copy roles, schema and data to the target
///
/// All data is read at one consistent point; the source stays in use. init writes nothing before you
/// confirm. After a successful run the publication and the replication slot remain on the source. The
/// slot retains WAL until you run teardown.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: Connections,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    mapping: Mapping,

    /// Allow source and target to be the same cluster; requires --map-database for every database
    #[arg(long, help_heading = "Selection", hide_short_help = true)]
    allow_same_cluster: bool,

    #[command(flatten)]
    definitions: Definitions,

    #[command(flatten)]
    replication: Replication,

    /// End the run and drop its slots when they retain more WAL than this, such as 20GB [default: the source's
    /// max_slot_wal_keep_size]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Replication", hide_short_help = true)]
    max_retained_wal: Option<u64>,

    /// Replace the publication and slot of run RUN, which the state directory does not record
    #[arg(
        long,
        value_name = "RUN",
        help_heading = "Replication",
        hide_short_help = true,
        conflicts_with = "no_sync"
    )]
    adopt: Option<String>,

    /// Keep the table locks on the source until all rows are copied; conflicting DDL waits
    ///
    /// Waiting sessions are listed every minute. Without this option, a session that waits for a lock of
    /// the copy ends the copy.
    #[arg(long, help_heading = "Locks", hide_short_help = true)]
    keep_locks: bool,

    /// How many times to restart a copy that DDL ended within its first minute
    #[arg(long, value_name = "N", default_value_t = migrate::DDL_RESTARTS, help_heading = "Locks", hide_short_help = true,
          conflicts_with = "keep_locks")]
    ddl_restarts: u32,

    /// Do not ask for confirmation
    #[arg(short, long, help_heading = "Run")]
    yes: bool,

    /// Print the plan and the SQL script of the run; writes nothing
    #[arg(long, help_heading = "Run")]
    dry_run: bool,

    /// Drop and recreate target databases that are not empty
    #[arg(long, help_heading = "Run")]
    drop_existing: bool,

    /// List every finding of the checks; by default, findings of one kind are summarized
    #[arg(long, help_heading = "Output")]
    verbose: bool,

    /// Start from the beginning; ignore the databases that an interrupted run has finished
    #[arg(long, help_heading = "Run", hide_short_help = true)]
    no_resume: bool,

    #[command(flatten)]
    state: State,

    /// Create all definitions; copy no rows, sequence values or large objects
    #[arg(long, help_heading = "Run")]
    schema_only: bool,

    /// Create only what an earlier run with --skip-failed-objects has not created
    ///
    /// Reads the definitions of the source, and creates the missing objects in the finished databases. Pass the other
    /// options of that run again. Rows, publication and slot stay as they are, also if a subscription uses them.
    #[arg(
        long,
        help_heading = "Run",
        hide_short_help = true,
        conflicts_with_all = ["drop_existing", "no_resume", "dry_run", "adopt"]
    )]
    definitions_only: bool,

    /// Complete the copy without objects that the target refuses, list them, and exit with 7
    ///
    /// Indexes, constraints other than keys, views, functions, triggers, statistics objects and extensions may be
    /// missing, with their dependents. Tables, types, keys, policies and revokes may not. The report and a file in
    /// the state directory contain the refused statements.
    #[arg(long, help_heading = "Run", hide_short_help = true)]
    skip_failed_objects: bool,

    /// Number of parallel workers [default: number of CPU cores, at most 8]
    #[arg(long, help_heading = "Run", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// Copy larger tables in parts of at most this size, such as 512MB [default: derived from the sizes of
    /// all tables]
    #[arg(long, help_heading = "Run", value_name = "SIZE", value_parser = parse_size, hide_short_help = true)]
    split_larger_than: Option<u64>,

    /// Do not run ANALYZE and do not copy planner statistics
    #[arg(long, help_heading = "Run", hide_short_help = true)]
    no_analyze: bool,
}

impl Arguments {
    fn options(&self, scope: &Scope) -> Result<Options, Error> {
        let (source, target) = self.connections.resolve("init", scope)?;
        let selected = self.selection.resolve(self.jobs)?;
        Ok(Options {
            source,
            target: target.with_toast_compression(self.definitions.toast_compression()),
            databases: selected.databases.value,
            tables: selected.tables.value,
            rules: selected.rules,
            as_of: self.selection.as_of(),
            excluded_objects: self.definitions.excluded_objects()?,
            map: self.mapping.map()?,
            allow_same_cluster: self.allow_same_cluster,
            jobs: selected
                .jobs
                .value
                .map_or_else(migrate::automatic_jobs, usize::from),
            replicate: self.replication.follows() && !self.schema_only,
            replication: ReplicationOptions {
                adopt: self.adopt.clone(),
                max_retained_wal: self.max_retained_wal,
                ..self.replication.options()
            },
            locks: LockOptions {
                keep: self.keep_locks,
                restarts: self.ddl_restarts,
            },
            drop_existing: self.drop_existing,
            schema_only: self.schema_only,
            definitions_only: self.definitions_only,
            on_refusal: match self.skip_failed_objects {
                true => OnRefusal::Skip,
                false => OnRefusal::Keep,
            },
            split_larger_than: self.split_larger_than,
            analyze: !self.no_analyze,
            definitions: ddl::Include {
                rows: !self.schema_only,
                ..self.definitions.include()?
            },
            cluster: self.definitions.cluster(),
            state: Some(StateOptions {
                root: self.state.root()?,
                resume: !self.no_resume,
            }),
        })
    }
}

/// Checks, asks, copies, reports.
///
/// # Errors
/// The checks refuse, the user declines, or a phase fails.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let options = arguments.options(scope)?;
    warn_about(ui, [&options.source, &options.target]);
    let is_decided = arguments.selection.is_given() || arguments.yes || arguments.definitions_only;
    let selected = complete_options("init", options, is_decided, ui, scope).await?;
    let mut dialogue = Dialogue {
        verbose: arguments.verbose,
        asks: !arguments.yes && !arguments.dry_run && ui.streams().are_interactive(),
        ..Dialogue::new(ui, scope)
    };
    let mut checked = dialogue.check(selected.options).await?;
    if selected.is_ticked {
        next::repeat(offer_file(&checked.options, ui, scope).await?);
    }
    let measured = if !checked.options.copies_rows() {
        None
    } else {
        ui.screen().line("Analyzing database sizes...");
        let measuring = migrate::measure_rate(&checked.prepared, &checked.options, scope);
        scope
            .events
            .reporting("a sample of the source's rows", measuring)
            .await?
    };
    show_plan(ui, &checked.prepared, &checked.options, measured);
    if arguments.dry_run {
        let rendering = migrate::render_dry_run(&checked.prepared, &checked.options, scope);
        let script = scope.events.reporting("the SQL script", rendering).await?;
        let report = DryRun {
            prepared: &checked.prepared,
            script,
        };
        ui.report(&report, &Conclusion::Done, &next_command("init"))?;
        return Ok(exit::DONE);
    }
    if !arguments.yes {
        checked = Box::pin(dialogue.confirm(checked)).await?;
    }
    let asks = !arguments.yes && ui.streams().stdin_is_terminal;
    let has_slots = checked.options.creates_replication();
    let executing = execute_and_ask(checked.prepared, checked.options, asks, ui, scope);
    let report = Box::pin(executing).await?;
    let copied = Copied {
        report: &report,
        setting_name: ui.setting_name(),
    };
    let end = conclude(report.missing());
    // A slot retains WAL until its replication starts.
    let next = if has_slots { "sync" } else { "verify" };
    ui.report(&copied, &end, &next_command(next))?;
    Ok(end.exit_code())
}

fn conclude(missing: usize) -> Conclusion {
    let message = match missing {
        0 => return Conclusion::Done,
        1 => "1 object is missing: the target has refused it, or what it depends on".to_owned(),
        _ => format!(
            "{missing} objects are missing: the target has refused them, or what they depend on"
        ),
    };
    Conclusion::Failed {
        exit_code: exit::INCOMPLETE,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_without_refused_objects_has_an_exit_code_of_its_own() {
        assert_eq!(conclude(0).exit_code(), exit::DONE);
        assert_eq!(conclude(1).exit_code(), exit::INCOMPLETE);
        assert_eq!(conclude(2).exit_code(), exit::INCOMPLETE);
    }
}
