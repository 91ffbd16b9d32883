//! Checklists on a terminal: many names, any number of which can be ticked.

use std::fmt;
use std::io::{self, Write as _};

use inquire::list_option::ListOption;
use inquire::{InquireError, MultiSelect};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Screen, text};

/// Lines of a list that are shown at once, where the terminal has room for them.
const PAGE: usize = 15;

/// Shows the cursor.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h\r\n";

/// How the keys work.
const HELP: &str = "type to filter, space ticks, → all, ← none, enter confirms, esc cancels";

/// One line of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistItem {
    /// What is ticked.
    pub name: String,
    /// How large it is, in bytes, where that is known.
    pub bytes: Option<u64>,
}

impl fmt::Display for ChecklistItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::clean(&self.name))?;
        match self.bytes {
            Some(bytes) => write!(f, "  ({})", text::size(bytes)),
            None => Ok(()),
        }
    }
}

/// Asks which items are ticked; their places, in order. None after Esc, Ctrl-C or `stop`.
///
/// # Errors
/// The terminal is broken, or no thread could be started.
pub(super) async fn ask(
    screen: &Screen,
    question: &str,
    items: Vec<ChecklistItem>,
    stop: &CancellationToken,
) -> io::Result<Option<Vec<usize>>> {
    let question = question.to_owned();
    let modes = TerminalModes::save();
    screen.hold_bars();
    let (sender, answer) = oneshot::channel();
    // A thread of its own: reading the keyboard cannot be cancelled, and a runtime would wait for it at its end.
    std::thread::Builder::new()
        .name("checklist".to_owned())
        .spawn(move || {
            // Nobody waits for the answer after a stop.
            drop(sender.send(prompt(&question, items)));
        })?;
    let ticked = tokio::select! {
        biased;
        () = stop.cancelled() => {
            // The thread still reads the keyboard, but the terminal belongs to the shell again.
            modes.restore();
            Ok(None)
        }
        answer = answer => answer.unwrap_or(Ok(None)),
    };
    screen.release_bars();
    ticked
}

/// How the terminal was before a list was shown.
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

fn prompt(question: &str, items: Vec<ChecklistItem>) -> io::Result<Option<Vec<usize>>> {
    let show = |ticked: &[ListOption<&ChecklistItem>]| format!("{} ticked", ticked.len());
    let ticked = MultiSelect::new(question, items)
        .with_page_size(PAGE)
        .with_help_message(HELP)
        .with_formatter(&show)
        .raw_prompt();
    match ticked {
        Ok(ticked) => Ok(Some(ticked.into_iter().map(|one| one.index).collect())),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(InquireError::IO(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}
