//! Phases 7 to 12 for one database: from the consistent point to the statistics.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::Future;

use crate::catalog::Catalog;
use crate::connect::Endpoint;
use crate::connect::waiters::Waiting;
use crate::ddl::{self, Script, Stage};
use crate::event::Phase;
use crate::migrate::error::Error;
use crate::migrate::execute::run::phase;
use crate::migrate::execute::{existing, pre_data};
use crate::migrate::planned::PlannedDatabase;
use crate::migrate::report::DatabaseReport;
use crate::migrate::target_cluster::TargetCluster;
use crate::migrate::{Options, journal};
use crate::pg::{QualifiedName, Sides};
use crate::snapshot::{
    self, BuildTarget, CheckedDatabase, ConsistentPoint, Evaluation, Loaded, Section,
    SnapshotSource, Tables,
};
use crate::task::Scope;
use crate::transfer::Flush;

/// Why a database's contents were not copied.
pub(crate) enum Failure {
    /// Something around the copy failed.
    Around(Box<Error>),
    /// A phase of the copy failed.
    Snapshot(Phase, snapshot::Error),
    /// No script could be rendered.
    Ddl(ddl::Error),
}

impl Failure {
    pub(crate) fn at(phase: Phase) -> impl Fn(snapshot::Error) -> Self {
        move |error| Self::Snapshot(phase, error)
    }

    /// Whether the target has refused statements, and has everything else.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Snapshot(_, snapshot::Error::Refused(_)))
    }

    /// What the target has refused, if that is the cause.
    pub(crate) fn into_refused(self) -> Option<Box<snapshot::Refused>> {
        match self {
            Self::Snapshot(_, snapshot::Error::Refused(refused)) => Some(refused),
            Self::Snapshot(..) | Self::Ddl(_) | Self::Around(_) => None,
        }
    }

    fn around(error: Error) -> Self {
        Self::Around(Box::new(error))
    }

    /// Whether the copy ended for a session that waits for our locks.
    pub(crate) fn is_yielding(&self) -> bool {
        matches!(self, Self::Snapshot(_, error) if error.is_yielding())
    }

    /// The error of the run; `removed` says whether the target database is gone.
    pub(crate) fn into_error(self, database: &str, removed: bool) -> Error {
        let database = database.to_owned();
        match self {
            Self::Around(error) => *error,
            Self::Snapshot(_, error) if error.is_stop() => Error::Stopped,
            Self::Snapshot(phase, source) => Error::Copy {
                database,
                phase,
                removed,
                source: Box::new(source),
            },
            Self::Ddl(source) => Error::Ddl { database, source },
        }
    }
}

/// The cause, in words.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(_, error) => error.fmt(f),
            Self::Ddl(error) => error.fmt(f),
            Self::Around(error) => error.fmt(f),
        }
    }
}

/// Where the rows come from and go to.
pub(crate) struct Ends {
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
}

impl Ends {
    /// The same ends, once the journal is gone.
    fn without_journal(&self, options: &Options) -> Self {
        Self {
            source: self.source.clone(),
            target: options.target.with_database(self.target.database()),
        }
    }

    fn of(planned: &PlannedDatabase, options: &Options) -> Self {
        Self {
            source: options.source.with_database(planned.name()),
            target: options
                .target
                .with_database(planned.target().as_str())
                .with_journal(),
        }
    }
}

/// Copies what is chosen of a database, of which the checks learned `before`.
///
/// # Errors
/// The first phase that failed; its slot, snapshot, locks and sessions are gone.
pub(crate) async fn contents(
    planned: &PlannedDatabase,
    before: CheckedDatabase,
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<DatabaseReport, Failure> {
    let name = planned.name();
    let ends = Ends::of(planned, options);
    // Opened first: a target that crashes meanwhile ends this session, and with it the run, which
    // would not notice otherwise that commits are lost.
    let flush = Flush::open(&ends.target)
        .await
        .map_err(snapshot::Error::Flush);
    let flush = flush.map_err(Failure::at(Phase::Flush))?;
    let before = CheckedDatabase {
        keeping: match options.locks.keep {
            true => options.jobs,
            false => 0,
        },
        ..before
    };
    let making = snapshot::establish(&ends.source, &planned.point, before, scope);
    let basis = phase(scope, Some(name), Phase::ConsistentPoint, making)
        .await
        .map_err(Failure::at(Phase::ConsistentPoint))?;
    if let (Some(lsn), SnapshotSource::Slot(slot)) = (basis.consistent_point, &planned.point) {
        let recorded = planned.record.point(planned, lsn, slot);
        recorded.map_err(Failure::around)?;
        planned.slots.add(slot);
    }
    let guard = scope.child();
    let copied = Box::pin(from_basis(
        planned,
        &ends,
        (basis, flush),
        (cluster, options),
        &guard,
    ));
    let copied = yielding(&ends.source, options, &guard, copied).await;
    if let (Err(_), SnapshotSource::Slot(slot)) = (&copied, &planned.point) {
        // It is dropped now, by ourselves.
        planned.slots.remove(slot);
    }
    copied
}

/// Does work that holds locks on the source; where a session waits for one, the work is stopped through
/// `guard`, and that session is the error, unless DDL is to wait.
async fn yielding<T>(
    source: &Endpoint,
    options: &Options,
    guard: &Scope,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let waiting = match options.locks.keep {
        true => Waiting::Keep,
        false => Waiting::Yield,
    };
    tokio::pin!(work);
    let wanted = tokio::select! {
        biased;
        done = &mut work => return done,
        wanted = snapshot::watch_waiters(source, waiting, guard) => wanted,
    };
    guard.stop.cancel();
    // What it was at when it was stopped counts less than why.
    drop(work.await);
    Err(Failure::at(Phase::Data)(wanted))
}

/// What follows the consistent point.
async fn from_basis(
    planned: &PlannedDatabase,
    ends: &Ends,
    (mut basis, flush): (ConsistentPoint, Flush),
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<DatabaseReport, Failure> {
    let name = planned.name();
    let made = match before_rows(ends, &mut basis, planned, (cluster, options), scope).await {
        Ok(made) => made,
        Err(error) => {
            // Released on every path and at once: others may wait for our locks.
            basis.hold.release().await;
            return Err(error);
        }
    };
    let request = request(planned, (cluster, options));
    let mut extensions = basis.catalog.extensions.iter();
    let load = snapshot::Load {
        request: &request,
        section: made.post_data,
        objects: (!options.schema_only).then_some(&cluster.options),
        rows: !options.schema_only || extensions.any(|extension| !extension.config.is_empty()),
        values: !options.schema_only,
        evaluation: made.evaluation,
        analyze: options.analyze,
    };
    let loaded = Box::pin(snapshot::load(load, basis, scope)).await;
    let Loaded {
        tables,
        objects,
        catalog,
        consistent_point,
        sequences,
        carryable,
        notes: mut untold,
    } = loaded.map_err(|error| Failure::at(error.phase())(error))?;
    untold.extend(statistics(ends, (&catalog, &carryable), scope).await?);
    // Event triggers would fire on the drop.
    let sealing = journal::seal(&ends.target, |seal| planned.record.sealed(planned, seal));
    sealing.await.map_err(Failure::around)?;
    if let Some(last) = made.last {
        // It is not entered in the journal, which is gone.
        let ends = ends.without_journal(options);
        let settings = (Phase::EventTriggers, Evaluation::default());
        let finishing = section(&ends, settings, last, 1, scope);
        phase(scope, Some(name), Phase::EventTriggers, finishing)
            .await
            .map_err(Failure::at(Phase::EventTriggers))?;
    }
    flush
        .wait()
        .await
        .map_err(|error| Failure::at(Phase::Flush)(error.into()))?;
    let gone =
        |name: &QualifiedName| format!("sequence {name} was dropped on the source meanwhile");
    let absent = |name: &QualifiedName| {
        format!("sequence {name}: the target's version of its extension does not have it")
    };
    Ok(DatabaseReport {
        name: name.to_owned(),
        consistent_point,
        tables,
        statements: made.statements,
        sequences: sequences.count,
        large_objects: objects.count,
        differences: made
            .differences
            .into_iter()
            .chain(objects.left_out)
            .chain(sequences.gone.iter().map(gone))
            .chain(sequences.absent.iter().map(absent))
            .chain(untold)
            .collect(),
        elapsed: std::time::Duration::ZERO,
    })
}

/// Fits the catalog to the target, and creates the definitions that rows need.
async fn before_rows(
    ends: &Ends,
    basis: &mut ConsistentPoint,
    planned: &PlannedDatabase,
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<Made, Failure> {
    let left_out = fit(&mut basis.catalog, planned, cluster).map_err(Failure::Ddl)?;
    if options.schema_only {
        basis.hold.unlock();
    }
    let made = pre_data(ends, basis, (cluster, options), scope).await?;
    let left_out = left_out.iter().map(ToString::to_string);
    Ok(Made {
        differences: left_out.chain(made.differences).collect(),
        ..made
    })
}

/// Copies what the source's planner knows of the rows; what the target's does not get, in words.
async fn statistics(
    ends: &Ends,
    (catalog, tables): (&Catalog, &BTreeSet<QualifiedName>),
    scope: &Scope,
) -> Result<Vec<String>, Failure> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let target = &ends.target;
    let endpoints = Sides {
        source: &ends.source,
        target,
    };
    let carrying = Box::pin(snapshot::copy_statistics(endpoints, catalog, tables, scope));
    phase(scope, Some(target.database()), Phase::Statistics, carrying)
        .await
        .map_err(Failure::at(Phase::Statistics))
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

/// Between which databases the rows go, and how.
pub(crate) fn request(
    planned: &PlannedDatabase,
    (cluster, options): (&TargetCluster, &Options),
) -> snapshot::CopyRequest {
    let ends = Ends::of(planned, options);
    snapshot::CopyRequest {
        source: ends.source,
        target: ends.target,
        target_version: cluster.options.target.version,
        jobs: options.jobs,
        only_configuration: options.schema_only,
        predicates: HashMap::new(),
        split_larger_than: options.split_larger_than,
        ledger: planned.ledger.clone(),
    }
}

/// What the definitions before the rows leave for those after them.
struct Made {
    post_data: Section,
    /// Event triggers, where there are any: no session of ours is opened after the first of them.
    last: Option<Section>,
    statements: usize,
    differences: Vec<String>,
    /// The settings under which the source evaluates what belongs to the database.
    evaluation: Evaluation,
}

/// The definitions that rows need.
async fn pre_data(
    ends: &Ends,
    basis: &ConsistentPoint,
    (cluster, options): (&TargetCluster, &Options),
    scope: &Scope,
) -> Result<Made, Failure> {
    let name = ends.target.database();
    let connect = |error| Failure::at(Phase::PreData)(snapshot::Error::Connect(error));
    let mut wanted = cluster.options.clone();
    wanted.target.missing_label_providers =
        existing::missing_label_providers(&ends.target, &basis.catalog.labels)
            .await
            .map_err(connect)?;
    if !wanted.target.is_superuser {
        wanted.target.foreign_extensions = existing::foreign_extensions(&ends.target)
            .await
            .map_err(connect)?;
    }
    let evaluation = Evaluation::load_for(basis).await;
    let evaluation = evaluation.map_err(Failure::at(Phase::PreData))?;
    let making = pre_data::Making {
        evaluation: &evaluation,
        ends,
        catalog: &basis.catalog,
        jobs: options.jobs,
    };
    let making = pre_data::create(&making, &mut wanted, scope);
    let Script {
        pre_data,
        mut post_data,
        mut steps,
        omissions,
        ..
    } = phase(scope, Some(name), Phase::PreData, Box::pin(making)).await?;
    let statements = pre_data.len() + post_data.len();

    let (catalog, statements_after) = (&basis.catalog, (&mut steps, &mut post_data));
    let missing = existing::settle(&ends.target, catalog, &wanted, statements_after)
        .await
        .map_err(connect)?;
    let (last, post_data): (Vec<_>, Vec<_>) = post_data
        .into_iter()
        .partition(|statement| steps[statement.step].stage == Stage::Last);
    let tables = if options.schema_only {
        Tables::default()
    } else {
        Tables::with_rows(&basis.catalog)
    };
    let omissions = omissions.iter().map(ToString::to_string);
    Ok(Made {
        last: (!last.is_empty()).then(|| Section::new(last, &steps, &tables)),
        post_data: Section::new(post_data, &steps, &tables),
        statements,
        evaluation,
        differences: omissions.chain(missing).collect(),
    })
}

/// Creates one section of the script on the target.
pub(crate) async fn section(
    ends: &Ends,
    (phase, evaluation): (Phase, Evaluation),
    section: Section,
    jobs: usize,
    scope: &Scope,
) -> Result<(), snapshot::Error> {
    let target = ends.target.clone();
    let site = BuildTarget {
        target,
        phase,
        evaluation,
    };
    snapshot::run_section(&site, section, jobs, scope).await
}
