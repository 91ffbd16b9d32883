//! Reads what TimescaleDB built from a database, and takes it out of the catalog: its own tables come
//! again from the rows of hypertables and from settings.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::row::{Columns, query};
use crate::catalog::model::{
    Catalog, Class, ContinuousAggregate, DependencyKind, Dimension, Hypertable,
    HypertableCompression, Job, ObjectId, Size, Slices, Timescale,
};
use crate::catalog::{Dependants, Error};
use crate::connect::Session;
use crate::pg::{Ident, Oid, QualifiedName, Sql};

const WHAT: &str = "hypertables";

/// The extension's name.
const EXTENSION: &str = "timescaledb";

/// The first version with the catalogs that are read here.
const FIRST: u32 = 2;

/// A qualified name as the query gives it, a JSON array.
#[derive(Deserialize)]
struct Name {
    schema: String,
    name: String,
}

#[derive(Deserialize)]
struct InternalEntry {
    oid: u32,
    schema: String,
    name: String,
    root: Option<u32>,
}

#[derive(Deserialize)]
struct HypertableEntry {
    oid: u32,
    schema: Option<String>,
    prefix: Option<String>,
    dimensions: Vec<DimensionEntry>,
    tablespaces: Vec<String>,
    is_compressed: bool,
    segment_by: Vec<String>,
    order_by: Vec<String>,
}

#[derive(Deserialize)]
struct DimensionEntry {
    column: String,
    length: Option<i64>,
    number: Option<i16>,
    function: Option<Name>,
    now: Option<Name>,
    routines: Vec<u32>,
}

#[derive(Deserialize)]
struct AggregateEntry {
    schema: String,
    name: String,
    definition: String,
    materialized_only: bool,
}

#[derive(Deserialize)]
struct JobEntry {
    id: i32,
    schema: String,
    procedure: String,
    schedule: String,
    config: Option<String>,
    relation: Option<Name>,
}

/// What TimescaleDB's catalogs say.
struct Found {
    internals: Vec<InternalEntry>,
    hypertables: Vec<HypertableEntry>,
    aggregates: Vec<AggregateEntry>,
    jobs: Vec<JobEntry>,
}

/// The relations of a database in which TimescaleDB has a hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hands {
    /// Hypertables.
    pub hypertables: HashSet<Oid>,
    /// What holds their rows, and other relations of its own.
    pub internals: HashSet<Oid>,
}

/// Which relations of the session's database are TimescaleDB's; none without the extension.
///
/// # Errors
/// The server refused a query, or the extension's version is not known.
pub async fn load_hands(session: &Session) -> Result<Hands, Error> {
    let Some(installed) = probe_extension(session).await? else {
        return Ok(Hands::default());
    };
    let found = load_found(session, &installed).await?;
    Ok(Hands {
        hypertables: found.hypertables.iter().map(|h| Oid(h.oid)).collect(),
        internals: found.internals.iter().map(|i| Oid(i.oid)).collect(),
    })
}

/// The installed version's catalogs, as far as versions differ.
struct Installed {
    /// Settings of compression: one row per table since 2.14, before that one per column.
    has_compression_settings: bool,
    /// Jobs are beside the other catalogs since 2.25, before that in a schema of their own.
    has_jobs_in_catalog: bool,
}

async fn probe_extension(session: &Session) -> Result<Option<Installed>, Error> {
    const PROBE: &str = "SELECT extversion AS version,
         pg_catalog.to_regclass('_timescaledb_catalog.compression_settings') IS NOT NULL AS settings,
         pg_catalog.to_regclass('_timescaledb_catalog.bgw_job') IS NOT NULL AS jobs
       FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'";
    let rows = query(session, WHAT, PROBE, &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let row = Columns::new(WHAT, row);
    check_version(row.value("version")?)?;
    Ok(Some(Installed {
        has_compression_settings: row.value("settings")?,
        has_jobs_in_catalog: row.value("jobs")?,
    }))
}

fn check_version(version: &str) -> Result<(), Error> {
    let major = version.split('.').next().and_then(|text| text.parse().ok());
    if major.is_some_and(|major: u32| major >= FIRST) {
        return Ok(());
    }
    Err(Error::TimescaleVersion {
        version: version.to_owned(),
    })
}

const COMPRESSION_BY_TABLE: &str = "
  SELECT s.relid::oid AS oid,
         pg_catalog.to_regclass(pg_catalog.to_jsonb(s) ->> 'compress_relid')::oid AS compressed,
         s.segmentby AS segment_by, s.orderby AS order_by, s.orderby_desc AS descends,
         s.orderby_nullsfirst AS nulls_first
    FROM _timescaledb_catalog.compression_settings s";

const COMPRESSION_BY_COLUMN: &str = "
  SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I', h.schema_name, h.table_name))::oid AS oid,
         NULL::oid AS compressed,
         pg_catalog.array_agg(s.attname::text ORDER BY s.segmentby_column_index)
           FILTER (WHERE s.segmentby_column_index IS NOT NULL) AS segment_by,
         pg_catalog.array_agg(s.attname::text ORDER BY s.orderby_column_index)
           FILTER (WHERE s.orderby_column_index IS NOT NULL) AS order_by,
         pg_catalog.array_agg(NOT s.orderby_asc ORDER BY s.orderby_column_index)
           FILTER (WHERE s.orderby_column_index IS NOT NULL) AS descends,
         pg_catalog.array_agg(s.orderby_nullsfirst ORDER BY s.orderby_column_index)
           FILTER (WHERE s.orderby_column_index IS NOT NULL) AS nulls_first
    FROM _timescaledb_catalog.hypertable_compression s
    JOIN _timescaledb_catalog.hypertable h ON h.id = s.hypertable_id
   GROUP BY h.schema_name, h.table_name";

async fn load_found(session: &Session, installed: &Installed) -> Result<Found, Error> {
    let compression = if installed.has_compression_settings {
        COMPRESSION_BY_TABLE
    } else {
        COMPRESSION_BY_COLUMN
    };
    let jobs = if installed.has_jobs_in_catalog {
        "SELECT * FROM _timescaledb_catalog.bgw_job"
    } else {
        "SELECT * FROM _timescaledb_config.bgw_job"
    };
    let text = Sql::build(
        include_str!("../sql/timescale.sql"),
        &[&Sql::fixed(compression), &Sql::fixed(jobs)],
    );
    let rows = session
        .query(&text, &[])
        .await
        .map_err(|source| Error::Query { what: WHAT, source })?;
    let row = Columns::only(WHAT, &rows)?;
    Ok(Found {
        internals: row.json("internals")?,
        hypertables: row.json("hypertables")?,
        aggregates: row.json("aggregates")?,
        jobs: row.json("jobs")?,
    })
}

/// Gives the catalog's hypertables their settings, and takes out what is TimescaleDB's own. A
/// database without the extension stays as it is and costs no statement.
pub(super) async fn apply_timescale(session: &Session, catalog: &mut Catalog) -> Result<(), Error> {
    let mut extensions = catalog.extensions.iter_mut();
    let Some(extension) = extensions.find(|extension| extension.name.as_str() == EXTENSION) else {
        return Ok(());
    };
    // What these tables hold is about chunks, which the target has not.
    extension.config.clear();
    let id = extension.id;
    let Some(installed) = probe_extension(session).await? else {
        return Ok(());
    };
    let found = load_found(session, &installed).await?;
    let jobs = found.jobs.into_iter().map(build_job);
    let jobs = jobs.collect::<Result<_, Error>>()?;
    let internals = found.internals.iter();
    let internals: HashMap<ObjectId, QualifiedName> = internals
        .map(|entry| {
            let name = QualifiedName::from_catalog(entry.schema.as_str(), entry.name.as_str());
            (relation_id(entry.oid), name)
        })
        .collect();
    add_sizes(catalog, &found.internals);
    let mut settings: HashMap<Oid, Hypertable> = found
        .hypertables
        .into_iter()
        .map(|entry| (Oid(entry.oid), build_hypertable(entry)))
        .collect();
    for table in &mut catalog.tables {
        table.hypertable = settings.remove(&table.id.oid);
    }
    let gone = collect_internals(catalog, &internals, id);
    catalog.retain(&|id| !gone.contains(&id));
    drop_hidden_keys(catalog, &internals);
    catalog.timescale = Some(Timescale {
        extension: id,
        internals,
        aggregates: found.aggregates.into_iter().map(build_aggregate).collect(),
        jobs,
    });
    Ok(())
}

const fn relation_id(oid: u32) -> ObjectId {
    ObjectId::new(Class::Relation, Oid(oid))
}

/// A hypertable is as large as its chunks.
fn add_sizes(catalog: &mut Catalog, internals: &[InternalEntry]) {
    let tables = catalog.tables.iter();
    let sizes: HashMap<Oid, Size> = tables.map(|table| (table.id.oid, table.size)).collect();
    let mut added: HashMap<Oid, Size> = HashMap::new();
    for entry in internals {
        if let (Some(root), Some(size)) = (entry.root, sizes.get(&Oid(entry.oid))) {
            added.entry(Oid(root)).or_default().add(*size);
        }
    }
    for table in &mut catalog.tables {
        if let Some(size) = added.get(&table.id.oid) {
            table.size.add(*size);
        }
    }
}

/// TimescaleDB's relations with their dependent objects, and the triggers that it puts on hypertables.
fn collect_internals(
    catalog: &Catalog,
    internals: &HashMap<ObjectId, QualifiedName>,
    extension: ObjectId,
) -> HashSet<ObjectId> {
    let mut gone = HashSet::new();
    let mut left: Vec<ObjectId> = internals.keys().copied().collect();
    left.extend(chunk_triggers(catalog, extension));
    let dependants = Dependants::new(catalog);
    while let Some(id) = left.pop() {
        if gone.insert(id) {
            left.extend(dependants.of(id).filter_map(|(other, kind)| match kind {
                DependencyKind::Automatic
                | DependencyKind::Internal
                | DependencyKind::Partition => Some(other),
                DependencyKind::Normal | DependencyKind::Extension => None,
            }));
        }
    }
    gone
}

/// A foreign key to a hypertable has one to each chunk as a part of itself, which the server makes.
/// That it depends on the chunk says nothing about the key.
fn drop_hidden_keys(catalog: &mut Catalog, internals: &HashMap<ObjectId, QualifiedName>) {
    let constraints = catalog.constraints.iter();
    let known: HashSet<ObjectId> = constraints.map(|constraint| constraint.id).collect();
    catalog.dependencies.retain(|edge| {
        edge.from.class != Class::Constraint
            || known.contains(&edge.from)
            || !internals.contains_key(&edge.to)
    });
}

/// Triggers on hypertables that call a function of the extension.
fn chunk_triggers(catalog: &Catalog, extension: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
    let tables = catalog.tables.iter();
    let hypertables: HashSet<Oid> = tables
        .filter(|table| table.hypertable.is_some())
        .map(|table| table.id.oid)
        .collect();
    let triggers = catalog.triggers.iter();
    let triggers: HashSet<ObjectId> = triggers
        .filter(|trigger| hypertables.contains(&trigger.relation))
        .map(|trigger| trigger.id)
        .collect();
    let edges = catalog.dependencies.iter();
    edges
        .filter(move |edge| {
            triggers.contains(&edge.from) && catalog.members.get(&edge.to) == Some(&extension.oid)
        })
        .map(|edge| edge.from)
}

fn qualified_name(entry: Name) -> QualifiedName {
    QualifiedName::from_catalog(entry.schema, entry.name)
}

fn build_hypertable(entry: HypertableEntry) -> Hypertable {
    let compression = entry.is_compressed.then(|| HypertableCompression {
        segment_by: to_idents(entry.segment_by),
        order_by: entry.order_by.into_iter().map(Sql::deparsed).collect(),
    });
    Hypertable {
        chunk_schema: entry.schema.map(Ident::from_catalog),
        chunk_prefix: entry.prefix,
        dimensions: entry.dimensions.into_iter().map(build_dimension).collect(),
        tablespaces: to_idents(entry.tablespaces),
        compression,
    }
}

fn to_idents(names: Vec<String>) -> Vec<Ident> {
    names.into_iter().map(Ident::from_catalog).collect()
}

fn build_dimension(entry: DimensionEntry) -> Dimension {
    Dimension {
        column: Ident::from_catalog(entry.column),
        slices: match entry.number {
            Some(number) => Slices::Number(number),
            None => Slices::Length(entry.length.unwrap_or_default()),
        },
        function: entry.function.map(qualified_name),
        now: entry.now.map(qualified_name),
        routines: entry.routines.into_iter().map(Oid).collect(),
    }
}

fn build_aggregate(entry: AggregateEntry) -> ContinuousAggregate {
    let definition = entry.definition.trim_end();
    let definition = definition.strip_suffix(';').unwrap_or(definition);
    ContinuousAggregate {
        definition: Sql::deparsed(definition),
        name: QualifiedName::from_catalog(entry.schema, entry.name),
        materialized_only: entry.materialized_only,
    }
}

fn build_job(entry: JobEntry) -> Result<Job, Error> {
    let config = entry.config.map(|text| serde_json::from_str(&text));
    let config = config.transpose().map_err(|source| Error::Json {
        column: "config",
        source,
    })?;
    Ok(Job {
        id: entry.id,
        procedure: QualifiedName::from_catalog(entry.schema, entry.procedure),
        schedule: entry.schedule,
        config,
        relation: entry.relation.map(qualified_name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_two_have_other_catalogs() {
        assert!(check_version("2.19.3").is_ok());
        assert!(check_version("10.0").is_ok());
        for old in ["1.7.5", "", "x"] {
            assert!(check_version(old).is_err(), "{old}");
        }
    }
}
