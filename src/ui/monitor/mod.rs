//! The live monitor of a replication, on a terminal; elsewhere each report as lines.
//!
//! ```text
//! reports ─┐
//! keys ────┼─▶ State (pure) ─▶ draw (pure) ─▶ Terminal
//! clock ───┘
//! ```
//!
//! It is drawn after a report, a key, a change of the size, and when a report is overdue: nothing else changes.

mod alert;
mod detail;
mod draw;
mod keys;
mod lines;
mod overview;
mod palette;
mod state;
mod terminal;
mod track;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use self::lines::LineFormat;
use self::palette::Palette;
use self::state::{State, Step};
use self::terminal::LiveTerminal;
use super::{Output, Ui};
use crate::status;

/// The newest report of a replication; none before the first.
pub type Reports = watch::Receiver<Option<Arc<status::Report>>>;

/// How often it is decided whether a report is overdue.
const CLOCK_PERIOD: Duration = Duration::from_secs(1);

/// What a user wants of the monitor.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The time between two reports.
    pub interval: Duration,
    /// How much WAL a slot may retain, where that is limited otherwise than by the server.
    pub wal_budget: Option<u64>,
}

impl Ui {
    /// Shows each report until the user quits, `stop` is cancelled, or there are no more reports. A terminal shows the
    /// monitor; elsewhere each report is one line for each database, and for programs one object.
    ///
    /// # Errors
    /// Standard output or the terminal is broken. A reader that ends early has read enough: this is no error.
    pub async fn watch(
        &self,
        reports: Reports,
        settings: Settings,
        stop: &CancellationToken,
    ) -> io::Result<()> {
        self.catch_up();
        let streams = self.streams;
        let style = self
            .color
            .style(streams.stdout_is_terminal, streams.no_color);
        let is_live = streams.stdout_is_terminal && streams.stdin_is_terminal && !streams.is_dumb;
        let format = match self.output {
            Output::Json => LineFormat::Json(self.setting_name),
            Output::Text if is_live => {
                let palette = Palette::new(style.is_colored());
                let state = State::new(settings, self.setting_name);
                let terminal = LiveTerminal::open(&self.screen, streams.stderr_is_terminal)?;
                return run_live(terminal, (state, palette), reports, stop).await;
            }
            Output::Text => LineFormat::Text(style),
        };
        print_lines(self, format, reports, stop).await
    }
}

/// Waits for the next report. None after the last one. Cancel safe.
async fn next_report(reports: &mut Reports) -> Option<Arc<status::Report>> {
    loop {
        reports.changed().await.ok()?;
        let report = reports.borrow_and_update().clone();
        if report.is_some() {
            return report;
        }
    }
}

/// Prints each report as lines.
async fn print_lines(
    ui: &Ui,
    format: LineFormat,
    mut reports: Reports,
    stop: &CancellationToken,
) -> io::Result<()> {
    // A report from before counts as new.
    reports.mark_changed();
    loop {
        let report = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            report = next_report(&mut reports) => report,
        };
        let Some(report) = report else {
            return Ok(());
        };
        match ui.write_out(&format.render(&report)) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
}

/// Draws on a terminal.
async fn run_live(
    mut terminal: LiveTerminal,
    (mut state, palette): (State, Palette),
    mut reports: Reports,
    stop: &CancellationToken,
) -> io::Result<()> {
    reports.mark_changed();
    let mut clock = interval(CLOCK_PERIOD);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    terminal.draw(&state, palette)?;
    loop {
        let step = tokio::select! {
            biased;
            () = stop.cancelled() => Step::Quit,
            event = terminal.next_event() => match event {
                Some(event) => state.press(keys::action(&event?)),
                None => Step::Quit,
            },
            report = next_report(&mut reports) => match report {
                Some(report) => {
                    last = Instant::now();
                    state.take(report)
                }
                None => Step::Quit,
            },
            _ = clock.tick() => state.wait(last.elapsed()),
        };
        match step {
            Step::Quit => return Ok(()),
            Step::Draw => terminal.draw(&state, palette)?,
            Step::DrawAll => {
                terminal.clear()?;
                terminal.draw(&state, palette)?;
            }
            Step::Keep => {}
        }
    }
}

#[cfg(test)]
mod tests;
