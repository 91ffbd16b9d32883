//! One of the workers of a database: it copies and builds, by critical path.

use std::sync::Arc;

use super::crew::{has_no_connection, is_left_for};
use super::error::Error;
use super::load_state::{LoadState, Task};
use super::retry::{ATTEMPTS, FIRST_WAIT, pause};
use super::stop::run_stoppable;
use crate::connect::Session;
use crate::snapshot::large_objects::copier::LargeObjectCopier;
use crate::snapshot::large_objects::queue::LargeObjectTask;
use crate::snapshot::rows::lane::Lane;
use crate::task::Scope;

/// Whether a worker continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Continue,
    Leave,
}

/// One of the workers, with the connections that it has opened.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) lane: Lane,
    pub(super) large_objects: LargeObjectCopier,
    pub(super) session: Option<Session>,
    pub(super) state: Arc<LoadState>,
    pub(super) scope: Scope,
}

impl Worker {
    /// Works until nothing remains.
    pub(super) async fn run(self) -> Result<(), Error> {
        let stop = self.scope.stop.clone();
        let worked = self.run_tasks().await;
        // At a stop the snapshot and the connections are given up. What fails then has the stop as its cause.
        worked.map_err(|error| match stop.is_cancelled() {
            true => Error::Stopped,
            false => error,
        })
    }

    async fn run_tasks(mut self) -> Result<(), Error> {
        let state = Arc::clone(&self.state);
        loop {
            // Registered before the choice: a change in between is not missed.
            let changed = state.section.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            let next = match state.next_task(self.number) {
                Task::Rows(batch) => self.copy_rows(batch).await?,
                Task::LargeObjects(task) => self.copy_large_objects(task).await?,
                Task::Steps => self.build().await?,
                Task::Wait => self.wait_for(changed).await,
                Task::End => Next::Leave,
            };
            if next == Next::Leave {
                return Ok(());
            }
        }
    }

    async fn wait_for(&mut self, changed: impl Future<Output = ()>) -> Next {
        self.close_readers();
        tokio::select! {
            () = changed => {}
            () = self.scope.stop.cancelled() => {}
        }
        Next::Continue
    }

    async fn copy_rows(&mut self, number: usize) -> Result<Next, Error> {
        let state = Arc::clone(&self.state);
        // One reader and one writer per worker: that is what the checks of connection limits count.
        self.large_objects.close();
        if let Err(error) = self.lane.open().await
            && self.leaves_for(&error).await
        {
            state.put_back_rows(number);
            return Ok(Next::Leave);
        }
        state.start_rows(number);
        let batch = state.queues().rows.batch(number).clone();
        let copying = self.lane.copy_batch(&state.jobs, &batch, &state.progress);
        let copied = copying.await?;
        self.close_readers();
        state.finish_rows(number, &copied, &self.scope).await;
        Ok(Next::Continue)
    }

    async fn copy_large_objects(&mut self, task: LargeObjectTask) -> Result<Next, Error> {
        let state = Arc::clone(&self.state);
        self.lane.close();
        if let Err(error) = self.large_objects.open().await
            && self.leaves_for(&error).await
        {
            state.put_back_large_objects(task);
            return Ok(Next::Leave);
        }
        match (task, &state.large_object_options) {
            (LargeObjectTask::List(after), _) => {
                let page = self.large_objects.list_page(after).await?;
                state.add_large_objects(page);
            }
            (LargeObjectTask::Copy(batch), Some(options)) => {
                let omitted = self.large_objects.copy_batch(&batch, options).await?;
                state.finish_large_objects(batch.count(), omitted);
            }
            (LargeObjectTask::Copy(_), None) => {}
        }
        self.close_readers();
        Ok(Next::Continue)
    }

    /// Whether this worker ends, because connections could not be opened and others continue. Otherwise the
    /// copy itself tries again.
    async fn leaves_for(&mut self, error: &Error) -> bool {
        if is_left_for(&self.state.crew, error, &self.scope).await {
            return true;
        }
        // The last worker keeps only the connections that it needs now.
        if has_no_connection(error) {
            self.session = None;
        }
        false
    }

    /// Closes the readers once everything is taken: nothing keeps the source's snapshot longer than needed.
    fn close_readers(&mut self) {
        if self.state.all_taken() {
            self.lane.close();
            self.large_objects.close();
        }
    }

    async fn build(&mut self) -> Result<Next, Error> {
        self.close_readers();
        let session = match self.session.take() {
            Some(session) => session,
            None => match self.open_session().await? {
                Some(session) => session,
                None => return Ok(Next::Leave),
            },
        };
        self.run_steps(&session).await?;
        self.session = Some(session);
        Ok(Next::Continue)
    }

    /// Opens a session that builds; None if there is no connection for it and other workers build.
    async fn open_session(&mut self) -> Result<Option<Session>, Error> {
        let state = Arc::clone(&self.state);
        let mut attempts = 1;
        loop {
            let error = match state.section.open_session().await {
                Ok(session) => return Ok(Some(session)),
                Err(error) => error,
            };
            if is_left_for(&state.crew, &error, &self.scope).await {
                return Ok(None);
            }
            if !has_no_connection(&error) || attempts == ATTEMPTS {
                return Err(error);
            }
            // Frees the connections that this worker does not need now.
            self.lane.close();
            self.large_objects.close();
            pause(FIRST_WAIT, &self.scope).await?;
            attempts += 1;
        }
    }

    /// Runs ready steps. An index may take hours, and others read the last rows meanwhile.
    async fn run_steps(&mut self, session: &Session) -> Result<(), Error> {
        let (state, scope) = (Arc::clone(&self.state), self.scope.clone());
        let least_path = || state.least_path_of_steps();
        let section = &state.section;
        let work = section.run_ready_steps(self.number, session, &least_path, &scope);
        let sessions = [session];
        let work = run_stoppable(&sessions, &scope, work);
        tokio::pin!(work);
        tokio::select! {
            biased;
            built = &mut work => return built,
            () = state.wait_until_all_taken() => self.close_readers(),
        }
        work.await
    }
}
