//! Watches the connections of one attempt: stalls, stops, and what remains on the servers.

use std::future::Future;
use std::time::Duration;

use super::failure::CopyFailure;
use crate::pg::{QualifiedName, Sides};
use crate::snapshot::error::Error;
use crate::snapshot::request::CopyRequest;
use crate::task::{Cancelled, Scope};
use crate::transfer::{end_orphans, wait_for_stall};
use crate::wire::{CancelKey, Progress};

/// How long a last cancel request may take, after those at the stop itself.
const LAST: Duration = Duration::from_secs(1);

/// The watch over an attempt.
pub(crate) struct Watch<'w> {
    pub(crate) request: &'w CopyRequest,
    pub(crate) keys: Sides<Option<CancelKey>>,
    /// The bytes of this attempt alone.
    pub(crate) progress: Progress,
    /// The table that errors name.
    pub(crate) table: QualifiedName,
    pub(crate) scope: &'w Scope,
}

impl Watch<'_> {
    /// Waits for work on the connections. It fails if they stall for good, and at a stop.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, CopyFailure>>,
    ) -> Result<T, CopyFailure> {
        // A server that is busy with a row does not read what the work itself sends: so both are asked.
        let work = self.scope.cancelling(self.cancel_both(), work);
        let endpoints = self.request.endpoints();
        let stall = tokio::select! {
            biased;
            done = work => return match done {
                Ok(done) | Err(Cancelled { result: Some(done) }) => done,
                Err(Cancelled { result: None }) => Err(CopyFailure::stopped()),
            },
            stall = wait_for_stall(endpoints, self.keys, &self.progress) => stall,
        };
        // The work has been dropped by now. Otherwise it would report the end of its sessions as the cause.
        tokio::select! {
            () = stall.terminate() => {}
            () = self.scope.grace_period_over() => return Err(CopyFailure::stopped()),
        }
        let table = self.table.clone();
        Err(CopyFailure::new(Error::Stalled { table }, true))
    }

    /// Asks both servers to cancel the running statements.
    async fn cancel_both(&self) {
        tokio::join!(
            self.request.source.request_cancel(self.keys.source),
            self.request.target.request_cancel(self.keys.target)
        );
    }

    /// Ends what may still run on both servers after connections are given up. They would notice it
    /// only with their next byte.
    pub(crate) async fn end_both(&self, is_repeated: bool) {
        if self.scope.stop.is_cancelled() {
            // A request of the stop may have come between two statements.
            drop(tokio::time::timeout(LAST, self.cancel_both()).await);
            return;
        }
        let ending = async {
            self.cancel_both().await;
            // The repetition would wait for the locks of the remaining sessions.
            if is_repeated {
                end_orphans(self.request.endpoints(), self.keys).await;
            }
        };
        tokio::select! {
            () = ending => {}
            () = self.scope.grace_period_over() => {}
        }
    }
}
