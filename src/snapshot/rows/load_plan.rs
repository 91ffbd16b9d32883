//! What surrounds the copies of a database: what is copied, and that the source stays as it was
//! until the rows are out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::configuration::Configuration;
use super::plan::{CopyJob, Format, plan_copies};
use super::split;
use super::split::{Range, Splitting, Whole};
use crate::catalog::Catalog;
use crate::catalog::load::transfer::load_transfer;
use crate::connect::{self, Endpoint, Purpose, Session};
use crate::event::{Event, Events};
use crate::pg::{Ident, Oid, QualifiedName, ServerVersion, Sql, SqlState};
use crate::snapshot::error::Error;
use crate::snapshot::ledger::Ledger;
use crate::snapshot::point::establish::Basis;
use crate::snapshot::point::lock;
use crate::snapshot::point::lock::ListedTable;
use crate::sql;
use crate::wire::Progress;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);

/// How often the lock session gets traffic.
const LOOK: Duration = Duration::from_secs(2);

/// Between which databases rows are copied, and with how many lanes.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// The database read.
    pub source: Endpoint,
    /// The database written.
    pub target: Endpoint,
    /// What the target understands.
    pub target_version: ServerVersion,
    /// Lanes, at least 1.
    pub jobs: usize,
    /// Whether only the rows of extensions' configuration tables are wanted.
    pub only_configuration: bool,
    /// Tables of which only the rows are wanted that meet a condition, by oid.
    pub predicates: HashMap<Oid, Sql>,
    /// Tables of more bytes are copied in parts of at most so many; None decides by the sizes.
    pub split_larger_than: Option<u64>,
    /// Where it is told what has been committed.
    pub ledger: Ledger,
}

/// One table's rows are on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table.
    pub table: QualifiedName,
    /// Rows, as both servers counted them.
    pub rows: u64,
    /// Bytes of COPY data.
    pub bytes: u64,
    /// From the first statement to the commit.
    pub elapsed: Duration,
    /// How the rows travelled.
    pub format: Format,
}

/// Makes sure that no table without a lock was rewritten or altered while it was read: its rows may
/// then have been missing under the snapshot.
pub(in crate::snapshot) async fn unchanged(
    request: &CopyRequest,
    basis: &Basis,
    copied: &[CopyJob],
) -> Result<(), Error> {
    let copied: HashSet<&QualifiedName> = copied.iter().map(|job| &job.table).collect();
    let timescale = basis.catalog.timescale.iter();
    let chunks = timescale.flat_map(|timescale| timescale.internals.keys());
    let chunks: HashSet<Oid> = chunks.map(|id| id.oid).collect();
    let unlocked = basis.hold.unlocked.iter();
    let unlocked: Vec<_> = unlocked
        .filter(|table| copied.contains(&table.name) || chunks.contains(&table.oid))
        .collect();
    if unlocked.is_empty() {
        return Ok(());
    }
    let session = request.source.session(Purpose::Introspect).await;
    let session = session.map_err(Error::Connect)?;
    let now = lock::list_tables(&session, &BTreeSet::new()).await;
    let now = now.map_err(Error::Lock)?;
    let now: HashMap<Oid, &ListedTable> = now.iter().map(|table| (table.oid, table)).collect();
    let changed = |table: &&&ListedTable| now.get(&table.oid) != Some(*table);
    match unlocked.iter().find(changed) {
        None => Ok(()),
        Some(table) => Err(Error::Changed {
            table: table.name.clone(),
        }),
    }
}

/// Plans the copies of what is in a catalog, the largest first; asks what is not in it.
///
/// # Errors
/// The source cannot be asked.
pub async fn plan_rows(
    session: &Session,
    catalog: &Catalog,
    request: &CopyRequest,
) -> Result<Vec<CopyJob>, Error> {
    let text = load_transfer(session, request.target_version).await;
    let text = text.map_err(Error::Catalog)?;
    let unstable = unstable_partitions(session).await?;
    let mut jobs = plan_copies(catalog, &text, &unstable, &request.predicates);
    let configuration: HashSet<&QualifiedName> = configuration(catalog).collect();
    for job in jobs
        .iter_mut()
        .filter(|job| configuration.contains(&job.table))
    {
        job.configuration = Some(Configuration::default());
    }
    if request.only_configuration {
        jobs.retain(|job| job.configuration.is_some());
    }
    split_jobs(session, request, &mut jobs).await?;
    Ok(jobs)
}

/// The configuration tables and sequences of extensions.
fn configuration(catalog: &Catalog) -> impl Iterator<Item = &QualifiedName> {
    let extensions = catalog.extensions.iter();
    let config = extensions.flat_map(|extension| &extension.config);
    config.map(|config| &config.table.name)
}

/// Decides which tables are read in ranges, and in which.
async fn split_jobs(
    session: &Session,
    request: &CopyRequest,
    jobs: &mut [CopyJob],
) -> Result<(), Error> {
    let splitting = Splitting {
        lanes: request.jobs as u64,
        larger_than: request.split_larger_than,
    };
    let tables = jobs.iter().map(|job| Whole {
        bytes: job.bytes,
        is_divisible: job.is_divisible(),
    });
    let parts = splitting.parts(&tables.collect::<Vec<_>>());
    for (job, parts) in jobs.iter_mut().zip(parts).filter(|(_, parts)| *parts > 1) {
        if !is_planned(session, job).await.map_err(Error::Lock)? {
            continue;
        }
        let ranges = if session.version().has_tid_range_scan() {
            split::page_ranges(job.heap_bytes, parts)
        } else {
            let ranges = key_ranges(session, job, parts).await;
            ranges.map_err(Error::Lock)?
        };
        if ranges.len() > 1 {
            job.ranges = ranges;
        }
    }
    Ok(())
}

/// Whether a refusal names something that does not exist.
fn misses(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_OBJECT
    )
}

/// Whether the source plans queries on a table under our empty `search_path`: the planner looks into
/// the functions of its indexes, whose bodies may rely on the path. `COPY` of the table does not plan.
async fn is_planned(session: &Session, job: &CopyJob) -> Result<bool, connect::Error> {
    session.batch(&Sql::fixed("SAVEPOINT planned")).await?;
    let planned = session
        .batch(&sql!("EXPLAIN SELECT FROM ONLY {}", job.table))
        .await;
    session
        .batch(&Sql::fixed("ROLLBACK TO SAVEPOINT planned"))
        .await?;
    match planned {
        Ok(()) => Ok(true),
        Err(error) if error.sqlstate().is_some_and(misses) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Pages that are sampled for the ranges of a key.
const SAMPLED_PAGES: u64 = 2000;

/// Ranges of a key's values with about as many rows each; none where no key serves.
async fn key_ranges(
    session: &Session,
    job: &CopyJob,
    parts: u64,
) -> Result<Vec<Range>, connect::Error> {
    let key = Sql::fixed(include_str!("sql/split_key.sql"));
    let Some(row) = session.query(&key, &[&job.oid.0]).await?.pop() else {
        return Ok(Vec::new());
    };
    let column = Ident::from_catalog(row.get::<_, String>(0));
    let type_name = QualifiedName::from_catalog("pg_catalog", row.get::<_, String>(1));
    let pages = job.heap_bytes / 8192;
    let percent = (SAMPLED_PAGES * 100).div_ceil(pages.max(1)).clamp(1, 100);
    let fractions: Vec<Sql> = (1..parts)
        .map(|part| sql!("{}.0/{}", part, parts))
        .collect();
    let sample = sql!(
        "SELECT coalesce(pg_catalog.percentile_disc(ARRAY[{}]::pg_catalog.float8[]) \
                WITHIN GROUP (ORDER BY {}::{})::pg_catalog.text[], '{{}}') \
           FROM ONLY {} TABLESAMPLE SYSTEM ({})",
        Sql::join(&fractions, ", "),
        column,
        type_name,
        job.table,
        percent
    );
    let between: Vec<String> = session.query_one(&sample, &[]).await?.get(0);
    Ok(split::key_ranges(&column, &type_name, &between))
}

/// Partitions whose place depends on how the source's cluster hashes, with the table to write through.
async fn unstable_partitions(
    session: &crate::connect::Session,
) -> Result<HashMap<Oid, QualifiedName>, Error> {
    let sql = Sql::fixed(include_str!("sql/unstable_partitions.sql"));
    let rows = session.query(&sql, &[]).await.map_err(Error::Lock)?;
    let entry = |row: &tokio_postgres::Row| {
        let through = QualifiedName::from_catalog(row.get::<_, String>(1), row.get::<_, String>(2));
        (Oid(row.get(0)), through)
    };
    Ok(rows.iter().map(entry).collect())
}

/// Tells the running totals of a database, until dropped.
pub(in crate::snapshot) async fn tick(database: String, progress: Arc<Progress>, events: Events) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        events.tick(Event::CopyProgress {
            database: database.clone(),
            rows: progress.rows(),
            bytes: progress.bytes(),
        });
    }
}

/// Whether the locks lasted until the rows were out. Their session never begins anew, so one answer
/// of it proves that: else a table could have been emptied or rewritten before it was read, which at
/// the snapshot looks as if it had no rows.
///
/// # Errors
/// The session, and with it the locks, is gone.
pub(in crate::snapshot) async fn still_locked(basis: &Basis) -> Result<(), Error> {
    match &basis.hold.locks {
        Some(locks) => locks.touch().await,
        None => Ok(()),
    }
}

/// Keeps the lock session alive; returns only when its locks are lost.
pub(in crate::snapshot) async fn keep_locks(basis: &Basis) -> Error {
    let Some(locks) = &basis.hold.locks else {
        return std::future::pending().await;
    };
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        if let Err(lost) = locks.touch().await {
            return lost;
        }
    }
}
