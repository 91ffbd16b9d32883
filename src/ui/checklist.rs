//! Lists on a terminal: many names, of which any number can be ticked, or one be chosen.

use std::fmt;
use std::io;

use inquire::list_option::ListOption;
use inquire::{MultiSelect, Select};
use tokio_util::sync::CancellationToken;

use super::{Screen, prompt, text};

/// Lines of a list that are shown at once, where the terminal has room for them.
const PAGE: usize = 15;

/// How the keys of a checklist work.
const TICK_HELP: &str = "type to filter, space ticks, → all, ← none, enter confirms, esc cancels";

/// How the keys of a list work of which one item is chosen.
const CHOOSE_HELP: &str = "type to filter, ↑ ↓ move, enter chooses, esc cancels";

/// One line of a list.
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
pub(super) async fn tick(
    screen: &Screen,
    question: &str,
    items: Vec<ChecklistItem>,
    stop: &CancellationToken,
) -> io::Result<Option<Vec<usize>>> {
    let question = question.to_owned();
    let show = |ticked: &[ListOption<&ChecklistItem>]| format!("{} ticked", ticked.len());
    let ticked = prompt::run(screen, stop, move || {
        MultiSelect::new(&question, items)
            .with_page_size(PAGE)
            .with_help_message(TICK_HELP)
            .with_formatter(&show)
            .raw_prompt()
    });
    let ticked = ticked.await?;
    Ok(ticked.map(|ticked| ticked.into_iter().map(|one| one.index).collect()))
}

/// Asks for one of the items; its place. None after Esc, Ctrl-C or `stop`.
///
/// # Errors
/// The terminal is broken, or no thread could be started.
pub(super) async fn choose(
    screen: &Screen,
    question: &str,
    items: Vec<ChecklistItem>,
    stop: &CancellationToken,
) -> io::Result<Option<usize>> {
    let question = question.to_owned();
    let chosen = prompt::run(screen, stop, move || {
        Select::new(&question, items)
            .with_page_size(PAGE)
            .with_help_message(CHOOSE_HELP)
            .raw_prompt()
    });
    Ok(chosen.await?.map(|chosen| chosen.index))
}
