//! The monitor on terminals of two sizes.

use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::draw::draw;
use super::keys::Action;
use super::palette::Palette;
use super::state::State;
use super::{Settings, next_report};
use crate::status::samples;
use crate::ui::{Color, Output, Streams, Ui};

const SETTINGS: Settings = Settings {
    interval: Duration::from_secs(5),
    wal_budget: None,
};

/// A state after several reports.
fn state(settings: Settings) -> State {
    let mut state = State::new(settings, |_| "x");
    for round in 0..30_u64 {
        let mut report = samples::all_kinds();
        report.at += Duration::from_secs(5 * round);
        report.databases[0] = samples::at_position("shop", 0x300_0148 + ((round * round) << 16));
        state.take(Arc::new(report));
    }
    state
}

/// What a terminal of this size shows.
fn shown(state: &State, (columns, rows): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal
        .draw(|frame| draw(frame, state, Palette::new(true)))
        .unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_usual_terminal_shows_a_level_database() {
    let mut state = state(SETTINGS);
    state.press(Action::Last);
    insta::assert_snapshot!(shown(&state, (80, 24)));
}

#[test]
fn a_usual_terminal_shows_what_is_broken() {
    let mut state = state(SETTINGS);
    state.press(Action::Sort);
    state.press(Action::Sort);
    state.press(Action::Down);
    insta::assert_snapshot!(shown(&state, (80, 24)));
}

#[test]
fn a_narrow_terminal_shows_the_most_important() {
    let budget = Settings {
        wal_budget: Some(1 << 30),
        ..SETTINGS
    };
    insta::assert_snapshot!(shown(&state(budget), (40, 20)));
}

#[test]
fn the_help_is_over_everything() {
    let mut state = state(SETTINGS);
    state.press(Action::Help);
    insta::assert_snapshot!(shown(&state, (80, 24)));
}

#[test]
fn before_the_first_report_the_monitor_waits() {
    let state = State::new(SETTINGS, |_| "x");
    insta::assert_snapshot!(shown(&state, (40, 20)));
}

#[test]
fn an_overdue_report_is_seen() {
    let mut state = state(SETTINGS);
    state.wait(Duration::from_secs(61));
    let shown = shown(&state, (80, 24));
    assert!(shown.contains("no report for 1m 1s"), "{shown}");
}

#[test]
fn terminals_of_any_size_show_something() {
    let mut state = state(SETTINGS);
    for size in [(1, 1), (2, 3), (10, 4), (20, 8), (300, 100)] {
        shown(&state, size);
    }
    state.press(Action::Help);
    state.press(Action::ScrollDown);
    for size in [(1, 1), (10, 4)] {
        shown(&state, size);
    }
}

#[tokio::test]
async fn reports_end_with_their_sender_and_at_a_stop() {
    let streams = Streams::default();
    let ui = Ui::new(Output::Text, Color::Never, streams, |_| "x");
    let (sender, reports) = watch::channel(None);
    let stop = CancellationToken::new();
    drop(sender);
    ui.watch(reports, SETTINGS, &stop).await.unwrap();
    let (_sender, reports) = watch::channel(None);
    stop.cancel();
    ui.watch(reports, SETTINGS, &stop).await.unwrap();
}

#[tokio::test]
async fn the_newest_report_is_shown() {
    let (sender, mut reports) = watch::channel(None);
    for seconds in [1, 2] {
        sender.send_replace(Some(Arc::new(samples::report(seconds, Vec::new()))));
    }
    let report = next_report(&mut reports).await.unwrap();
    assert_eq!(report.at, samples::report(2, Vec::new()).at);
    drop(sender);
    assert!(next_report(&mut reports).await.is_none());
}
