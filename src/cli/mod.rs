//! The command line: arguments, dispatch, and where all areas' errors meet.
//!
//! A command file resolves its arguments, calls one engine and hands the result to `ui`; it decides
//! nothing itself.

mod args;
mod completions;
mod config;
mod connections;
mod demo;
mod error;
mod exit;
mod init;
mod interactive;
mod man;
mod next;
mod proposals;
mod refusals;
mod setting;
mod signal;
mod status;
mod sync;
mod teardown;
mod ticked;
mod usage;
mod validate;
mod verify;
mod watch;

pub use error::Error;
pub use usage::report_bug;

use clap::Parser as _;

use self::signal::Signals;
use crate::event::Events;
use crate::task::Scope;
use crate::ui::{Failure, Ui};

/// The name of the program in help, completion scripts and the manual page, also if its file has another name.
const NAME: &str = "postgres-seren-replicator";

/// The last line of `-h`, which shows the common options only.
const ALL_OPTIONS: &str = "--help lists all options, with examples.";

const EXAMPLES: &str = "\
Examples; SOURCE_DATABASE_URL and TARGET_DATABASE_URL name the servers:
  Check both servers, then copy all databases:
    postgres-seren-replicator validate && postgres-seren-replicator init
  Copy a sample database between two temporary servers:
    postgres-seren-replicator demo";

/// Copies live PostgreSQL databases to another PostgreSQL server
///
/// The program implements the PostgreSQL wire protocol. It does not use pg_dump, psql or libpq.
#[derive(Debug, clap::Parser)]
#[command(name = NAME, bin_name = NAME)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = ALL_OPTIONS, after_long_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    output: args::Output,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(flatten)]
    Work(Box<Work>),
    #[command(flatten)]
    Print(Print),
}

/// Commands that use servers.
#[derive(Debug, clap::Subcommand)]
enum Work {
    Validate(validate::Arguments),
    Init(init::Arguments),
    Sync(sync::Arguments),
    Status(status::Arguments),
    Verify(verify::Arguments),
    Teardown(teardown::Arguments),
    Demo(demo::Arguments),
}

/// Commands that only print. They use no server.
#[derive(Debug, clap::Subcommand)]
enum Print {
    Config(Box<config::Arguments>),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Work {
    const fn name(&self) -> &'static str {
        match self {
            Self::Validate(_) => "validate",
            Self::Init(_) => "init",
            Self::Sync(_) => "sync",
            Self::Status(_) => "status",
            Self::Verify(_) => "verify",
            Self::Teardown(_) => "teardown",
            Self::Demo(_) => "demo",
        }
    }
}

impl Print {
    const fn name(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }

    fn run(&self, ui: &Ui) -> Result<u8, Error> {
        match self {
            Self::Config(arguments) => return config::run(arguments, ui),
            Self::Completions(arguments) => ui.print(&completions::render(arguments))?,
            Self::Man(_) => ui.print(&man::render()?)?,
        }
        Ok(exit::DONE)
    }
}

/// Runs the program with this process's arguments; what it exits with.
pub async fn run() -> u8 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report_usage(error, std::env::args_os()),
    };
    let ui = arguments.output.start();
    match arguments.command {
        Command::Work(command) => work(&command, &ui).await,
        Command::Print(command) => print(&command, &ui),
    }
}

/// Prints a text or a report. There is nothing to clean up: signals keep their usual effect.
fn print(command: &Print, ui: &Ui) -> u8 {
    match command.run(ui) {
        Ok(code) => code,
        Err(error) => show_failure(ui, command.name(), &error, error.exit_code()),
    }
}

/// Runs a command until its end or a second signal.
async fn work(command: &Work, ui: &Ui) -> u8 {
    let signals = Signals::listen(ui.screen().clone());
    let done = tokio::select! {
        biased;
        // Connections are dropped, servers roll back.
        () = signals.forced() => Err(Error::CleanupIncomplete { exit_code: signals.exit_code() }),
        done = dispatch(command, ui, &signals) => done,
    };
    // The drawing of a command that a second signal has cut off was not ended.
    ui.screen().close();
    match done {
        Ok(code) => code,
        Err(error) => report_failure(ui, command.name(), &error, &signals),
    }
}

/// Runs the command with events drawn on the screen.
async fn dispatch(command: &Work, ui: &Ui, signals: &Signals) -> Result<u8, Error> {
    let (events, receiver) = Events::channel();
    let scope = Scope {
        stop: signals.stop().clone(),
        events,
    };
    let drawing = ui.drive(receiver);
    let done = match command {
        Work::Validate(arguments) => validate::run(arguments, ui, &scope).await,
        Work::Init(arguments) => Box::pin(init::run(arguments, ui, &scope)).await,
        Work::Sync(arguments) => Box::pin(sync::run(arguments, ui, &scope)).await,
        Work::Status(arguments) => Box::pin(status::run(arguments, ui, &scope)).await,
        Work::Verify(arguments) => Box::pin(verify::run(arguments, ui, &scope)).await,
        Work::Teardown(arguments) => Box::pin(teardown::run(arguments, ui, &scope)).await,
        Work::Demo(arguments) => Box::pin(demo::run(arguments, ui, &scope)).await,
    };
    drop(scope);
    drawing.finish().await;
    done
}

/// Shows what went wrong. After a signal, its consequences are reported as the stop that was asked for.
fn report_failure(ui: &Ui, command: &'static str, error: &Error, signals: &Signals) -> u8 {
    let stopped = Error::Stopped {
        exit_code: signals.exit_code(),
    };
    let (exit_code, error) = match (signals.stop().is_cancelled(), error) {
        // A question that a signal left unanswered.
        (true, Error::Declined | Error::ProposalDeclined { .. }) => (signals.exit_code(), &stopped),
        // An attempt to connect that a signal ended.
        (true, error) if error.is_stopped_attempt() => (signals.exit_code(), &stopped),
        (true, error) => (signals.exit_code(), error),
        (false, error) => (error.exit_code(), error),
    };
    show_failure(ui, command, error, exit_code)
}

/// Shows an error; what the process exits with.
fn show_failure(ui: &Ui, command: &'static str, error: &Error, exit_code: u8) -> u8 {
    let failure = Failure {
        command,
        exit_code,
        error,
        place: error.place(),
        hint: error.hint(),
        is_kept: error.keeps_copy(),
    };
    // Standard output is gone: standard error has had the message.
    drop(ui.fail(&failure));
    exit_code
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn an_option_has_the_same_heading_in_every_command() {
        let mut program = Arguments::command();
        program.build();
        let mut headings = BTreeMap::new();
        for command in program.get_subcommands() {
            for argument in command.get_arguments() {
                let Some(name) = argument.get_long() else {
                    continue;
                };
                let heading = argument.get_help_heading();
                let known = headings.entry(name.to_owned()).or_insert(heading);
                assert_eq!(*known, heading, "--{name} of {}", command.get_name());
                let is_common = matches!(name, "help" | "version");
                assert_eq!(heading.is_none(), is_common, "--{name}");
            }
        }
    }
}
