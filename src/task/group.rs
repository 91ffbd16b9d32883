use std::future::Future;

use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::scope::Scope;

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
            if let Err(error) = joined.unwrap_or_else(resume_panic) {
                self.scope.stop.cancel();
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }
}

/// Carries a panic of a task on. The tasks of a group are never aborted while it is joined.
fn resume_panic<T>(error: JoinError) -> T {
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
        (&mut self.0)
            .await
            .unwrap_or_else(|error| resume_panic(error))
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
