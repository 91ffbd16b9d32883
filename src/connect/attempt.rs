//! What every attempt to get a connection obeys: a stop, one limit over all addresses and tries, and
//! a report while it runs.
//!
//! Host names, sockets, TLS, authentication, waits between tries and the first settings all happen
//! below [`Supervisor::supervise`]. So a host that accepts a connection and never answers holds nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, interval_at, sleep_until};

use super::Error;
use super::dial::ATTEMPTS;
use crate::event::{Event, Events, SILENCE, WAIT_PERIOD};
use crate::task::Scope;

/// The shortest overall limit: four tries with their waits fit into it.
const SHORTEST: Duration = Duration::from_secs(30);

/// The number of the attempt that is running.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// Counts another attempt.
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn current(&self) -> u32 {
        self.0.load(Ordering::Relaxed).max(1)
    }
}

/// What an attempt obeys.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Hosts and ports, for reports.
    pub(super) place: String,
    /// The limit over all addresses and tries.
    pub(super) limit: Option<Duration>,
    /// Whether it ignores a stop.
    pub(super) ignores_stop: bool,
    /// How often it was tried, for reports.
    pub(super) attempts: Attempts,
}

/// Obeys a command's stop and reports to its screen.
#[derive(Debug)]
pub(super) struct Supervisor {
    scope: Scope,
    /// When a report is due for the first time.
    silence: Duration,
}

impl Supervisor {
    /// A supervisor with a stop token and a listener.
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            silence: SILENCE,
        }
    }

    /// The listener.
    pub(super) fn events(&self) -> &Events {
        &self.scope.events
    }

    /// Runs one attempt, which a stop ends unless it ignores the stop. Cancel safe if `attempt` is.
    ///
    /// # Errors
    /// Those of the attempt; [`Error::Stopped`]; [`Error::TimedOut`].
    pub(super) async fn supervise<T>(
        &self,
        rules: Rules,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Rules {
            place,
            limit,
            ignores_stop,
            attempts,
        } = rules;
        let begun = Instant::now();
        let stopped = async {
            if ignores_stop {
                std::future::pending::<()>().await;
            }
            self.scope.stop.cancelled().await;
        };
        let late = async {
            match limit {
                Some(limit) => sleep_until(begun + limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopped => Err(Error::Stopped),
            done = attempt => done,
            () = late => Err(Error::TimedOut {
                place,
                seconds: limit.unwrap_or_default().as_secs(),
            }),
            never = self.report_progress(begun, |elapsed| Event::Connecting {
                place: place.clone(),
                attempt: attempts.current(),
                attempts: ATTEMPTS,
                elapsed,
                limit,
            }) => match never {},
        }
    }

    async fn report_progress(
        &self,
        begun: Instant,
        describe: impl Fn(Duration) -> Event,
    ) -> std::convert::Infallible {
        let mut ticks = interval_at(begun + self.silence, WAIT_PERIOD);
        loop {
            ticks.tick().await;
            self.scope.events.tick(describe(begun.elapsed()));
        }
    }
}

/// The overall limit. `connect_timeout` is that of one address, as in libpq; a name often has two
/// addresses, and the first may be a dead one.
pub(super) fn overall_limit(connect_timeout: Option<Duration>, hosts: usize) -> Option<Duration> {
    let hosts = u32::try_from(hosts).unwrap_or(u32::MAX);
    let all = connect_timeout?.saturating_mul(hosts.saturating_mul(2));
    Some(all.max(SHORTEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Events;

    const LIMIT: Duration = Duration::from_secs(40);

    fn rules(limit: Duration, ignores_stop: bool) -> Rules {
        Rules {
            place: "h:5432".to_owned(),
            limit: Some(limit),
            ignores_stop,
            attempts: Attempts::default(),
        }
    }

    /// What never gets a connection.
    async fn silent() -> Result<(), Error> {
        std::future::pending().await
    }

    #[test]
    fn the_overall_limit_covers_every_host() {
        let seconds = |timeout: u64, hosts| {
            overall_limit(Some(Duration::from_secs(timeout)), hosts).map(|limit| limit.as_secs())
        };
        assert_eq!(seconds(20, 1), Some(40));
        assert_eq!(seconds(20, 3), Some(120));
        assert_eq!(seconds(2, 1), Some(30));
        assert_eq!(overall_limit(None, 2), None);
    }

    #[tokio::test]
    async fn an_attempt_ends_at_its_limit_and_is_reported_meanwhile() {
        let (events, mut receiver) = Events::channel();
        let scope = Scope {
            events,
            ..Scope::detached()
        };
        let supervisor = Supervisor {
            silence: Duration::from_millis(1),
            ..Supervisor::new(scope)
        };
        let limit = Duration::from_millis(100);
        let ended = supervisor.supervise(rules(limit, false), silent()).await;
        assert!(matches!(ended, Err(Error::TimedOut { .. })));
        let Some(Event::Connecting {
            attempt,
            limit: shown,
            ..
        }) = receiver.recv().await
        else {
            panic!("nothing was reported");
        };
        assert_eq!((attempt, shown), (1, Some(limit)));
    }

    #[tokio::test]
    async fn a_stop_ends_an_attempt_and_prevents_the_next_one() {
        let scope = Scope::detached();
        let supervisor = Supervisor::new(scope.clone());
        let stopping = async { scope.stop.cancel() };
        let (ended, ()) = tokio::join!(
            supervisor.supervise(rules(LIMIT, false), silent()),
            stopping
        );
        assert!(matches!(ended, Err(Error::Stopped)));
        let next = supervisor
            .supervise(rules(LIMIT, false), async { Ok(()) })
            .await;
        assert!(matches!(next, Err(Error::Stopped)));
    }

    #[tokio::test]
    async fn only_what_ignores_a_stop_connects_after_it() {
        let scope = Scope::detached();
        let supervisor = Supervisor::new(scope.clone());
        scope.stop.cancel();
        let connect = async |ignores_stop| {
            let attempt = async { Ok(()) };
            supervisor
                .supervise(rules(LIMIT, ignores_stop), attempt)
                .await
        };
        assert!(connect(true).await.is_ok());
        assert!(matches!(connect(false).await, Err(Error::Stopped)));
    }
}
