//! One of the workers of a database: it copies and builds, whatever comes first.

use std::sync::Arc;

use super::Error;
use super::board::{Board, Task};
use super::build::stoppable;
use super::lane::Lane;
use super::object_lane::ObjectLane;
use super::objects::ObjectTask;
use crate::connect::Session;
use crate::task::Scope;

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
            match board.next(self.number) {
                Task::Copy(parcel) => self.copy(parcel).await?,
                Task::Objects(task) => self.copy_objects(task).await?,
                Task::Build => self.build().await?,
                Task::Wait => {
                    self.close_readers();
                    tokio::select! {
                        () = changed => {}
                        () = self.scope.stop.cancelled() => {}
                    }
                }
                Task::End => return Ok(()),
            }
        }
    }

    async fn copy(&mut self, number: usize) -> Result<(), Error> {
        let board = Arc::clone(&self.board);
        board.begin(number, &self.scope).await;
        let parcel = board.copies().parcel(number).clone();
        let copied = self
            .lane
            .copy(&board.jobs, &parcel, &board.progress)
            .await?;
        self.close_readers();
        board.done(number, &copied, &self.scope).await;
        Ok(())
    }

    async fn copy_objects(&mut self, task: ObjectTask) -> Result<(), Error> {
        let board = Arc::clone(&self.board);
        match (task, &board.options) {
            (ObjectTask::List(behind), _) => board.listed(self.objects.list(behind).await?),
            (ObjectTask::Copy(batch), Some(options)) => {
                let left_out = self.objects.copy(&batch, options).await?;
                board.done_objects(batch.count(), left_out);
            }
            (ObjectTask::Copy(_), None) => {}
        }
        self.close_readers();
        Ok(())
    }

    /// Nothing keeps the source's snapshot longer than there is something to read.
    fn close_readers(&mut self) {
        if self.board.is_read() {
            self.lane.close();
            self.objects.close();
        }
    }

    async fn build(&mut self) -> Result<(), Error> {
        self.close_readers();
        let session = match self.session.take() {
            Some(session) => session,
            None => self.board.work.session().await?,
        };
        self.run_ready(&session).await?;
        self.session = Some(session);
        Ok(())
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
