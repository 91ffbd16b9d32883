//! Creates what an earlier run has not created, since the target had refused it: nothing else is written, and the source
//! is only read. Rows, publication, slot and a subscription of the target stay as they are.

use std::sync::Arc;
use std::time::Instant;

use super::database_privileges::{grant_create, revoke_create};
use crate::connect::Endpoint;
use crate::ddl::{self, Script, Statement};
use crate::event::Phase;
use crate::migrate::error::Error;
use crate::migrate::execute::existing::{bring_defaults_back, set_defaults_aside};
use crate::migrate::execute::failure::Failure;
use crate::migrate::execute::missing::{join_refused, skip_dependents};
use crate::migrate::execute::missing_steps::{MissingSteps, exists_already, keep_missing};
use crate::migrate::execute::phase::run_phase;
use crate::migrate::execute::roles;
use crate::migrate::execute::run::take_locks;
use crate::migrate::execute::slot_guard::Foundation;
use crate::migrate::execute::target_options::load_options;
use crate::migrate::options::Options;
use crate::migrate::planned::{PlannedDatabase, Prepared};
use crate::migrate::record::{self, Record};
use crate::migrate::repeats::read_definitions;
use crate::migrate::report::{DatabaseReport, Report};
use crate::migrate::target_action::TargetAction;
use crate::migrate::target_cluster::TargetCluster;
use crate::pg::Side;
use crate::snapshot::{self, BuildTarget, Evaluation, Refused, Section, Tables, WatchedSlots};
use crate::task::Scope;
use crate::transfer::Flush;

/// Completes the databases of a plan. The user has agreed.
///
/// # Errors
/// A server could not be used, or a lock of the run was lost. What was created stays, and is tried again by the next
/// run.
pub(super) async fn complete_databases(
    prepared: Prepared,
    options: &Options,
    scope: &Scope,
) -> Result<Report, Error> {
    let begun = Instant::now();
    let Prepared {
        databases,
        cluster,
        resume,
        ..
    } = prepared;
    let foundation = Foundation {
        locks: take_locks(&databases, options).await?,
        slots: WatchedSlots::default(),
    };
    let cluster = cluster.expect("a plan without errors has read the roles");
    let memberships = cluster.plan_memberships();
    let member = &cluster.options.target.connected_as;
    let granted = record::granted_memberships(&memberships, member);
    let record = Record::continue_run(resume, granted)?;
    let mut report = Report::default();
    let guard = scope.child();
    let working = async {
        roles::run_memberships(&memberships.grants, options).await?;
        for planned in &databases {
            let completion = Completion {
                options,
                cluster: &cluster,
                record: &record,
                planned,
            };
            if matches!(planned.action, TargetAction::Complete { .. }) {
                let done = Box::pin(completion.run(&guard)).await?;
                report.databases.push(done);
            } else {
                report.kept.push(planned.kept());
            }
        }
        Ok::<(), Error>(())
    };
    let done = foundation
        .run_guarded(options, &guard, Box::pin(working))
        .await;
    // Also after a failure: nobody wants to stay a member of everyone.
    let revokes = record.pending_revokes(&cluster, &memberships);
    let ended = roles::run_memberships(&revokes, &options.despite_stop()).await;
    let ended = ended.and_then(|()| record.record_revoked());
    foundation.locks.release().await;
    done?;
    ended?;
    report.elapsed = begun.elapsed();
    Ok(report)
}

/// The completion of one database.
struct Completion<'c> {
    options: &'c Options,
    cluster: &'c TargetCluster,
    record: &'c Record,
    planned: &'c PlannedDatabase,
}

/// What is created in a database, and how.
struct Work {
    script: Script,
    steps: MissingSteps,
    evaluation: Evaluation,
}

/// What came of some statements.
#[derive(Default)]
struct Attempted {
    refused: Option<Refused>,
    /// Objects that exist, in words.
    existing: Vec<String>,
}

impl Completion<'_> {
    fn target(&self) -> Endpoint {
        let name = self.planned.target().as_str();
        self.options.target.with_database(name)
    }

    async fn run(&self, scope: &Scope) -> Result<DatabaseReport, Error> {
        if scope.stop.is_cancelled() {
            return Err(Error::Stopped);
        }
        let begun = Instant::now();
        let target = self.target();
        let name = self.planned.name();
        let failed = |failure: Failure| failure.into_error(name, false);
        let flush = Flush::open(&target).await.map_err(snapshot::Error::Flush);
        let flush = flush.map_err(|error| failed(Failure::in_phase(Phase::Flush)(error)))?;
        let work = self.plan_work(&target).await?;
        let granted = grant_create(&target, &work.script, &self.cluster.options).await?;
        let defaults = set_defaults_aside(&target, &self.cluster.options).await?;
        let attempted = Box::pin(self.attempt_all(&work, scope)).await;
        let brought = bring_defaults_back(&target, &defaults).await;
        let revoked = revoke_create(&target, &granted).await;
        let attempted = attempted.map_err(failed)?;
        brought.and(revoked)?;
        let flushed = flush.wait().await.map_err(snapshot::Error::Flush);
        flushed.map_err(|error| failed(Failure::in_phase(Phase::Flush)(error)))?;
        let refused = attempted.refused.as_ref();
        let missing_file = self.record.record_missing(&self.planned.pair(), refused)?;
        let gone = work.steps.gone.iter();
        let gone =
            gone.map(|object| format!("{object}: the source no longer has it, or it is excluded"));
        let existing = attempted.existing.iter();
        let existing = existing
            .map(|object| format!("{object}: it exists, and was neither changed nor compared"));
        Ok(DatabaseReport {
            name: name.to_owned(),
            consistent_point: None,
            tables: Vec::new(),
            statements: work.count_statements(),
            sequences: 0,
            large_objects: 0,
            differences: gone.chain(existing).collect(),
            refused: attempted.refused.map(Arc::new),
            missing_file,
            elapsed: begun.elapsed(),
        })
    }

    /// Reads the definitions of the source, and finds the statements of the missing objects.
    async fn plan_work(&self, target: &Endpoint) -> Result<Work, Error> {
        let source = self.options.source.with_database(self.planned.name());
        let version = self.cluster.options.target.version;
        let (reading, mut catalog) = read_definitions(&source, version).await?;
        let evaluation = Evaluation::load(reading.session()).await;
        let evaluation = evaluation.map_err(Error::examine(Side::Source))?;
        drop(reading);
        let options = load_options(target, &catalog, &self.cluster.options).await;
        let options = options.map_err(Error::examine(Side::Target))?;
        let fitted = ddl::fit(&mut catalog, &options, &self.planned.scope);
        let script = fitted.script.map_err(|source| Error::Ddl {
            database: self.planned.name().to_owned(),
            source,
        })?;
        Ok(Work {
            steps: MissingSteps::find(&script, &catalog, &self.planned.missing),
            script,
            evaluation,
        })
    }

    /// Creates everything that can be created; returns what is still missing.
    async fn attempt_all(&self, work: &Work, scope: &Scope) -> Result<Attempted, Failure> {
        let mut all = Attempted::default();
        for (phase, statements) in [
            (Phase::PreData, &work.steps.pre_data),
            (Phase::PostData, &work.steps.post_data),
            (Phase::EventTriggers, &work.steps.last),
        ] {
            let mut statements = statements.clone();
            if let Some(refused) = &mut all.refused {
                statements = skip_dependents(&work.script, statements, refused);
            }
            if statements.is_empty() {
                continue;
            }
            let database = Some(self.planned.target().as_str());
            let attempting = self.attempt(work, phase, statements, scope);
            let attempted = run_phase(scope, database, phase, attempting).await?;
            all.refused = join_refused(all.refused, attempted.refused);
            all.existing.extend(attempted.existing);
        }
        Ok(all)
    }

    /// Creates what some statements create. What depends on an object that somebody else has created meanwhile is
    /// tried again without that.
    async fn attempt(
        &self,
        work: &Work,
        phase: Phase,
        mut statements: Vec<Statement>,
        scope: &Scope,
    ) -> Result<Attempted, Failure> {
        let target = BuildTarget {
            target: self.target(),
            database: self.planned.name().to_owned(),
            phase,
            evaluation: work.evaluation.clone(),
        };
        let mut existing = Vec::new();
        loop {
            let tables = Tables::default();
            let section = Section::new(statements.clone(), &work.script.steps, &tables);
            let running = snapshot::run_section(&target, section, self.options.jobs, scope);
            let failure = match running.await.map_err(Failure::in_phase(phase)) {
                Ok(()) => {
                    let refused = None;
                    return Ok(Attempted { refused, existing });
                }
                Err(failure) => failure,
            };
            let refused = failure.into_refused()?;
            let found = refused.refusals.iter().filter(|one| {
                one.answer()
                    .is_some_and(|answer| exists_already(answer.code))
            });
            let found: Vec<String> = found.map(|one| one.object.clone()).collect();
            if found.is_empty() {
                let refused = Some(refused);
                return Ok(Attempted { refused, existing });
            }
            existing.extend(found);
            statements = keep_missing(statements, &refused);
        }
    }
}

impl Work {
    fn count_statements(&self) -> usize {
        let MissingSteps {
            pre_data,
            post_data,
            last,
            gone: _,
        } = &self.steps;
        pre_data.len() + post_data.len() + last.len()
    }
}
