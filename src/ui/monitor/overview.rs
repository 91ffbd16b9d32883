//! The table of all databases: a row each.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table, TableState};

use super::alert::BudgetUse;
use super::palette::Palette;
use super::state::State;
use super::track::Track;
use crate::logical::Slot;
use crate::status::{DatabaseStatus, Observation};
use crate::ui::replication::{Grade, Health, lag_text};
use crate::ui::text;

/// The columns from which all of the table fits.
const WIDE: u16 = 72;

/// The columns of retained WAL.
const RETAINED: u16 = 22;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Verdict,
    Lag,
    Rate,
    Retained,
    Tables,
}

/// The columns of a wide terminal.
const ALL: &[Column] = &[
    Column::Name,
    Column::Verdict,
    Column::Lag,
    Column::Rate,
    Column::Retained,
    Column::Tables,
];

/// Those of a narrow one; the details of the selected database have the others.
const FEW: &[Column] = &[Column::Name, Column::Verdict, Column::Lag];

impl Column {
    const fn heading(self) -> &'static str {
        match self {
            Self::Name => "database",
            Self::Verdict => "verdict",
            Self::Lag => "lag",
            Self::Rate => "throughput",
            Self::Retained => "retained WAL",
            Self::Tables => "tables",
        }
    }

    const fn width(self) -> Constraint {
        match self {
            Self::Name => Constraint::Min(8),
            Self::Verdict => Constraint::Length(12),
            Self::Lag => Constraint::Length(8),
            Self::Rate => Constraint::Length(11),
            Self::Retained => Constraint::Length(RETAINED),
            Self::Tables => Constraint::Length(6),
        }
    }
}

/// How many rows the table needs: one each, and the headings.
pub(super) fn height(state: &State) -> u16 {
    u16::try_from(state.databases().len() + 1).unwrap_or(u16::MAX)
}

/// Draws the table.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let columns = if area.width >= WIDE { ALL } else { FEW };
    let databases = state.databases();
    let selected = (!databases.is_empty()).then(|| state.selected_place());
    let rows = databases.iter().enumerate().map(|(place, database)| {
        let cells = columns.iter().map(|column| {
            let cell = cell(*column, database, state, palette);
            // Only the name: reversed colours of the others are hard to read.
            match *column == Column::Name && Some(place) == selected {
                true => cell.style(palette.selected()),
                false => cell,
            }
        });
        Row::new(cells)
    });
    let headings = columns.iter().map(|column| column.heading());
    let table = Table::new(rows, columns.iter().map(|column| column.width()))
        .header(Row::new(headings).style(palette.heading()))
        .highlight_symbol("> ");
    let mut position = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut position);
}

fn cell(
    column: Column,
    database: &DatabaseStatus,
    state: &State,
    palette: Palette,
) -> Cell<'static> {
    let seen = database.observation();
    let graded = |(shown, grade): (String, Grade)| Span::styled(shown, palette.grade(grade));
    let span = match column {
        Column::Name => Span::raw(text::clean(&database.source)),
        Column::Verdict => {
            let health = Health::of(database);
            let shown = format!("{} {}", health.mark(), health.name());
            graded((shown, health.grade()))
        }
        Column::Lag => Span::raw(seen.map_or_else(unknown, lag)),
        Column::Rate => {
            let rate = state.track(database).and_then(Track::rate);
            Span::raw(rate.map_or_else(unknown, rate_text))
        }
        Column::Retained => {
            let retained = seen.and_then(|seen| retained(seen, state.settings.wal_budget));
            let short = retained.map(|(shown, grade)| (short_retained(shown), grade));
            short.map_or_else(|| Span::raw(unknown()), graded)
        }
        Column::Tables => match seen.map(|seen| (seen.tables.len(), seen.target.tables.len())) {
            None | Some((0, 0)) => Span::raw(unknown()),
            Some((0, _)) => graded(("ok".to_owned(), Grade::Good)),
            Some((count, _)) => graded((format!("{count} !"), Grade::Doubtful)),
        },
    };
    Cell::new(Line::from(span))
}

/// What fits in the table; the details have all of it.
fn short_retained(shown: String) -> String {
    match shown.split_once(", ") {
        Some((size, _)) if shown.len() > usize::from(RETAINED) => size.to_owned(),
        _ => shown,
    }
}

/// What is not known.
pub(super) fn unknown() -> String {
    "-".to_owned()
}

/// The measured lag.
pub(super) fn lag(seen: &Observation) -> String {
    lag_text(seen.lag.time).unwrap_or_else(unknown)
}

/// Bytes in a second.
pub(super) fn rate_text(bytes: u64) -> String {
    format!("{}/s", text::size(bytes))
}

/// What the slot retains: against the budget, else against what the server allows.
pub(super) fn retained(seen: &Observation, budget: Option<u64>) -> Option<(String, Grade)> {
    let slot = seen.source.slot.as_ref()?;
    let retained = slot.retained.map(|bytes| (bytes, text::size(bytes)));
    Some(match (retained, budget) {
        (None, _) => (wal_status(slot)?, status_grade(slot)),
        (Some((bytes, size)), Some(budget)) => {
            let grade = BudgetUse::of(bytes, budget).grade();
            let grade = grade.max(status_grade(slot));
            (format!("{size} of {}", text::size(budget)), grade)
        }
        (Some((_, size)), None) => (format!("{size}{}", allowance(slot)), status_grade(slot)),
    })
}

/// How much more WAL the slot survives, or how the server calls its state.
fn allowance(slot: &Slot) -> String {
    let safe = slot.safe_wal_size.and_then(|safe| u64::try_from(safe).ok());
    match (safe, wal_status(slot)) {
        (Some(safe), _) => format!(", {} left", text::size(safe)),
        (None, Some(status)) if status_grade(slot) != Grade::Good => format!(", {status}"),
        (None, _) => String::new(),
    }
}

fn wal_status(slot: &Slot) -> Option<String> {
    slot.wal_status.as_deref().map(text::clean)
}

fn status_grade(slot: &Slot) -> Grade {
    match slot.wal_status.as_deref() {
        None | Some("reserved") => Grade::Good,
        Some("lost") => Grade::Bad,
        Some(_) => Grade::Doubtful,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    fn seen(database: &DatabaseStatus) -> &Observation {
        database.observation().unwrap()
    }

    #[test]
    fn long_sizes_are_shown_without_what_is_left() {
        let fits = "9.9 MB, 1023.9 MB left";
        assert_eq!(short_retained(fits.to_owned()), fits);
        let long = "10.0 MB, 1023.9 MB left".to_owned();
        assert_eq!(short_retained(long), "10.0 MB");
    }

    #[test]
    fn retained_wal_is_compared_with_the_budget_or_with_the_server_s_limit() {
        let level = samples::caught_up("a");
        let shown = |database, budget| retained(seen(database), budget).unwrap();
        let text = |text: &str, grade| (text.to_owned(), grade);
        assert_eq!(
            shown(&level, None),
            text("16.0 MB, 4.0 GB left", Grade::Good)
        );
        assert_eq!(
            shown(&level, Some(1 << 30)),
            text("16.0 MB of 1.0 GB", Grade::Good)
        );
        assert_eq!(
            shown(&level, Some(16 << 20)),
            text("16.0 MB of 16.0 MB", Grade::Doubtful)
        );
        assert_eq!(
            shown(&level, Some(1 << 20)),
            text("16.0 MB of 1.0 MB", Grade::Bad)
        );
        let lost = samples::broken("a");
        assert_eq!(shown(&lost, Some(1 << 30)), text("lost", Grade::Bad));
        let extended = samples::not_created("a");
        assert_eq!(
            shown(&extended, None),
            text("3.0 GB, 1.0 GB left", Grade::Doubtful)
        );
    }
}
