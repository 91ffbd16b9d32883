//! Statistics for the planner. They can be made again at any time, so what is refused here is told
//! and ends nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::Error;
use super::build::stoppable;
use super::queue::Queue;
use crate::catalog::Catalog;
use crate::catalog::model::Table;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, QualifiedName, SqlState};
use crate::sql;
use crate::task::{Group, Scope};

/// Analyzes tables of the target, several at a time; what was not done, in words, by table.
///
/// # Errors
/// A connection is lost, the target lacks room or memory, or the scope was stopped.
pub async fn analyze(
    target: &Endpoint,
    catalog: &Catalog,
    tables: Vec<QualifiedName>,
    jobs: usize,
    scope: &Scope,
) -> Result<Vec<String>, Error> {
    let lanes = jobs.min(tables.len());
    let analysis = Arc::new(Analysis::new(catalog));
    let queue = Queue::new(tables);
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let mut group = Group::new(scope);
    for _ in 0..lanes {
        let (queue, target, scope) = (queue.clone(), target.clone(), group.scope().clone());
        let (analysis, told) = (Arc::clone(&analysis), Arc::clone(&told));
        group.spawn(async move {
            let session = target.session(Purpose::Build).await;
            let session = session.map_err(Error::Connect)?;
            while let Some(table) = queue.pop() {
                let work = analysis.of_table(&session, &table);
                if let Some(why) = stoppable(&session, &scope, work).await? {
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    told.insert(format!("table {table} has no statistics: {why}"));
                }
            }
            Ok(())
        });
    }
    group.join().await?;
    let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(told.into_iter().collect())
}

/// Knows which tables of a database may be analyzed.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    remote: BTreeSet<QualifiedName>,
}

impl Analysis {
    /// For the tables of this catalog.
    pub fn new(catalog: &Catalog) -> Self {
        Self {
            remote: above_foreign_tables(catalog),
        }
    }

    /// Analyzes one table; why not, if not. With foreign tables among its children their servers would
    /// be asked for rows, which nothing prevents: `ANALYZE ONLY` means partitioned tables.
    ///
    /// # Errors
    /// The connection is lost, or the target lacks room or memory.
    pub async fn of_table(
        &self,
        session: &Session,
        table: &QualifiedName,
    ) -> Result<Option<String>, Error> {
        if self.remote.contains(table) {
            let why = "ANALYZE would read the foreign tables among its children";
            return Ok(Some(why.to_owned()));
        }
        match session.batch(&sql!("ANALYZE {}", table)).await {
            Ok(()) => Ok(None),
            Err(error) if concerns_table(&error) => {
                Ok(Some(Ident::from_catalog(error.to_string()).to_string()))
            }
            Err(source) => Err(Error::Statement {
                object: format!("statistics of {table}"),
                statement: None,
                source,
            }),
        }
    }
}

/// Whether the table is at fault, such as by a function in an index that fails, rather than the
/// connection or the server.
pub(super) fn concerns_table(error: &connect::Error) -> bool {
    let is_of_server =
        |code: SqlState| matches!(code.class(), "00" | "08" | "40" | "53" | "57" | "58" | "XX");
    error.sqlstate().is_some_and(|code| !is_of_server(code))
}

/// The tables that have foreign tables among their children, at any depth.
fn above_foreign_tables(catalog: &Catalog) -> BTreeSet<QualifiedName> {
    let tables: HashMap<Oid, &Table> = catalog.tables.iter().map(|t| (t.id.oid, t)).collect();
    let foreign = catalog.tables.iter().filter(|t| t.foreign.is_some());
    let mut left: Vec<Oid> = foreign.flat_map(|t| t.parents.iter().copied()).collect();
    let mut above = BTreeSet::new();
    while let Some(oid) = left.pop() {
        let Some(table) = tables.get(&oid) else {
            continue;
        };
        if above.insert(table.name.clone()) {
            left.extend(&table.parents);
        }
    }
    above
}
