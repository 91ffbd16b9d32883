//! One of the workers of a database: it copies and builds, whatever comes first.

use std::sync::Arc;

use super::crew::{is_left_for, lacks_connection};
use super::error::Error;
use super::load_state::{Board, Task};
use crate::connect::Session;
use crate::snapshot::definitions::section::stoppable;
use crate::snapshot::large_objects::lane::ObjectLane;
use crate::snapshot::large_objects::queue::ObjectTask;
use crate::snapshot::rows::lane::{ATTEMPTS, Lane, WAIT, pause};
use crate::task::Scope;

/// Whether a worker has more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Continue,
    Leave,
}

/// One of the workers, with the connections that it has opened.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) lane: Lane,
    pub(super) objects: ObjectLane,
    pub(super) session: Option<Session>,
    pub(super) board: Arc<Board>,
    pub(super) scope: Scope,
}

impl Worker {
    /// Works until there is nothing left to do.
    pub(super) async fn run(self) -> Result<(), Error> {
        let stop = self.scope.stop.clone();
        let worked = self.work().await;
        // The snapshot and the connections are given up at a stop, which is the cause of what fails then.
        worked.map_err(|error| match stop.is_cancelled() {
            true => Error::Stopped,
            false => error,
        })
    }

    async fn work(mut self) -> Result<(), Error> {
        let board = Arc::clone(&self.board);
        loop {
            let changed = board.work.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.scope.stop.is_cancelled() {
                return Err(Error::Stopped);
            }
            let next = match board.next(self.number) {
                Task::Copy(parcel) => self.copy(parcel).await?,
                Task::Objects(task) => self.copy_objects(task).await?,
                Task::Build => self.build().await?,
                Task::Wait => {
                    self.close_readers();
                    tokio::select! {
                        () = changed => {}
                        () = self.scope.stop.cancelled() => {}
                    }
                    Next::Continue
                }
                Task::End => Next::Leave,
            };
            if next == Next::Leave {
                return Ok(());
            }
        }
    }

    async fn copy(&mut self, number: usize) -> Result<Next, Error> {
        let board = Arc::clone(&self.board);
        // One reader and one writer to a worker: that is what the checks of connection limits count.
        self.objects.close();
        if let Err(error) = self.lane.open().await {
            if is_left_for(&board.crew, &error, &self.scope).await {
                board.put_back(number);
                return Ok(Next::Leave);
            }
            // The lane tries again. The last worker needs only what it works with.
            if lacks_connection(&error) {
                self.session = None;
            }
        }
        board.begin(number, &self.scope).await;
        let parcel = board.copies().parcel(number).clone();
        let copied = self
            .lane
            .copy(&board.jobs, &parcel, &board.progress)
            .await?;
        self.close_readers();
        board.done(number, &copied, &self.scope).await;
        Ok(Next::Continue)
    }

    async fn copy_objects(&mut self, task: ObjectTask) -> Result<Next, Error> {
        let board = Arc::clone(&self.board);
        self.lane.close();
        if let Err(error) = self.objects.open().await {
            if is_left_for(&board.crew, &error, &self.scope).await {
                board.put_back_objects(task);
                return Ok(Next::Leave);
            }
            if lacks_connection(&error) {
                self.session = None;
            }
        }
        match (task, &board.options) {
            (ObjectTask::List(behind), _) => board.listed(self.objects.list(behind).await?),
            (ObjectTask::Copy(batch), Some(options)) => {
                let left_out = self.objects.copy(&batch, options).await?;
                board.done_objects(batch.count(), left_out);
            }
            (ObjectTask::Copy(_), None) => {}
        }
        self.close_readers();
        Ok(Next::Continue)
    }

    /// Nothing keeps the source's snapshot longer than there is something to read.
    fn close_readers(&mut self) {
        if self.board.is_read() {
            self.lane.close();
            self.objects.close();
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
        self.run_ready(&session).await?;
        self.session = Some(session);
        Ok(Next::Continue)
    }

    /// A session that builds; none if there is no connection for it and others build.
    async fn open_session(&mut self) -> Result<Option<Session>, Error> {
        let board = Arc::clone(&self.board);
        let mut attempts = 1;
        loop {
            let error = match board.work.session().await {
                Ok(session) => return Ok(Some(session)),
                Err(error) => error,
            };
            if is_left_for(&board.crew, &error, &self.scope).await {
                return Ok(None);
            }
            if !lacks_connection(&error) || attempts == ATTEMPTS {
                return Err(error);
            }
            self.lane.close();
            self.objects.close();
            pause(WAIT, &self.scope).await?;
            attempts += 1;
        }
    }

    /// Runs what is ready. An index may take hours, and others read the last rows meanwhile.
    async fn run_ready(&mut self, session: &Session) -> Result<(), Error> {
        let (board, scope) = (Arc::clone(&self.board), self.scope.clone());
        let longer = || board.longest_to_read();
        let work = board.work.run_ready(self.number, session, &longer, &scope);
        let sessions = [session];
        let work = stoppable(&sessions, &scope, work);
        tokio::pin!(work);
        tokio::select! {
            biased;
            built = &mut work => return built,
            () = board.all_taken() => self.close_readers(),
        }
        work.await
    }
}
