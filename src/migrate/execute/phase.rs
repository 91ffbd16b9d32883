//! The events around a phase.

use std::future::Future;
use std::time::Instant;

use crate::event::{Event, Phase};
use crate::task::Scope;

/// Does the work of a phase between its events.
pub(crate) async fn run_phase<T, E>(
    scope: &Scope,
    database: Option<&str>,
    phase: Phase,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let database = database.map(str::to_owned);
    let begun = Instant::now();
    scope
        .events
        .emit(Event::PhaseStarted {
            database: database.clone(),
            phase,
        })
        .await;
    let done = work.await?;
    let elapsed = begun.elapsed();
    scope
        .events
        .emit(Event::PhaseFinished {
            database,
            phase,
            elapsed,
        })
        .await;
    Ok(done)
}
