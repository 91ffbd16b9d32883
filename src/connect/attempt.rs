//! What every attempt to get a connection obeys: a stop, one limit over all addresses and tries, and
//! a report while it runs.
//!
//! Host names, sockets, TLS, authentication, waits between tries and the first settings all happen
//! below [`Supervisor::over`]. So a host that accepts a connection and never answers holds nobody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, interval_at, sleep_until};

use super::Error;
use crate::event::Event;
use crate::task::Scope;

/// How often an attempt is reported: a connection within a network takes milliseconds.
const REPORT_PERIOD: Duration = Duration::from_secs(5);

/// The shortest overall limit: four tries with their waits fit into it.
const SHORTEST: Duration = Duration::from_secs(30);

/// Obeys a command's stop and reports to its screen.
#[derive(Debug)]
pub(super) struct Supervisor {
    scope: Scope,
    period: Duration,
    /// Whether connections are also opened after a stop, to remove what was created.
    cleans_up: AtomicBool,
}

impl Supervisor {
    /// A supervisor with a stop token and a listener.
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            period: REPORT_PERIOD,
            cleans_up: AtomicBool::new(false),
        }
    }

    /// Permits attempts that begin after a stop.
    pub(super) fn permit_cleanup(&self) {
        self.cleans_up.store(true, Ordering::Relaxed);
    }

    /// Runs one attempt. Cancel safe if `attempt` is.
    ///
    /// # Errors
    /// Those of the attempt; [`Error::Stopped`]; [`Error::TimedOut`].
    pub(super) async fn over<T>(
        &self,
        (place, limit): (String, Option<Duration>),
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let is_cleanup = self.scope.stop.is_cancelled() && self.cleans_up.load(Ordering::Relaxed);
        let stopped = async {
            if is_cleanup {
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
            never = self.report(begun, &place, limit) => match never {},
        }
    }

    async fn report(
        &self,
        begun: Instant,
        place: &str,
        limit: Option<Duration>,
    ) -> std::convert::Infallible {
        let mut ticks = interval_at(begun + self.period, self.period);
        loop {
            ticks.tick().await;
            self.scope.events.tick(Event::Connecting {
                place: place.to_owned(),
                elapsed: begun.elapsed(),
                limit,
            });
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

    fn place() -> (String, Option<Duration>) {
        ("h:5432".to_owned(), Some(LIMIT))
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
            period: Duration::from_millis(1),
            ..Supervisor::new(scope)
        };
        let limit = Some(Duration::from_millis(100));
        let ended = supervisor
            .over(("h:5432".to_owned(), limit), silent())
            .await;
        assert!(matches!(ended, Err(Error::TimedOut { .. })));
        let Some(Event::Connecting { limit: shown, .. }) = receiver.recv().await else {
            panic!("nothing was reported");
        };
        assert_eq!(shown, limit);
    }

    #[tokio::test]
    async fn a_stop_ends_an_attempt_and_prevents_the_next_one() {
        let scope = Scope::detached();
        let supervisor = Supervisor::new(scope.clone());
        let stopping = async { scope.stop.cancel() };
        let (ended, ()) = tokio::join!(supervisor.over(place(), silent()), stopping);
        assert!(matches!(ended, Err(Error::Stopped)));
        let next = supervisor.over(place(), async { Ok(()) }).await;
        assert!(matches!(next, Err(Error::Stopped)));
    }

    #[tokio::test]
    async fn cleanup_connects_after_a_stop() {
        let scope = Scope::detached();
        let supervisor = Supervisor::new(scope.clone());
        supervisor.permit_cleanup();
        scope.stop.cancel();
        assert!(supervisor.over(place(), async { Ok(()) }).await.is_ok());
    }
}
