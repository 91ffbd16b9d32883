//! A worker's connections for large objects, which are replaced when they are lost.
//!
//! A batch is one transaction on the target. If its commit has no answer, the objects that stand there
//! afterwards tell that it has arrived, and are left out when it is repeated.

use super::batch::{
    LargeObjectBatch, LargeObjectPage, complete_large_object_batch, copy_large_object_batch,
    plan_large_objects,
};
use crate::connect::{Purpose, Session};
use crate::ddl;
use crate::event::{Event, WithCauses as _};
use crate::pg::SqlState;
use crate::snapshot::definitions::section::stoppable;
use crate::snapshot::error::Error;
use crate::snapshot::point::lease::Snapshot;
use crate::snapshot::rows::lane::{ATTEMPTS, WAIT, pause};
use crate::snapshot::rows::load_plan::CopyRequest;
use crate::snapshot::stall::end_orphans;
use crate::task::Scope;

/// See the module's documentation.
pub(in crate::snapshot) struct ObjectLane {
    request: CopyRequest,
    snapshot: Snapshot,
    scope: Scope,
    open: Option<(Session, Session)>,
}

/// What is done with the connections.
#[derive(Clone, Copy)]
enum Job<'j> {
    List(u32),
    Copy(&'j LargeObjectBatch, &'j ddl::Options),
}

/// What came of it.
enum Outcome {
    Listed(LargeObjectPage),
    Copied(Vec<String>),
}

impl ObjectLane {
    /// A lane without connections yet.
    pub(in crate::snapshot) fn new(
        request: &CopyRequest,
        snapshot: &Snapshot,
        scope: &Scope,
    ) -> Self {
        Self {
            request: request.clone(),
            snapshot: snapshot.clone(),
            scope: scope.clone(),
            open: None,
        }
    }

    /// Ends both connections.
    pub(in crate::snapshot) fn close(&mut self) {
        self.open = None;
    }

    /// Lists the next large objects of the snapshot behind an oid.
    pub(in crate::snapshot) async fn list(
        &mut self,
        behind: u32,
    ) -> Result<LargeObjectPage, Error> {
        match self.insist(Job::List(behind)).await? {
            Outcome::Listed(page) => Ok(page),
            Outcome::Copied(_) => Ok(LargeObjectPage::default()),
        }
    }

    /// Copies a batch and commits it; grants that the target cannot hold.
    pub(in crate::snapshot) async fn copy(
        &mut self,
        batch: &LargeObjectBatch,
        options: &ddl::Options,
    ) -> Result<Vec<String>, Error> {
        match self.insist(Job::Copy(batch, options)).await? {
            Outcome::Copied(left_out) => Ok(left_out),
            Outcome::Listed(_) => Ok(Vec::new()),
        }
    }

    /// Repeats a job on new connections until it is done, or what it meets would meet it again.
    async fn insist(&mut self, job: Job<'_>) -> Result<Outcome, Error> {
        let (mut wait, mut attempts) = (WAIT, 1);
        loop {
            let error = match Box::pin(self.attempt(job, attempts > 1)).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            if attempts == ATTEMPTS || !may_pass(&error, attempts > 1) {
                return Err(error);
            }
            let text = format!("{}; trying again", error.chain());
            self.scope.events.emit(Event::Warning(text)).await;
            pause(wait, &self.scope).await?;
            wait *= 2;
            attempts += 1;
        }
    }

    async fn attempt(&mut self, job: Job<'_>, is_again: bool) -> Result<Outcome, Error> {
        let (reader, writer) = match self.open.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        let work = async {
            match job {
                Job::List(behind) => {
                    let lanes = self.request.jobs;
                    let listed = plan_large_objects(&reader, &writer, lanes, behind).await;
                    listed.map(Outcome::Listed)
                }
                Job::Copy(batch, options) if is_again => {
                    complete_large_object_batch(&reader, &writer, batch, options)
                        .await
                        .map(Outcome::Copied)
                }
                Job::Copy(batch, options) => {
                    copy_large_object_batch(&reader, &writer, batch, options)
                        .await
                        .map(Outcome::Copied)
                }
            }
        };
        let worked = stoppable(&[&reader, &writer], &self.scope, work).await;
        match worked {
            Ok(outcome) => {
                self.open = Some((reader, writer));
                Ok(outcome)
            }
            Err(error) => {
                if may_pass(&error, is_again) {
                    self.end_orphans((reader, writer)).await;
                }
                Err(error)
            }
        }
    }

    /// Nobody is to wait for what an attempt has left on the servers.
    async fn end_orphans(&self, (reader, writer): (Session, Session)) {
        let keys = (reader.cancel_key(), writer.cancel_key());
        let ends = (&self.request.source, &self.request.target);
        tokio::select! {
            () = end_orphans(ends, keys) => {}
            () = self.scope.grace_period_over() => {}
        }
    }

    /// Opens the connections, if there are none.
    pub(in crate::snapshot) async fn open(&mut self) -> Result<(), Error> {
        if self.open.is_none() {
            self.open = Some(self.connect().await?);
        }
        Ok(())
    }

    async fn connect(&self) -> Result<(Session, Session), Error> {
        let reader = self.snapshot.session().await?;
        let writer = self.request.target.session(Purpose::Build).await;
        Ok((reader, writer.map_err(Error::Connect)?))
    }
}

/// Whether another attempt may succeed. A commit without an answer may still have been under way when
/// the objects were looked for.
fn may_pass(error: &Error, is_again: bool) -> bool {
    if let Error::Catalog(source) = error {
        return source.is_transient();
    }
    let (Error::Connect(source)
    | Error::Lease(source)
    | Error::LargeObjects(source)
    | Error::LargeObject { source, .. }) = error
    else {
        return false;
    };
    let was_late = is_again && source.sqlstate() == Some(SqlState::UNIQUE_VIOLATION);
    was_late || source.is_transient()
}
