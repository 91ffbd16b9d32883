use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::event::Events;

/// How long work that is asked to stop may wait for a server's last answer. With a network that carries
/// nothing any more there is none.
const GRACE: Duration = Duration::from_secs(3);

/// What work in progress needs from its surroundings: when to stop, and where to report.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Cancelled when the work should stop. Work below looks at it at the top of its loops.
    pub stop: CancellationToken,
    /// Where facts go.
    pub events: Events,
}

impl Scope {
    /// A scope that nothing stops and nobody listens to.
    pub fn detached() -> Self {
        Self {
            stop: CancellationToken::new(),
            events: Events::silent(),
        }
    }

    /// Returns when the work has been asked to stop, and has had time for it.
    pub async fn grace_period_over(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }

    /// Runs `work` to its end. At a stop, `cancel` asks the servers to end what they run for it, and the
    /// work has the grace period to end by itself.
    ///
    /// # Errors
    /// The scope was stopped before the work ended.
    pub async fn cancelling<T>(
        &self,
        cancel: impl Future<Output = ()>,
        work: impl Future<Output = T>,
    ) -> Result<T, Cancelled<T>> {
        // On the heap: futures of callers stay small.
        let mut work = Box::pin(work);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            done = &mut work => return Ok(done),
        }
        // A request may fail, or get lost: the end of the work is what counts.
        let requested = async { tokio::join!(cancel, self.grace_period_over()) };
        let result = tokio::select! {
            done = work => Some(done),
            _ = requested => None,
        };
        Err(Cancelled { result })
    }

    /// A scope that stops with this one, and may be stopped alone.
    pub fn child(&self) -> Self {
        Self {
            stop: self.stop.child_token(),
            events: self.events.clone(),
        }
    }
}

/// Work that a stop ended.
#[derive(Debug)]
pub struct Cancelled<T> {
    /// What the work returned within the grace period; it may have succeeded all the same.
    pub result: Option<T>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cancelled_work_may_still_return_a_result() {
        let scope = Scope::detached();
        assert!(matches!(
            scope.cancelling(async {}, async { 1 }).await,
            Ok(1)
        ));
        let requested = CancellationToken::new();
        let cancel = async { requested.cancel() };
        let work = requested.cancelled();
        scope.stop.cancel();
        let ended = scope.cancelling(cancel, work).await;
        assert!(matches!(ended, Err(Cancelled { result: Some(()) })));
    }
}
