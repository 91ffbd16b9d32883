//! Standard error: lines and, on a terminal, bars or a question below them. One owner for all, so that none is
//! written through the other.

use std::io::{self, StderrLock, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::bottom::Bottom;
use super::log::{LogFormat, LogKind, LogLine};
use super::progress::lock;
use super::wrap::wrap;

/// Columns that bars leave free. The cursor stays behind the last bar, where a terminal shows the `^C` of
/// Ctrl-C. If that wrapped, the bar would be erased one row too low.
const MARGIN: usize = 4;

/// Columns of a terminal that does not know its size.
const USUAL_COLUMNS: usize = 80;

/// Rows of such a terminal.
const USUAL_ROWS: usize = 24;

/// Standard error, shared by bars, questions, lines and logs; cheap to clone. As a writer it takes whole
/// lines, as a logger hands them over.
#[derive(Clone, Debug)]
pub struct Screen {
    bottom: Arc<Mutex<Bottom>>,
    live: bool,
    format: LogFormat,
}

impl Screen {
    /// A screen for people, that may move the cursor only when `live`.
    pub(super) fn new(live: bool) -> Self {
        Self {
            bottom: Arc::default(),
            live,
            format: LogFormat::Text,
        }
    }

    /// A screen for programs: each line is an event, and nothing else is written.
    pub(super) fn for_programs() -> Self {
        Self {
            format: LogFormat::Json,
            ..Self::new(false)
        }
    }

    /// Whether programs read it.
    pub fn is_for_programs(&self) -> bool {
        self.format == LogFormat::Json
    }

    /// Whether bars are drawn.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Columns that a bar may fill.
    pub(super) fn columns(&self) -> usize {
        let (columns, _) = size();
        columns.saturating_sub(MARGIN).max(1)
    }

    /// Replaces the bars. While a question waits, they are only remembered.
    pub(super) fn set_bars(&self, mut bars: Vec<String>) {
        if !self.live {
            return;
        }
        // A bar that scrolls off the screen cannot be erased.
        let (_, rows) = size();
        bars.truncate(rows.saturating_sub(1).max(1));
        // Standard error is where failures are reported; its own failure has no such place.
        drop(self.with_bottom(|bottom, out| bottom.set_bars(bars, out)));
    }

    /// Writes a line above bars and question.
    pub fn show(&self, line: &LogLine) {
        let line = match self.format {
            LogFormat::Text => format!("{}\n", self.wrapped(line.text())),
            LogFormat::Json => format!("{}\n", line.json(Timestamp::now())),
        };
        drop(self.with_bottom(|bottom, out| bottom.write_above(line.as_bytes(), out)));
    }

    /// The text with line breaks between words, on a terminal.
    fn wrapped(&self, text: &str) -> String {
        match self.live {
            true => wrap(text, size().0),
            false => text.to_owned(),
        }
    }

    /// Writes what the program does now, or text of our own on several lines.
    pub fn line(&self, text: &str) {
        self.show(&LogLine::new(LogKind::Status, text).shown_as(text));
    }

    /// Ends a question that waits, which will have no answer, and writes a line.
    pub fn interrupt(&self, text: &str) {
        drop(self.end_question(true));
        self.show(&LogLine::new(LogKind::Stopping, text));
    }

    /// Takes the bars off the screen for good: what ends the command is its last line.
    pub fn close(&self) {
        drop(self.with_bottom(|bottom, out| bottom.close(out)));
    }

    /// Draws no bar until [`release_bars`](Self::release_bars): a list is shown.
    pub(super) fn hold_bars(&self) {
        drop(self.with_bottom(|bottom, out| bottom.hold(out)));
    }

    /// Erases what a list has left below the cursor: it was not answered.
    pub(super) fn clear_below(&self) {
        drop(self.with_bottom(|bottom, out| bottom.clear_below(out)));
    }

    /// Draws bars again.
    pub(super) fn release_bars(&self) {
        drop(self.with_bottom(|bottom, out| bottom.release(out)));
    }

    /// Writes no line until [`release_lines`](Self::release_lines): the whole terminal is drawn.
    pub(super) fn hold_lines(&self) {
        drop(self.with_bottom(|bottom, out| bottom.hold_lines(out)));
    }

    /// Writes the lines that have waited.
    pub(super) fn release_lines(&self) {
        drop(self.with_bottom(|bottom, out| bottom.release_lines(out)));
    }

    /// Asks, and draws no bar until [`end_question`](Self::end_question).
    pub(super) fn ask(&self, question: &str) -> io::Result<()> {
        match self.format {
            LogFormat::Text => {
                let question = self.wrapped(question);
                self.with_bottom(|bottom, out| bottom.ask(&question, out))
            }
            LogFormat::Json => {
                self.show(&LogLine::new(LogKind::Question, question));
                Ok(())
            }
        }
    }

    /// Ends the question, if it still waits. `ends_row` unless the user's Enter has ended its row.
    pub(super) fn end_question(&self, ends_row: bool) -> io::Result<()> {
        self.with_bottom(|bottom, out| bottom.end_question(ends_row, out))
    }

    /// Writes elsewhere on the terminal while no bar is drawn.
    pub(super) fn step_aside<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.with_bottom(|bottom, out| bottom.step_aside(out, write))?
    }

    fn with_bottom<T>(&self, change: impl FnOnce(&mut Bottom, &mut StderrLock<'_>) -> T) -> T {
        change(&mut lock(&self.bottom), &mut io::stderr().lock())
    }
}

/// Columns and rows of the terminal on standard error.
fn size() -> (usize, usize) {
    size_of(io::stderr())
}

/// Columns and rows of a terminal.
pub(super) fn size_of(terminal: impl AsFd) -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(terminal).ok();
    let known = |value: Option<u16>, usual| match value {
        None | Some(0) => usual,
        Some(value) => usize::from(value),
    };
    (
        known(size.map(|size| size.ws_col), USUAL_COLUMNS),
        known(size.map(|size| size.ws_row), USUAL_ROWS),
    )
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with_bottom(|bottom, out| bottom.write_above(bytes, out))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
