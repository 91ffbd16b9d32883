//! `config show` and `config example`; and what helps with a file that cannot be used.

use clap::{CommandFactory as _, ValueEnum};

use super::args::{SOURCE_VARIABLE, Selection, TARGET_VARIABLE, parse_endpoint};
use super::next::next_command;
use super::{ALL_OPTIONS, Error, NAME, exit};
use crate::config::{self, EXAMPLE, Fault, Foreign, Source, Sourced};
use crate::ui::report::{ShownConfig, ShownServer};
use crate::ui::{Conclusion, Ui};

const EXAMPLES: &str = "\
Examples:
  Write a file with all keys, and change it:
    postgres-seren-replicator config example > replication-config.toml
  Print what a run would use, and where each value comes from:
    postgres-seren-replicator config show --config replication-config.toml";

/// Print the effective configuration, or an example of a configuration file
///
/// Neither connects to a server. Passwords are not printed.
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What to print
    #[arg(value_enum, value_name = "ACTION")]
    action: Action,

    /// Source server, as validate, init and verify take it [default: SOURCE_DATABASE_URL of the environment]
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    source: Option<String>,

    /// Target server [default: TARGET_DATABASE_URL of the environment]
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    target: Option<String>,

    #[command(flatten)]
    selection: Selection,

    /// Number of parallel workers, as init and verify take it
    #[arg(long, help_heading = "Run", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    /// The values that a run with these options and this file uses, each with its origin
    Show,
    /// A configuration file with all keys and a description of each; --output has no effect
    Example,
}

/// Prints what is asked for.
///
/// # Errors
/// An option or the file is wrong, or standard output is broken.
pub(super) fn run(arguments: &Arguments, ui: &Ui) -> Result<u8, Error> {
    match arguments.action {
        Action::Example => ui.print(EXAMPLE)?,
        Action::Show => ui.report(
            &arguments.shown()?,
            &Conclusion::Done,
            &next_command("validate"),
        )?,
    }
    Ok(exit::DONE)
}

impl Arguments {
    fn shown(&self) -> Result<ShownConfig, Error> {
        Ok(ShownConfig {
            file: self.selection.config_file().map(ToOwned::to_owned),
            source: shown_server("source", self.source.as_deref(), SOURCE_VARIABLE)?,
            target: shown_server("target", self.target.as_deref(), TARGET_VARIABLE)?,
            as_of: self.selection.as_of(),
            effective: self.selection.resolve(self.jobs)?,
        })
    }
}

/// Role, hosts and database of a server: the option's, else the environment's. Not the whole connection string, which
/// may contain passwords.
fn shown_server(
    side: &'static str,
    option: Option<&str>,
    variable: &'static str,
) -> Result<Sourced<Option<ShownServer>>, Error> {
    let given = option.map(|url| (url.to_owned(), Source::CommandLine));
    let from_environment = || {
        let url = std::env::var(variable).ok()?;
        Some((url, Source::Environment(variable)))
    };
    let Some((url, source)) = given.or_else(from_environment) else {
        return Ok(Sourced::default());
    };
    let endpoint = parse_endpoint(side, &url)?;
    Ok(Sourced {
        value: Some(ShownServer {
            role: endpoint.user().to_owned(),
            place: endpoint.place(),
            database: endpoint.database().to_owned(),
        }),
        source,
    })
}

/// What to do about a file that cannot be used, where the message does not say so.
pub(super) fn hint_of_config(error: &config::Error) -> Option<String> {
    let config::Error::Wrong { source, .. } = error else {
        return None;
    };
    match source.as_ref() {
        Fault::Foreign { what, .. } => Some(match what {
            Foreign::Server => format!(
                "pass --source and --target, or set the environment variables {SOURCE_VARIABLE} and {TARGET_VARIABLE}"
            ),
            Foreign::Password => {
                "use a password file (~/.pgpass), a service file, the environment variable \
                                  PGPASSWORD, or a URL in the environment"
                    .to_owned()
            }
        }),
        Fault::UnknownKey {
            key,
            suggestion: None,
            ..
        } => Some(match find_option(key) {
            Some(option) => format!("pass {option} on the command line"),
            None => format!("a file with all keys is printed by: {NAME} config example"),
        }),
        Fault::TooLarge
        | Fault::Encoding { .. }
        | Fault::NoText { .. }
        | Fault::Syntax { .. }
        | Fault::UnknownKey {
            suggestion: Some(_),
            ..
        }
        | Fault::WrongType { .. }
        | Fault::OutOfRange { .. }
        | Fault::BothLists { .. }
        | Fault::SelectsNothing { .. }
        | Fault::Name { .. }
        | Fault::UnnamedSection { .. }
        | Fault::OtherDatabase { .. }
        | Fault::Predicate { .. }
        | Fault::Window { .. }
        | Fault::MissingKey { .. }
        | Fault::DuplicateRule { .. } => None,
    }
}

/// The option of some command that a key of the file is named after.
fn find_option(key: &str) -> Option<String> {
    let long = key.replace('_', "-");
    let program = super::Arguments::command();
    let mut commands = std::iter::once(&program).chain(program.get_subcommands());
    let is_known = commands.any(|command| {
        command
            .get_arguments()
            .any(|own| own.get_long() == Some(long.as_str()))
    });
    is_known.then(|| format!("--{long}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;

    fn hint(text: &str) -> Option<String> {
        hint_of_config(&config::Error::Wrong {
            path: "x.toml".into(),
            source: Box::new(File::parse(text.as_bytes()).unwrap_err()),
        })
    }

    #[test]
    fn what_belongs_elsewhere_is_named_with_its_place() {
        for (text, expected) in [
            ("source = 'x'", Some("pass --source and --target, or set")),
            ("password = 'x'", Some("use a password file (~/.pgpass)")),
            (
                "drop_existing = true",
                Some("pass --drop-existing on the command line"),
            ),
            ("nonsense = 1", Some("config example")),
            ("jbos = 1", None),
            ("jobs = 'x'", None),
        ] {
            let found = hint(text);
            match expected {
                Some(expected) => assert!(found.unwrap().contains(expected), "{text}"),
                None => assert_eq!(found, None, "{text}"),
            }
        }
    }
}
