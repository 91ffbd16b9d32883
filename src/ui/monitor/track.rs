//! What is remembered of a database over several reports.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::pg::Lsn;
use crate::status::{DatabaseStatus, Observation};
use crate::ui::replication::{Health, least_lag};
use crate::ui::text;

/// How many reports are remembered: more columns than a wide terminal has.
const REMEMBERED: usize = 400;

/// The history of one database.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// The lag in milliseconds, the newest last; none where it was not measured.
    pub(super) lags: VecDeque<Option<u64>>,
    /// Bytes of WAL that were sent in a second, the newest last.
    pub(super) rates: VecDeque<Option<u64>>,
    /// What the last report said of it.
    pub(super) health: Option<Health>,
    position: Option<(Timestamp, Position)>,
}

/// How far the changes of a database have got. Two are comparable if they are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// What the source has sent.
    Sent(Lsn),
    /// What the target has received.
    Received(Lsn),
}

impl Position {
    /// A role without `pg_monitor` does not see what was sent.
    fn of(seen: &Observation) -> Option<Self> {
        let sent = seen.source.sender.as_ref().and_then(|one| one.sent);
        let received = seen.target.worker.as_ref().and_then(|one| one.received);
        sent.map(Self::Sent).or(received.map(Self::Received))
    }

    /// The bytes since an earlier position; none if the stream has begun again.
    fn since(self, earlier: Self) -> Option<u64> {
        match (self, earlier) {
            (Self::Sent(now), Self::Sent(before))
            | (Self::Received(now), Self::Received(before)) => now.get().checked_sub(before.get()),
            (Self::Sent(_), Self::Received(_)) | (Self::Received(_), Self::Sent(_)) => None,
        }
    }
}

impl Track {
    /// Adds what a report says.
    pub(super) fn push(&mut self, at: Timestamp, database: &DatabaseStatus) {
        let seen = database.observation();
        let lag = seen.and_then(least_lag);
        let lag = lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX));
        remember(&mut self.lags, lag);
        let position = seen.and_then(Position::of).map(|position| (at, position));
        let rate = position.and_then(|now| rate(self.position?, now));
        remember(&mut self.rates, rate);
        self.position = position;
        self.health = Some(Health::of(database));
    }

    /// The bytes of the last second, if they are known.
    pub(super) fn rate(&self) -> Option<u64> {
        self.rates.back().copied().flatten()
    }
}

fn rate(before: (Timestamp, Position), now: (Timestamp, Position)) -> Option<u64> {
    let bytes = now.1.since(before.1)?;
    let elapsed = Duration::try_from(now.0.duration_since(before.0)).ok()?;
    text::per_second(bytes, elapsed)
}

fn remember(series: &mut VecDeque<Option<u64>>, value: Option<u64>) {
    if series.len() == REMEMBERED {
        series.pop_front();
    }
    series.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    fn at(seconds: i64) -> Timestamp {
        samples::report(seconds, Vec::new()).at
    }

    #[test]
    fn throughput_needs_two_positions_of_one_stream() {
        let mut track = Track::default();
        track.push(at(0), &samples::at_position("a", 1000));
        assert_eq!(track.rate(), None);
        track.push(at(4), &samples::at_position("a", 3000));
        assert_eq!(track.rate(), Some(500));
        track.push(at(8), &samples::at_position("a", 100));
        assert_eq!(track.rate(), None);
        track.push(at(12), &samples::unknown("a"));
        track.push(at(16), &samples::at_position("a", 3000));
        assert_eq!(track.rate(), None);
        // Two reports of one time have no rate.
        track.push(at(16), &samples::at_position("a", 4000));
        assert_eq!(track.rate(), None);
        assert_eq!(track.lags.len(), track.rates.len());
        assert_eq!(track.lags[3], None);
    }

    #[test]
    fn what_the_target_has_received_counts_where_nothing_else_is_known() {
        let hidden = |position| {
            let mut database = samples::at_position("a", position);
            if let crate::status::Outcome::Observed(seen) = &mut database.outcome {
                seen.source.sender = None;
            }
            database
        };
        let mut track = Track::default();
        track.push(at(0), &hidden(0));
        track.push(at(1), &hidden(7));
        assert_eq!(track.rate(), Some(7));
        track.push(at(2), &samples::at_position("a", 9));
        assert_eq!(track.rate(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut track = Track::default();
        for seconds in 0..2 * i64::try_from(REMEMBERED).unwrap() {
            track.push(at(seconds), &samples::caught_up("a"));
        }
        assert_eq!(track.lags.len(), REMEMBERED);
    }
}
