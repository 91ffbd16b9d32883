//! `ANALYZE` of one table.

use super::plan::render_no_statistics;
use crate::connect::{self, Session};
use crate::pg::{Printable, QualifiedName, SqlState};
use crate::snapshot::error::Error;
use crate::sql;

/// Whether the error is about the table, such as a failing function of an index, and not about the connection or
/// the server.
pub(crate) fn is_about_table(error: &connect::Error) -> bool {
    let is_of_server =
        |code: SqlState| matches!(code.class(), "00" | "08" | "40" | "53" | "57" | "58" | "XX");
    error.sqlstate().is_some_and(|code| !is_of_server(code))
}

/// Analyzes one table. Returns the reason if the target refuses.
///
/// # Errors
/// The connection is lost, or the target lacks room or memory.
pub async fn analyze(session: &Session, table: &QualifiedName) -> Result<Option<String>, Error> {
    match session.batch(&sql!("ANALYZE {}", table)).await {
        Ok(()) => Ok(None),
        Err(error) if is_about_table(&error) => Ok(Some(render_unanalyzed(table, &error))),
        Err(source) => Err(Error::Statement {
            object: format!("statistics of {table}"),
            statement: None,
            source,
        }),
    }
}

/// Renders the note for a table that the target did not analyze.
pub(crate) fn render_unanalyzed(table: &QualifiedName, error: &connect::Error) -> String {
    // A message may contain any characters.
    let why = Printable(&error.to_string()).to_string();
    render_no_statistics(table, &why)
}
