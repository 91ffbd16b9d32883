//! Runs scripts on the target: in order, many statements to a transaction, none waiting for the
//! answer to the one before.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::Error;
use super::queue::Queue;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::ddl::Statement;
use crate::event::{Event, Phase};
use crate::pg::Sql;
use crate::task::{Group, Scope};

/// Statements of one transaction. Each takes a few locks, and the target's lock table holds some
/// thousands.
const BATCH: usize = 200;

/// Where a script runs, and what to call it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The target's database.
    pub target: Endpoint,
    /// The phase, for events.
    pub phase: Phase,
}

/// Runs statements in their order; on return all are committed.
///
/// # Errors
/// The first statement that the target refuses, with its batch rolled back; or the scope was
/// stopped, with the running statement cancelled on the server.
pub async fn run_script(site: &Site, statements: &[Statement], scope: &Scope) -> Result<(), Error> {
    run_parallel(site, vec![statements.to_vec()], 1, scope).await
}

/// Runs chains of statements, `jobs` chains at a time. Within a chain the order holds; chains must
/// not depend on each other.
///
/// # Errors
/// As [`run_script`]; the other chains are stopped.
pub async fn run_parallel(
    site: &Site,
    chains: Vec<Vec<Statement>>,
    jobs: usize,
    scope: &Scope,
) -> Result<(), Error> {
    let total = chains.iter().map(Vec::len).sum();
    let lanes = jobs.clamp(1, chains.len().max(1));
    let queue = Queue::new(chains.into_iter().filter(|chain| !chain.is_empty()));
    let done = Arc::new(AtomicUsize::new(0));
    let mut group = Group::new(scope);
    for _ in 0..lanes.min(queue.len()) {
        let (site, queue, done) = (site.clone(), queue.clone(), Arc::clone(&done));
        let scope = group.scope().clone();
        group.spawn(async move {
            let session = site
                .target
                .session(Purpose::Build)
                .await
                .map_err(Error::Connect)?;
            while let Some(chain) = queue.pop() {
                for batch in batches(&chain) {
                    stoppable(&session, &scope, run_batch(&session, batch)).await?;
                    let done = done.fetch_add(batch.len(), Ordering::Relaxed) + batch.len();
                    scope.events.tick(progress(&site, done, total));
                }
            }
            Ok(())
        });
    }
    group.join().await
}

fn progress(site: &Site, done: usize, total: usize) -> Event {
    let database = site.target.database().to_owned();
    Event::StatementsProgress {
        database,
        phase: site.phase,
        done,
        total,
    }
}

/// Splits a script into transactions. A statement that admits no transaction stands alone.
fn batches(statements: &[Statement]) -> impl Iterator<Item = &[Statement]> {
    let mut rest = statements;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let alone = rest
            .iter()
            .take(BATCH)
            .position(|statement| statement.needs_no_transaction);
        let length = alone.map_or(rest.len().min(BATCH), |at| at.max(1));
        let (batch, after) = rest.split_at(length);
        rest = after;
        Some(batch)
    })
}

/// One transaction, its statements sent without waiting. The first refusal is the one reported:
/// those behind it only say that the transaction is aborted.
async fn run_batch(session: &Session, batch: &[Statement]) -> Result<(), Error> {
    if let [statement] = batch {
        return session
            .batch(&statement.sql)
            .await
            .map_err(|error| refused(statement, error));
    }
    let begin = session.batch(&Sql::fixed("BEGIN")).await;
    begin.map_err(|error| refused(&batch[0], error))?;
    let answers = join_all(batch.iter().map(|statement| session.batch(&statement.sql))).await;
    for (statement, answer) in batch.iter().zip(answers) {
        if let Err(error) = answer {
            session
                .batch(&Sql::fixed("ROLLBACK"))
                .await
                .map_err(|error| refused(statement, error))?;
            return Err(refused(statement, error));
        }
    }
    let commit = session.batch(&Sql::fixed("COMMIT")).await;
    commit.map_err(|error| refused(&batch[batch.len() - 1], error))
}

fn refused(statement: &Statement, source: connect::Error) -> Error {
    Error::Statement {
        object: statement.object.to_string(),
        statement: (!statement.secret).then(|| statement.sql.as_str().to_owned()),
        source,
    }
}

/// Runs work on a session until it ends or the scope is stopped. A stopped statement is cancelled on
/// the server, which would otherwise go on with it long after we are gone.
pub(super) async fn stoppable<T>(
    session: &Session,
    scope: &Scope,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::pin!(work);
    tokio::select! {
        biased;
        () = scope.stop.cancelled() => {
            // The cancel request itself may fail; the work's own end is what counts.
            if let Err(error) = session.canceller().cancel().await {
                tracing::warn!(%error, "a cancel request did not reach the server");
            }
            drop(work.await);
            Err(Error::Stopped)
        }
        done = &mut work => done,
    }
}
