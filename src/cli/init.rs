use super::args::{Carried, Connections, Mapping, Replication, Selection, State, parse_size};
use super::{Error, exit, plan};
use crate::ddl;
use crate::migrate::{
    self, LockOptions, Options, ReplicationOptions, StateOptions, execute, prepare,
};
use crate::task::Scope;
use crate::ui::{self, Ui};

/// Copy roles, schema and data to the target
///
/// Everything is read at one consistent point, so the source may stay in use. Nothing is written before
/// you have confirmed.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: Connections,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    mapping: Mapping,

    /// Copy within one cluster, where --map-database gives every database another name
    #[arg(long)]
    allow_same_cluster: bool,

    #[command(flatten)]
    carried: Carried,

    #[command(flatten)]
    replication: Replication,

    /// Stop, and drop the slot, when it keeps more log than this on the source, such as 20GB
    /// [default: what the server's max_slot_wal_keep_size allows]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Replication")]
    max_retained_wal: Option<u64>,

    /// Become the owner of what run RUN has left on the source, though the state folder knows nothing of it;
    /// it is replaced
    #[arg(
        long,
        value_name = "RUN",
        help_heading = "Replication",
        conflicts_with = "no_sync"
    )]
    adopt: Option<String>,

    /// Let DDL on the source wait until the rows are copied, and name it every minute; without, a session
    /// that waits for a lock of the copy ends it
    #[arg(long, help_heading = "Locks")]
    keep_locks: bool,

    /// How often a copy that DDL has ended within its first minute begins again
    #[arg(long, value_name = "N", default_value_t = migrate::DDL_RESTARTS, help_heading = "Locks",
          conflicts_with = "keep_locks")]
    ddl_restarts: u32,

    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,

    /// Print the plan, and what would be run as SQL for psql; writes nothing
    #[arg(long)]
    dry_run: bool,

    /// Drop and recreate databases that hold objects on the target
    #[arg(long)]
    drop_existing: bool,

    /// Begin anew, whatever an interrupted run has finished
    #[arg(long)]
    no_resume: bool,

    #[command(flatten)]
    state: State,

    /// Make all definitions and copy no rows, sequence values or large objects
    #[arg(long)]
    schema_only: bool,

    /// Parallel workers [default: CPU cores, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// Copy tables that are larger in parts of at most this size, such as 512MB [default: decided by
    /// the sizes of all tables]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    split_larger_than: Option<u64>,

    /// Do not make planner statistics at the end
    #[arg(long)]
    no_analyze: bool,
}

impl Arguments {
    fn options(&self, scope: &Scope) -> Result<Options, Error> {
        let (source, target) = self.connections.resolve("init", scope)?;
        Ok(Options {
            source,
            target: target.with_toast_compression(self.carried.toast_compression()),
            databases: self.selection.databases()?,
            tables: self.selection.tables()?,
            map: self.mapping.map()?,
            allow_same_cluster: self.allow_same_cluster,
            jobs: self.jobs.map_or_else(migrate::automatic_jobs, usize::from),
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
            split_larger_than: self.split_larger_than,
            analyze: !self.no_analyze,
            carried: ddl::Carried {
                rows: !self.schema_only,
                ..self.carried.definitions()?
            },
            cluster: self.carried.cluster(),
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
    plan::warn_about(ui, [&options.source, &options.target]);
    let prepared = prepare(&options, scope).await?;
    plan::show_findings(ui, &prepared);
    match prepared.errors() {
        0 => {}
        count => return Err(Error::Refused { count }),
    }
    let measured = if options.schema_only {
        None
    } else {
        ui.screen().line("Analyzing database sizes...");
        migrate::measure_rate(&prepared, &options, scope).await?
    };
    plan::show(ui, &prepared, &options, measured);
    if arguments.dry_run {
        let script = migrate::render_dry_run(&prepared, &options, scope).await?;
        ui.report(&plan::DryRun {
            prepared: &prepared,
            script,
        })?;
        return Ok(exit::DONE);
    }
    if !arguments.yes && !ui.confirm(ui::PROCEED, &scope.stop).await? {
        return Err(Error::Declined);
    }
    let report = Box::pin(execute(prepared, &options, scope)).await?;
    ui.report(&plan::Copied { report: &report })?;
    Ok(exit::DONE)
}
