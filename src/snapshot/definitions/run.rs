//! Runs a section: many statements per transaction, pipelined, on several sessions where the schedule allows it.
//!
//! A statement that the target refuses takes only its dependents with it: its transaction is rolled back and
//! run again without it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::schedule::state::Schedule;
use super::section::Section;
use super::section_run::SectionRun;
use super::target::BuildTarget;
use crate::connect::{Capacity, Purpose, Session, Tuning};
use crate::pg::Oid;
use crate::snapshot::crew::is_left_for;
use crate::snapshot::error::Error;
use crate::snapshot::lock_table::load_share_of_locks;
use crate::snapshot::stop::run_stoppable;
use crate::task::{Crew, Group, Scope};
use crate::transfer::Ledger;

/// What a section waits for and reports to.
pub(crate) struct Loading {
    /// Tables whose rows have not arrived.
    pub(crate) missing: BTreeSet<Oid>,
    /// The ledger of created definitions.
    pub(crate) ledger: Ledger,
}

/// A section that is ready to run.
pub(crate) struct Prepared {
    /// The state that the workers share.
    pub(crate) run: SectionRun,
    /// A session for the first worker.
    pub(crate) first: Session,
    /// The settings that the target refuses, in words.
    pub(crate) refused_settings: Option<String>,
}

/// Runs a section on up to `jobs` sessions. On return everything that could be created is committed.
///
/// # Errors
/// [`Error::Refused`] after everything else was created; another error at once, if a connection is
/// lost or the scope was stopped, with the running statements cancelled on the server.
pub async fn run_section(
    target: &BuildTarget,
    section: Section,
    jobs: usize,
    scope: &Scope,
) -> Result<(), Error> {
    if section.statements.is_empty() {
        return Ok(());
    }
    let workers = jobs.clamp(1, section.steps.len());
    let loading = Loading {
        missing: BTreeSet::new(),
        ledger: Ledger::none(),
    };
    let prepared = prepare_section(target, section, workers, loading).await?;
    let run = Arc::new(prepared.run);
    let mut first = Some(prepared.first);
    let mut group = Group::new(scope);
    let crew = Arc::new(Crew::of(workers));
    for number in 0..workers {
        let builder = Builder {
            number,
            run: Arc::clone(&run),
            crew: Arc::clone(&crew),
            scope: group.scope().clone(),
        };
        group.spawn(builder.run(first.take()));
    }
    group.join().await?;
    run.take_gaps().map(drop)
}

/// A worker of a section that waits for no rows.
struct Builder {
    number: usize,
    run: Arc<SectionRun>,
    crew: Arc<Crew>,
    scope: Scope,
}

impl Builder {
    async fn run(self, opened: Option<Session>) -> Result<(), Error> {
        let session = match opened {
            Some(session) => session,
            None => match self.run.open_session().await {
                Ok(session) => session,
                // The other workers run its steps.
                Err(error) if is_left_for(&self.crew, &error, &self.scope).await => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        let work = self.run.run_all_steps(self.number, &session, &self.scope);
        run_stoppable(&[&session], &self.scope, work).await
    }
}

/// Prepares a section for so many workers.
pub(crate) async fn prepare_section(
    target: &BuildTarget,
    section: Section,
    workers: usize,
    loading: Loading,
) -> Result<Prepared, Error> {
    let opened = target.target.session(Purpose::Build).await;
    let first = opened.map_err(Error::Connect)?;
    let loaded = load_share_of_locks(&first, workers).await;
    let budget = loaded.map_err(Error::Connect)?;
    let capacity = Capacity::read(&first).await.map_err(Error::Connect)?;
    let tuning = Tuning::new(&capacity, workers);
    tuning.apply(&first).await.map_err(Error::Connect)?;
    let (evaluation, refused_settings) = target.evaluation.clone().settle(&first).await?;
    let target = BuildTarget {
        evaluation,
        ..target.clone()
    };
    let mut schedule = Schedule::new(section.steps.clone(), workers, budget, loading.missing);
    schedule.allow_search_path(target.evaluation.has_path());
    Ok(Prepared {
        run: SectionRun::new(target, section, schedule, tuning, loading.ledger),
        first,
        refused_settings,
    })
}
