//! In which encoding rows pass.

use crate::pg::Sql;
use crate::wire::{self, Connection, Idle};

/// The encoding of both databases, where it is one that the commands of a copy must set: text without an
/// equivalent in UTF-8 then passes as it is stored. Sessions of `SQL_ASCII` databases are set already.
///
/// Names in the next command to the source are UTF-8: what an earlier command has set is taken back.
///
/// # Errors
/// The source failed.
pub(in crate::snapshot) async fn common_encoding(
    source: &mut Connection<Idle>,
    target: &mut Connection<Idle>,
) -> Result<Option<String>, wire::Error> {
    let encoding = match [&*source, &*target].map(|end| end.parameter("server_encoding")) {
        [Some(one), Some(other)] if one == other && !matches!(one, "UTF8" | "SQL_ASCII") => {
            one.to_owned()
        }
        _ => return Ok(None),
    };
    let restore = Sql::fixed("ROLLBACK TO SAVEPOINT rows");
    source.execute(&restore).await?;
    Ok(Some(encoding))
}
