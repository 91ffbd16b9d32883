//! The command line: arguments, dispatch, and where all areas' errors meet.
//!
//! A command file resolves its arguments, calls one engine and hands the result to `ui`; it decides
//! nothing itself.

mod args;
mod connections;
mod demo;
mod error;
mod exit;
mod init;
mod setting;
mod signal;
mod teardown;
mod usage;
mod validate;
mod verify;

pub use error::Error;

use clap::Parser as _;

use self::signal::Signals;
use crate::event::Events;
use crate::task::Scope;
use crate::ui::{Failure, Ui};

/// Copies live PostgreSQL databases to another PostgreSQL server
///
/// The program implements the PostgreSQL wire protocol. It does not use pg_dump, psql or libpq.
#[derive(Debug, clap::Parser)]
#[command(
    name = "postgres-seren-replicator",
    bin_name = "postgres-seren-replicator"
)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    output: args::Output,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Validate(validate::Arguments),
    Init(init::Arguments),
    Verify(verify::Arguments),
    Teardown(teardown::Arguments),
    Demo(demo::Arguments),
}

impl Command {
    const fn name(&self) -> &'static str {
        match self {
            Self::Validate(_) => "validate",
            Self::Init(_) => "init",
            Self::Verify(_) => "verify",
            Self::Teardown(_) => "teardown",
            Self::Demo(_) => "demo",
        }
    }
}

/// Runs the program with this process's arguments; what it exits with.
pub async fn run() -> u8 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report_usage(&error, std::env::args_os()),
    };
    let ui = arguments.output.start();
    let command = arguments.command.name();
    let signals = Signals::listen(ui.screen().clone());
    let done = tokio::select! {
        biased;
        // Connections are dropped, servers roll back.
        () = signals.forced() => Err(Error::CleanupIncomplete { exit_code: signals.exit_code() }),
        done = dispatch(&arguments.command, &ui, &signals) => done,
    };
    match done {
        Ok(code) => code,
        Err(error) => report_failure(&ui, command, &error, &signals),
    }
}

/// Runs the command with events drawn on the screen.
async fn dispatch(command: &Command, ui: &Ui, signals: &Signals) -> Result<u8, Error> {
    let (events, receiver) = Events::channel();
    let scope = Scope {
        stop: signals.stop().clone(),
        events,
    };
    let drawing = ui.drive(receiver);
    let done = match command {
        Command::Validate(arguments) => validate::run(arguments, ui, &scope).await,
        Command::Init(arguments) => Box::pin(init::run(arguments, ui, &scope)).await,
        Command::Verify(arguments) => Box::pin(verify::run(arguments, ui, &scope)).await,
        Command::Teardown(arguments) => Box::pin(teardown::run(arguments, ui, &scope)).await,
        Command::Demo(arguments) => Box::pin(demo::run(arguments, ui, &scope)).await,
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
        (true, Error::Declined) => (signals.exit_code(), &stopped),
        // An attempt to connect that a signal ended.
        (true, error) if error.is_stopped_attempt() => (signals.exit_code(), &stopped),
        (true, error) => (signals.exit_code(), error),
        (false, error) => (error.exit_code(), error),
    };
    let failure = Failure {
        command,
        exit_code,
        error,
        place: error.place(),
        hint: error.hint(),
    };
    // Standard output is gone: standard error has had the message.
    drop(ui.fail(&failure));
    exit_code
}
