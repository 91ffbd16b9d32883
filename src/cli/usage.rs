//! Command lines that cannot be read, and requests for help.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::{SOURCE_VARIABLE, TARGET_VARIABLE};
use super::{Arguments, Error, exit, setting};
use crate::ui::{self, Failure, LogFormat, LogKind, LogLine, Streams, Ui};

/// The flag of the form of reports.
const OUTPUT: &str = "--output";

/// The flag of the form of standard error.
const LOG_FORMAT: &str = "--log-format";

/// Both.
const FORMATS: [&str; 2] = [OUTPUT, LOG_FORMAT];

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
    let arguments = text_of(arguments);
    let hint = name_variables(&error);
    if FORMATS.iter().any(|flag| wants_json(&arguments, flag)) {
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
    start_plain(arguments).fail(&Failure {
        command: command_in(arguments),
        exit_code: exit::USAGE,
        error: &Error::Usage {
            message: first_paragraph(&error.to_string()),
        },
        place: None,
        hint,
        is_kept: false,
    })
}

/// The first command that a line names; empty if it names none.
fn command_in(arguments: &[String]) -> &str {
    let program = Arguments::command();
    let is_command = |argument: &&String| program.find_subcommand(argument).is_some();
    arguments.iter().find(is_command).map_or("", String::as_str)
}

/// The user interface that a line asks for which could not be read as a whole; without colours.
fn start_plain(arguments: &[String]) -> Ui {
    let output = match wants_json(arguments, OUTPUT) {
        true => ui::Output::Json,
        false => ui::Output::Text,
    };
    let log = match wants_json(arguments, LOG_FORMAT) {
        true => LogFormat::Json,
        false => LogFormat::Text,
    };
    let streams = Streams::of_process();
    Ui::new(output, ui::Color::Never, streams, setting::flag_of).with_log(log)
}

/// Whether a line that could not be read as a whole asks for JSON with this flag.
fn wants_json(arguments: &[String], flag: &str) -> bool {
    let is_pair = |pair: &[String]| pair[0] == flag && pair[1] == "json";
    let one = format!("{flag}=json");
    arguments.contains(&one) || arguments.windows(2).any(is_pair)
}

/// Reports a bug of the program, in the form that the command line asks for.
pub fn report_bug(message: &str) {
    let arguments = text_of(std::env::args_os());
    let text = format!("this is a bug in the program: {message}");
    let line = LogLine::new(LogKind::Error, &text);
    let shown = format!("error: {text}");
    start_plain(&arguments).screen().show(&line.shown_as(shown));
}

fn text_of(arguments: impl Iterator<Item = OsString>) -> Vec<String> {
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    arguments.collect()
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
        let wants = |line: &str| wants_json(&split(line), OUTPUT);
        assert!(wants("init --output json --nonsense"));
        assert!(wants("init --nonsense --output=json"));
        assert!(!wants("init json --output text"));
        assert!(!wants("init --log-format json"));
        assert!(wants_json(&split("init --log-format json"), LOG_FORMAT));
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
            "config",
            "completions",
            "man",
        ] {
            assert_eq!(command_in(&split(&format!("x --y {command} --z"))), command);
        }
        assert_eq!(command_in(&split("x --y")), "");
    }
}
