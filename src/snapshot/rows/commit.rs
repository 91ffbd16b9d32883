//! The end of a batch's transaction on the target.

use std::future::Future;

use super::failure::CopyFailure;
use super::watch::Watch;
use crate::pg::{QualifiedName, Sql};
use crate::snapshot::error::Error;
use crate::wire::{Connection, Idle};

/// Commits, if `checking` confirms that the rows are those that were meant.
///
/// A repeatable batch is committed while the check runs, which saves a round trip: nothing is built on these
/// rows before a repetition replaces them. For any other batch the transaction id is loaded first, so that
/// the target can be asked about it if the answer to the commit is lost.
pub(crate) async fn commit_batch(
    target: &mut Connection<Idle>,
    is_repeatable: bool,
    checking: impl Future<Output = Result<(), Error>>,
    watch: &Watch<'_>,
) -> Result<(), CopyFailure> {
    let checking = async { checking.await.map_err(CopyFailure::around_copy) };
    if is_repeatable {
        let both = async { Ok(tokio::join!(checking, send_commit(target, watch))) };
        let (checked, committed) = watch.run(both).await?;
        return checked.and(committed);
    }
    let both = async { tokio::try_join!(load_transaction(target, &watch.table), checking) };
    let (undecided, ()) = watch.run(both).await?;
    let committed = Box::pin(watch.run(send_commit(target, watch))).await;
    committed.map_err(|failure| CopyFailure {
        undecided,
        ..failure
    })
}

async fn send_commit(target: &mut Connection<Idle>, watch: &Watch<'_>) -> Result<(), CopyFailure> {
    let committed = target.execute(&watch.request.target.commit()).await;
    committed.map_err(|error| CopyFailure::of_table(&watch.table, error))
}

/// Loads the id of the target's transaction.
async fn load_transaction(
    target: &mut Connection<Idle>,
    table: &QualifiedName,
) -> Result<Option<String>, CopyFailure> {
    let ask = Sql::fixed("SELECT pg_catalog.txid_current() AS number");
    let answer = target.query(&ask).await;
    let answer = answer.map_err(|error| CopyFailure::of_table(table, error))?;
    let number = answer.first().and_then(|answer| answer.single("number"));
    Ok(number.map(str::to_owned))
}
