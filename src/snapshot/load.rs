//! Rows and what is built upon them, by one set of workers.
//!
//! ```text
//!           ┌─ copy a batch of rows ──────────▶ rows of its tables are loaded ─┐
//!  worker ──┤   (the longest critical path first)                              │ steps become ready
//!           └─ run steps: indexes, keys, … ◀───────────────────────────────────┘
//! ```
//!
//! A table's indexes are built while other tables are still copied, so that neither the source's
//! nor the target's processors wait for a phase to end. Snapshot and locks of the source last while
//! rows are read. They are released as soon as all rows are read, while steps still run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::evaluation::Evaluation;
use super::load_state::LoadState;
use super::refusal::Refused;
use super::request::CopyRequest;
use super::sequences::{CopiedSequences, WhichSequences, copy_sequences};
use super::tables::Tables;
use super::worker::Worker;
use crate::catalog::Catalog;
use crate::catalog::model::Lineages;
use crate::connect::Session;
use crate::ddl;
use crate::event::{Event, Phase, Warning};
use crate::pg::{Lsn, QualifiedName};
use crate::snapshot::definitions::gaps::Missing;
use crate::snapshot::definitions::run::{Loading, prepare_section};
use crate::snapshot::definitions::section::Section;
use crate::snapshot::definitions::target::BuildTarget;
use crate::snapshot::large_objects::copier::LargeObjectCopier;
use crate::snapshot::large_objects::queue::CopiedObjects;
use crate::snapshot::point::consistent_point::ConsistentPoint;
use crate::snapshot::rows::catalog_versions::CatalogVersions;
use crate::snapshot::rows::configuration::plan_configuration;
use crate::snapshot::rows::copied::{CopiedTable, report_progress};
use crate::snapshot::rows::job::CopyJob;
use crate::snapshot::rows::lane::Lane;
use crate::snapshot::rows::load_plan::plan_rows;
use crate::snapshot::statistics::import::load_importable_tables;
use crate::snapshot::statistics::plan::{filled_views, plan_analyze};
use crate::task::{Background, Group, Scope};

/// A database with its rows and what was built upon them.
#[derive(Debug)]
pub struct Loaded {
    /// Every table with rows of its own, in the order of completion.
    pub tables: Vec<CopiedTable>,
    /// The large objects.
    pub objects: CopiedObjects,
    /// The database as the snapshot showed it.
    pub catalog: Catalog,
    /// Where the WAL continues after the snapshot; only with a slot.
    pub consistent_point: Option<Lsn>,
    /// The sequences, whose values were read after the rows.
    pub sequences: CopiedSequences,
    /// Tables whose statistics can be imported.
    pub importable: BTreeSet<QualifiedName>,
    /// What has no statistics or was evaluated with other settings, in words.
    pub notes: Vec<String>,
    /// What the target has refused and may be missing.
    pub refused: Option<Refused>,
    /// Tables that are still to be analyzed, since something on them was refused.
    pub unanalyzed: Vec<QualifiedName>,
}

/// What is loaded beside the tables.
pub struct Load<'l> {
    /// Which databases, and how.
    pub request: &'l CopyRequest,
    /// What is built once its rows have arrived.
    pub section: Section,
    /// The settings under which the source's database evaluates its expressions.
    pub evaluation: Evaluation,
    /// How large objects are written; None: they are not copied.
    pub objects: Option<&'l ddl::Options>,
    /// Whether any rows are copied.
    pub rows: bool,
    /// Whether sequences of users get the source's values; configuration of extensions always does.
    pub values: bool,
    /// Whether the target gets statistics for its planner.
    pub analyze: bool,
}

/// Copies all rows and large objects of a database and runs the steps of the section. The locks and the
/// snapshot are released as soon as all rows are read, and on every failure.
///
/// # Errors
/// The error of the first worker that failed, after the others have stopped; [`Error::Refused`] after
/// everything else was created; or the scope was stopped. No COPY runs on either server then.
pub async fn load(load: Load<'_>, point: ConsistentPoint, scope: &Scope) -> Result<Loaded, Error> {
    let starting = start_workers(&load, &point, scope);
    let started = Box::pin(scope.stop.run_until_cancelled(starting)).await;
    match started.unwrap_or(Err(Error::Stopped)) {
        Ok(workers) => Box::pin(workers.finish(&load, point, scope)).await,
        Err(error) => {
            point.hold.release().await;
            Err(error)
        }
    }
}

/// Plans the copies and starts the workers.
async fn start_workers(
    load: &Load<'_>,
    point: &ConsistentPoint,
    scope: &Scope,
) -> Result<Workers, Error> {
    let jobs = match load.rows {
        true => plan_jobs(load.request, point, scope).await?,
        false => Vec::new(),
    };
    report_start(scope, load.request.source.database(), Phase::Data).await;
    report_plan(load.request, &jobs, scope).await;
    let importable = load_importable(load, point).await?;
    let planned = plan_section(load, &jobs, point, &importable);
    let target = BuildTarget {
        target: load.request.target.clone(),
        database: load.request.source.database().to_owned(),
        phase: Phase::PostData,
        evaluation: load.evaluation.clone(),
    };
    let loading = Loading {
        missing: jobs.iter().map(|job| job.oid).collect(),
        ledger: load.request.ledger.clone(),
    };
    let workers = load.request.jobs;
    let prepared = prepare_section(&target, planned.section, workers, loading).await?;
    let mut notes = planned.notes;
    notes.extend(prepared.refused_settings);
    let versions = CatalogVersions::load(&load.request.source, point, &jobs).await?;
    let state = LoadState::new(load.request, jobs, load.objects, prepared.run);
    let state = Arc::new(state);
    Ok(Workers {
        group: spawn_workers(&state, prepared.first, &Arc::new(versions), point, scope),
        state,
        begun: Instant::now(),
        importable,
        notes,
    })
}

/// Plans the copies under the snapshot.
async fn plan_jobs(
    request: &CopyRequest,
    point: &ConsistentPoint,
    scope: &Scope,
) -> Result<Vec<CopyJob>, Error> {
    let plan = async |session: &Session| plan_rows(session, &point.catalog, request).await;
    let mut jobs = point.hold.read(plan).await?;
    let firing = plan_configuration(&request.target, &mut jobs).await?;
    for table in firing {
        let fire = Event::Warning(Warning::TriggersFire { table });
        scope.events.emit(fire).await;
    }
    Ok(jobs)
}

async fn report_plan(request: &CopyRequest, jobs: &[CopyJob], scope: &Scope) {
    let database = request.source.database().to_owned();
    let planned = Event::CopyPlanned {
        database,
        tables: jobs.len(),
        bytes: jobs.iter().map(|job| job.bytes).sum(),
    };
    scope.events.emit(planned).await;
}

/// The steps of a load, and what is known before it about statistics.
struct PlannedSection {
    section: Section,
    notes: Vec<String>,
}

/// Adds `ANALYZE` to the steps.
fn plan_section(
    load: &Load<'_>,
    jobs: &[CopyJob],
    point: &ConsistentPoint,
    importable: &BTreeSet<QualifiedName>,
) -> PlannedSection {
    let mut section = load.section.clone();
    let mut notes = Vec::new();
    if load.analyze {
        let tables = Tables::with_rows(&point.catalog);
        let mut planned = plan_analyze(&point.catalog, jobs, importable, &tables);
        if !load.request.only_configuration {
            planned.relations.extend(filled_views(&point.catalog));
        }
        section.add_analyze(&planned.relations, &tables);
        notes = planned.notes;
    }
    PlannedSection { section, notes }
}

/// Loads the names of the tables whose statistics a target of 18 imports from the source.
async fn load_importable(
    load: &Load<'_>,
    point: &ConsistentPoint,
) -> Result<BTreeSet<QualifiedName>, Error> {
    let version = load.request.target_version;
    if !load.analyze || !version.has_statistics_import() {
        return Ok(BTreeSet::new());
    }
    let read =
        async |reader: &Session| load_importable_tables(reader, version, &point.catalog).await;
    let mut importable = point.hold.read(read).await?;
    // The source's statistics describe rows that the target does not get.
    let lineages = Lineages::new(&point.catalog);
    let rules = &load.request.rules;
    let filtered = rules.filtered(&point.catalog).map(|(table, _)| table);
    for table in rules.without_rows(&point.catalog).chain(filtered) {
        for one in lineages.of(table) {
            importable.remove(&one.name);
        }
    }
    Ok(importable)
}

fn spawn_workers(
    state: &Arc<LoadState>,
    first: Session,
    versions: &Arc<CatalogVersions>,
    point: &ConsistentPoint,
    scope: &Scope,
) -> Group<Error> {
    let mut group = Group::new(scope);
    let mut first = Some(first);
    let request = &state.request;
    for number in 0..request.jobs {
        let snapshot = point.hold.snapshot();
        let evaluation = state.section.evaluation();
        let scope = group.scope().clone();
        let worker = Worker {
            number,
            lane: Lane::new(request, evaluation, snapshot, versions, &scope),
            large_objects: LargeObjectCopier::new(request, snapshot, &scope),
            session: first.take(),
            state: Arc::clone(state),
            scope,
        };
        group.spawn(worker.run());
    }
    group
}

/// The workers of a database.
struct Workers {
    state: Arc<LoadState>,
    group: Group<Error>,
    begun: Instant,
    importable: BTreeSet<QualifiedName>,
    notes: Vec<String>,
}

/// What the source has given, and when it was released.
struct ReadSource {
    objects: CopiedObjects,
    sequences: CopiedSequences,
    catalog: Catalog,
    consistent_point: Option<Lsn>,
    released: Instant,
}

impl Workers {
    async fn finish(
        self,
        load: &Load<'_>,
        point: ConsistentPoint,
        scope: &Scope,
    ) -> Result<Loaded, Error> {
        let database = load.request.source.database();
        let group_scope = self.group.scope().clone();
        let reading = finish_reading(load, &self.state, point, &group_scope, self.begun);
        let (built, read) = tokio::join!(self.group.join(), reading);
        let read = choose_error(built, read)?;
        let unanalyzed = self.state.section.list_unanalyzed();
        let Missing { gaps, refused } = self.state.section.take_missing();
        let refused = match refused {
            Some(refused) if !refused.is_optional() => {
                return Err(Error::Refused(Box::new(refused)));
            }
            refused => refused,
        };
        let mut notes = self.notes;
        notes.extend(gaps.notes());
        report_end(scope, database, Phase::PostData, read.released.elapsed()).await;
        Ok(Loaded {
            tables: self.state.take_copied(),
            objects: read.objects,
            catalog: read.catalog,
            consistent_point: read.consistent_point,
            sequences: read.sequences,
            importable: self.importable,
            notes,
            refused,
            unanalyzed,
        })
    }
}

/// Returns what was read, or the error that is the cause of the others.
fn choose_error(
    built: Result<(), Error>,
    read: Result<ReadSource, Error>,
) -> Result<ReadSource, Error> {
    match (built, read) {
        (Ok(()), Ok(read)) => Ok(read),
        // The workers were only stopped: the error of the reading is the cause.
        (Ok(()) | Err(Error::Stopped), Err(error)) | (Err(error), _) => Err(error),
    }
}

/// Waits until all rows are read, releases the source, and copies the values of sequences. A failure stops
/// the workers.
async fn finish_reading(
    load: &Load<'_>,
    state: &LoadState,
    point: ConsistentPoint,
    scope: &Scope,
    begun: Instant,
) -> Result<ReadSource, Error> {
    let database = load.request.source.database();
    let ticks = report_progress(
        database.to_owned(),
        Arc::clone(&state.progress),
        scope.events.clone(),
    );
    let ticking = Background::spawn(ticks);
    let read = Box::pin(state.wait_until_all_read(&point, &scope.stop)).await;
    drop(ticking);
    if read.is_err() {
        scope.stop.cancel();
    }
    let ConsistentPoint {
        catalog,
        consistent_point,
        hold,
    } = point;
    // On every path and at once: others may wait for the locks.
    hold.release().await;
    let objects = read?;
    let copied = Box::pin(copy_values(load, &catalog, scope)).await;
    if copied.is_err() {
        scope.stop.cancel();
    }
    let sequences = copied?;
    report_end(scope, database, Phase::Data, begun.elapsed()).await;
    report_start(scope, database, Phase::PostData).await;
    state.section.report_progress(scope);
    let released = Instant::now();
    Ok(ReadSource {
        objects,
        sequences,
        catalog,
        consistent_point,
        released,
    })
}

/// Copies the values of sequences. They do not depend on rows, and are read after them.
async fn copy_values(
    load: &Load<'_>,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<CopiedSequences, Error> {
    let which = match load.values {
        true => WhichSequences::All,
        false => WhichSequences::Configuration,
    };
    copy_sequences(load.request.endpoints(), catalog, which, scope).await
}

async fn report_start(scope: &Scope, database: &str, phase: Phase) {
    let database = Some(database.to_owned());
    let event = Event::PhaseStarted { database, phase };
    scope.events.emit(event).await;
}

async fn report_end(scope: &Scope, database: &str, phase: Phase, elapsed: Duration) {
    let event = Event::PhaseFinished {
        database: Some(database.to_owned()),
        phase,
        elapsed,
    };
    scope.events.emit(event).await;
}
