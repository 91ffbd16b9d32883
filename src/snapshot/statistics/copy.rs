//! Statistics for the planner that a target of 18 takes from the source. They can be made again at any
//! time, so what is refused here is told and ends nothing.

use std::collections::BTreeSet;

use super::analyze::{REMOTE, above_foreign_tables, without};
use super::import::carry_statistics;
use crate::catalog::Catalog;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Printable, QualifiedName, SqlState};
use crate::snapshot::definitions::section::stoppable;
use crate::snapshot::error::Error;
use crate::sql;
use crate::task::Scope;

/// Tables whose statistics are carried over by one statement; each takes a lock.
const CARRIED_AT_ONCE: usize = 200;

/// Gives tables the source's statistics, and new ones where the target does not take those whole;
/// what was not done, in words, by table.
///
/// # Errors
/// A connection is lost, the target lacks room or memory, or the scope was stopped.
pub async fn carry_all(
    (source, target): (&Endpoint, &Endpoint),
    (catalog, tables): (&Catalog, &BTreeSet<QualifiedName>),
    scope: &Scope,
) -> Result<Vec<String>, Error> {
    let reader = source.session(Purpose::Introspect).await;
    let reader = reader.map_err(Error::Connect)?;
    let writer = target.session(Purpose::Build).await;
    let writer = writer.map_err(Error::Connect)?;
    let all: Vec<&QualifiedName> = tables.iter().collect();
    let remote = above_foreign_tables(catalog);
    let mut untold = Vec::new();
    for some in all.chunks(CARRIED_AT_ONCE) {
        let work = async {
            for left in carry_statistics(&reader, &writer, some).await? {
                untold.extend(match remote.contains(&left) {
                    true => Some(without(&left, REMOTE)),
                    false => analyze(&writer, &left).await?,
                });
            }
            Ok(())
        };
        stoppable(&[&writer], scope, work).await?;
    }
    Ok(untold)
}

/// Analyzes one table; why not, if not.
///
/// # Errors
/// The connection is lost, or the target lacks room or memory.
pub async fn analyze(session: &Session, table: &QualifiedName) -> Result<Option<String>, Error> {
    match session.batch(&sql!("ANALYZE {}", table)).await {
        Ok(()) => Ok(None),
        Err(error) if concerns_table(&error) => Ok(Some(unanalyzed(table, &error))),
        Err(source) => Err(Error::Statement {
            object: format!("statistics of {table}"),
            statement: None,
            source,
        }),
    }
}

/// Tells of a table that the target did not analyze, and why.
pub(in crate::snapshot) fn unanalyzed(table: &QualifiedName, error: &connect::Error) -> String {
    // A message may hold anything.
    let why = Printable(&error.to_string()).to_string();
    without(table, &why)
}

/// Whether the table is at fault, such as by a function in an index that fails, rather than the
/// connection or the server.
pub(in crate::snapshot) fn concerns_table(error: &connect::Error) -> bool {
    let is_of_server =
        |code: SqlState| matches!(code.class(), "00" | "08" | "40" | "53" | "57" | "58" | "XX");
    error.sqlstate().is_some_and(|code| !is_of_server(code))
}
