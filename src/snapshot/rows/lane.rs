//! A row copier: one pair of connections that copies batch after batch.
//!
//! ```text
//! source ══ COPY … TO STDOUT; COPY … TO STDOUT ══▶ pump ══▶ BEGIN; TRUNCATE …; COPY … FROM STDIN; … ══ target
//!          (at the snapshot)                                (one transaction per batch)
//! ```
//!
//! Connections are opened once. If one is lost, both are replaced and the batch is repeated: the target
//! rolls back everything before its commit. If the connection is lost at the commit itself, the target is
//! asked about the transaction, unless the repetition empties each table of the batch first.
//!
//! Before the commit the source is asked whether the names and types of the batch meant the same all the
//! time ([`CatalogVersions`]). If not, the batch is repeated too.

use std::sync::Arc;

use super::batch::CopyBatch;
use super::catalog_versions::{CatalogVersions, KnownVersions};
use super::commit::commit_batch;
use super::connections::{Connections, Connector};
use super::encoding::load_common_encoding;
use super::failure::CopyFailure;
use super::job::CopyJob;
use super::watch::Watch;
use crate::event::{Event, Warning, WithCauses as _};
use crate::pg::Sides;
use crate::snapshot::error::Error;
use crate::snapshot::evaluation::Evaluation;
use crate::snapshot::point::lease::Snapshot;
use crate::snapshot::request::CopyRequest;
use crate::snapshot::retry::{FailedAttempt, RetryStep, pause};
use crate::task::Scope;
use crate::wire::{Copied, EndedBy, Progress, PumpOptions, PumpOutcome, SourceAfter, pump};

/// A row copier.
pub(crate) struct Lane {
    pipe: RowPipe,
    open: Option<Connections>,
}

/// What every attempt needs. It is shared with running work, and so contains no connections.
struct RowPipe {
    connector: Connector,
    versions: Arc<CatalogVersions>,
}

/// What one attempt copies.
struct Copying<'c> {
    jobs: &'c [CopyJob],
    batch: &'c CopyBatch,
    known: KnownVersions,
}

/// An attempt whose rows have arrived, up to the commit.
struct Piped {
    connections: Connections,
    copied: Vec<Copied>,
}

impl Lane {
    /// Creates a row copier without connections.
    pub(crate) fn new(
        request: &CopyRequest,
        evaluation: &Evaluation,
        snapshot: &Snapshot,
        versions: &Arc<CatalogVersions>,
        scope: &Scope,
    ) -> Self {
        let connector = Connector {
            request: request.clone(),
            evaluation: evaluation.clone(),
            snapshot: snapshot.clone(),
            scope: scope.clone(),
        };
        let versions = Arc::clone(versions);
        Self {
            pipe: RowPipe {
                connector,
                versions,
            },
            open: None,
        }
    }

    /// Ends both connections, and with them what the source keeps for this row copier.
    pub(crate) fn close(&mut self) {
        self.open = None;
        self.pipe.versions.close();
    }

    /// Opens the connections, if there are none.
    pub(crate) async fn open(&mut self) -> Result<(), Error> {
        if self.open.is_none() {
            self.open = Some(Box::pin(self.pipe.connector.open()).await?);
        }
        Ok(())
    }

    /// Copies one batch and commits it. Returns what was copied, item by item.
    ///
    /// Not cancel safe: the connections are lost with the future, and the copy with them.
    pub(crate) async fn copy_batch(
        &mut self,
        jobs: &[CopyJob],
        batch: &CopyBatch,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Copied>, Error> {
        let mut number = 1;
        loop {
            let attempt = Box::pin(self.attempt_copy(jobs, batch, progress)).await;
            let failure = match attempt {
                Ok(copied) => return Ok(copied),
                Err(failure) => failure,
            };
            let mut failed = FailedAttempt {
                number,
                is_transient: failure.is_transient,
                is_undecided: failure.undecided.is_some(),
            };
            if let (RetryStep::AskTarget, Some(transaction)) =
                (failed.next_step(), &failure.undecided)
            {
                if self.pipe.connector.is_committed(transaction).await? {
                    return Ok(failure.copied);
                }
                failed.is_undecided = false;
            }
            let RetryStep::RepeatAfter(wait) = failed.next_step() else {
                return Err(failure.error);
            };
            let scope = &self.pipe.connector.scope;
            let cause = failure.error.chain();
            let retry = Event::Warning(Warning::Retry { cause });
            scope.events.emit(retry).await;
            pause(wait, scope).await?;
            number += 1;
        }
    }

    /// Makes one attempt. A failure of the commit contains what was copied.
    async fn attempt_copy(
        &mut self,
        jobs: &[CopyJob],
        batch: &CopyBatch,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Copied>, CopyFailure> {
        let connections = match self.open.take() {
            Some(open) => open,
            None => Box::pin(self.pipe.connector.open())
                .await
                .map_err(CopyFailure::around_copy)?,
        };
        let watch = Watch {
            request: &self.pipe.connector.request,
            keys: Sides {
                source: connections.source.cancel_key(),
                target: connections.target.cancel_key(),
            },
            progress: Progress::within(progress),
            table: batch.table_of(jobs, 0),
            scope: &self.pipe.connector.scope,
        };
        let copying = Copying {
            jobs,
            batch,
            known: self.pipe.versions.known(&batch.tables(jobs)),
        };
        let piping = self
            .pipe
            .copy_explained(&copying, connections, &watch.progress);
        let mut piped = match Box::pin(watch.run(piping)).await {
            Ok(piped) => piped,
            Err(failure) => {
                watch.end_both(failure.is_transient).await;
                return Err(failure);
            }
        };
        let checking = self.pipe.versions.check_unchanged(&copying.known);
        let target = &mut piped.connections.target;
        let committing = commit_batch(target, batch.is_repeatable(jobs), checking, &watch);
        match Box::pin(committing).await {
            Ok(()) => {
                self.open = Some(piped.connections);
                Ok(piped.copied)
            }
            Err(failure) => {
                watch.end_both(failure.is_transient).await;
                Err(CopyFailure {
                    copied: piped.copied,
                    ..failure
                })
            }
        }
    }
}

impl RowPipe {
    /// Copies the rows. What a server refuses may be the consequence of a change on the source, which is
    /// the better reason.
    async fn copy_explained(
        &self,
        copying: &Copying<'_>,
        connections: Connections,
        progress: &Progress,
    ) -> Result<Piped, CopyFailure> {
        let piped = self.copy_rows(copying, connections, progress).await;
        match &piped {
            Err(failure) if !failure.is_transient && !self.connector.scope.stop.is_cancelled() => {}
            _ => return piped,
        }
        match self.versions.check_unchanged(&copying.known).await {
            Ok(()) | Err(Error::Connect(_) | Error::Lease(_)) => piped,
            Err(error) => Err(CopyFailure::around_copy(error)),
        }
    }

    /// Runs from the first statement to the last row, which both servers have counted.
    async fn copy_rows(
        &self,
        copying: &Copying<'_>,
        connections: Connections,
        progress: &Progress,
    ) -> Result<Piped, CopyFailure> {
        let (jobs, batch) = (copying.jobs, copying.batch);
        let Sides {
            mut source,
            mut target,
        } = connections;
        let first = batch.table_of(jobs, 0);
        let refused = |error| CopyFailure::of_table(&first, error);
        let encoding = load_common_encoding(&mut source, &mut target)
            .await
            .map_err(refused)?;
        let encoding = encoding.as_deref();
        let out = batch.render_copies_out(jobs, &copying.known.renamed, encoding);
        let into = batch.render_copies_in(jobs, &self.connector.evaluation, encoding);
        let (asked_out, asked_in) = tokio::join!(source.ask(&out), target.ask(&into));
        let target = asked_in.map_err(|failure| refused(failure.error))?;
        let target = target.copies_in(batch.format(jobs));
        let source = asked_out.map_err(|failure| refused(failure.error))?;
        let source = source.copies_out().await;
        let source = source.map_err(|failure| refused(failure.error))?;
        let (options, stop) = (PumpOptions::default(), &self.connector.scope.stop);
        let outcome = pump(source, target, &options, progress, stop).await;
        let job = batch.job_of(jobs, outcome.at);
        let table = job.table.clone();
        match outcome {
            PumpOutcome {
                result: Ok(_),
                source: SourceAfter::Idle(source),
                target: Some(target),
                copies,
                ..
            } => Ok(Piped {
                connections: Sides { source, target },
                copied: copies,
            }),
            PumpOutcome { result: Ok(_), .. } => {
                Err(CopyFailure::new(Error::LaneLost { table }, true))
            }
            PumpOutcome {
                result: Err(error), ..
            } if error.ended_by == EndedBy::Stop => Err(CopyFailure::stopped()),
            PumpOutcome {
                result: Err(error), ..
            } => {
                let is_transient = error.is_transient();
                let error = Error::Copy {
                    table,
                    filter: job.filter.clone().map(Box::new),
                    source: Box::new(error),
                };
                Err(CopyFailure::new(error, is_transient))
            }
        }
    }
}
