//! Draws a run while it runs: bars on a terminal, lines elsewhere. What is known is in
//! [`state`], built from events alone; how it is shown is in [`live`] and [`describe`].

mod describe;
mod extent;
mod live;
mod state;
mod waits;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use self::describe::{Audience, describe_event};
use self::live::Live;
use self::state::State;
use super::{Screen, SettingName};
use crate::event::Event;
use crate::task::Background;

/// How often it is decided whether a line is due.
const LINE_PERIOD: Duration = Duration::from_secs(1);

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

    /// Shows what is due at this time.
    fn show_state(&mut self, live: &Live) {
        let now = self.start.elapsed();
        if self.screen.is_live() {
            live.draw(&self.state, now);
            return;
        }
        for line in self.state.take_due(now) {
            self.screen.show(&line);
        }
    }

    /// Shows what is shown as it happens.
    fn show_event(&self, event: &Event) {
        let Some(described) = describe_event(event, self.setting_name) else {
            return;
        };
        if let Event::Warning(_) = event {
            let message = described.line.message().to_owned();
            let mut warnings = lock(&self.warnings);
            // Several workers meet the same cause.
            if warnings.contains(&message) {
                return;
            }
            warnings.push(message);
        }
        let screen = &self.screen;
        let is_shown = match described.audience {
            Audience::Everyone => true,
            Audience::WithoutBars => !screen.is_live(),
            Audience::Programs => screen.is_for_programs(),
        };
        if is_shown {
            screen.show(&described.line);
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
            _ = tick.tick() => lock(&board).show_state(&live),
            more = poll_fn(|cx| lock(&board).poll_event(cx)) => if !more { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Warning;

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
    async fn a_cause_is_warned_about_once() {
        let (events, board, warnings) = board();
        for cause in ["one", "one", "two"] {
            events.emit(retry(cause)).await;
        }
        lock(&board).catch_up();
        assert_eq!(*lock(&warnings), ["one; trying again", "two; trying again"]);
    }

    #[tokio::test]
    async fn a_report_waits_for_no_warning() {
        let (events, board, warnings) = board();
        events.emit(retry("late")).await;
        lock(&board).catch_up();
        assert_eq!(*lock(&warnings), ["late; trying again"]);
    }
}
