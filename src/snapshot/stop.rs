//! The end of statements on their servers when the run stops.

use futures_util::future::join_all;

use super::error::Error;
use crate::connect::Session;
use crate::task::Scope;

/// Runs work on sessions until it ends or the scope is stopped. Stopped statements are cancelled on
/// their servers, which would otherwise continue them long after this program has ended.
pub(super) async fn run_stoppable<T>(
    sessions: &[&Session],
    scope: &Scope,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let cancelling = sessions.iter().map(|session| session.request_cancel());
    let cancel = async { drop(join_all(cancelling).await) };
    match scope.cancelling(cancel, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::Stopped),
    }
}
