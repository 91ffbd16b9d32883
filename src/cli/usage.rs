//! Command lines that cannot be read, and requests for help.

use std::ffi::OsString;

use clap::CommandFactory as _;

use super::{Arguments, Error, exit, setting};
use crate::ui::{self, Failure, Streams, Ui};

/// Prints help, or what is wrong; what the process exits with.
pub(super) fn report_usage(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> u8 {
    if !error.use_stderr() {
        // Nobody reads it when the terminal is gone.
        drop(error.print());
        return exit::DONE;
    }
    let arguments: Vec<String> = arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    if wants_json(&arguments) {
        drop(report_to_program(error, &arguments));
    } else {
        drop(error.print());
    }
    exit::USAGE
}

fn report_to_program(error: &clap::Error, arguments: &[String]) -> std::io::Result<()> {
    let ui = Ui::new(
        ui::Output::Json,
        ui::Color::Never,
        Streams::of_process(),
        setting::flag_of,
    );
    ui.fail(&Failure {
        command: command_in(arguments),
        exit_code: exit::USAGE,
        error: &Error::Usage {
            message: first_line(&error.to_string()).to_owned(),
        },
        place: None,
        hint: None,
    })
}

/// The first command that a line names; empty if it names none.
fn command_in(arguments: &[String]) -> &str {
    let program = Arguments::command();
    let is_command = |argument: &&String| program.find_subcommand(argument).is_some();
    arguments.iter().find(is_command).map_or("", String::as_str)
}

/// Whether a line that could not be read as a whole asks for JSON.
fn wants_json(arguments: &[String]) -> bool {
    let is_pair = |pair: &[String]| pair[0] == "--output" && pair[1] == "json";
    arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(is_pair)
}

/// The first line of what the parser says, without its mark.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn both_spellings_of_the_flag_ask_for_json() {
        assert!(wants_json(&split("init --output json --nonsense")));
        assert!(wants_json(&split("init --nonsense --output=json")));
        assert!(!wants_json(&split("init json --output text")));
    }

    #[test]
    fn the_message_is_the_first_line() {
        assert_eq!(first_line("error: no --x\n\nUsage: y"), "no --x");
    }

    #[test]
    fn every_command_is_known() {
        for command in [
            "validate",
            "init",
            "verify",
            "teardown",
            "demo",
            "completions",
            "man",
        ] {
            assert_eq!(command_in(&split(&format!("x --y {command} --z"))), command);
        }
        assert_eq!(command_in(&split("x --y")), "");
    }
}
