//! How tasks live: every task belongs to a [`Group`] that joins it, or to a [`Background`] that
//! ends it on drop. Stopping is a token, passed on in a [`Scope`].

mod crew;

use std::future::Future;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::event::Events;

pub use crew::Crew;

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
    pub async fn overdue(&self) {
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
        tokio::pin!(work);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            done = &mut work => return Ok(done),
        }
        // A request may fail, or get lost: the end of the work is what counts.
        let requested = async { tokio::join!(cancel, self.overdue()) };
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

/// Tasks that succeed or fail together: the first error stops the others, all are joined, and
/// that first error is the one returned.
#[derive(Debug)]
pub struct Group<E> {
    tasks: JoinSet<Result<(), E>>,
    scope: Scope,
}

impl<E: Send + 'static> Group<E> {
    /// A group whose tasks stop with `scope`, and when one of them fails.
    pub fn new(scope: &Scope) -> Self {
        Self {
            tasks: JoinSet::new(),
            scope: scope.child(),
        }
    }

    /// The scope to hand to the tasks.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Starts a task.
    pub fn spawn(&mut self, task: impl Future<Output = Result<(), E>> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Waits for all tasks.
    ///
    /// Not cancel safe: dropping the future aborts the tasks.
    ///
    /// # Errors
    /// The first error of any task.
    ///
    /// # Panics
    /// A task panicked; the panic continues here.
    pub async fn join(mut self) -> Result<(), E> {
        let mut first = None;
        while let Some(joined) = self.tasks.join_next().await {
            if let Err(error) = joined.unwrap_or_else(resume) {
                self.scope.stop.cancel();
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }
}

/// Carries a panic of a task on. The tasks of a group are never aborted while it is joined.
fn resume<T>(error: JoinError) -> T {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => unreachable!("a task was aborted while its group was joined: {error}"),
    }
}

/// A task that serves a value and ends with it, such as the driver of a session.
#[derive(Debug)]
pub struct Background<T = ()>(JoinHandle<T>);

impl<T: Send + 'static> Background<T> {
    /// Starts the task.
    #[expect(clippy::disallowed_methods, reason = "the guard ends the task on drop")]
    pub fn spawn(task: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }

    /// Waits for the task's end. Cancel safe.
    ///
    /// # Panics
    /// The task panicked; the panic continues here.
    pub async fn join(mut self) -> T {
        (&mut self.0).await.unwrap_or_else(|error| resume(error))
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
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

    #[tokio::test]
    async fn the_first_error_stops_the_others_and_is_returned() {
        let mut group = Group::new(&Scope::detached());
        let stop = group.scope().stop.clone();
        group.spawn(async move {
            stop.cancelled().await;
            Err("second")
        });
        group.spawn(async { Err("first") });
        assert_eq!(group.join().await, Err("first"));
    }
}
