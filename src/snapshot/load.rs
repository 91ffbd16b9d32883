//! Rows and what is built upon them, by one set of workers.
//!
//! ```text
//!           ┌─ copy a parcel of rows ─────────▶ its tables have landed ─┐
//!  worker ──┤   (the longest chain of work goes first)                  │ steps become ready
//!           └─ run steps: indexes, keys, … ◀────────────────────────────┘
//! ```
//!
//! A table's indexes are built while other tables are still copied, so that neither the source's
//! nor the target's processors wait for a phase to end. Snapshot and locks of the source last as
//! long as rows are read, and are released at once then, with steps still under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::evaluation::Evaluation;
use super::load_state::Board;
use super::sequences::{CopiedSequences, WhichSequences, copy_sequences};
use super::worker::Worker;
use crate::catalog::Catalog;
use crate::connect::Session;
use crate::ddl;
use crate::event::{Event, Phase};
use crate::pg::{Lsn, QualifiedName};
use crate::snapshot::definitions::section;
use crate::snapshot::definitions::section::{Prepared, Section, Site, Tables};
use crate::snapshot::large_objects::lane::ObjectLane;
use crate::snapshot::large_objects::queue::CopiedObjects;
use crate::snapshot::point::establish::{Basis, Hold};
use crate::snapshot::rows::configuration::plan_configuration;
use crate::snapshot::rows::lane::Lane;
use crate::snapshot::rows::load_plan;
use crate::snapshot::rows::load_plan::{CopiedTable, CopyRequest};
use crate::snapshot::rows::meanings::Meanings;
use crate::snapshot::rows::plan::CopyJob;
use crate::snapshot::statistics::analyze::{analyses, filled_views};
use crate::snapshot::statistics::copy::unanalyzed;
use crate::snapshot::statistics::import::carryable_statistics;
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
    /// Where the log continues after the snapshot; only with a slot.
    pub consistent_point: Option<Lsn>,
    /// The sequences, whose values were read after the rows.
    pub sequences: CopiedSequences,
    /// Tables whose statistics are to be carried over.
    pub carryable: BTreeSet<QualifiedName>,
    /// What has no statistics, in words.
    pub untold: Vec<String>,
}

/// What is loaded beside the tables.
pub struct Load<'l> {
    /// Between which databases, and how.
    pub request: &'l CopyRequest,
    /// What is built once its rows are there.
    pub section: Section,
    /// The settings under which the source's database evaluates what belongs to it.
    pub evaluation: Evaluation,
    /// How large objects are written; None leaves them.
    pub objects: Option<&'l ddl::Options>,
    /// Whether any rows are copied.
    pub rows: bool,
    /// Whether sequences of users get the source's values; configuration of extensions always does.
    pub values: bool,
    /// Whether the target's planner is told of the rows.
    pub analyze: bool,
}

/// Copies all rows and large objects of a database and makes the section's definitions. The basis
/// is released as soon as the rows are out, and on every failure.
///
/// # Errors
/// The first worker that failed, with the others stopped; [`Error::Refused`] after everything else
/// was made; or the scope was stopped. No COPY goes on on either server then.
pub async fn load(load: Load<'_>, basis: Basis, scope: &Scope) -> Result<Loaded, Error> {
    let starting = async {
        let jobs = match load.rows {
            true => plan(load.request, &basis, scope).await?,
            false => Vec::new(),
        };
        Workers::start(&load, jobs, &basis, scope).await
    };
    let begun = Box::pin(scope.stop.run_until_cancelled(starting)).await;
    let workers = match begun.unwrap_or(Err(Error::Stopped)) {
        Ok(workers) => workers,
        Err(error) => {
            basis.hold.release().await;
            return Err(error);
        }
    };
    Box::pin(workers.finish(&load, basis, scope)).await
}

/// The plan under the snapshot.
async fn plan(request: &CopyRequest, basis: &Basis, scope: &Scope) -> Result<Vec<CopyJob>, Error> {
    let plan =
        async |session: &Session| load_plan::plan_rows(session, &basis.catalog, request).await;
    let mut jobs = basis.hold.read(plan).await?;
    let firing = plan_configuration(&request.target, &mut jobs).await?;
    for table in firing {
        let text = format!(
            "configuration table {table}: triggers of its extension fire on the copied rows, since our role \
             may not set session_replication_role; run as a superuser, or GRANT SET ON PARAMETER \
             session_replication_role"
        );
        scope.events.emit(Event::Warning(text)).await;
    }
    Ok(jobs)
}

/// The workers of a database.
struct Workers {
    board: Arc<Board>,
    group: Group<Error>,
    begun: Instant,
    carryable: BTreeSet<QualifiedName>,
    untold: Vec<String>,
}

impl Workers {
    async fn start(
        load: &Load<'_>,
        jobs: Vec<CopyJob>,
        basis: &Basis,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let request = load.request;
        let database = request.source.database().to_owned();
        let planned = Event::CopyPlanned {
            database: database.clone(),
            tables: jobs.len(),
            bytes: jobs.iter().map(|job| job.bytes).sum(),
        };
        begin(scope, &database, Phase::Data).await;
        scope.events.emit(planned).await;
        let site = Site {
            target: request.target.clone(),
            phase: Phase::PostData,
            evaluation: load.evaluation.clone(),
        };
        let missing: BTreeSet<_> = jobs.iter().map(|job| job.oid).collect();
        let ledger = request.ledger.clone();
        let mut section = load.section.clone();
        let carryable = carryable(load, basis).await?;
        let mut untold = Vec::new();
        if load.analyze {
            let tables = Tables::with_rows(&basis.catalog);
            let mut analyses = analyses(&basis.catalog, &jobs, &carryable, &tables);
            if !request.only_configuration {
                analyses.wanted.extend(filled_views(&basis.catalog));
            }
            section.analyze(&analyses.wanted, &tables);
            untold = analyses.untold;
        }
        let prepared = section::prepare(&site, section, request.jobs, missing, ledger).await?;
        let Prepared { work, first, unset } = prepared;
        untold.extend(unset);
        let meanings = Arc::new(Meanings::load(&request.source, basis, &jobs).await?);
        let board = Arc::new(Board::new(request, (jobs, load.objects), work));
        let mut group = Group::new(scope);
        let mut first = Some(first);
        for number in 0..request.jobs {
            let snapshot = basis.hold.snapshot();
            let ends = (request, board.work.evaluation());
            let lane = Lane::new(ends, snapshot, &meanings, group.scope());
            let objects = ObjectLane::new(request, snapshot, group.scope());
            let worker = Worker {
                number,
                lane,
                objects,
                session: first.take(),
                board: Arc::clone(&board),
                scope: group.scope().clone(),
            };
            group.spawn(worker.run());
        }
        Ok(Self {
            board,
            group,
            begun: Instant::now(),
            carryable,
            untold,
        })
    }

    async fn finish(self, load: &Load<'_>, basis: Basis, scope: &Scope) -> Result<Loaded, Error> {
        let Self {
            board,
            group,
            begun,
            carryable,
            mut untold,
        } = self;
        let database = load.request.source.database();
        let group_scope = &group.scope().clone();
        let stop = group_scope.stop.clone();
        let ticks = load_plan::tick(
            database.to_owned(),
            Arc::clone(&board.progress),
            scope.events.clone(),
        );
        let ticking = Background::spawn(ticks);
        let reading = async {
            let read = Box::pin(board.read(&basis, &stop)).await;
            drop(ticking);
            if read.is_err() {
                stop.cancel();
            }
            let Basis {
                catalog,
                consistent_point,
                hold,
            } = basis;
            Hold::release(hold).await;
            let objects = read?;
            end(scope, database, Phase::Data, begun.elapsed()).await;
            begin(scope, database, Phase::PostData).await;
            let since = Instant::now();
            let values = Box::pin(values(load, &catalog, group_scope)).await;
            if values.is_err() {
                stop.cancel();
            }
            Ok((objects, values?, (catalog, consistent_point), since))
        };
        let (built, read) = tokio::join!(group.join(), reading);
        let (objects, sequences, (catalog, consistent_point), since) = match (built, read) {
            (Ok(()), Ok(read)) => read,
            // The workers were only stopped: what stopped them is the cause.
            (Ok(()) | Err(Error::Stopped), Err(error)) | (Err(error), _) => return Err(error),
        };
        let lacking = section::told(&board.work)?;
        untold.extend(
            lacking
                .unanalyzed
                .iter()
                .map(|(table, error)| unanalyzed(table, error)),
        );
        untold.extend(lacking.unfilled);
        end(scope, database, Phase::PostData, since.elapsed()).await;
        Ok(Loaded {
            tables: board.take_copied(),
            objects,
            catalog,
            consistent_point,
            sequences,
            carryable,
            untold,
        })
    }
}

/// The tables whose statistics a target of 18 takes from the source.
async fn carryable(load: &Load<'_>, basis: &Basis) -> Result<BTreeSet<QualifiedName>, Error> {
    let version = load.request.target_version;
    if !load.analyze || !version.has_statistics_import() {
        return Ok(BTreeSet::new());
    }
    let read = async |reader: &Session| carryable_statistics(reader, version, &basis.catalog).await;
    basis.hold.read(read).await
}

/// The values of sequences, which go without rows, and are read after them.
async fn values(
    load: &Load<'_>,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<CopiedSequences, Error> {
    let which = if load.values {
        WhichSequences::All
    } else {
        WhichSequences::Configuration
    };
    let (source, target) = (&load.request.source, &load.request.target);
    copy_sequences(source, target, (catalog, which), scope).await
}

async fn begin(scope: &Scope, database: &str, phase: Phase) {
    let database = Some(database.to_owned());
    scope
        .events
        .emit(Event::PhaseStarted { database, phase })
        .await;
}

async fn end(scope: &Scope, database: &str, phase: Phase, elapsed: Duration) {
    let event = Event::PhaseFinished {
        database: Some(database.to_owned()),
        phase,
        elapsed,
    };
    scope.events.emit(event).await;
}
