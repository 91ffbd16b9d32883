//! The command that follows: with those of the given options that it has.

use std::fmt;
use std::sync::OnceLock;

use clap::CommandFactory as _;

use super::{Arguments, NAME};
use crate::ui::shell_quoted;

/// Connection strings, which may contain passwords: they are replaced.
const URLS: [(&str, &str); 3] = [
    ("source", "SOURCE_URL"),
    ("subscription-source", "SUBSCRIPTION_SOURCE_URL"),
    ("target", "TARGET_URL"),
];

/// Options that are about one call only.
const ONCE: [&str; 8] = [
    "color",
    "dry-run",
    "log-format",
    "log-level",
    "no-interactive",
    "output",
    "verbose",
    "yes",
];

/// An option that repeats what a user has ticked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RepeatedOption {
    name: &'static str,
    /// As a shell takes it.
    value: String,
}

impl RepeatedOption {
    pub(super) fn new(name: &'static str, value: String) -> Self {
        Self { name, value }
    }
}

impl fmt::Display for RepeatedOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{} {}", self.name, self.value)
    }
}

/// What the user of this process has ticked: like its arguments, there is one for the process.
static TICKED: OnceLock<Vec<RepeatedOption>> = OnceLock::new();

/// Has the commands that follow select what the user has ticked.
pub(super) fn repeat(ticked: Vec<RepeatedOption>) {
    // One process asks once.
    drop(TICKED.set(ticked));
}

/// A command of this program, with those of this process's options that it has.
pub(super) fn next_command(command: &str) -> String {
    let ticked = TICKED.get().map(Vec::as_slice).unwrap_or_default();
    render_command(command, std::env::args().skip(1), ticked)
}

fn render_command(
    command: &str,
    given: impl Iterator<Item = String>,
    ticked: &[RepeatedOption],
) -> String {
    let mut program = Arguments::command();
    program.build();
    let mut words = vec![NAME.to_owned(), command.to_owned()];
    words.extend(accepted_arguments(&program, command, given));
    let ticked = ticked.iter();
    let ticked = ticked.filter(|option| has_option(&program, command, option.name));
    words.extend(ticked.map(ToString::to_string));
    words.join(" ")
}

/// Whether a command of the program has an option.
fn has_option(program: &clap::Command, command: &str, name: &str) -> bool {
    let command = program.find_subcommand(command);
    let mut arguments = command.into_iter().flat_map(clap::Command::get_arguments);
    arguments.any(|argument| argument.get_long() == Some(name))
}

/// The given arguments that a command accepts, as a shell takes them.
fn accepted_arguments(
    program: &clap::Command,
    command: &str,
    given: impl Iterator<Item = String>,
) -> Vec<String> {
    let accepts = |name: &str| !ONCE.contains(&name) && has_option(program, command, name);
    // An option takes a value in every command that has it, or in none.
    let takes_value = |name: &str| {
        let commands = program.get_subcommands();
        let mut arguments = commands.flat_map(clap::Command::get_arguments);
        let found = arguments.find(|argument| argument.get_long() == Some(name));
        found.is_some_and(|argument| argument.get_action().takes_values())
    };
    let mut accepted = Vec::new();
    let mut given = given;
    while let Some(argument) = given.next() {
        let Some(option) = argument.strip_prefix("--") else {
            continue;
        };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None if takes_value(option) => (option, given.next()),
            None => (option, None),
        };
        if !accepts(name) {
            continue;
        }
        accepted.push(format!("--{name}"));
        let url = URLS.iter().find(|(url, _)| *url == name);
        match url {
            Some((_, placeholder)) => accepted.push((*placeholder).to_owned()),
            None => accepted.extend(value.map(|value| shell_quoted(&value))),
        }
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follows(command: &str, given: &[&str]) -> String {
        render_command(command, given.iter().map(|one| (*one).to_owned()), &[])
    }

    #[test]
    fn options_of_the_next_command_are_repeated() {
        let given = [
            "--log-level",
            "debug",
            "validate",
            "--include-databases",
            "app,it's",
            "--map-database=app=store",
            "--no-sync",
            "-y",
        ];
        assert_eq!(
            follows("init", &given),
            r"postgres-seren-replicator init --include-databases 'app,it'\''s' --map-database app=store --no-sync"
        );
        assert_eq!(
            follows("verify", &given),
            r"postgres-seren-replicator verify --include-databases 'app,it'\''s' --map-database app=store"
        );
    }

    #[test]
    fn connection_strings_are_replaced_and_questions_are_asked_again() {
        let given = [
            "init",
            "--source",
            "postgresql://u:pw@h/d",
            "--target=postgresql://u:pw@h/e",
            "--yes",
            "--drop-existing",
            "--output",
            "json",
        ];
        assert_eq!(
            follows("init", &given),
            "postgres-seren-replicator init --source SOURCE_URL --target TARGET_URL --drop-existing"
        );
    }

    #[test]
    fn what_was_ticked_is_repeated_where_the_command_has_the_option() {
        let ticked = [
            RepeatedOption::new("include-databases", "app".to_owned()),
            RepeatedOption::new("time-filter", "'app.public.t:at:1 day'".to_owned()),
        ];
        let given = || ["init".to_owned()].into_iter();
        assert_eq!(
            render_command("verify", given(), &ticked),
            "postgres-seren-replicator verify --include-databases app --time-filter 'app.public.t:at:1 day'"
        );
        assert_eq!(
            render_command("teardown", given(), &ticked),
            "postgres-seren-replicator teardown --include-databases app"
        );
    }
}
