//! Statistics for the planner. They can be made again at any time, so what is refused here is told
//! and ends nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;

use super::Error;
use super::build::stoppable;
use super::carry_statistics::{carry_statistics, carryable_statistics};
use super::queue::Queue;
use crate::catalog::Catalog;
use crate::catalog::model::Table;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::pg::{Ident, Oid, QualifiedName, ServerVersion, SqlState};
use crate::sql;
use crate::task::{Group, Scope};

/// Tables that a session is asked to analyze without waiting for the one before: small ones cost no
/// round trip of their own then.
const AT_ONCE: usize = 16;

/// Tables whose statistics are carried over by one statement; each takes a lock.
const CARRIED_AT_ONCE: usize = 200;

/// Between which databases statistics are made, and how.
#[derive(Clone, Debug)]
pub struct StatisticsRequest {
    /// The source's database.
    pub source: Endpoint,
    /// The target's database.
    pub target: Endpoint,
    /// What the target understands.
    pub target_version: ServerVersion,
    /// Lanes, at least 1.
    pub jobs: usize,
}

/// Gives tables their statistics: the source's where the target takes them, and new ones elsewhere;
/// what was not done, in words, by table.
///
/// # Errors
/// A connection is lost, the target lacks room or memory, or the scope was stopped.
pub async fn make_statistics(
    request: &StatisticsRequest,
    catalog: &Catalog,
    mut tables: Vec<QualifiedName>,
    scope: &Scope,
) -> Result<Vec<String>, Error> {
    let carried = carry(request, catalog, scope).await?;
    tables.retain(|table| !carried.contains(table));
    analyze(&request.target, catalog, tables, request.jobs, scope).await
}

/// Carries over what can be; the tables that need nothing more.
async fn carry(
    request: &StatisticsRequest,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<BTreeSet<QualifiedName>, Error> {
    if !request.target_version.has_statistics_import() {
        return Ok(BTreeSet::new());
    }
    let reader = request.source.session(Purpose::Introspect).await;
    let reader = reader.map_err(Error::Connect)?;
    let writer = request.target.session(Purpose::Build).await;
    let writer = writer.map_err(Error::Connect)?;
    let mut carried = carryable_statistics(&reader, request.target_version, catalog).await?;
    let all: Vec<QualifiedName> = carried.iter().cloned().collect();
    for some in all.chunks(CARRIED_AT_ONCE) {
        let some: Vec<&QualifiedName> = some.iter().collect();
        let work = carry_statistics(&reader, &writer, &some);
        for left in stoppable(&writer, scope, work).await? {
            carried.remove(&left);
        }
    }
    Ok(carried)
}

/// Analyzes tables of the target, several at a time; what was not done, in words, by table.
///
/// # Errors
/// A connection is lost, the target lacks room or memory, or the scope was stopped.
pub(super) async fn analyze(
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
            loop {
                let tables = queue.pop_some(AT_ONCE, lanes);
                if tables.is_empty() {
                    return Ok(());
                }
                let work = try_join_all(
                    tables
                        .iter()
                        .map(|table| analysis.of_table(&session, table)),
                );
                let done = stoppable(&session, &scope, work).await?;
                for (table, why) in tables.iter().zip(done) {
                    let Some(why) = why else { continue };
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    told.insert(format!("table {table} has no statistics: {why}"));
                }
            }
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
