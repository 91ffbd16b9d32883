//! Command lines that cannot be read, and requests for help.

use std::ffi::OsString;

use super::{Error, exit};
use crate::ui::{self, Failure, Streams, Ui};

/// Commands that a report names.
const COMMANDS: [&str; 4] = ["validate", "init", "verify", "demo"];

/// Prints help, or what is wrong; what the process exits with.
pub(super) fn report(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> u8 {
    if !error.use_stderr() {
        // Nobody is left to tell when the terminal is gone.
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
    let named = |command: &&str| arguments.iter().any(|argument| argument == command);
    let ui = Ui::new(ui::Output::Json, ui::Color::Never, Streams::of_process());
    ui.fail(&Failure {
        command: COMMANDS.into_iter().find(named).unwrap_or_default(),
        exit_code: exit::USAGE,
        error: &Error::Usage {
            message: message(&error.to_string()).to_owned(),
        },
        place: None,
        hint: None,
    })
}

/// Whether a line that could not be read as a whole asks for JSON.
fn wants_json(arguments: &[String]) -> bool {
    let pair = |pair: &[String]| pair[0] == "--output" && pair[1] == "json";
    arguments.iter().any(|argument| argument == "--output=json") || arguments.windows(2).any(pair)
}

/// The first line of what the parser says, without its mark.
fn message(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_flag_ask_for_json() {
        let split = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(wants_json(&split("init --output json --nonsense")));
        assert!(wants_json(&split("init --nonsense --output=json")));
        assert!(!wants_json(&split("init json --output text")));
    }

    #[test]
    fn the_message_is_the_first_line() {
        assert_eq!(message("error: no --x\n\nUsage: y"), "no --x");
    }
}
