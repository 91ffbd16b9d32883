//! Command lines that cannot be read, and requests for help.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::{SOURCE_VARIABLE, TARGET_VARIABLE};
use super::{Arguments, Error, exit, setting};
use crate::ui::{self, Failure, Streams, Ui};

/// Prints help, or what is wrong; what the process exits with.
pub(super) fn report_usage(
    mut error: clap::Error,
    arguments: impl Iterator<Item = OsString>,
) -> u8 {
    if !error.use_stderr() {
        // Nobody reads it when the terminal is gone.
        drop(error.print());
        return exit::DONE;
    }
    let arguments: Vec<String> = arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let hint = name_variables(&error);
    if wants_json(&arguments) {
        drop(report_to_program(&error, &arguments, hint));
    } else {
        if let Some(hint) = hint {
            let hints = ContextValue::StyledStrs(vec![hint.into()]);
            error.insert(ContextKind::Suggested, hints);
        }
        drop(error.print());
    }
    exit::USAGE
}

/// Where a connection string that is missing can be given.
fn name_variables(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let is_missing = |flag: &str| missing.iter().any(|one| one.starts_with(flag));
    let known = [("--source", SOURCE_VARIABLE), ("--target", TARGET_VARIABLE)];
    let known = known.into_iter().filter(|(flag, _)| is_missing(flag));
    let (flags, variables): (Vec<_>, Vec<_>) = known.unzip();
    if flags.is_empty() {
        return None;
    }
    let plural = if flags.len() == 1 { "" } else { "s" };
    let (flags, variables) = (flags.join(" and "), variables.join(" and "));
    Some(format!(
        "pass {flags}, or set the environment variable{plural} {variables}, to postgresql://user@host:5432/database"
    ))
}

fn report_to_program(
    error: &clap::Error,
    arguments: &[String],
    hint: Option<String>,
) -> std::io::Result<()> {
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
            message: first_paragraph(&error.to_string()),
        },
        place: None,
        hint,
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

/// What the parser says before it shows the usage, on one line and without its mark.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let line = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
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
    fn the_message_is_the_first_paragraph() {
        assert_eq!(first_paragraph("error: no --x\n\nUsage: y"), "no --x");
        assert_eq!(
            first_paragraph("error: missing:\n  --x\n  --y\n\nUsage: y"),
            "missing: --x --y"
        );
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
