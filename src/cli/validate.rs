use super::args::{Connections, Definitions, Mapping, Replication, Selection};
use super::connections::warn_about;
use super::interactive::{complete_options, offer_file};
use super::next::{self, next_command};
use super::{ALL_OPTIONS, Error, exit};
use crate::migrate::{self, Options, prepare};
use crate::task::Scope;
use crate::ui::report::Validation;
use crate::ui::{Conclusion, Ui};

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  Check a migration of all databases:
    postgres-seren-replicator validate
  Check a single copy of two databases, without replication:
    postgres-seren-replicator validate --include-databases shop,crm --no-sync";

/// Check both servers and list every finding; writes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    connections: Connections,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    mapping: Mapping,

    /// Check for a copy within one cluster; requires --map-database for every database
    #[arg(long, help_heading = "Selection", hide_short_help = true)]
    allow_same_cluster: bool,

    #[command(flatten)]
    definitions: Definitions,

    #[command(flatten)]
    replication: Replication,

    /// Check for a run that drops and recreates target databases that are not empty
    #[arg(long, help_heading = "Run")]
    drop_existing: bool,

    /// Do not ask: check what the options select, without options everything
    #[arg(long, short, help_heading = "Run")]
    yes: bool,

    /// List every finding; by default, findings of one kind are summarized
    #[arg(long, help_heading = "Output")]
    verbose: bool,
}

/// Runs the checks of `init` and prints them.
///
/// # Errors
/// A cluster cannot be reached or read.
pub(super) async fn run(arguments: &Arguments, ui: &Ui, scope: &Scope) -> Result<u8, Error> {
    let (source, target) = arguments.connections.resolve("validate", scope)?;
    warn_about(ui, [&source, &target]);
    let selected = arguments.selection.resolve(None)?;
    let options = Options {
        source,
        target,
        databases: selected.databases.value,
        tables: selected.tables.value,
        rules: selected.rules,
        as_of: arguments.selection.as_of(),
        excluded_objects: arguments.definitions.excluded_objects()?,
        map: arguments.mapping.map()?,
        allow_same_cluster: arguments.allow_same_cluster,
        jobs: selected
            .jobs
            .value
            .map_or_else(migrate::automatic_jobs, usize::from),
        replicate: arguments.replication.follows(),
        replication: arguments.replication.options(),
        locks: migrate::LockOptions::default(),
        drop_existing: arguments.drop_existing,
        schema_only: false,
        definitions_only: false,
        on_refusal: migrate::OnRefusal::default(),
        split_larger_than: None,
        analyze: true,
        definitions: arguments.definitions.include()?,
        cluster: arguments.definitions.cluster(),
        state: None,
    };
    let is_decided = arguments.selection.is_given() || arguments.yes;
    let selected = complete_options("validate", options, is_decided, ui, scope).await?;
    let options = selected.options;
    if selected.is_ticked {
        next::repeat(offer_file(&options, ui, scope).await?);
    }
    let prepared = prepare(&options, scope).await?;
    ui.keep_findings(&prepared.findings);
    let report = Validation {
        prepared: &prepared,
        verbose: arguments.verbose,
        setting_name: ui.setting_name(),
    };
    let end = conclude(prepared.errors());
    let next = match end {
        Conclusion::Done => next_command("init"),
        Conclusion::Failed { .. } => {
            let again = next_command("validate");
            format!("resolve the errors above, then run: {again}")
        }
    };
    ui.report(&report, &end, &next)?;
    Ok(end.exit_code())
}

fn conclude(errors: usize) -> Conclusion {
    let message = match errors {
        0 => return Conclusion::Done,
        1 => "1 error was found".to_owned(),
        _ => format!("{errors} errors were found"),
    };
    Conclusion::Failed {
        exit_code: exit::FAILED,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_is_a_failure() {
        assert_eq!(conclude(0), Conclusion::Done);
        let failed = |message: &str| Conclusion::Failed {
            exit_code: exit::FAILED,
            message: message.to_owned(),
        };
        assert_eq!(conclude(1), failed("1 error was found"));
        assert_eq!(conclude(3), failed("3 errors were found"));
    }
}
