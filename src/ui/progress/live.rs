//! Bars on a terminal: one per database at work.

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::state::{Database, State};
use crate::ui::{Screen, text};

/// Characters between the brackets of a bar.
const BAR: u64 = 12;

/// The turns of the sign of work whose extent is not known.
const TURNS: [&str; 8] = ["⠁", "⠂", "⠄", "⡀", "⢀", "⠠", "⠐", "⠈"];

/// How long the sign shows each of them.
const TURN: Duration = Duration::from_millis(200);

/// Draws bars, and clears them at the end.
#[derive(Debug)]
pub(super) struct Live(Screen);

impl Live {
    pub(super) fn new(screen: &Screen) -> Self {
        Self(screen.clone())
    }

    /// Updates the bars to the state.
    pub(super) fn draw(&self, state: &State, now: Duration) {
        let columns = self.0.columns();
        let bar = |(name, database): (&str, &Database)| render_bar(name, database, now, columns);
        let waits = state.waits(now);
        let waits = waits.map(|wait| shorten(&format!("{} {}", turn(now), wait.text()), columns));
        self.0
            .set_bars(state.databases().map(bar).chain(waits).collect());
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.set_bars(Vec::new());
    }
}

/// A bar that fits into `columns`. What matters least is omitted first: the facts from the right, the sign, the
/// end of the name.
fn render_bar(name: &str, database: &Database, now: Duration, columns: usize) -> String {
    let facts = database.facts(now);
    let needed = facts.first().map_or(0, |fact| fact.width());
    let name = text::clean(name);
    let sign = match database.fraction() {
        Some((done, total)) => extent(done, total),
        None => turn(now).to_owned(),
    };
    let blank = if name.is_empty() { "" } else { " " };
    let with_sign = format!("{name}{blank}{sign} ");
    let plain = format!("{name}{blank}");
    let room = columns.saturating_sub(needed);
    let mut bar = [with_sign, plain]
        .into_iter()
        .find(|head| head.width() <= room)
        .unwrap_or_else(|| shortened(&name, room));
    for fact in facts {
        if bar.width() + fact.width() > columns {
            break;
        }
        bar.push_str(&fact);
    }
    bar
}

/// The beginning of a name, with a blank behind it; nothing where that is too short to be of use.
fn shortened(name: &str, columns: usize) -> String {
    const SHORTEST: usize = 4;
    if columns < SHORTEST {
        return String::new();
    }
    format!("{}… ", prefix(name, columns - 2))
}

/// The text, without its end where it is wider than `columns`.
fn shorten(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    format!("{}…", prefix(text, columns.saturating_sub(1)))
}

/// The beginning of a text that is at most so wide.
fn prefix(text: &str, columns: usize) -> String {
    let mut short = String::new();
    for part in text.chars() {
        short.push(part);
        if short.width() > columns {
            short.pop();
            break;
        }
    }
    short
}

/// `[=====>      ]`
fn extent(done: u64, total: u64) -> String {
    let filled = done.min(total) * BAR / total.max(1);
    let cell = |at: u64| match at {
        at if at < filled => '=',
        at if at == filled => '>',
        _ => ' ',
    };
    let cells: String = (0..BAR).map(cell).collect();
    format!("[{cells}]")
}

/// The sign at this time.
fn turn(now: Duration) -> &'static str {
    let turns = now.as_millis() / TURN.as_millis();
    let turn = usize::try_from(turns).unwrap_or_default();
    TURNS[turn % TURNS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Phase};

    fn copying(name: &str) -> State {
        let database = || name.to_owned();
        let mut state = State::default();
        let planned = Event::CopyPlanned {
            database: database(),
            tables: 145,
            bytes: 1023 << 30,
        };
        let progress = |bytes| Event::CopyProgress {
            database: database(),
            rows: 123_456_789,
            bytes,
        };
        state.apply(&planned, Duration::ZERO);
        state.apply(&progress(0), Duration::ZERO);
        state.apply(&progress(500 << 30), Duration::from_secs(10));
        state
    }

    fn bars(state: &State, columns: usize) -> Vec<String> {
        let now = Duration::from_secs(10);
        let bar = |(name, database): (&str, &Database)| render_bar(name, database, now, columns);
        state.databases().map(bar).collect()
    }

    #[test]
    fn facts_are_omitted_whole_from_the_right() {
        let state = copying("shop");
        let rate = "shop [=====>      ] 500.0 GB of ~1023.0 GB, 50.0 GB/s";
        for (columns, expected) in [
            (90, format!("{rate}, ~10.0s left, 0 of 145 tables")),
            (76, format!("{rate}, ~10.0s left")),
            (60, rate.to_owned()),
            (36, "shop [=====>      ] 500.0 GB".to_owned()),
            (20, "shop 500.0 GB".to_owned()),
            (12, "sh… 500.0 GB".to_owned()),
            (11, "500.0 GB".to_owned()),
        ] {
            assert_eq!(bars(&state, columns), [expected], "{columns} columns");
        }
    }

    #[test]
    fn a_long_name_is_shortened() {
        let state = copying(&"x".repeat(63));
        assert_eq!(bars(&state, 36), [format!("{}… 500.0 GB", "x".repeat(26))]);
        for columns in 1..100 {
            let bars = bars(&state, columns);
            assert!(columns < 8 || bars[0].ends_with("GB") || bars[0].contains("GB,"));
            assert!(bars[0].width() <= columns, "{columns} columns: {bars:?}");
        }
    }

    #[test]
    fn wide_characters_count_twice() {
        let state = copying("データベース");
        for columns in 8..100 {
            let bars = bars(&state, columns);
            assert!(bars[0].width() <= columns, "{columns} columns: {bars:?}");
        }
    }

    #[test]
    fn a_wait_fits_into_its_row() {
        assert_eq!(shorten("⠄ waiting for locks", 19), "⠄ waiting for locks");
        assert_eq!(shorten("⠄ waiting for locks", 12), "⠄ waiting f…");
        assert_eq!(shorten("データ", 4), "デ…");
    }

    #[test]
    fn work_of_the_cluster_has_no_name() {
        let mut state = State::default();
        let started = Event::PhaseStarted {
            database: None,
            phase: Phase::Check,
        };
        state.apply(&started, Duration::ZERO);
        assert_eq!(bars(&state, 76), ["⠄ checks"]);
    }
}
