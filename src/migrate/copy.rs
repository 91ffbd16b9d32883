//! Phases 7 to 12 for one database: from the consistent point to the statistics.

use std::collections::HashMap;

use super::execute::phase;
use super::guard::guarded;
use super::prepare::PlannedDatabase;
use super::report::DatabaseReport;
use super::roles::TargetCluster;
use super::{Error, Options, existing};
use crate::catalog::Catalog;
use crate::connect::Endpoint;
use crate::ddl::{self, Script, Stage};
use crate::event::Phase;
use crate::pg::{Oid, QualifiedName};
use crate::snapshot::{
    self, Basis, Before, CopiedObjects, CopiedSequences, CopiedTable, Section, Site,
};
use crate::task::Scope;

/// Why a database's contents were not copied.
pub(super) struct Failure {
    doing: &'static str,
    cause: Cause,
}

enum Cause {
    Snapshot(snapshot::Error),
    Ddl(ddl::Error),
}

impl Failure {
    pub(super) fn at(doing: &'static str) -> impl Fn(snapshot::Error) -> Self {
        move |error| Self {
            doing,
            cause: Cause::Snapshot(error),
        }
    }

    const fn plan(error: ddl::Error) -> Self {
        Self {
            doing: "plan",
            cause: Cause::Ddl(error),
        }
    }

    /// The error of the run; `removed` tells whether the target database is gone.
    pub(super) fn into_error(self, database: &str, removed: bool) -> Error {
        let database = database.to_owned();
        match self.cause {
            Cause::Snapshot(error) if error.is_stop() => Error::Stopped,
            Cause::Snapshot(source) => Error::Copy {
                database,
                phase: self.doing,
                removed,
                source: Box::new(source),
            },
            Cause::Ddl(source) => Error::Ddl { database, source },
        }
    }
}

/// Where the rows come from and go to.
struct Ends {
    source: Endpoint,
    target: Endpoint,
}

/// Copies what is chosen of a database, of which the checks learned `before`.
///
/// # Errors
/// The first phase that failed; its slot, snapshot, locks and sessions are gone.
pub(super) async fn contents(
    planned: &PlannedDatabase,
    before: Before,
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<DatabaseReport, Failure> {
    let name = planned.name();
    let ends = Ends {
        source: options.source.with_database(name),
        target: options.target.with_database(planned.target().as_str()),
    };
    let making = snapshot::establish(&ends.source, &planned.point, before, scope);
    let basis = phase(scope, Some(name), Phase::Basis, making)
        .await
        .map_err(Failure::at("make the consistent point"))?;
    let guard = scope.child();
    let copying = Box::pin(from_basis(
        planned,
        &ends,
        basis,
        (cluster, options),
        &guard,
    ));
    guarded((&ends.source, &planned.point), options, &guard, copying).await
}

/// What follows the consistent point.
async fn from_basis(
    planned: &PlannedDatabase,
    ends: &Ends,
    mut basis: Basis,
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<DatabaseReport, Failure> {
    let name = planned.name();
    let left_out = match fit(&mut basis.catalog, planned, cluster) {
        Ok(left_out) => left_out,
        Err(error) => {
            let released = basis.hold.release().await;
            released.map_err(Failure::at("release the consistent point"))?;
            return Err(Failure::plan(error));
        }
    };
    if options.schema_only {
        basis.hold.unlock();
    }
    let copied = under_snapshot(ends, &basis, (cluster, options), scope).await;
    // Released on every path and at once: others may wait for our locks.
    let Basis {
        catalog,
        consistent_point,
        hold,
        ..
    } = basis;
    let released = hold.release().await;
    let Copied {
        tables,
        large_objects,
        post_data,
        last,
        statements,
        differences,
    } = copied?;
    released.map_err(Failure::at("release the consistent point"))?;

    let finishing = section(ends, Phase::PostData, post_data, options.jobs, scope);
    phase(scope, Some(name), Phase::PostData, finishing)
        .await
        .map_err(Failure::at("post-data"))?;
    let sequences = values(ends, &catalog, options, scope).await?;
    let mut without_statistics = Vec::new();
    if options.analyze && !tables.is_empty() {
        let names = tables.iter().map(|table| table.table.clone()).collect();
        let analyzing = snapshot::analyze(&ends.target, &catalog, names, options.jobs, scope);
        without_statistics = phase(scope, Some(name), Phase::Statistics, analyzing)
            .await
            .map_err(Failure::at("statistics"))?;
    }
    let flush = snapshot::Flush::open(&ends.target).await;
    let flush = flush.map_err(Failure::at("flush"))?;
    if let Some(last) = last {
        let finishing = section(ends, Phase::EventTriggers, last, 1, scope);
        phase(scope, Some(name), Phase::EventTriggers, finishing)
            .await
            .map_err(Failure::at("event triggers"))?;
    }
    flush.wait().await.map_err(Failure::at("flush"))?;
    let gone =
        |name: &QualifiedName| format!("sequence {name} was dropped on the source meanwhile");
    Ok(DatabaseReport {
        name: name.to_owned(),
        consistent_point,
        tables,
        statements,
        sequences: sequences.count,
        large_objects,
        differences: left_out
            .iter()
            .map(ToString::to_string)
            .chain(differences)
            .chain(sequences.gone.iter().map(gone))
            .chain(without_statistics)
            .collect(),
        elapsed: std::time::Duration::ZERO,
    })
}

/// The values of sequences, which go without rows.
async fn values(
    ends: &Ends,
    catalog: &Catalog,
    options: &Options,
    scope: &Scope,
) -> Result<CopiedSequences, Failure> {
    if options.schema_only {
        return Ok(CopiedSequences::default());
    }
    let copying = snapshot::copy_sequences(&ends.source, &ends.target, catalog, scope);
    phase(scope, Some(ends.target.database()), Phase::Values, copying)
        .await
        .map_err(Failure::at("sequence values"))
}

/// Brings a catalog to what the target can hold and is to get; what differs by that.
fn fit(
    catalog: &mut Catalog,
    planned: &PlannedDatabase,
    cluster: &TargetCluster,
) -> Result<Vec<ddl::Omission>, ddl::Error> {
    let options = &cluster.options;
    let mut omissions = ddl::degrade(catalog, options)?;
    omissions.extend(ddl::leave_out(catalog, options, &planned.choice));
    Ok(omissions)
}

/// What the phases under the snapshot leave for those after it.
struct Copied {
    tables: Vec<CopiedTable>,
    large_objects: usize,
    post_data: Section,
    /// Event triggers, where there are any: no session of ours is opened after the first of them.
    last: Option<Section>,
    statements: usize,
    differences: Vec<String>,
}

/// Pre-data and data: as long as these last, the source keeps snapshot and locks.
async fn under_snapshot(
    ends: &Ends,
    basis: &Basis,
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<Copied, Failure> {
    let name = ends.target.database();
    let connect = |error| Failure::at("pre-data")(snapshot::Error::Connect(error));
    let mut wanted = cluster.options.clone();
    wanted.target.missing_label_providers =
        existing::missing_label_providers(&ends.target, &basis.catalog.labels)
            .await
            .map_err(connect)?;
    let Script {
        pre_data,
        mut post_data,
        mut steps,
        omissions,
        ..
    } = ddl::script(&basis.catalog, &wanted).map_err(Failure::plan)?;
    let statements = pre_data.len() + post_data.len();
    let pre_data = Section::new(pre_data, &steps, &HashMap::new());
    let making = section(ends, Phase::PreData, pre_data, options.jobs, scope);
    phase(scope, Some(name), Phase::PreData, making)
        .await
        .map_err(Failure::at("pre-data"))?;

    let missing = existing::drop_missing(&ends.target, &basis.catalog.acls, &mut post_data)
        .await
        .map_err(connect)?;
    if wanted.carried.comments {
        let comments = &basis.catalog.member_comments;
        let comments = existing::member_comments(&ends.target, comments).await;
        for (label, sql) in comments.map_err(connect)? {
            ddl::attach(&mut steps, &mut post_data, ddl::Kind::Comment, label, sql);
        }
    }

    let request = snapshot::CopyRequest {
        source: ends.source.clone(),
        target: ends.target.clone(),
        target_version: cluster.options.target.version,
        jobs: options.jobs,
        only_configuration: options.schema_only,
    };
    let mut extensions = basis.catalog.extensions.iter();
    let has_rows = !options.schema_only || extensions.any(|extension| !extension.config.is_empty());
    let tables = if has_rows {
        let copying = snapshot::copy_rows(&request, basis, scope);
        phase(scope, Some(name), Phase::Data, copying)
            .await
            .map_err(Failure::at("data"))?
    } else {
        Vec::new()
    };
    let objects = if options.schema_only {
        CopiedObjects::default()
    } else {
        snapshot::copy_large_objects(&request, basis, &cluster.options, scope)
            .await
            .map_err(Failure::at("large objects"))?
    };
    let omissions = omissions.iter().map(ToString::to_string);
    let (last, post_data): (Vec<_>, Vec<_>) = post_data
        .into_iter()
        .partition(|statement| steps[statement.step].stage == Stage::Last);
    let sizes = sizes(&basis.catalog, &tables);
    let last = (!last.is_empty()).then(|| Section::new(last, &steps, &sizes));
    let post_data = Section::new(post_data, &steps, &sizes);
    Ok(Copied {
        tables,
        large_objects: objects.count,
        post_data,
        last,
        statements,
        differences: omissions.chain(missing).chain(objects.left_out).collect(),
    })
}

/// Makes one section of the script on the target.
async fn section(
    ends: &Ends,
    phase: Phase,
    section: Section,
    jobs: usize,
    scope: &Scope,
) -> Result<(), snapshot::Error> {
    let target = ends.target.clone();
    snapshot::run_section(&Site { target, phase }, section, jobs, scope).await
}

/// The bytes of tables as they were copied, by oid.
fn sizes(catalog: &Catalog, copied: &[CopiedTable]) -> HashMap<Oid, u64> {
    let bytes: HashMap<&QualifiedName, u64> =
        copied.iter().map(|one| (&one.table, one.bytes)).collect();
    let tables = catalog.tables.iter();
    tables
        .filter_map(|table| Some((table.id.oid, *bytes.get(&table.name)?)))
        .collect()
}
