//! Keeps watch over the slot while the work that needs it goes on.

use std::future::Future;

use super::Options;
use super::copy::Failure;
use crate::connect::Endpoint;
use crate::snapshot::{PointKind, watch_slot};
use crate::task::Scope;

/// Does the work of a database whose consistent point is made. When its slot is lost, or keeps too much
/// log, the work is stopped through `guard`, which it runs under, and the reason is the error.
pub(super) async fn guarded<T>(
    (source, point): (&Endpoint, &PointKind),
    options: &Options,
    guard: &Scope,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let PointKind::Slot(slot) = point else {
        return work.await;
    };
    tokio::pin!(work);
    let limit = options.replication.max_retained_wal;
    let fault = tokio::select! {
        biased;
        done = &mut work => return done,
        fault = watch_slot(source, slot, limit, guard) => fault,
    };
    guard.stop.cancel();
    // What it was at when it was stopped counts less than why.
    drop(work.await);
    Err(Failure::at("watch the slot")(fault))
}
