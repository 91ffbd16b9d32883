//! The copy of one database: from the consistent point to the statistics.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::connect::waiters::Waiting;
use crate::connect::{Endpoint, Purpose};
use crate::ddl::{self, Script, Statement};
use crate::event::Phase;
use crate::migrate::execute::execution::{DatabaseRun, build_copy_request};
use crate::migrate::execute::existing;
use crate::migrate::execute::failure::Failure;
use crate::migrate::execute::missing::{forget_missing, join_refused, skip_dependents};
use crate::migrate::execute::phase::run_phase;
use crate::migrate::execute::pre_data::{Created, PreData};
use crate::migrate::execute::target_options::load_options;
use crate::migrate::journal;
use crate::migrate::options::Options;
use crate::migrate::planned::PlannedDatabase;
use crate::migrate::report::DatabaseReport;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::{QualifiedName, Sides};
use crate::snapshot::{
    self, BuildTarget, CheckedDatabase, ConsistentPoint, Evaluation, Loaded, Refused, Section,
    SnapshotSource, Tables,
};
use crate::task::Scope;
use crate::transfer::{Flush, Ledger};

/// The copy of one database.
pub(crate) struct ContentCopy<'a> {
    /// The database in the run.
    pub(crate) run: &'a DatabaseRun<'a>,
    /// Where it is.
    pub(crate) endpoints: Sides<Endpoint>,
    /// Where the engine reports what is committed.
    pub(crate) ledger: Ledger,
}

impl ContentCopy<'_> {
    fn options(&self) -> &Options {
        self.run.execution.options
    }

    fn cluster(&self) -> &TargetCluster {
        self.run.execution.cluster
    }

    fn planned(&self) -> &PlannedDatabase {
        self.run.planned
    }

    /// Copies what is selected of the database, of which the checks learned `checked`.
    ///
    /// # Errors
    /// The first phase that failed; its slot, snapshot, locks and sessions are gone.
    pub(crate) async fn copy_contents(
        &self,
        checked: CheckedDatabase,
        scope: &Scope,
    ) -> Result<DatabaseReport, Failure> {
        let Sides { source, target } = &self.endpoints;
        // Opened first: a target that crashes meanwhile ends this session, and with it the run, which
        // would not notice otherwise that commits are lost.
        let flush = Flush::open(target).await.map_err(snapshot::Error::Flush);
        let flush = flush.map_err(Failure::in_phase(Phase::Flush))?;
        let planned = self.planned();
        let making = snapshot::establish(source, &planned.point, checked, scope);
        let point = run_phase(scope, Some(planned.name()), Phase::ConsistentPoint, making)
            .await
            .map_err(Failure::in_phase(Phase::ConsistentPoint))?;
        self.record_slot(&point)?;
        let guard = scope.child();
        let copied = Box::pin(self.copy_from(point, flush, &guard));
        let copied = run_yielding(source, self.options(), &guard, copied).await;
        if let (Err(_), SnapshotSource::Slot(slot)) = (&copied, &planned.point) {
            // It is dropped now, by ourselves.
            self.run.execution.slots.remove(&slot.name);
        }
        copied
    }

    /// Records the slot at once, and begins to watch it: whoever is killed now leaves it.
    fn record_slot(&self, point: &ConsistentPoint) -> Result<(), Failure> {
        let planned = self.planned();
        if let (Some(lsn), SnapshotSource::Slot(slot)) = (point.consistent_point, &planned.point) {
            let recorded = self
                .run
                .execution
                .record
                .record_point(&planned.pair(), lsn, &slot.name);
            recorded.map_err(Failure::around_copy)?;
            self.run.execution.slots.add(&slot.name);
        }
        Ok(())
    }

    /// Copies what the consistent point shows.
    async fn copy_from(
        &self,
        mut point: ConsistentPoint,
        flush: Flush,
        scope: &Scope,
    ) -> Result<DatabaseReport, Failure> {
        let mut built = match self.build_before_rows(&mut point, scope).await {
            Ok(built) => built,
            Err(error) => {
                // Released on every path and at once: others may wait for our locks.
                point.hold.release().await;
                return Err(error);
            }
        };
        let options = self.options();
        let (planned, cluster) = (self.planned(), self.cluster());
        let request = build_copy_request(planned, cluster, options, self.ledger.clone());
        let mut extensions = point.catalog.extensions.iter();
        let load = snapshot::Load {
            request: &request,
            section: built.post_data.clone(),
            objects: (!options.schema_only).then_some(&cluster.options),
            rows: !options.schema_only || extensions.any(|extension| !extension.config.is_empty()),
            values: !options.schema_only,
            evaluation: built.evaluation.clone(),
            analyze: options.analyze,
        };
        let loaded = Box::pin(snapshot::load(load, point, scope)).await;
        let mut loaded = loaded.map_err(|error| Failure::in_phase(error.phase())(error))?;
        // Snapshot and locks are released: the answer may take its time.
        let refused = join_refused(built.refused.take(), loaded.refused.take());
        built.refused = self.ask_to_keep(refused, scope).await?;
        let statistics = self.copy_statistics(&loaded.catalog, &loaded.importable, scope);
        loaded.notes.extend(statistics.await?);
        loaded.notes.extend(self.analyze(&loaded.unanalyzed).await?);
        let event_triggers = built.take_event_triggers();
        self.finish_contents(event_triggers, flush, scope).await?;
        Ok(build_report(planned.name(), built, loaded))
    }

    /// Decides whether the database is kept without what was refused; returns that.
    async fn ask_to_keep(
        &self,
        refused: Option<Refused>,
        scope: &Scope,
    ) -> Result<Option<Refused>, Failure> {
        let Some(refused) = refused else {
            return Ok(None);
        };
        let refused = Arc::new(refused);
        let keeps = self
            .options()
            .on_refusal
            .keeps(self.planned().name(), &refused, &scope.stop);
        let is_kept = keeps.await;
        if scope.stop.is_cancelled() {
            return Err(Failure::in_phase(Phase::PostData)(snapshot::Error::Stopped));
        }
        let refused = Arc::try_unwrap(refused).expect("who was asked has answered");
        match is_kept {
            true => Ok(Some(refused)),
            false => Err(Failure::refused(Phase::PostData, refused)),
        }
    }

    /// Analyzes tables for which the steps of the script have not done it, since something on them was refused.
    async fn analyze(&self, tables: &[QualifiedName]) -> Result<Vec<String>, Failure> {
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let session = self.endpoints.target.session(Purpose::Build).await;
        let session = session.map_err(Failure::connect(Phase::Statistics))?;
        let mut notes = Vec::new();
        for table in tables {
            let analyzed = snapshot::analyze(&session, table).await;
            notes.extend(analyzed.map_err(Failure::in_phase(Phase::Statistics))?);
        }
        Ok(notes)
    }

    /// Removes the journal, creates the event triggers, and waits until everything is flushed.
    async fn finish_contents(
        &self,
        event_triggers: Option<Section>,
        flush: Flush,
        scope: &Scope,
    ) -> Result<(), Failure> {
        let (planned, record) = (self.planned(), self.run.execution.record);
        // Event triggers would fire on the drop.
        let sealing = journal::seal_journal(&self.endpoints.target, |seal| {
            record.record_seal(&planned.pair(), seal)
        });
        sealing.await.map_err(Failure::around_copy)?;
        if let Some(section) = event_triggers {
            // It is not entered in the journal, which no longer exists.
            let target = BuildTarget {
                target: self.run.target(),
                database: planned.name().to_owned(),
                phase: Phase::EventTriggers,
                evaluation: Evaluation::default(),
            };
            let building = snapshot::run_section(&target, section, 1, scope);
            run_phase(scope, Some(planned.name()), Phase::EventTriggers, building)
                .await
                .map_err(Failure::in_phase(Phase::EventTriggers))?;
        }
        flush
            .wait()
            .await
            .map_err(|error| Failure::in_phase(Phase::Flush)(error.into()))
    }

    /// Copies what the source's planner knows of the rows; returns what the target does not get.
    async fn copy_statistics(
        &self,
        catalog: &Catalog,
        tables: &BTreeSet<QualifiedName>,
        scope: &Scope,
    ) -> Result<Vec<String>, Failure> {
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let endpoints = self.endpoints.as_ref();
        let database = Some(endpoints.target.database());
        let copying = Box::pin(snapshot::copy_statistics(endpoints, catalog, tables, scope));
        run_phase(scope, database, Phase::Statistics, copying)
            .await
            .map_err(Failure::in_phase(Phase::Statistics))
    }

    /// Fits the catalog to the target, and creates the definitions that rows need.
    async fn build_before_rows(
        &self,
        point: &mut ConsistentPoint,
        scope: &Scope,
    ) -> Result<Built, Failure> {
        let target = &self.endpoints.target;
        let options = load_options(target, &point.catalog, &self.cluster().options).await;
        let options = options.map_err(Failure::connect(Phase::PreData))?;
        let fitted = ddl::fit(&mut point.catalog, &options, &self.planned().scope);
        let script = fitted.script.map_err(Failure::Ddl)?;
        if self.options().schema_only {
            point.hold.unlock();
        }
        let fitted_script = FittedScript { options, script };
        let mut built = self.build_pre_data(point, fitted_script, scope).await?;
        let excluded = fitted.omissions.iter().map(ToString::to_string);
        built.differences.splice(0..0, excluded);
        if let Some(refused) = &built.refused {
            forget_missing(&mut point.catalog, refused);
        }
        Ok(built)
    }

    /// Creates the definitions that rows need, and arranges those that follow.
    async fn build_pre_data(
        &self,
        point: &ConsistentPoint,
        fitted: FittedScript,
        scope: &Scope,
    ) -> Result<Built, Failure> {
        let target = &self.endpoints.target;
        let FittedScript {
            mut options,
            script,
        } = fitted;
        let evaluation = Evaluation::load_for(point).await;
        let evaluation = evaluation.map_err(Failure::in_phase(Phase::PreData))?;
        let building = PreData {
            evaluation: &evaluation,
            endpoints: &self.endpoints,
            catalog: &point.catalog,
            jobs: self.options().jobs,
            skip_refused: self.options().on_refusal.is_skip(),
        };
        let building = Box::pin(building.create_definitions(&mut options, script, scope));
        let Created {
            mut script,
            mut refused,
        } = run_phase(scope, Some(target.database()), Phase::PreData, building).await?;
        let statements = script.pre_data.len() + script.post_data.len();
        let missing = existing::fit_post_data(target, &point.catalog, &options, &mut script).await;
        let missing = missing.map_err(Failure::connect(Phase::PreData))?;
        if let Some(refused) = &mut refused {
            let post_data = std::mem::take(&mut script.post_data);
            script.post_data = skip_dependents(&script, post_data, refused);
        }
        // Also what depends on a refused object must be such that it may be missing; before any row is copied.
        let refused = match refused {
            Some(refused) if !refused.is_optional() => {
                return Err(Failure::refused(Phase::PreData, refused));
            }
            refused => refused,
        };
        let tables = if self.options().schema_only {
            Tables::default()
        } else {
            Tables::with_rows(&point.catalog)
        };
        let ddl::PostData { rest, last } = script.split_last();
        let omissions = script.omissions.iter().map(ToString::to_string);
        Ok(Built {
            post_data: Section::new(rest, &script.steps, &tables),
            last,
            statements,
            evaluation,
            differences: omissions.chain(missing).collect(),
            refused,
            script,
        })
    }
}

/// A script, and the options that it was rendered for.
struct FittedScript {
    options: ddl::Options,
    script: Script,
}

/// Does work that holds locks on the source; where a session waits for one, the work is stopped through
/// `guard`, and that session is the error, unless DDL is to wait.
async fn run_yielding<T>(
    source: &Endpoint,
    options: &Options,
    guard: &Scope,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let waiting = if options.locks.keep {
        Waiting::Keep
    } else {
        Waiting::Yield
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
    Err(Failure::in_phase(Phase::Data)(wanted))
}

/// Reports the copy of a database.
fn build_report(name: &str, built: Built, loaded: Loaded) -> DatabaseReport {
    let Loaded {
        tables,
        objects,
        consistent_point,
        sequences,
        notes,
        ..
    } = loaded;
    let gone = sequences.gone.iter();
    let gone = gone.map(|name| format!("sequence {name} was dropped on the source meanwhile"));
    let absent = sequences.absent.iter().map(|name| {
        format!("sequence {name}: the target's version of its extension does not have it")
    });
    let differences = built.differences.into_iter().chain(objects.skipped);
    DatabaseReport {
        name: name.to_owned(),
        consistent_point,
        tables,
        statements: built.statements,
        sequences: sequences.count,
        large_objects: objects.count,
        differences: differences.chain(gone).chain(absent).chain(notes).collect(),
        refused: built.refused.map(Arc::new),
        missing_file: None,
        elapsed: std::time::Duration::ZERO,
    }
}

/// What the definitions before the rows leave for those after them.
struct Built {
    post_data: Section,
    /// Those that create event triggers: no session of ours is opened after the first of them.
    last: Vec<Statement>,
    statements: usize,
    differences: Vec<String>,
    /// The settings under which the source evaluates what belongs to the database.
    evaluation: Evaluation,
    /// What the target has refused and may be missing.
    refused: Option<Refused>,
    script: Script,
}

impl Built {
    /// Takes the event triggers that depend on nothing that is missing.
    fn take_event_triggers(&mut self) -> Option<Section> {
        let mut last = std::mem::take(&mut self.last);
        if let Some(refused) = &mut self.refused {
            last = skip_dependents(&self.script, last, refused);
        }
        (!last.is_empty()).then(|| Section::new(last, &self.script.steps, &Tables::default()))
    }
}
