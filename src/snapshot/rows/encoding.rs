//! The encoding in which rows are sent.

use crate::pg::Sql;
use crate::wire::{self, Connection, Idle};

/// Returns the encoding of both databases, if the commands of a copy must set it. Text without an equivalent
/// in UTF-8 is then sent as it is stored. Sessions of `SQL_ASCII` databases have the right setting already.
///
/// Names in the next command to the source are UTF-8, so the setting of an earlier command is rolled back.
///
/// # Errors
/// The source failed.
pub(crate) async fn load_common_encoding(
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
