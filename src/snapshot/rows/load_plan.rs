//! Plans which rows are copied and in which parts, with what the catalog does not contain.

use std::collections::{HashMap, HashSet};

use super::job::{Configuration, CopyJob, Format};
use super::plan::{plan_copies, sort_largest_first};
use super::split::{self, Range, Splitting, Whole};
use crate::catalog::Catalog;
use crate::catalog::load::transfer::{Why, load_transfer};
use crate::cluster::filter::{FilterShare, load_range_cost, load_share};
use crate::connect::{self, Session};
use crate::pg::{Ident, Oid, QualifiedName, Sql, SqlState};
use crate::snapshot::error::Error;
use crate::snapshot::request::CopyRequest;
use crate::sql;

/// Plans the copies of what is in a catalog, the largest first; asks what is not in it.
///
/// # Errors
/// The source cannot be asked.
pub async fn plan_rows(
    session: &Session,
    catalog: &Catalog,
    request: &CopyRequest,
) -> Result<Vec<CopyJob>, Error> {
    let loaded = load_transfer(session, request.target_version).await;
    let text = loaded.map_err(Error::Catalog)?;
    let unstable = load_unstable_partitions(session).await?;
    let filters = request.rules.filtered(catalog);
    let filters = filters.map(|(table, filter)| (table.id.oid, filter));
    let mut jobs = plan_copies(catalog, &text, &unstable, &filters.collect());
    let configuration: HashSet<&QualifiedName> = configuration_tables(catalog).collect();
    for job in jobs
        .iter_mut()
        .filter(|job| configuration.contains(&job.table))
    {
        job.configuration = Some(Configuration::default());
    }
    let without_rows = request.rules.without_rows(catalog);
    let without_rows: HashSet<Oid> = without_rows.map(|table| table.id.oid).collect();
    jobs.retain(|job| !without_rows.contains(&job.oid));
    if request.only_configuration {
        jobs.retain(|job| job.configuration.is_some());
    }
    let by_index = narrow_jobs(session, &mut jobs).await?;
    split_jobs(session, request, &mut jobs, &by_index).await?;
    Ok(jobs)
}

/// What it takes to evaluate a filter on a row, as a part of what it takes to copy it (measured on w1: a quarter).
const SEARCH_DIVISOR: u64 = 4;

/// Estimates what the filters select, and sorts the jobs again. Returns the tables whose rows are found by an index.
async fn narrow_jobs(
    session: &Session,
    jobs: &mut [CopyJob],
) -> Result<HashMap<Oid, FilterShare>, Error> {
    let mut by_index = HashMap::new();
    for job in jobs.iter_mut() {
        let Some(filter) = &job.filter else { continue };
        if let Format::Text(reasons) = &job.format
            && let Some(reason) = reasons.iter().find(|one| one.why == Why::ObjectIdentifier)
        {
            return Err(Error::FilteredNames {
                table: job.table.clone(),
                column: reason.column.clone(),
            });
        }
        let share = load_share(session, &job.table, filter).await;
        let share = share.map_err(Error::Lock)?;
        job.bytes = share.of(job.bytes);
        if share.uses_index {
            by_index.insert(job.oid, share);
        } else {
            job.searched = job.heap_bytes / SEARCH_DIVISOR;
        }
    }
    sort_largest_first(jobs);
    Ok(by_index)
}

/// The configuration tables and sequences of extensions.
fn configuration_tables(catalog: &Catalog) -> impl Iterator<Item = &QualifiedName> {
    let extensions = catalog.extensions.iter();
    let config = extensions.flat_map(|extension| &extension.config);
    config.map(|config| &config.table.name)
}

/// Decides which tables are read in ranges, and in which.
async fn split_jobs(
    session: &Session,
    request: &CopyRequest,
    jobs: &mut [CopyJob],
    by_index: &HashMap<Oid, FilterShare>,
) -> Result<(), Error> {
    let reads_ranges = session.version().has_tid_range_scan();
    let splitting = Splitting {
        workers: request.jobs as u64,
        larger_than: request.split_larger_than,
    };
    let tables = jobs.iter().map(|job| Whole {
        bytes: job.work(),
        is_divisible: job.is_divisible() && (reads_ranges || !by_index.contains_key(&job.oid)),
    });
    let parts = splitting.plan_parts(&tables.collect::<Vec<_>>());
    for (job, parts) in jobs.iter_mut().zip(parts).filter(|(_, parts)| *parts > 1) {
        if !can_plan_queries(session, job).await.map_err(Error::Lock)? {
            continue;
        }
        let ranges = if reads_ranges {
            split::page_ranges(job.heap_bytes, parts)
        } else {
            let ranges = load_key_ranges(session, job, parts).await;
            ranges.map_err(Error::Lock)?
        };
        let share = by_index.get(&job.oid);
        if ranges.len() > 1 && are_ranges_cheap(session, job, &ranges, share).await? {
            job.ranges = ranges;
        }
    }
    Ok(())
}

/// How much more the ranges of a table may cost together than to find the wanted rows by an index.
const DEAREST: f64 = 2.0;

/// Whether a table is to be read in ranges although an index finds its rows. Few rows would be searched for in the whole
/// table; of many, several workers each read a part.
async fn are_ranges_cheap(
    session: &Session,
    job: &CopyJob,
    ranges: &[Range],
    by_index: Option<&FilterShare>,
) -> Result<bool, Error> {
    let (Some(share), Some(filter), Some(range)) = (by_index, &job.filter, ranges.first()) else {
        return Ok(true);
    };
    let cost = load_range_cost(session, &job.table, filter, &range.condition()).await;
    let cost = cost.map_err(Error::Lock)?;
    let parts = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
    Ok(cost.is_some_and(|cost| cost * f64::from(parts) <= DEAREST * share.cost))
}

/// Whether a refusal names something that does not exist.
fn names_what_is_missing(code: SqlState) -> bool {
    matches!(
        code,
        SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_OBJECT
    )
}

/// Whether the source plans queries on a table under our empty `search_path`: the planner looks into
/// the functions of its indexes, whose bodies may rely on the path. `COPY` of the table does not plan.
async fn can_plan_queries(session: &Session, job: &CopyJob) -> Result<bool, connect::Error> {
    session.batch(&Sql::fixed("SAVEPOINT planned")).await?;
    let planned = session
        .batch(&sql!("EXPLAIN SELECT FROM ONLY {}", job.table))
        .await;
    session
        .batch(&Sql::fixed("ROLLBACK TO SAVEPOINT planned"))
        .await?;
    match planned {
        Ok(()) => Ok(true),
        Err(error) if error.sqlstate().is_some_and(names_what_is_missing) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Pages that are sampled for the ranges of a key.
const SAMPLED_PAGES: u64 = 2000;

/// Ranges of a key's values with about as many rows each; none where no key serves.
async fn load_key_ranges(
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
async fn load_unstable_partitions(
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
