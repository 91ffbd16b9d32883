//! Draws a run while it runs: bars on a terminal, plain lines elsewhere. What is known is in
//! [`state`], built from events alone; how it is shown is in [`live`] and in the lines here.

mod live;
mod state;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use self::live::Live;
use self::state::State;
use super::remedy::with_remedies;
use super::{Screen, SettingName, text};
use crate::event::{Event, Phase};
use crate::task::Background;

/// How often a pipe gets a line.
const LINE_PERIOD: Duration = Duration::from_secs(10);

/// How often a terminal is redrawn; more often is flicker, less looks stuck.
const FRAME_PERIOD: Duration = Duration::from_millis(200);

/// Warnings shown so far, for the report.
pub(super) type Warnings = Arc<Mutex<Vec<String>>>;

/// The drawing of a run; ends with the run's last [`Events`](crate::event::Events) handle.
/// Dropping it stops the drawing and clears the bars.
#[derive(Debug)]
#[must_use = "dropping it stops the drawing"]
pub struct Drawing(Background<()>);

/// What has been shown so far, and what is still to be shown. Shared, so that a report can make
/// sure that everything before it was.
#[derive(Debug)]
pub(super) struct Board {
    events: mpsc::Receiver<Event>,
    state: State,
    start: Instant,
    screen: Screen,
    warnings: Warnings,
    setting_name: SettingName,
}

/// Locks what only short, panic-free code touches.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    pub(super) fn new(
        screen: Screen,
        warnings: Warnings,
        setting_name: SettingName,
        events: mpsc::Receiver<Event>,
    ) -> Self {
        let (state, start) = (State::default(), Instant::now());
        Self {
            events,
            state,
            start,
            screen,
            warnings,
            setting_name,
        }
    }

    /// Shows everything emitted before.
    pub(super) fn catch_up(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.take(&event);
        }
    }

    /// Shows the next event; false after the last one. Cancel safe.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let event = ready!(self.events.poll_recv(cx));
        if let Some(event) = &event {
            self.take(event);
        }
        Poll::Ready(event.is_some())
    }

    fn take(&mut self, event: &Event) {
        self.state.apply(event, self.start.elapsed());
        self.show_event(event);
    }

    /// Shows what is shown as it happens.
    fn show_event(&self, event: &Event) {
        let screen = &self.screen;
        match event {
            Event::Warning(warning) => {
                let warning = with_remedies(warning, &warning.remedies(), self.setting_name);
                screen.line_from_outside("warning: ", &warning);
                lock(&self.warnings).push(text::clean(&warning));
            }
            Event::Note(note) => {
                let note = with_remedies(note, &note.remedies(), self.setting_name);
                screen.line_from_outside("note: ", &note);
            }
            Event::Connecting {
                place,
                elapsed,
                limit,
            } => screen.line_from_outside("", &connecting(place, *elapsed, *limit)),
            Event::ServerNotice(notice) if notice.severity == "WARNING" => {
                screen.line_from_outside("the server warns: ", &notice.to_string());
            }
            Event::ServerNotice(notice) => tracing::debug!("{}: {notice}", notice.severity),
            Event::TableCopied { .. }
            | Event::TableVerified { .. }
            | Event::PhaseFinished { .. } => {
                if let Some(line) = finished(event).filter(|_| !screen.is_live()) {
                    screen.line(&line);
                }
            }
            Event::PhaseStarted { .. }
            | Event::CopyPlanned { .. }
            | Event::CopyProgress { .. }
            | Event::StatementsProgress { .. }
            | Event::VerifyPlanned { .. }
            | Event::VerifyProgress { .. } => {}
        }
    }
}

impl Drawing {
    pub(super) fn start(board: Arc<Mutex<Board>>) -> Self {
        Self(Background::spawn(draw(board)))
    }

    /// Waits until the last handle to emit events is gone and everything is drawn. Cancel safe.
    pub async fn finish(self) {
        self.0.join().await;
    }
}

async fn draw(board: Arc<Mutex<Board>>) {
    let (screen, start) = {
        let board = lock(&board);
        (board.screen.clone(), board.start)
    };
    let period = if screen.is_live() {
        FRAME_PERIOD
    } else {
        LINE_PERIOD
    };
    let mut tick = interval_at(start + period, period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = Live::new(&screen);
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => show(&screen, &live, &lock(&board).state, start.elapsed()),
            more = poll_fn(|cx| lock(&board).poll_event(cx)) => if !more { return },
        }
    }
}

/// What is shown at each tick.
fn show(screen: &Screen, live: &Live, state: &State, now: Duration) {
    if screen.is_live() {
        live.draw(state, now);
    } else {
        for line in state.lines(now) {
            screen.line(&line);
        }
    }
}

/// How far an attempt to connect is.
fn connecting(place: &str, elapsed: Duration, limit: Option<Duration>) -> String {
    let of = limit.map_or_else(String::new, |limit| format!(" of {} s", limit.as_secs()));
    format!("connecting to {place}, {} s{of}", elapsed.as_secs())
}

/// The line of a table or phase that is done; names are free of control characters by their type.
fn finished(event: &Event) -> Option<String> {
    match event {
        Event::TableCopied {
            database,
            table,
            rows,
            bytes,
            elapsed,
        } => {
            let rate = text::rate(*bytes, *elapsed).map(|rate| format!(" ({rate})"));
            Some(format!(
                "{}.{table}: {}, {} in {}{}",
                text::clean(database),
                text::counted(*rows, "row"),
                text::size(*bytes),
                text::duration(*elapsed),
                rate.unwrap_or_default(),
            ))
        }
        Event::TableVerified {
            database,
            table,
            equal,
            rows,
        } => {
            let verdict = match equal {
                Some(true) => "equal",
                Some(false) => "different",
                None => "undecided",
            };
            let rows = text::counted(*rows, "row");
            Some(format!(
                "{}.{table}: {verdict}, {rows}",
                text::clean(database)
            ))
        }
        // The findings of the checks follow, and show that they are done.
        Event::PhaseFinished {
            database,
            phase,
            elapsed,
        } if *phase != Phase::Check => {
            let place = database.as_deref().map_or_else(String::new, |database| {
                format!("{}: ", text::clean(database))
            });
            let elapsed = text::duration(*elapsed);
            Some(format!("{place}{phase} done in {elapsed}"))
        }
        Event::PhaseStarted { .. }
        | Event::PhaseFinished { .. }
        | Event::CopyPlanned { .. }
        | Event::CopyProgress { .. }
        | Event::StatementsProgress { .. }
        | Event::VerifyPlanned { .. }
        | Event::VerifyProgress { .. }
        | Event::Note(_)
        | Event::Warning(_)
        | Event::Connecting { .. }
        | Event::ServerNotice(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Warning;
    use crate::pg::QualifiedName;

    #[test]
    fn a_finished_table_says_what_moved_and_how_fast() {
        let event = Event::TableCopied {
            database: "shop".to_owned(),
            table: QualifiedName::from_catalog("public", "orders"),
            rows: 1_500_000,
            bytes: 120 << 20,
            elapsed: Duration::from_secs(4),
        };
        assert_eq!(
            finished(&event).unwrap(),
            "shop.public.orders: 1500000 rows, 120.0 MB in 4.0s (30.0 MB/s)"
        );
    }

    #[test]
    fn an_attempt_to_connect_shows_its_limit() {
        let seconds = Duration::from_secs;
        let line = connecting("h:5432", seconds(5), Some(seconds(40)));
        assert_eq!(line, "connecting to h:5432, 5 s of 40 s");
        assert_eq!(
            connecting("h:5432", seconds(5), None),
            "connecting to h:5432, 5 s"
        );
    }

    fn retry(cause: &str) -> Event {
        let cause = cause.to_owned();
        Event::Warning(Warning::Retry { cause })
    }

    fn board() -> (crate::event::Events, Arc<Mutex<Board>>, Warnings) {
        let (events, receiver) = crate::event::Events::channel();
        let warnings = Warnings::default();
        let name: SettingName = |_| "--x";
        let board = Board::new(Screen::new(false), Arc::clone(&warnings), name, receiver);
        (events, Arc::new(Mutex::new(board)), warnings)
    }

    #[tokio::test]
    async fn the_drawing_ends_with_the_last_handle_and_keeps_warnings() {
        let (events, board, warnings) = board();
        let drawing = Drawing::start(board);
        events.emit(retry("a\u{7}b")).await;
        drop(events);
        drawing.finish().await;
        assert_eq!(*lock(&warnings), ["a b; trying again"]);
    }

    #[tokio::test]
    async fn a_report_waits_for_no_warning() {
        let (events, board, warnings) = board();
        events.emit(retry("late")).await;
        lock(&board).catch_up();
        assert_eq!(*lock(&warnings), ["late; trying again"]);
    }
}
