//! One pair of connections that copies parcel after parcel.
//!
//! ```text
//! source ══ COPY … TO STDOUT; COPY … TO STDOUT ══▶ pump ══▶ BEGIN; TRUNCATE …; COPY … FROM STDIN; … ══ target
//!          (at the snapshot)                                (one transaction a parcel)
//! ```
//!
//! Connections are opened once. Where one is lost, both are replaced and the parcel is repeated:
//! whatever happens before its commit, the target rolls back. If the connection is lost at the
//! commit itself, the target is asked what became of the transaction, unless each table of the
//! parcel is emptied first anyway.
//!
//! Before the commit the source is asked whether the names and types of the parcel meant the same all
//! the time ([`Meanings`]); if not, the parcel is repeated, too.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::commit::commit;
use super::encoding::common_encoding;
use super::load_plan::CopyRequest;
use super::meanings::{Before, Meanings};
use super::plan::CopyJob;
use super::queue::Parcel;
use crate::connect::Purpose;
use crate::event::{Event, WithCauses as _};
use crate::pg::QualifiedName;
use crate::snapshot::error::Error;
use crate::snapshot::evaluation::Evaluation;
use crate::snapshot::point::lease::Snapshot;
use crate::snapshot::stall::{end_orphans, stalled};
use crate::sql;
use crate::task::Scope;
use crate::wire::{
    CancelKey, Connection, Copied, EndedBy, Idle, Progress, PumpOptions, PumpOutcome, SourceAfter,
    pump,
};

/// Attempts at one parcel before the run gives up.
pub(in crate::snapshot) const ATTEMPTS: u32 = 5;

/// The wait before the second attempt; doubled for each further one. A server that restarts needs
/// some seconds.
pub(in crate::snapshot) const WAIT: Duration = Duration::from_secs(1);

/// How long the target may need to decide about a transaction whose connection was lost.
const UNDECIDED: Duration = Duration::from_secs(60);

/// How often it is asked.
const ASKED: Duration = Duration::from_millis(200);

/// How long a last cancel request may take, after those at the stop itself.
const LAST: Duration = Duration::from_secs(1);

/// A connection to the source, at the snapshot, and one to the target.
type Open = (Connection<Idle>, Connection<Idle>);

/// See the module's documentation.
pub(in crate::snapshot) struct Lane {
    opener: Opener,
    open: Option<Open>,
}

/// What opens a lane's connections, again if need be.
struct Opener {
    ends: CopyRequest,
    /// Under what the target evaluates checks and generated columns.
    evaluation: Evaluation,
    snapshot: Snapshot,
    meanings: Arc<Meanings>,
    scope: Scope,
}

/// What one attempt copies.
struct Copying<'c> {
    jobs: &'c [CopyJob],
    parcel: &'c Parcel,
    before: Before,
}

/// Why an attempt came to nothing.
pub(in crate::snapshot) struct Lost {
    pub(in crate::snapshot) error: Error,
    /// The same may succeed on new connections.
    pub(in crate::snapshot) is_transient: bool,
    /// The transaction whose commit was asked for, without an answer.
    pub(in crate::snapshot) undecided: Option<String>,
}

impl Lost {
    fn stopped() -> Self {
        Self {
            error: Error::Stopped,
            is_transient: false,
            undecided: None,
        }
    }

    /// Without anything done yet.
    pub(in crate::snapshot) fn opening(error: Error) -> Self {
        let is_transient = matches!(&error, Error::Connect(source) | Error::Lease(source) if source.is_transient())
            || matches!(&error, Error::Lane(source) if source.is_transient())
            || matches!(&error, Error::Renamed { .. });
        Self {
            is_transient,
            error,
            undecided: None,
        }
    }
}

impl Lane {
    /// A lane without connections yet.
    pub(in crate::snapshot) fn new(
        (ends, evaluation): (&CopyRequest, &Evaluation),
        snapshot: &Snapshot,
        meanings: &Arc<Meanings>,
        scope: &Scope,
    ) -> Self {
        let opener = Opener {
            evaluation: evaluation.clone(),
            ends: ends.clone(),
            snapshot: snapshot.clone(),
            meanings: Arc::clone(meanings),
            scope: scope.clone(),
        };
        Self { opener, open: None }
    }

    /// Ends both connections, and with them what the source keeps for this lane.
    pub(in crate::snapshot) fn close(&mut self) {
        self.open = None;
        self.opener.meanings.close();
    }

    /// Opens the connections, if there are none.
    pub(in crate::snapshot) async fn open(&mut self) -> Result<(), Error> {
        if self.open.is_none() {
            self.open = Some(Box::pin(self.opener.open()).await?);
        }
        Ok(())
    }

    /// Copies one parcel and commits it; what was copied, piece by piece.
    ///
    /// Not cancel safe: the connections are lost with the future, and the copy with them.
    pub(in crate::snapshot) async fn copy(
        &mut self,
        jobs: &[CopyJob],
        parcel: &Parcel,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Copied>, Error> {
        let (mut wait, mut attempts) = (WAIT, 1);
        loop {
            let attempt = Box::pin(self.attempt(jobs, parcel, progress)).await;
            let (lost, copied) = match attempt {
                Ok(copied) => return Ok(copied),
                Err(lost) => lost,
            };
            if lost.is_transient
                && let Some(transaction) = &lost.undecided
                && self.opener.is_committed(transaction).await?
            {
                return Ok(copied);
            }
            if !lost.is_transient || attempts == ATTEMPTS {
                return Err(lost.error);
            }
            let text = format!("{}; trying again", lost.error.chain());
            self.opener.scope.events.emit(Event::Warning(text)).await;
            pause(wait, &self.opener.scope).await?;
            wait *= 2;
            attempts += 1;
        }
    }

    /// One attempt. With the error comes what had been copied when the commit was asked for.
    async fn attempt(
        &mut self,
        jobs: &[CopyJob],
        parcel: &Parcel,
        progress: &Arc<Progress>,
    ) -> Result<Vec<Copied>, (Lost, Vec<Copied>)> {
        let (source, target) = match self.open.take() {
            Some(open) => open,
            None => {
                let opened = Box::pin(self.opener.open()).await;
                opened.map_err(|error| (Lost::opening(error), Vec::new()))?
            }
        };
        let watch = Watch {
            request: self.opener.ends.clone(),
            keys: (source.cancel_key(), target.cancel_key()),
            progress: Progress::within(progress),
            table: name(jobs, parcel, 0),
            scope: self.opener.scope.clone(),
        };
        let copying = Copying {
            jobs,
            parcel,
            before: self.opener.meanings.before(&parcel.tables(jobs)),
        };
        let open = (source, target);
        let piping = self.opener.pipe_explained(&copying, open, &watch.progress);
        let ((source, mut target), copied) = match Box::pin(watch.over(piping)).await {
            Ok(piped) => piped,
            Err(lost) => {
                watch.end_both(lost.is_transient).await;
                return Err((lost, Vec::new()));
            }
        };
        let checking = self.opener.meanings.check(&copying.before);
        let committing = commit(&mut target, parcel.is_repeatable(jobs), checking, &watch);
        match Box::pin(committing).await {
            Ok(()) => {
                self.open = Some((source, target));
                Ok(copied)
            }
            Err(lost) => {
                watch.end_both(lost.is_transient).await;
                Err((lost, copied))
            }
        }
    }
}

/// Looks whether the connections of an attempt still carry anything.
pub(in crate::snapshot) struct Watch {
    pub(in crate::snapshot) request: CopyRequest,
    keys: (Option<CancelKey>, Option<CancelKey>),
    progress: Progress,
    pub(in crate::snapshot) table: QualifiedName,
    scope: Scope,
}

impl Watch {
    /// Waits for work on the connections, unless they stall for good, or at a stop.
    pub(in crate::snapshot) async fn over<T>(
        &self,
        work: impl Future<Output = Result<T, Lost>>,
    ) -> Result<T, Lost> {
        // A server that is busy with a row reads nothing that the work itself sends: so both are asked.
        let work = self.scope.cancelling(self.cancel_both(), work);
        let stall = tokio::select! {
            biased;
            done = work => return done.unwrap_or_else(|cancelled| {
                cancelled.result.unwrap_or_else(|| Err(Lost::stopped()))
            }),
            stall = stalled(&self.request, self.keys, &self.progress) => stall,
        };
        // Only now, when the work waits no more: it would take the end of its sessions for the cause.
        tokio::select! {
            () = stall.end() => {}
            () = self.scope.grace_period_over() => return Err(Lost::stopped()),
        }
        Err(Lost {
            error: Error::Stalled {
                table: self.table.clone(),
            },
            is_transient: true,
            undecided: None,
        })
    }

    /// Asks both servers to cancel what they are at.
    async fn cancel_both(&self) {
        let (source, target) = self.keys;
        tokio::join!(
            self.request.source.request_cancel(source),
            self.request.target.request_cancel(target)
        );
    }

    /// Ends what may still run on both servers after connections are given up. They would notice it by
    /// themselves, but only with their next byte.
    async fn end_both(&self, is_repeated: bool) {
        if self.scope.stop.is_cancelled() {
            // A request of the stop may have come between two statements.
            drop(tokio::time::timeout(LAST, self.cancel_both()).await);
            return;
        }
        let ending = async {
            self.cancel_both().await;
            if is_repeated {
                let ends = (&self.request.source, &self.request.target);
                end_orphans(ends, self.keys).await;
            }
        };
        tokio::select! {
            () = ending => {}
            () = self.scope.grace_period_over() => {}
        }
    }
}

impl Opener {
    /// Copies the rows. What a server refuses may be the consequence of a change, which is the better
    /// reason.
    async fn pipe_explained(
        &self,
        copying: &Copying<'_>,
        open: Open,
        progress: &Progress,
    ) -> Result<(Open, Vec<Copied>), Lost> {
        let piped = self.pipe(copying, open, progress).await;
        match &piped {
            Err(lost) if !lost.is_transient && !self.scope.stop.is_cancelled() => {}
            _ => return piped,
        }
        match self.meanings.check(&copying.before).await {
            Ok(()) | Err(Error::Connect(_) | Error::Lease(_)) => piped,
            Err(error) => Err(Lost::opening(error)),
        }
    }

    /// From the first statement to the last row, which both servers have counted.
    async fn pipe(
        &self,
        copying: &Copying<'_>,
        (mut source, mut target): Open,
        progress: &Progress,
    ) -> Result<(Open, Vec<Copied>), Lost> {
        let (jobs, parcel) = (copying.jobs, copying.parcel);
        let first = name(jobs, parcel, 0);
        let encoding = common_encoding(&mut source, &mut target).await;
        let encoding = encoding.map_err(|error| of_table(&first, error))?;
        let encoding = encoding.as_deref();
        let out = parcel.copies_out(jobs, &copying.before.renamed, encoding);
        let into = parcel.copies_in(jobs, &self.evaluation, encoding);
        let (asked_out, asked_in) = tokio::join!(source.ask(&out), target.ask(&into));
        let refused = |failure: crate::wire::Failure| of_table(&first, failure.error);
        let target = asked_in.map_err(refused)?.copies_in(parcel.format(jobs));
        let source = asked_out.map_err(refused)?;
        let source = source.copies_out().await.map_err(refused)?;
        let (options, stop) = (PumpOptions::default(), &self.scope.stop);
        let outcome = pump(source, target, &options, progress, stop).await;
        let table = name(jobs, parcel, outcome.at);
        match outcome {
            PumpOutcome {
                result: Ok(_),
                source: SourceAfter::Idle(source),
                target: Some(target),
                copies,
                ..
            } => Ok(((source, target), copies)),
            PumpOutcome { result: Ok(_), .. } => Err(Lost {
                error: Error::LaneLost { table },
                is_transient: true,
                undecided: None,
            }),
            PumpOutcome {
                result: Err(error), ..
            } if error.ended_by == EndedBy::Stop => Err(Lost::stopped()),
            PumpOutcome {
                result: Err(error), ..
            } => Err(Lost {
                is_transient: error.is_transient(),
                undecided: None,
                error: Error::Copy {
                    table,
                    source: Box::new(error),
                },
            }),
        }
    }

    /// Opens both connections, unless the run stops: the snapshot is given up then.
    async fn open(&self) -> Result<Open, Error> {
        tokio::select! {
            biased;
            () = self.scope.stop.cancelled() => Err(Error::Stopped),
            opened = self.connect() => opened,
        }
    }

    async fn connect(&self) -> Result<Open, Error> {
        let source = match self.snapshot.take_ready() {
            Some(source) => source,
            None => {
                let source = self.ends.source.wire(Purpose::CopyOut).await;
                let mut source = source.map_err(Error::Connect)?;
                self.snapshot.see(&mut source).await?;
                source
            }
        };
        let target = self.ends.target.wire(Purpose::CopyIn).await;
        let mut target = target.map_err(Error::Connect)?;
        if let Some(settings) = self.evaluation.for_rows() {
            target.execute(&settings).await.map_err(Error::Lane)?;
        }
        Ok((source, target))
    }

    /// What became of a transaction whose commit has no answer. A target that is away for a while is
    /// asked again.
    async fn is_committed(&self, transaction: &str) -> Result<bool, Error> {
        let number: i64 = transaction.parse().map_err(|_| Error::Undecided)?;
        let asking = async {
            loop {
                match self.status(number).await.map_err(Lost::opening) {
                    Ok(Some(is_committed)) => return Ok(is_committed),
                    Err(lost) if !lost.is_transient => return Err(lost.error),
                    Ok(None) | Err(_) => tokio::time::sleep(ASKED).await,
                }
            }
        };
        tokio::select! {
            biased;
            decided = tokio::time::timeout(UNDECIDED, asking) => {
                decided.unwrap_or(Err(Error::Undecided))
            }
            () = self.scope.stop.cancelled() => Err(Error::Stopped),
        }
    }

    /// Whether the target has committed a transaction; None if it is under way.
    async fn status(&self, number: i64) -> Result<Option<bool>, Error> {
        let session = self.ends.target.wire(Purpose::CopyIn).await;
        let mut session = session.map_err(Error::Connect)?;
        let ask = sql!("SELECT pg_catalog.txid_status({}) AS status", number);
        let answer = session.query(&ask).await.map_err(Error::Lane)?;
        let status = answer.first().and_then(|answer| answer.single("status"));
        Ok(match status {
            Some("committed") => Some(true),
            Some("aborted") => Some(false),
            _ => None,
        })
    }
}

/// The table of a parcel's piece.
fn name(jobs: &[CopyJob], parcel: &Parcel, at: usize) -> QualifiedName {
    let last = parcel.pieces.len().saturating_sub(1);
    jobs[parcel.pieces[at.min(last)].0].table.clone()
}

pub(in crate::snapshot) fn of_table(table: &QualifiedName, source: crate::wire::Error) -> Lost {
    Lost {
        is_transient: source.is_transient(),
        undecided: None,
        error: Error::Table {
            table: table.clone(),
            source,
        },
    }
}

/// Waits, unless the scope is stopped.
pub(in crate::snapshot) async fn pause(wait: Duration, scope: &Scope) -> Result<(), Error> {
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(()),
        () = scope.stop.cancelled() => Err(Error::Stopped),
    }
}
