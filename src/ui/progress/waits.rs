//! What takes long now. The events are ticks: what is not repeated has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::WAIT_PERIOD;
use crate::ui::log::LogLine;

/// How long an entry is shown after its last event. Single ticks may be dropped.
const LASTING: Duration = WAIT_PERIOD.saturating_mul(3);

/// Everything that takes long, by what is waited for.
#[derive(Debug, Default)]
pub(super) struct Waits(BTreeMap<String, Wait>);

/// One of them.
#[derive(Debug)]
struct Wait {
    line: LogLine,
    /// The time of its last event.
    seen: Duration,
    /// When its next line is due, where lines are shown.
    due: Duration,
}

impl Waits {
    /// Takes an event in. `what` identifies what is waited for.
    pub(super) fn note(&mut self, what: &str, line: LogLine, now: Duration) {
        self.forget(now);
        match self.0.get_mut(what) {
            Some(wait) => (wait.line, wait.seen) = (line, now),
            None => {
                let wait = Wait {
                    line,
                    seen: now,
                    due: now,
                };
                self.0.insert(what.to_owned(), wait);
            }
        }
    }

    fn forget(&mut self, now: Duration) {
        self.0.retain(|_, wait| wait.is_shown(now));
    }

    /// What is shown at this time.
    pub(super) fn lines(&self, now: Duration) -> impl Iterator<Item = &LogLine> {
        let waits = self.0.values().filter(move |wait| wait.is_shown(now));
        waits.map(|wait| &wait.line)
    }

    /// The lines that are due: the first at once, then one in each `period`.
    pub(super) fn take_due(&mut self, now: Duration, period: Duration) -> Vec<LogLine> {
        self.forget(now);
        let mut due = Vec::new();
        for wait in self.0.values_mut().filter(|wait| wait.due <= now) {
            wait.due = now + period;
            due.push(wait.line.clone());
        }
        due
    }
}

impl Wait {
    fn is_shown(&self, now: Duration) -> bool {
        now <= self.seen + LASTING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::log::LogKind;

    const PERIOD: Duration = Duration::from_secs(10);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn note(waits: &mut Waits, what: &str, at: u64) {
        let line = LogLine::new(LogKind::Waiting, &format!("{what}, {at} s"));
        waits.note(what, line, seconds(at));
    }

    fn due(waits: &mut Waits, at: u64) -> Vec<String> {
        let due = waits.take_due(seconds(at), PERIOD);
        due.iter().map(|line| line.text().to_owned()).collect()
    }

    #[test]
    fn a_line_is_due_at_once_and_then_in_each_period() {
        let mut waits = Waits::default();
        let mut shown = Vec::new();
        for at in 2..=22 {
            note(&mut waits, "locks", at);
            shown.extend(due(&mut waits, at));
        }
        assert_eq!(shown, ["locks, 2 s", "locks, 12 s", "locks, 22 s"]);
    }

    #[test]
    fn what_is_not_repeated_has_ended() {
        let mut waits = Waits::default();
        note(&mut waits, "a", 2);
        note(&mut waits, "b", 4);
        let shown = |waits: &Waits, at| waits.lines(seconds(at)).count();
        assert_eq!(shown(&waits, 5), 2);
        assert_eq!(shown(&waits, 6), 1);
        assert_eq!(shown(&waits, 8), 0);
        // The same again is another wait.
        assert_eq!(due(&mut waits, 5), ["a, 2 s", "b, 4 s"]);
        note(&mut waits, "a", 9);
        assert_eq!(due(&mut waits, 9), ["a, 9 s"]);
    }
}
