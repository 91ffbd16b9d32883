//! The end of a parcel's transaction on the target.

use std::future::Future;

use super::lane::{Lost, Watch, of_table};
use crate::pg::{QualifiedName, Sql};
use crate::snapshot::error::Error;
use crate::wire::{Connection, Idle};

/// Commits, if the rows are those that were meant. What can be repeated without a look is committed
/// meanwhile, which saves a round trip: nothing is built on these rows before a repetition replaces them.
/// What could not be repeated blindly is asked for its number before.
pub(in crate::snapshot) async fn commit(
    target: &mut Connection<Idle>,
    is_repeatable: bool,
    checking: impl Future<Output = Result<(), Error>>,
    watch: &Watch,
) -> Result<(), Lost> {
    let checking = async { checking.await.map_err(Lost::opening) };
    if is_repeatable {
        let both = async { Ok(tokio::join!(checking, end(target, watch))) };
        let (checked, committed) = watch.over(both).await?;
        return checked.and(committed);
    }
    let both = async { tokio::try_join!(number(target, &watch.table), checking) };
    let (undecided, ()) = watch.over(both).await?;
    let committed = Box::pin(watch.over(end(target, watch))).await;
    committed.map_err(|lost| Lost { undecided, ..lost })
}

async fn end(target: &mut Connection<Idle>, watch: &Watch) -> Result<(), Lost> {
    let committed = target.execute(&watch.request.target.commit()).await;
    committed.map_err(|error| of_table(&watch.table, error))
}

/// The number of the target's transaction.
async fn number(
    target: &mut Connection<Idle>,
    table: &QualifiedName,
) -> Result<Option<String>, Lost> {
    let ask = Sql::fixed("SELECT pg_catalog.txid_current() AS number");
    let answer = target.query(&ask).await;
    let answer = answer.map_err(|error| of_table(table, error))?;
    let number = answer.first().and_then(|answer| answer.single("number"));
    Ok(number.map(str::to_owned))
}
