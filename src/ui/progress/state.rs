//! What is known about a run so far, from its events alone.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use crate::event::{Event, Phase};
use crate::ui::log::{LogKind, LogLine};
use crate::ui::text;

/// Rates are taken over this much of the past: long enough to be calm, short enough to be true.
const WINDOW: Duration = Duration::from_secs(15);

/// The run: one entry per database that is at work, by name.
#[derive(Debug, Default)]
pub(super) struct State {
    databases: BTreeMap<String, Database>,
}

/// One database at work.
#[derive(Debug, Default)]
pub(super) struct Database {
    phase: Option<Phase>,
    statements: Option<(usize, usize)>,
    rows: Option<Rows>,
    verifies: bool,
}

/// Rows on their way, or being compared.
#[derive(Debug, Default)]
struct Rows {
    tables: usize,
    tables_done: usize,
    bytes_planned: u64,
    bytes: u64,
    rows: u64,
    samples: VecDeque<(Duration, u64)>,
}

/// How far a database is, for programs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Numbers {
    phase: Option<String>,
    statements: Option<usize>,
    planned_statements: Option<usize>,
    bytes: Option<u64>,
    planned_bytes: Option<u64>,
    bytes_per_second: Option<u64>,
    tables: Option<usize>,
    planned_tables: Option<usize>,
    rows: Option<u64>,
}

impl State {
    /// Takes a fact in; `now` is the time since the run began.
    pub(super) fn apply(&mut self, event: &Event, now: Duration) {
        match event {
            Event::PhaseStarted { database, phase } => {
                self.database(database.as_deref().unwrap_or_default())
                    .begin(*phase);
            }
            Event::PhaseFinished { database, .. } => {
                self.databases
                    .remove(database.as_deref().unwrap_or_default());
            }
            Event::CopyPlanned {
                database,
                tables,
                bytes,
            } => {
                self.database(database).rows = Some(Rows::planned(*tables, *bytes));
            }
            Event::VerifyPlanned {
                database,
                tables,
                bytes,
            } => {
                let database = self.database(database);
                database.rows = Some(Rows::planned(*tables, *bytes));
                database.verifies = true;
            }
            Event::CopyProgress {
                database,
                rows,
                bytes,
            }
            | Event::VerifyProgress {
                database,
                rows,
                bytes,
            } => {
                self.rows(database).advance(*rows, *bytes, now);
            }
            Event::TableCopied { database, .. } | Event::TableVerified { database, .. } => {
                self.finish_table(database);
            }
            Event::StatementsProgress {
                database,
                phase,
                done,
                total,
            } => {
                let database = self.database(database);
                database.phase.get_or_insert(*phase);
                database.statements = Some((*done, *total));
            }
            Event::Note(_)
            | Event::Warning(_)
            | Event::Connecting { .. }
            | Event::ServerNotice(_) => {}
        }
    }

    /// The databases at work; the cluster itself has an empty name.
    pub(super) fn databases(&self) -> impl Iterator<Item = (&str, &Database)> {
        self.databases
            .iter()
            .map(|(name, database)| (name.as_str(), database))
    }

    /// A line per database at work.
    pub(super) fn lines(&self, now: Duration) -> impl Iterator<Item = LogLine> {
        self.databases().map(move |(name, database)| {
            let facts = database.facts(now).concat();
            let text = match name {
                "" => facts,
                name => format!("{name}: {facts}"),
            };
            LogLine::new(LogKind::Progress, &text)
                .with("database", Some(name).filter(|name| !name.is_empty()))
                .with_fields(&database.numbers(now))
        })
    }

    fn database(&mut self, name: &str) -> &mut Database {
        self.databases.entry(name.to_owned()).or_default()
    }

    fn rows(&mut self, name: &str) -> &mut Rows {
        self.database(name).rows.get_or_insert_default()
    }

    /// A copy ends with its phase; a verification, which has none, with its last table.
    fn finish_table(&mut self, name: &str) {
        let rows = self.rows(name);
        rows.tables_done += 1;
        let all = rows.tables_done >= rows.tables;
        if all && self.database(name).verifies {
            self.databases.remove(name);
        }
    }
}

impl Database {
    fn begin(&mut self, phase: Phase) {
        *self = Self {
            phase: Some(phase),
            // The plan of the rows may be known before their phase begins.
            rows: self.rows.take().filter(|_| phase == Phase::Data),
            ..Self::default()
        };
    }

    /// How much is done, of how much: for a bar.
    pub(super) fn fraction(&self) -> Option<(u64, u64)> {
        if let Some(rows) = &self.rows {
            // The plan is an estimate of the disk's bytes: a bar that is full too early waits.
            let planned = rows.bytes_planned.max(rows.bytes).max(1);
            return Some((rows.bytes, planned));
        }
        let (done, total) = self.statements?;
        Some((u64::try_from(done).ok()?, u64::try_from(total).ok()?))
    }

    /// All that is known, for programs.
    fn numbers(&self, now: Duration) -> Numbers {
        let (done, total) = self.statements.unzip();
        let numbers = Numbers {
            phase: self.phase.map(|phase| phase.to_string()),
            statements: done,
            planned_statements: total,
            ..Numbers::default()
        };
        match &self.rows {
            None => numbers,
            Some(rows) => Numbers {
                bytes: Some(rows.bytes),
                planned_bytes: Some(rows.bytes_planned),
                bytes_per_second: rows.speed(now),
                tables: Some(rows.tables_done),
                planned_tables: Some(rows.tables),
                rows: Some(rows.rows),
                ..numbers
            },
        }
    }

    /// The same in words, what matters most first. Each fact begins with what separates it from the one before,
    /// so that a narrow terminal can omit the last ones.
    pub(super) fn facts(&self, now: Duration) -> Vec<String> {
        if let Some(rows) = &self.rows {
            return rows.facts(now);
        }
        let phase = self
            .phase
            .map_or_else(|| "at work".to_owned(), |phase| phase.to_string());
        let statements = self.statements;
        let statements = statements.map(|(done, total)| format!(", {done} of {total}"));
        std::iter::once(phase).chain(statements).collect()
    }
}

impl Rows {
    fn planned(tables: usize, bytes_planned: u64) -> Self {
        Self {
            tables,
            bytes_planned,
            ..Self::default()
        }
    }

    fn advance(&mut self, rows: u64, bytes: u64, now: Duration) {
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
    fn speed(&self, now: Duration) -> Option<u64> {
        let (at, bytes) = *self.samples.front()?;
        text::per_second(self.bytes.saturating_sub(bytes), now.saturating_sub(at))
    }

    /// See [`Database::facts`].
    fn facts(&self, now: Duration) -> Vec<String> {
        let mut facts = vec![text::size(self.bytes)];
        if self.bytes < self.bytes_planned {
            facts.push(format!(" of ~{}", text::size(self.bytes_planned)));
        }
        if let Some(speed) = self.speed(now).filter(|speed| *speed > 0) {
            facts.push(format!(", {}/s", text::size(speed)));
            let left = self.bytes_planned.saturating_sub(self.bytes) / speed;
            let left = Some(Duration::from_secs(left)).filter(|left| !left.is_zero());
            facts.extend(left.map(|left| format!(", ~{} left", text::duration(left))));
        }
        let tables = text::counted(number(self.tables), "table");
        facts.push(format!(", {} of {tables}", self.tables_done));
        facts.push(format!(", {}", text::counted(self.rows, "row")));
        facts
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::QualifiedName;

    fn copied() -> Event {
        Event::TableCopied {
            database: "shop".to_owned(),
            table: QualifiedName::from_catalog("public", "orders"),
            rows: 1000,
            bytes: 1 << 20,
            elapsed: Duration::from_secs(1),
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn state_of(events: &[(u64, Event)]) -> State {
        let mut state = State::default();
        for (at, event) in events {
            state.apply(event, seconds(*at));
        }
        state
    }

    fn texts(state: &State, at: u64) -> Vec<String> {
        let lines = state.lines(seconds(at));
        lines.map(|line| line.text().to_owned()).collect()
    }

    fn data(started: bool) -> Event {
        let (database, phase) = (Some("shop".to_owned()), Phase::Data);
        if started {
            Event::PhaseStarted { database, phase }
        } else {
            Event::PhaseFinished {
                database,
                phase,
                elapsed: seconds(9),
            }
        }
    }

    fn progress(megabytes: u64) -> Event {
        Event::CopyProgress {
            database: "shop".to_owned(),
            rows: megabytes * 1000,
            bytes: megabytes << 20,
        }
    }

    fn planned() -> Event {
        Event::CopyPlanned {
            database: "shop".to_owned(),
            tables: 2,
            bytes: 100 << 20,
        }
    }

    #[test]
    fn a_copy_shows_tables_rows_bytes_rate_and_time_left() {
        let state = state_of(&[
            (0, planned()),
            (0, data(true)),
            (0, progress(0)),
            (5, progress(25)),
            (10, copied()),
            (10, progress(50)),
        ]);
        assert_eq!(
            texts(&state, 10),
            ["shop: 50.0 MB of ~100.0 MB, 5.0 MB/s, ~10.0s left, 1 of 2 tables, 50000 rows"]
        );
    }

    #[test]
    fn the_rate_forgets_the_distant_past_and_sees_a_stall() {
        let mut events = vec![(0, planned()), (0, progress(0)), (1, progress(90))];
        events.extend((2..=60).map(|at| (at, progress(90))));
        let state = state_of(&events);
        assert!(texts(&state, 60).iter().all(|line| !line.contains("/s")));
    }

    #[test]
    fn a_finished_phase_leaves_nothing_to_show() {
        let state = state_of(&[(0, data(true)), (0, planned()), (9, data(false))]);
        assert_eq!(state.lines(seconds(9)).count(), 0);
    }

    #[test]
    fn a_bar_never_overflows() {
        let state = state_of(&[(0, planned()), (1, progress(140))]);
        let (_, database) = state.databases().next().unwrap();
        assert_eq!(database.fraction(), Some((140 << 20, 140 << 20)));
    }

    #[test]
    fn statements_are_counted() {
        let state = state_of(&[
            (
                0,
                Event::PhaseStarted {
                    database: None,
                    phase: Phase::Roles,
                },
            ),
            (
                0,
                Event::StatementsProgress {
                    database: String::new(),
                    phase: Phase::Roles,
                    done: 3,
                    total: 9,
                },
            ),
        ]);
        assert_eq!(texts(&state, 1), ["roles, 3 of 9"]);
    }
}
