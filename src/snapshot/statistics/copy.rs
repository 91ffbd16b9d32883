//! Statistics for the planner that a target of 18 imports from the source. They can be created again at any
//! time, so a refusal is only reported.

use std::collections::BTreeSet;

use super::analyze_table::analyze;
use super::import::import_statistics;
use super::plan::{REMOTE, render_no_statistics, tables_above_foreign};
use crate::catalog::Catalog;
use crate::connect::{Endpoint, Purpose};
use crate::pg::{QualifiedName, Sides};
use crate::snapshot::error::Error;
use crate::snapshot::stop::run_stoppable;
use crate::task::Scope;

/// Tables whose statistics are imported by one statement; each takes a lock.
const IMPORTED_AT_ONCE: usize = 200;

/// Copies the source's statistics of tables, and analyzes those of which the target does not accept all. Returns
/// notes for the tables without statistics.
///
/// # Errors
/// A connection is lost, the target lacks room or memory, or the scope was stopped.
pub async fn copy_statistics(
    endpoints: Sides<&Endpoint>,
    catalog: &Catalog,
    tables: &BTreeSet<QualifiedName>,
    scope: &Scope,
) -> Result<Vec<String>, Error> {
    let opened = endpoints.source.session(Purpose::Introspect).await;
    let reader = opened.map_err(Error::Connect)?;
    let opened = endpoints.target.session(Purpose::Build).await;
    let writer = opened.map_err(Error::Connect)?;
    let all: Vec<&QualifiedName> = tables.iter().collect();
    let remote = tables_above_foreign(catalog);
    let mut notes = Vec::new();
    for some in all.chunks(IMPORTED_AT_ONCE) {
        let work = async {
            for left in import_statistics(&reader, &writer, some).await? {
                notes.extend(match remote.contains(&left) {
                    true => Some(render_no_statistics(&left, REMOTE)),
                    false => analyze(&writer, &left).await?,
                });
            }
            Ok(())
        };
        run_stoppable(&[&writer], scope, work).await?;
    }
    Ok(notes)
}
