//! What people and programs see: the only place besides `cli` that prints.
//!
//! Standard output carries the report of a command and nothing else: text, or exactly one
//! JSON object, also on failure. Everything else (progress, questions,
//! warnings, errors) goes to standard error, which [`Screen`] owns: text, or one JSON event a
//! line. Off a terminal no escape code is written unless the user asks for colour.
//!
//! ```text
//! engines ── Event ──► Drawing ──► Screen (stderr)
//! engines ── Report ─► Ui::report ─► stdout
//! cli ────── Failure ► Ui::fail ──► Screen, with JSON also stdout
//! ```

mod bottom;
mod checklist;
mod conclusion;
mod confirm;
pub mod dialogue;
mod failure;
mod json;
mod log;
pub mod monitor;
mod progress;
mod prompt;
mod remedy;
pub mod replication;
pub mod report;
mod screen;
mod style;
pub mod text;
mod wrap;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use checklist::ChecklistItem;
pub use conclusion::Conclusion;
pub use confirm::REMOVE;
pub use failure::Failure;
pub use log::{LogFormat, LogKind, LogLayer, LogLine, Severity};
pub use progress::Drawing;
pub use remedy::{SettingName, render_remedies, shell_quote, shell_quoted};
pub use report::Report;
pub use screen::Screen;
pub use style::{Color, Style};

use self::json::{Ending, Object, Shown};
use self::progress::{Board, Warnings, lock};
use self::report::FindingBody;
use crate::cluster::Finding;
use crate::event::Event;

/// The form of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One object for programs.
    Json,
}

/// What the process's streams are, and what the environment says about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// Standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// The terminal cannot move its cursor: `TERM` is `dumb`, or not set.
    pub is_dumb: bool,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
}

impl Streams {
    /// The streams of this process.
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            stdin_is_terminal: io::stdin().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            is_dumb: set("TERM").is_none_or(|term| term == "dumb"),
            no_color: set("NO_COLOR").is_some(),
        }
    }

    /// Whether someone can be asked: both ends of a dialogue are terminals.
    pub fn are_interactive(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal
    }
}

/// The two output streams of a command.
#[derive(Debug)]
pub struct Ui {
    output: Output,
    color: Color,
    streams: Streams,
    screen: Screen,
    warnings: Warnings,
    findings: Mutex<Vec<FindingBody>>,
    setting_name: SettingName,
    /// Whether checklists may be shown.
    has_lists: bool,
    /// The drawing that was started last; gone when it has ended.
    board: Mutex<Weak<Mutex<Board>>>,
}

impl Ui {
    /// A user interface on this process's streams, which calls settings as `setting_name` does.
    pub fn new(output: Output, color: Color, streams: Streams, setting_name: SettingName) -> Self {
        Self {
            output,
            color,
            streams,
            screen: Screen::new(streams.stderr_is_terminal && !streams.is_dumb),
            warnings: Warnings::default(),
            findings: Mutex::default(),
            setting_name,
            has_lists: true,
            board: Mutex::default(),
        }
    }

    /// The same with standard error in this form. Programs are shown no checklists.
    #[must_use]
    pub fn with_log(self, format: LogFormat) -> Self {
        match format {
            LogFormat::Text => self,
            LogFormat::Json => Self {
                screen: Screen::for_programs(),
                has_lists: false,
                ..self
            },
        }
    }

    /// The same without checklists.
    #[must_use]
    pub fn without_lists(self) -> Self {
        Self {
            has_lists: false,
            ..self
        }
    }

    /// Whether checklists may be shown.
    pub fn has_lists(&self) -> bool {
        self.has_lists
    }

    /// Standard error, for the logger: `with_writer(move || screen.clone())`.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// What settings are called where the user can write them.
    pub fn setting_name(&self) -> SettingName {
        self.setting_name
    }

    /// What the streams are.
    pub fn streams(&self) -> Streams {
        self.streams
    }

    /// The style of standard error.
    pub fn style(&self) -> Style {
        self.color
            .style(self.streams.stderr_is_terminal, self.streams.no_color)
    }

    /// Draws the events of a run until its last handle is gone.
    pub fn drive(&self, events: mpsc::Receiver<Event>) -> Drawing {
        let (screen, warnings) = (self.screen.clone(), Arc::clone(&self.warnings));
        let board = Board::new(screen, warnings, self.setting_name, events);
        let board = Arc::new(Mutex::new(board));
        *lock(&self.board) = Arc::downgrade(&board);
        Drawing::start(board)
    }

    /// Asks on standard error and reads one line of standard input, after everything emitted before was shown. No
    /// bar is drawn meanwhile. Only `y`, `Y` and `yes` mean
    /// yes; the end of input and `stop` mean no. Cancel safe, but a line read after that is lost.
    ///
    /// # Errors
    /// A stream is broken, or no thread could be started.
    pub async fn confirm(&self, question: &str, stop: &CancellationToken) -> io::Result<bool> {
        let answer = self.ask_line(question, stop).await?;
        Ok(confirm::is_yes(&answer))
    }

    /// Asks on standard error and returns one line of standard input without its end; empty after the end of input and
    /// after `stop`.
    ///
    /// # Errors
    /// A stream is broken, or no thread could be started.
    pub async fn ask_name(&self, question: &str, stop: &CancellationToken) -> io::Result<String> {
        let answer = self.ask_line(question, stop).await?;
        Ok(answer.trim().to_owned())
    }

    async fn ask_line(&self, question: &str, stop: &CancellationToken) -> io::Result<String> {
        self.catch_up();
        let echoes = self.streams.stdin_is_terminal;
        confirm::ask_line(&self.screen, question, echoes, stop).await
    }

    /// Asks as [`confirm`](Self::confirm) does, but an empty line means yes. The end of input and `stop` mean no; after
    /// any other answer it asks again.
    ///
    /// # Errors
    /// A stream is broken, or no thread could be started.
    pub async fn confirm_or_enter(
        &self,
        question: &str,
        stop: &CancellationToken,
    ) -> io::Result<bool> {
        loop {
            let answer = self.ask_line(question, stop).await?;
            let is_yes = confirm::is_yes_or_enter(&answer);
            // Of another word nobody knows what it means; the end of input has no line end.
            if is_yes || confirm::is_no(&answer) || !answer.ends_with('\n') {
                return Ok(is_yes);
            }
        }
    }

    /// Asks as [`confirm`](Self::confirm) does, but only `n`, `N` and `no` mean no: an empty line, the end of input and
    /// `stop` mean yes.
    ///
    /// # Errors
    /// A stream is broken, or no thread could be started.
    pub async fn confirm_unless_no(
        &self,
        question: &str,
        stop: &CancellationToken,
    ) -> io::Result<bool> {
        let answer = self.ask_line(question, stop).await?;
        Ok(!confirm::is_no(&answer))
    }

    /// Shows a checklist; the places of the ticked items, in order. None after Esc, Ctrl-C or `stop`.
    ///
    /// # Errors
    /// The terminal is broken, or no thread could be started.
    pub async fn tick(
        &self,
        question: &str,
        items: Vec<ChecklistItem>,
        stop: &CancellationToken,
    ) -> io::Result<Option<Vec<usize>>> {
        self.catch_up();
        checklist::tick(&self.screen, &text::clean(question), items, stop).await
    }

    /// Shows a list of which one item is chosen; its place. None after Esc, Ctrl-C or `stop`.
    ///
    /// # Errors
    /// The terminal is broken, or no thread could be started.
    pub async fn choose(
        &self,
        question: &str,
        items: Vec<ChecklistItem>,
        stop: &CancellationToken,
    ) -> io::Result<Option<usize>> {
        self.catch_up();
        checklist::choose(&self.screen, &text::clean(question), items, stop).await
    }

    /// Asks for a line of text on a terminal, until `check` accepts it. None after Esc, Ctrl-C or `stop`.
    ///
    /// # Errors
    /// The terminal is broken, or no thread could be started.
    pub async fn enter(
        &self,
        question: &str,
        check: impl Fn(&str) -> Result<(), String> + Clone + Send + 'static,
        stop: &CancellationToken,
    ) -> io::Result<Option<String>> {
        self.catch_up();
        prompt::ask_text(&self.screen, &text::clean(question), check, stop).await
    }

    /// Shows a warning, once, and keeps it for the JSON report.
    pub fn warn(&self, warning: &str) {
        let mark = format!("{} ", self.style().doubtful("warning:"));
        let line = LogLine::new(LogKind::Warning, warning).marked(&mark);
        let message = line.message().to_owned();
        let mut warnings = lock(&self.warnings);
        if !warnings.contains(&message) {
            self.screen.show(&line);
            warnings.push(message);
        }
    }

    /// Keeps results of the checks for the JSON report, instead of those of earlier checks.
    pub fn keep_findings(&self, findings: &[Finding]) {
        let bodies = findings
            .iter()
            .map(|finding| FindingBody::new(finding, self.setting_name));
        *lock(&self.findings) = bodies.collect();
    }

    /// Writes the report of a command to standard output: its last words there. Everything emitted before is
    /// shown before. People read at its end what to do `next`. The JSON report has an error unless the command did
    /// what it was asked to do.
    ///
    /// # Errors
    /// Standard output is broken.
    pub fn report(&self, report: &impl Report, end: &Conclusion, next: &str) -> io::Result<()> {
        self.catch_up();
        match self.output {
            Output::Text => {
                let streams = self.streams;
                let style = self
                    .color
                    .style(streams.stdout_is_terminal, streams.no_color);
                let text = report.render_text(style) + &report.render_next(next);
                self.write_out(&match streams.stdout_is_terminal && report.is_prose() {
                    true => wrap::wrap(&text, screen::size_of(io::stdout()).0),
                    false => text,
                })
            }
            Output::Json => {
                lock(&self.warnings).extend(report.warnings());
                let end = Ending {
                    conclusion: end,
                    next,
                };
                let object = Object::reported(report.command(), end, report.body(), self.shown());
                self.write_out(&object.line())
            }
        }
    }

    /// Writes a text that is no report, such as a script, to standard output, the same for each form of reports. A
    /// reader that ends early has read enough: this is no error.
    ///
    /// # Errors
    /// Standard output is broken otherwise.
    pub fn print(&self, text: &str) -> io::Result<()> {
        match self.write_out(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Shows an error on standard error; with JSON also the one object on standard output.
    ///
    /// # Errors
    /// Standard output is broken.
    pub fn fail(&self, failure: &Failure<'_>) -> io::Result<()> {
        self.catch_up();
        self.screen
            .show(&failure.log_line(self.style(), self.setting_name));
        match self.output {
            Output::Text => Ok(()),
            Output::Json => {
                let (command, code) = (failure.command, failure.exit_code);
                let object = Object::failed(command, code, failure.json(), self.shown());
                self.write_out(&object.line())
            }
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            findings: lock(&self.findings).clone(),
            warnings: lock(&self.warnings).clone(),
        }
    }

    /// Shows everything that was emitted before.
    fn catch_up(&self) {
        if let Some(board) = lock(&self.board).upgrade() {
            lock(&board).catch_up();
        }
    }

    /// Writes to standard output while no bar is drawn.
    fn write_out(&self, text: &str) -> io::Result<()> {
        self.screen.step_aside(|| {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }
}
