//! Prompts that a library draws on the terminal: lists and lines of text.

use std::io::{self, Write as _};

use inquire::validator::{ErrorMessage, Validation};
use inquire::{InquireError, Text};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Screen;

/// Shows the cursor.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h\r\n";

/// Runs a prompt while no bar is drawn. None after Esc, Ctrl-C or `stop`.
///
/// # Errors
/// The terminal is broken, or no thread could be started.
pub(super) async fn run<T: Send + 'static>(
    screen: &Screen,
    stop: &CancellationToken,
    prompt: impl FnOnce() -> Result<T, InquireError> + Send + 'static,
) -> io::Result<Option<T>> {
    let modes = TerminalModes::save();
    screen.hold_bars();
    let (sender, answer) = oneshot::channel();
    // A thread of its own: reading the keyboard cannot be cancelled, and a runtime would wait for it at its end.
    std::thread::Builder::new()
        .name("prompt".to_owned())
        .spawn(move || {
            // Nobody waits for the answer after a stop.
            drop(sender.send(read_answer(prompt())));
        })?;
    let answered = tokio::select! {
        biased;
        () = stop.cancelled() => {
            // The thread still reads the keyboard, but the terminal belongs to the shell again.
            modes.restore();
            Ok(None)
        }
        answer = answer => answer.unwrap_or(Ok(None)),
    };
    if matches!(answered, Ok(None)) {
        screen.clear_below();
    }
    screen.release_bars();
    answered
}

/// Asks for a line of text until `check` accepts it. None after Esc, Ctrl-C or `stop`.
///
/// # Errors
/// The terminal is broken, or no thread could be started.
pub(super) async fn ask_text(
    screen: &Screen,
    question: &str,
    check: impl Fn(&str) -> Result<(), String> + Clone + Send + 'static,
    stop: &CancellationToken,
) -> io::Result<Option<String>> {
    let question = question.to_owned();
    let check = move |text: &str| match check(text) {
        Ok(()) => Ok(Validation::Valid),
        Err(message) => Ok(Validation::Invalid(ErrorMessage::Custom(message))),
    };
    run(screen, stop, move || {
        Text::new(&question).with_validator(check).prompt()
    })
    .await
}

fn read_answer<T>(answer: Result<T, InquireError>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(InquireError::IO(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// How the terminal was before a prompt was shown.
struct TerminalModes(Option<Termios>);

impl TerminalModes {
    fn save() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }

    /// Brings back echo, line editing and the cursor.
    fn restore(&self) {
        if let Some(modes) = &self.0 {
            if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Now, modes) {
                tracing::debug!(%error, "the modes of the terminal could not be restored");
            }
            drop(io::stderr().write_all(SHOW_CURSOR));
        }
    }
}
