//! What is known about a run so far, from its events alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::describe::describe_wait;
use super::extent::{Rows, Statements};
use super::waits::Waits;
use crate::event::{Event, Phase, SILENCE};
use crate::ui::log::{LogKind, LogLine};
use crate::ui::report::number;

/// When the first line of a database is due.
const FIRST_LINE: Duration = SILENCE;

/// How often a line is due from then on.
const LINE_PERIOD: Duration = Duration::from_secs(10);

/// The run: one entry per database that is at work, by name.
#[derive(Debug, Default)]
pub(super) struct State {
    databases: BTreeMap<String, Database>,
    waits: Waits,
}

/// One database at work.
#[derive(Debug, Default)]
pub(super) struct Database {
    phase: Option<Phase>,
    statements: Option<Statements>,
    rows: Option<Rows>,
    verifies: bool,
    /// When its next line is due, where lines are shown.
    due: Duration,
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
                self.database(database.as_deref().unwrap_or_default(), now)
                    .begin(*phase, now);
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
                self.database(database, now).rows = Some(Rows::planned(*tables, *bytes));
            }
            Event::VerifyPlanned {
                database,
                tables,
                bytes,
            } => {
                let database = self.database(database, now);
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
                self.rows(database, now).advance(*rows, *bytes, now);
            }
            Event::TableCopied { database, .. } | Event::TableVerified { database, .. } => {
                self.finish_table(database, now);
            }
            Event::StatementsProgress {
                database,
                phase,
                done,
                total,
                bytes,
                total_bytes,
            } => {
                let database = self.database(database, now);
                database.phase.get_or_insert(*phase);
                let former = database.statements.as_ref();
                database.statements = Some(Statements {
                    done: *done,
                    total: *total,
                    bytes: *bytes,
                    total_bytes: *total_bytes,
                    begun: former.map_or((now, *bytes), |former| former.begun),
                });
            }
            Event::Waiting { what, .. } => self.note_wait(what, event, now),
            Event::CatchingUp { database, .. } => self.note_wait(database, event, now),
            Event::Connecting { place, .. } => self.note_wait(place, event, now),
            Event::CaughtUp { .. }
            | Event::Note(_)
            | Event::Warning(_)
            | Event::ServerNotice(_) => {}
        }
    }

    /// The databases at work; the cluster itself has an empty name.
    pub(super) fn databases(&self) -> impl Iterator<Item = (&str, &Database)> {
        self.databases
            .iter()
            .map(|(name, database)| (name.as_str(), database))
    }

    /// What takes long at this time.
    pub(super) fn waits(&self, now: Duration) -> impl Iterator<Item = &LogLine> {
        self.waits.lines(now)
    }

    fn note_wait(&mut self, what: &str, event: &Event, now: Duration) {
        if let Some(line) = describe_wait(event) {
            self.waits.note(what, line, now);
        }
    }

    /// The lines that are due where no bars are shown: of a database at work, and of what takes long.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<LogLine> {
        let mut due = self.waits.take_due(now, LINE_PERIOD);
        for (name, database) in &mut self.databases {
            if database.due <= now {
                database.due = now + LINE_PERIOD;
                due.push(database.line(name, now));
            }
        }
        due
    }

    fn database(&mut self, name: &str, now: Duration) -> &mut Database {
        let entry = self.databases.entry(name.to_owned());
        entry.or_insert_with(|| Database::new(now))
    }

    fn rows(&mut self, name: &str, now: Duration) -> &mut Rows {
        self.database(name, now).rows.get_or_insert_default()
    }

    /// A copy ends with its phase; a verification, which has none, with its last table.
    fn finish_table(&mut self, name: &str, now: Duration) {
        let rows = self.rows(name, now);
        rows.tables_done += 1;
        let all = rows.tables_done >= rows.tables;
        if all && self.database(name, now).verifies {
            self.databases.remove(name);
        }
    }
}

impl Database {
    fn new(now: Duration) -> Self {
        Self {
            due: now + FIRST_LINE,
            ..Self::default()
        }
    }

    fn begin(&mut self, phase: Phase, now: Duration) {
        *self = Self {
            phase: Some(phase),
            // The plan of the rows may be known before their phase begins.
            rows: self.rows.take().filter(|_| phase == Phase::Data),
            ..Self::new(now)
        };
    }

    /// Its line where no bars are shown.
    fn line(&self, name: &str, now: Duration) -> LogLine {
        let facts = self.facts(now).concat();
        let text = match name {
            "" => facts,
            name => format!("{name}: {facts}"),
        };
        LogLine::new(LogKind::Progress, &text)
            .with("database", Some(name).filter(|name| !name.is_empty()))
            .with_fields(&self.numbers(now))
    }

    /// How much is done, of how much: for a bar.
    pub(super) fn fraction(&self) -> Option<(u64, u64)> {
        if let Some(rows) = &self.rows {
            // The plan is an estimate of the disk's bytes: a bar that is full too early waits.
            let planned = rows.bytes_planned.max(rows.bytes).max(1);
            return Some((rows.bytes, planned));
        }
        let statements = self.statements.as_ref()?;
        Some(match statements.total_bytes {
            0 => (number(statements.done), number(statements.total)),
            total => (statements.bytes, total),
        })
    }

    /// All that is known, for programs.
    fn numbers(&self, now: Duration) -> Numbers {
        let statements = self.statements.as_ref();
        let of_bytes = statements.filter(|statements| statements.total_bytes > 0);
        let numbers = Numbers {
            phase: self.phase.map(|phase| phase.to_string()),
            statements: statements.map(|statements| statements.done),
            planned_statements: statements.map(|statements| statements.total),
            bytes: of_bytes.map(|statements| statements.bytes),
            planned_bytes: of_bytes.map(|statements| statements.total_bytes),
            bytes_per_second: of_bytes.and_then(|statements| statements.speed(now)),
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
        let statements = self.statements.as_ref();
        let statements = statements.map(|statements| statements.facts(now));
        let statements = statements.into_iter().flatten();
        std::iter::once(phase).chain(statements).collect()
    }
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

    /// The lines of all databases at this time.
    fn texts(state: &State, at: u64) -> Vec<String> {
        let lines = state.databases();
        let lines = lines.map(|(name, database)| database.line(name, seconds(at)));
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
        assert!(texts(&state, 9).is_empty());
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
                    bytes: 0,
                    total_bytes: 0,
                },
            ),
        ]);
        assert_eq!(texts(&state, 1), ["roles, 3 of 9"]);
    }

    #[test]
    fn the_time_left_of_indexes_is_that_of_the_bytes_they_read() {
        let started = Event::PhaseStarted {
            database: Some("shop".to_owned()),
            phase: Phase::PostData,
        };
        let built = |done, megabytes: u64| Event::StatementsProgress {
            database: "shop".to_owned(),
            phase: Phase::PostData,
            done,
            total: 8,
            bytes: megabytes << 20,
            total_bytes: 400 << 20,
        };
        let state = state_of(&[(10, started), (10, built(2, 100)), (20, built(4, 200))]);
        assert_eq!(
            texts(&state, 20),
            ["shop: indexes, keys and triggers, 4 of 8, 200.0 MB of 400.0 MB read, ~20.0s left"]
        );
        let (_, database) = state.databases().next().unwrap();
        assert_eq!(database.fraction(), Some((200 << 20, 400 << 20)));
    }

    #[test]
    fn a_line_is_due_after_two_seconds_and_then_every_ten() {
        let mut state = state_of(&[(1, data(true)), (1, planned())]);
        let mut due = Vec::new();
        for at in 1..=23 {
            due.extend(state.take_due(seconds(at)).iter().map(|_| at));
        }
        assert_eq!(due, [3, 13, 23]);
    }
}
