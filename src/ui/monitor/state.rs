//! What the monitor shows, fed with reports and keys. Everything here is pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::alert::{Alert, BudgetUse, budget_alert, verdict_alert};
use super::keys::Action;
use super::track::Track;
use crate::status::{DatabaseStatus, Report};
use crate::ui::SettingName;
use crate::ui::replication::{Health, least_lag, retained_wal};

/// How many alerts are remembered.
const ALERTS: usize = 50;

/// How many lines of the details a key scrolls.
const SCROLL: u16 = 5;

/// How long an observation may take.
const OBSERVATION: Duration = Duration::from_secs(5);

/// What follows from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The monitor ends.
    Quit,
    /// Something is to be drawn.
    Draw,
    /// Everything is to be drawn: something else may have written on the terminal.
    DrawAll,
    /// Nothing has changed.
    Keep,
}

/// The column by which databases are sorted; the worst first, except by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Name,
    Lag,
    Verdict,
    Retained,
}

impl Sort {
    const fn next(self) -> Self {
        match self {
            Self::Name => Self::Lag,
            Self::Lag => Self::Verdict,
            Self::Verdict => Self::Retained,
            Self::Retained => Self::Name,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Lag => "lag",
            Self::Verdict => "verdict",
            Self::Retained => "retained WAL",
        }
    }
}

/// All that is drawn.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) setting_name: SettingName,
    pub(super) report: Option<Arc<Report>>,
    pub(super) sort: Sort,
    pub(super) is_help_shown: bool,
    /// The first line of the details that is shown.
    pub(super) scroll: u16,
    /// How long ago the last report came, once the next one is overdue.
    pub(super) overdue: Option<Duration>,
    /// The newest last.
    pub(super) alerts: VecDeque<Alert>,
    tracks: BTreeMap<String, Track>,
    budgets: BTreeMap<String, BudgetUse>,
    /// The name of the selected database: it stays selected wherever it is sorted.
    selected: Option<String>,
}

impl State {
    pub(super) fn new(settings: Settings, setting_name: SettingName) -> Self {
        Self {
            settings,
            setting_name,
            report: None,
            sort: Sort::default(),
            is_help_shown: false,
            scroll: 0,
            overdue: None,
            alerts: VecDeque::new(),
            tracks: BTreeMap::new(),
            budgets: BTreeMap::new(),
            selected: None,
        }
    }

    /// Takes a report.
    pub(super) fn take(&mut self, report: Arc<Report>) -> Step {
        for database in &report.databases {
            self.note(&report, database);
        }
        let is_known = |name: &String| report.databases.iter().any(|one| one.source == *name);
        self.tracks.retain(|name, _| is_known(name));
        self.budgets.retain(|name, _| is_known(name));
        self.report = Some(report);
        self.overdue = None;
        Step::Draw
    }

    /// Remembers what a report says of a database, and what has changed.
    fn note(&mut self, report: &Report, database: &DatabaseStatus) {
        let track = self.tracks.entry(database.source.clone()).or_default();
        let changed = verdict_alert(report.at, database, track.health);
        track.push(report.at, database);
        self.alerts.extend(changed);
        if let Some(budget) = self.settings.wal_budget {
            let used = self.budgets.entry(database.source.clone()).or_default();
            let (now, alert) = budget_alert(report.at, database, *used, budget);
            *used = now;
            self.alerts.extend(alert);
        }
        while self.alerts.len() > ALERTS {
            self.alerts.pop_front();
        }
    }

    /// Notes how long ago the last report came. It is drawn once several intervals have passed.
    pub(super) fn wait(&mut self, elapsed: Duration) -> Step {
        let limit = self.settings.interval.saturating_mul(3) + OBSERVATION;
        let seconds = Duration::from_secs(elapsed.as_secs());
        let overdue = (elapsed > limit && self.report.is_some()).then_some(seconds);
        if overdue == self.overdue {
            return Step::Keep;
        }
        self.overdue = overdue;
        Step::Draw
    }

    /// Does what a key asks for.
    pub(super) fn press(&mut self, action: Action) -> Step {
        match action {
            Action::Quit => return Step::Quit,
            Action::Close if !self.is_help_shown => return Step::Quit,
            Action::Ignore => return Step::Keep,
            Action::Close => self.is_help_shown = false,
            Action::Help => self.is_help_shown = !self.is_help_shown,
            Action::Sort => self.sort = self.sort.next(),
            Action::Up => self.select(|place, _| place.saturating_sub(1)),
            Action::Down => self.select(|place, last| (place + 1).min(last)),
            Action::First => self.select(|_, _| 0),
            Action::Last => self.select(|_, last| last),
            Action::ScrollUp => self.scroll = self.scroll.saturating_sub(SCROLL),
            Action::ScrollDown => self.scroll = self.scroll.saturating_add(SCROLL),
            Action::Redraw => return Step::DrawAll,
        }
        Step::Draw
    }

    fn select(&mut self, place: impl FnOnce(usize, usize) -> usize) {
        let place = place(
            self.selected_place(),
            self.databases().len().saturating_sub(1),
        );
        let name = self
            .databases()
            .get(place)
            .map(|database| database.source.clone());
        self.selected = name;
        self.scroll = 0;
    }

    /// The databases as they are sorted.
    pub(super) fn databases(&self) -> Vec<&DatabaseStatus> {
        let databases = self.report.iter().flat_map(|report| &report.databases);
        let mut databases: Vec<_> = databases.collect();
        match self.sort {
            Sort::Name => databases.sort_by_key(|one| &one.source),
            // What is not known comes first: it may be the worst.
            Sort::Lag => databases.sort_by_key(|one| {
                let lag = one.observation().and_then(least_lag);
                (lag.is_some(), Reverse(lag), &one.source)
            }),
            Sort::Verdict => {
                databases.sort_by_key(|one| (Reverse(Health::of(one)), &one.source));
            }
            Sort::Retained => databases.sort_by_key(|one| {
                let retained = one.observation().and_then(retained_wal);
                (retained.is_some(), Reverse(retained), &one.source)
            }),
        }
        databases
    }

    /// The row of the selected database; the first if it is gone.
    pub(super) fn selected_place(&self) -> usize {
        let databases = self.databases();
        let selected = self.selected.as_ref();
        let place = databases
            .iter()
            .position(|one| Some(&one.source) == selected);
        place.unwrap_or(0)
    }

    /// The selected database.
    pub(super) fn selected(&self) -> Option<&DatabaseStatus> {
        self.databases().get(self.selected_place()).copied()
    }

    /// The history of a database.
    pub(super) fn track(&self, database: &DatabaseStatus) -> Option<&Track> {
        self.tracks.get(&database.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    fn state() -> State {
        let settings = Settings {
            interval: Duration::from_secs(5),
            wal_budget: Some(1 << 30),
        };
        let mut state = State::new(settings, |_| "--x");
        assert_eq!(state.take(Arc::new(samples::all_kinds())), Step::Draw);
        state
    }

    fn names(state: &State) -> Vec<&str> {
        let databases = state.databases().into_iter();
        databases.map(|one| one.source.as_str()).collect()
    }

    #[test]
    fn databases_are_sorted_by_the_column_that_is_asked_for() {
        let mut state = state();
        let mut sorted = Vec::new();
        for _ in 0..4 {
            sorted.push((state.sort.name(), names(&state).join(" ")));
            state.press(Action::Sort);
        }
        let sorted = sorted.iter().map(|(by, names)| (*by, names.as_str()));
        assert_eq!(
            sorted.collect::<Vec<_>>(),
            [
                ("name", "archive lost new orders shop"),
                ("lag", "lost new orders archive shop"),
                ("verdict", "lost orders new archive shop"),
                ("retained WAL", "lost orders new archive shop"),
            ]
        );
        assert_eq!(state.sort, Sort::Name);
    }

    #[test]
    fn a_database_stays_selected_where_it_is_sorted() {
        let mut state = state();
        let selected = |state: &State| state.selected().map(|one| one.source.clone());
        assert_eq!(selected(&state).as_deref(), Some("archive"));
        state.press(Action::Up);
        state.press(Action::Down);
        assert_eq!(selected(&state).as_deref(), Some("lost"));
        state.press(Action::Sort);
        assert_eq!(
            (selected(&state).as_deref(), state.selected_place()),
            (Some("lost"), 0)
        );
        state.press(Action::Last);
        state.press(Action::Down);
        assert_eq!(selected(&state).as_deref(), Some("shop"));
        let fewer = samples::report(5, vec![samples::caught_up("one")]);
        state.take(Arc::new(fewer));
        assert_eq!(selected(&state).as_deref(), Some("one"));
    }

    #[test]
    fn nothing_can_be_selected_before_the_first_report() {
        let mut state = State::new(state().settings, |_| "--x");
        assert_eq!(state.press(Action::Down), Step::Draw);
        assert!(state.selected().is_none());
        assert_eq!(state.wait(Duration::from_secs(100)), Step::Keep);
    }

    #[test]
    fn escape_closes_the_help_first() {
        let mut state = state();
        state.press(Action::Help);
        assert_eq!(state.press(Action::Close), Step::Draw);
        assert_eq!(state.press(Action::Close), Step::Quit);
        assert_eq!(state.press(Action::Ignore), Step::Keep);
    }

    #[test]
    fn changes_are_alerts_and_the_list_is_bounded() {
        let mut state = state();
        let alerts = |state: &State| {
            let alerts = state.alerts.iter();
            alerts.map(|one| one.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            alerts(&state),
            [
                "archive: LAGGING",
                "orders: BROKEN",
                "new: NOT ACTIVE",
                "new: slot retains 3.0 GB of WAL, budget 1.0 GB",
                "lost: UNKNOWN",
            ]
        );
        for round in 0..200 {
            let database = match round % 2 {
                0 => samples::caught_up("archive"),
                _ => samples::copying("archive"),
            };
            state.take(Arc::new(samples::report(round, vec![database])));
        }
        assert_eq!(state.alerts.len(), ALERTS);
        assert_eq!(
            alerts(&state).last().map(String::as_str),
            Some("archive: LAGGING, was CAUGHT UP")
        );
    }

    #[test]
    fn an_overdue_report_is_drawn_once_a_second() {
        let mut state = state();
        let wait =
            |state: &mut State, milliseconds| state.wait(Duration::from_millis(milliseconds));
        assert_eq!(wait(&mut state, 20_000), Step::Keep);
        assert_eq!(wait(&mut state, 21_000), Step::Draw);
        assert_eq!(wait(&mut state, 21_500), Step::Keep);
        assert_eq!(wait(&mut state, 22_000), Step::Draw);
        state.take(Arc::new(samples::all_kinds()));
        assert_eq!(state.overdue, None);
    }
}
