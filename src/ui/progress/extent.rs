//! How much of a database's work is done: rows, and statements.

use std::collections::VecDeque;
use std::time::Duration;

use crate::ui::report::number;
use crate::ui::text;

/// Rates of rows are taken over this much of the past: long enough to be calm, short enough to be true.
const WINDOW: Duration = Duration::from_secs(15);

/// Statements of a phase.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) done: usize,
    pub(super) total: usize,
    /// Bytes of the tables that they have read.
    pub(super) bytes: u64,
    pub(super) total_bytes: u64,
    /// When the first report of the phase came, and how many bytes it had.
    pub(super) begun: (Duration, u64),
}

/// Rows on their way, or being compared.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) tables: usize,
    pub(super) tables_done: usize,
    pub(super) bytes_planned: u64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    samples: VecDeque<(Duration, u64)>,
}

impl Statements {
    /// Bytes per second since the first report of the phase.
    pub(super) fn speed(&self, now: Duration) -> Option<u64> {
        let (begun, bytes) = self.begun;
        text::per_second(self.bytes.saturating_sub(bytes), now.saturating_sub(begun))
    }

    /// See [`Database::facts`](super::state::Database::facts). Tables are read once for each of their indexes.
    pub(super) fn facts(&self, now: Duration) -> Vec<String> {
        let mut facts = vec![format!(", {} of {}", self.done, self.total)];
        if self.total_bytes == 0 {
            return facts;
        }
        let (bytes, total) = (text::size(self.bytes), text::size(self.total_bytes));
        facts.push(format!(", {bytes} of {total} read"));
        if let Some(speed) = self.speed(now).filter(|speed| *speed > 0) {
            facts.extend(time_left(
                self.total_bytes.saturating_sub(self.bytes),
                speed,
            ));
        }
        facts
    }
}

/// `, ~10.0s left`, unless that is no time.
fn time_left(bytes: u64, speed: u64) -> Option<String> {
    let left = Duration::from_secs(bytes / speed);
    (!left.is_zero()).then(|| format!(", ~{} left", text::duration(left)))
}

impl Rows {
    pub(super) fn planned(tables: usize, bytes_planned: u64) -> Self {
        Self {
            tables,
            bytes_planned,
            ..Self::default()
        }
    }

    pub(super) fn advance(&mut self, rows: u64, bytes: u64, now: Duration) {
        self.rows = self.rows.max(rows);
        self.bytes = self.bytes.max(bytes);
        self.samples.push_back((now, self.bytes));
        // One sample older than the window stays, so that the window is covered.
        while self
            .samples
            .get(1)
            .is_some_and(|(at, _)| *at + WINDOW < now)
        {
            self.samples.pop_front();
        }
    }

    /// Bytes per second over the window.
    pub(super) fn speed(&self, now: Duration) -> Option<u64> {
        let (at, bytes) = *self.samples.front()?;
        text::per_second(self.bytes.saturating_sub(bytes), now.saturating_sub(at))
    }

    /// See [`Database::facts`](super::state::Database::facts).
    pub(super) fn facts(&self, now: Duration) -> Vec<String> {
        let mut facts = vec![text::size(self.bytes)];
        if self.bytes < self.bytes_planned {
            facts.push(format!(" of ~{}", text::size(self.bytes_planned)));
        }
        if let Some(speed) = self.speed(now).filter(|speed| *speed > 0) {
            facts.push(format!(", {}/s", text::size(speed)));
            facts.extend(time_left(
                self.bytes_planned.saturating_sub(self.bytes),
                speed,
            ));
        }
        let tables = text::counted(number(self.tables), "table");
        facts.push(format!(", {} of {tables}", self.tables_done));
        facts.push(format!(", {}", text::counted(self.rows, "row")));
        facts
    }
}
