//! Reports of work that takes long.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, interval_at};

use super::{Event, Events};

/// How long work may take before it is reported.
pub const SILENCE: Duration = Duration::from_secs(2);

/// How often it is reported from then on.
pub const WAIT_PERIOD: Duration = Duration::from_secs(1);

/// When work is reported.
#[derive(Clone, Copy, Debug)]
struct Pace {
    silence: Duration,
    period: Duration,
}

impl Events {
    /// Runs `work`, and reports what is waited for while that takes long, such as `definitions of database d`.
    /// Cancel safe if `work` is.
    pub fn reporting<T>(
        &self,
        what: impl Into<String>,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        let pace = Pace {
            silence: SILENCE,
            period: WAIT_PERIOD,
        };
        self.reporting_at(pace, what.into(), work)
    }

    fn reporting_at<T>(
        &self,
        pace: Pace,
        what: String,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        // On the heap at once: futures of callers stay small.
        let work = Box::pin(work);
        async move {
            tokio::select! {
                biased;
                done = work => done,
                never = self.report_wait(pace, what) => match never {},
            }
        }
    }

    async fn report_wait(&self, pace: Pace, what: String) -> Infallible {
        let begun = Instant::now();
        let mut ticks = interval_at(begun + pace.silence, pace.period);
        loop {
            ticks.tick().await;
            self.tick(Event::Waiting {
                what: what.clone(),
                elapsed: begun.elapsed(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_reported_until_it_ends() {
        let pace = Pace {
            silence: Duration::from_millis(1),
            period: Duration::from_millis(1),
        };
        let (events, mut receiver) = Events::channel();
        let what = || "an event".to_owned();
        let report = events.reporting_at(pace, what(), receiver.recv()).await;
        assert!(matches!(report, Some(Event::Waiting { what, .. }) if what == "an event"));
        let done = events.reporting_at(pace, what(), async { 7 }).await;
        assert_eq!(done, 7);
    }
}
