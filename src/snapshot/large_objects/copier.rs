//! A worker's sessions for large objects. They are replaced when they are lost.
//!
//! A batch is one transaction on the target. If its commit has no answer, the repetition skips the objects that
//! exist on the target by then.

use super::batch::{
    LargeObjectBatch, LargeObjectPage, complete_large_object_batch, copy_large_object_batch,
    plan_large_objects,
};
use crate::connect::{Purpose, Session};
use crate::ddl;
use crate::event::{Event, Warning, WithCauses as _};
use crate::pg::{Sides, SqlState};
use crate::snapshot::error::Error;
use crate::snapshot::point::lease::Snapshot;
use crate::snapshot::request::CopyRequest;
use crate::snapshot::retry::{FailedAttempt, RetryStep, pause};
use crate::snapshot::stop::run_stoppable;
use crate::task::Scope;
use crate::transfer::end_orphans;

/// Copies large objects.
pub(crate) struct LargeObjectCopier {
    request: CopyRequest,
    snapshot: Snapshot,
    scope: Scope,
    open: Option<Sides<Session>>,
}

/// One piece of work.
#[derive(Clone, Copy)]
enum Job<'j> {
    /// List the objects after this oid.
    List(u32),
    Copy(&'j LargeObjectBatch, &'j ddl::Options),
}

/// The result of a job.
enum Outcome {
    Listed(LargeObjectPage),
    /// With the grants that the target cannot represent.
    Copied(Vec<String>),
}

impl LargeObjectCopier {
    /// Creates a copier without sessions.
    pub(crate) fn new(request: &CopyRequest, snapshot: &Snapshot, scope: &Scope) -> Self {
        Self {
            request: request.clone(),
            snapshot: snapshot.clone(),
            scope: scope.clone(),
            open: None,
        }
    }

    /// Ends both sessions.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }

    /// Opens the sessions, if there are none.
    pub(crate) async fn open(&mut self) -> Result<(), Error> {
        if self.open.is_none() {
            self.open = Some(self.connect_both().await?);
        }
        Ok(())
    }

    /// Lists the next large objects of the snapshot after an oid.
    pub(crate) async fn list_page(&mut self, after: u32) -> Result<LargeObjectPage, Error> {
        match self.run_with_retries(Job::List(after)).await? {
            Outcome::Listed(page) => Ok(page),
            Outcome::Copied(_) => Ok(LargeObjectPage::default()),
        }
    }

    /// Copies a batch and commits it. Returns the grants that the target cannot represent.
    pub(crate) async fn copy_batch(
        &mut self,
        batch: &LargeObjectBatch,
        options: &ddl::Options,
    ) -> Result<Vec<String>, Error> {
        match self.run_with_retries(Job::Copy(batch, options)).await? {
            Outcome::Copied(omitted) => Ok(omitted),
            Outcome::Listed(_) => Ok(Vec::new()),
        }
    }

    /// Repeats a job on new sessions until it succeeds, or until a repetition cannot succeed.
    async fn run_with_retries(&mut self, job: Job<'_>) -> Result<Outcome, Error> {
        let mut number = 1;
        loop {
            let error = match Box::pin(self.attempt_job(job, number > 1)).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            let failed = FailedAttempt {
                number,
                is_transient: may_succeed_again(&error, number > 1),
                // The repetition itself looks for what has arrived.
                is_undecided: false,
            };
            let RetryStep::RepeatAfter(wait) = failed.next_step() else {
                return Err(error);
            };
            let cause = error.chain();
            let retry = Event::Warning(Warning::Retry { cause });
            self.scope.events.emit(retry).await;
            pause(wait, &self.scope).await?;
            number += 1;
        }
    }

    async fn attempt_job(&mut self, job: Job<'_>, is_repeated: bool) -> Result<Outcome, Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.connect_both().await?,
        };
        let work = run_job(&open, job, is_repeated, self.request.jobs);
        let worked = run_stoppable(&[&open.source, &open.target], &self.scope, work).await;
        match &worked {
            Ok(_) => self.open = Some(open),
            Err(error) if may_succeed_again(error, is_repeated) => self.end_sessions(open).await,
            Err(_) => {}
        }
        worked
    }

    /// Ends what an attempt has left on the servers, so that nothing waits for it.
    async fn end_sessions(&self, open: Sides<Session>) {
        let keys = open.as_ref().map(Session::cancel_key);
        tokio::select! {
            () = end_orphans(self.request.endpoints(), keys) => {}
            () = self.scope.grace_period_over() => {}
        }
    }

    async fn connect_both(&self) -> Result<Sides<Session>, Error> {
        let source = self.snapshot.open_session().await?;
        let opened = self.request.target.session(Purpose::Build).await;
        let target = opened.map_err(Error::Connect)?;
        Ok(Sides { source, target })
    }
}

async fn run_job(
    open: &Sides<Session>,
    job: Job<'_>,
    is_repeated: bool,
    workers: usize,
) -> Result<Outcome, Error> {
    let (reader, writer) = (&open.source, &open.target);
    match job {
        Job::List(after) => plan_large_objects(reader, writer, workers, after)
            .await
            .map(Outcome::Listed),
        Job::Copy(batch, options) if is_repeated => {
            complete_large_object_batch(reader, writer, batch, options)
                .await
                .map(Outcome::Copied)
        }
        Job::Copy(batch, options) => copy_large_object_batch(reader, writer, batch, options)
            .await
            .map(Outcome::Copied),
    }
}

/// Whether another attempt may succeed. A commit without an answer may still have been running when the
/// objects were looked for.
fn may_succeed_again(error: &Error, is_repeated: bool) -> bool {
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
    let was_late = is_repeated && source.sqlstate() == Some(SqlState::UNIQUE_VIOLATION);
    was_late || source.is_transient()
}
