use super::args::{Connections, Mapping, Selection, State};
use super::connections::{log_selection, warn_about};
use super::next::next_command;
use super::{ALL_OPTIONS, Error};
use crate::migrate::ComparedServer;
use crate::pg::Sides;
use crate::selection::TableScope;
use crate::task::Scope;
use crate::ui::report::show_findings;
use crate::ui::{Conclusion, Ui, text};
use crate::verify::{self, Class, DatabasePair, Outcome};
use crate::{cluster, migrate};

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  Compare all databases:
    postgres-seren-replicator verify
  Compare two tables; print the result as JSON:
    postgres-seren-replicator verify --output json \\
      --include-tables shop.public.orders,shop.public.customers";

/// Compare the rows of source and target by digest; writes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: Connections,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    mapping: Mapping,

    #[command(flatten)]
    state: State,

    /// Report tables and columns that only the target has, and different column types, as differences
    #[arg(long, help_heading = "Run")]
    strict: bool,

    /// Number of parallel workers [default: number of CPU cores, at most 8]
    #[arg(long, help_heading = "Run", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

/// Compares and reports.
///
/// # Errors
/// The comparison could not begin, or was stopped.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let (source, target) = arguments.connections.resolve("verify", scope)?;
    warn_about(ui, [&source, &target]);
    let chosen = arguments.selection.resolve(arguments.jobs)?;
    let map = arguments.mapping.map()?;
    cluster::refuse_pooler(&target).await?;
    let servers = Sides {
        source: &source,
        target: &target,
    };
    let selection = &arguments.selection;
    let root = || arguments.state.root().map(Some);
    let finding = selection.recorded_instant(&chosen.rules, servers, root);
    let recorded = finding.await?;
    let wanted = selection.of_copy(&chosen, recorded.as_ref());
    let selecting = cluster::select_databases(&source, wanted);
    let what = "databases and tables of the source";
    let selected = scope.events.reporting(what, selecting).await?;
    log_selection(&selected.warnings, &selected.notes);
    let pair = |(name, scope): (String, TableScope)| DatabasePair {
        target: map.target(&name).to_owned(),
        source: name,
        scope,
    };
    let options = verify::Options {
        servers: Sides { source, target },
        databases: selected.databases.into_iter().map(pair).collect(),
        jobs: chosen
            .jobs
            .value
            .map_or_else(migrate::automatic_jobs, usize::from),
        strict: arguments.strict,
    };
    let names = |of: fn(&DatabasePair) -> &str| options.databases.iter().map(of).collect();
    let compared = Sides {
        source: ComparedServer {
            endpoint: &options.servers.source,
            databases: names(|one| &one.source),
        },
        target: ComparedServer {
            endpoint: &options.servers.target,
            databases: names(|one| &one.target),
        },
    };
    let examining = migrate::examine_comparison(&compared, options.jobs);
    let what = "the limits of connections";
    let findings = scope.events.reporting(what, examining).await;
    ui.keep_findings(&findings);
    show_findings(ui, &findings, false);
    let report = verify::compare_databases(&options, scope).await?;
    let end = conclude(&report);
    ui.report(&report, &end, &describe_next(report.class()))?;
    Ok(end.exit_code())
}

/// What to do after a comparison.
fn describe_next(class: Class) -> String {
    let again = || next_command("verify");
    match class {
        Class::Equal => {
            let teardown = next_command("teardown");
            format!("list what runs have left: {teardown} --dry-run")
        }
        Class::Different => format!("stop writes on the source, then run: {}", again()),
        Class::NotCompared => format!("resolve the causes above, then run: {}", again()),
    }
}

fn conclude(report: &verify::Report) -> Conclusion {
    let databases = |is_counted: fn(&Outcome) -> bool| {
        let outcomes = report.databases.iter().map(|database| &database.outcome);
        u64::try_from(outcomes.filter(|outcome| is_counted(outcome)).count()).unwrap_or(u64::MAX)
    };
    let totals = report.totals();
    let (what, databases, tables) = match report.class() {
        Class::Equal => return Conclusion::Done,
        Class::Different => {
            let missing = databases(|one| matches!(one, Outcome::MissingOnTarget));
            ("differences in", missing, totals.different)
        }
        Class::NotCompared => {
            let unread = databases(|one| matches!(one, Outcome::NotCompared(_)));
            ("could not compare", unread, totals.not_compared)
        }
    };
    let parts = [(databases, "database"), (tables, "table")];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, noun)| text::counted(number, noun))
        .collect();
    Conclusion::Failed {
        exit_code: verify::exit_code(report),
        message: format!("{what} {}", parts.join(" and ")),
    }
}
