//! Makes definitions on the target: many statements to a transaction, none waiting for the answer
//! to the one before, on several sessions where nothing speaks against it.
//!
//! A statement that the target refuses takes down what needs it and nothing else: its transaction is
//! rolled back and run again without it.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use futures_util::future::join_all;

use super::lane::Work;
use super::refusal::{Reason, Refusal, Refused, Skipped};
use super::schedule::{Rows, Schedule, Unit};
use crate::catalog::Catalog;
use crate::connect::{self, Capacity, Endpoint, Purpose, Session, Tuning};
use crate::ddl::{Kind, NO_RELATION, Stage, Statement, Step, StepPath};
use crate::event::Phase;
use crate::pg::{Oid, QualifiedName};
use crate::snapshot::crew::is_left_for;
use crate::snapshot::error::Error;
use crate::snapshot::evaluation::Evaluation;
use crate::snapshot::ledger::Ledger;
use crate::snapshot::lock_table::share_of_locks;
use crate::task::{Crew, Group, Scope};

/// Where a script runs, and what to call it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The target's database.
    pub target: Endpoint,
    /// The phase, for events.
    pub phase: Phase,
    /// The settings under which the source's database evaluates what belongs to it.
    pub evaluation: Evaluation,
}

/// The statements of one section, by step.
#[derive(Clone, Debug)]
pub struct Section {
    pub(super) statements: Vec<Statement>,
    /// The statements of each step.
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) units: Vec<Unit>,
    /// The search paths of steps that need one.
    pub(super) paths: HashMap<usize, StepPath>,
    /// What the last steps analyse.
    pub(super) analyzed: Vec<QualifiedName>,
}

impl Section {
    /// A section of a script.
    pub fn new(statements: Vec<Statement>, steps: &[Step], tables: &Tables) -> Self {
        let mut places = HashMap::new();
        let mut section = Self {
            statements: Vec::new(),
            ranges: Vec::new(),
            units: Vec::new(),
            paths: HashMap::new(),
            analyzed: Vec::new(),
        };
        let mut begin = 0;
        for of_step in statements.chunk_by(|one, next| one.step == next.step) {
            let number = of_step[0].step;
            let range = begin..begin + of_step.len();
            begin = range.end;
            places.insert(number, section.units.len());
            if let Some(path) = &steps[number].search_path {
                section.paths.insert(section.units.len(), path.clone());
            }
            section
                .units
                .push(unit(of_step, &steps[number], &places, tables));
            section.ranges.push(range);
        }
        section.statements = statements;
        section
    }

    pub(super) fn step_of(&self, statement: usize) -> usize {
        self.ranges.partition_point(|range| range.end <= statement)
    }

    pub(super) fn label(&self, step: usize) -> String {
        self.statements[self.ranges[step].start].object.to_string()
    }

    /// What a step analyses, if that is what it does.
    pub(super) fn analysis(&self, step: usize) -> Option<&QualifiedName> {
        let definitions = self.units.len() - self.analyzed.len();
        self.analyzed.get(step.checked_sub(definitions)?)
    }
}

/// What is known of the tables of a section, by their oids on the source.
#[derive(Debug, Default)]
pub struct Tables {
    /// Their bytes; empty where no rows are copied.
    sizes: HashMap<Oid, u64>,
    /// The tables that inherit from each, or are partitions of it, at any depth.
    below: HashMap<Oid, Vec<Oid>>,
}

impl Tables {
    /// The tables of a catalog, whose rows are copied.
    pub fn with_rows(catalog: &Catalog) -> Self {
        let mut children: HashMap<Oid, Vec<Oid>> = HashMap::new();
        for table in &catalog.tables {
            for parent in &table.parents {
                children.entry(*parent).or_default().push(table.id.oid);
            }
        }
        let below = children.keys().map(|table| {
            let (mut found, mut left) = (Vec::new(), vec![*table]);
            while let Some(next) = left.pop() {
                for child in children.get(&next).into_iter().flatten() {
                    found.push(*child);
                    left.push(*child);
                }
            }
            (*table, found)
        });
        let sizes = catalog.tables.iter();
        Self {
            sizes: sizes
                .map(|table| (table.id.oid, table.size.bytes()))
                .collect(),
            below: below.collect(),
        }
    }

    pub(super) fn bytes(&self, relations: &[Oid]) -> u64 {
        let size = |oid: &Oid| self.sizes.get(oid).copied().unwrap_or(0);
        relations.iter().map(size).sum()
    }

    /// The relations, and all tables below them.
    pub(in crate::snapshot) fn with_below(&self, relations: impl Iterator<Item = Oid>) -> Vec<Oid> {
        let mut all = Vec::new();
        for relation in relations {
            all.push(relation);
            all.extend(self.below.get(&relation).into_iter().flatten());
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn unit(
    statements: &[Statement],
    step: &Step,
    places: &HashMap<usize, usize>,
    tables: &Tables,
) -> Unit {
    let kind = statements[0].kind;
    let weight = if kind == Kind::Refresh && !tables.sizes.is_empty() {
        tables.bytes(&step.reads)
    } else {
        tables.bytes(&step.scans)
    };
    Unit {
        needs: step
            .needs
            .iter()
            .filter_map(|needed| places.get(needed).copied())
            .collect(),
        stage: step.stage,
        locks: step.locks.clone(),
        reads: step.reads.clone(),
        is_alone: step.must_run_alone,
        is_single: statements
            .iter()
            .any(|statement| statement.needs_no_transaction),
        is_compared: step.search_path.is_some(),
        // A table brings its TOAST table, sequences, types; a key its index and both tables.
        cost: 4 + 3 * statements.len() + step.needs.len() + step.locks.len(),
        weight,
        spans_tables: kind == Kind::ForeignKey,
        rows: rows(step, tables),
    }
}

/// The rows that a step waits for. What touches no table by name, locks more than it says, bars its
/// own makers, or runs code that may look anywhere, waits for all.
fn rows(step: &Step, tables: &Tables) -> Rows {
    let touches = || step.locks.iter().chain(&step.reads).chain(&step.scans);
    let is_vague = step.must_run_alone || step.runs_code || touches().any(|of| *of == NO_RELATION);
    if is_vague || step.stage > Stage::Definitions {
        return Rows::All;
    }
    Rows::Of(tables.with_below(touches().copied()))
}

/// Runs a section on up to `jobs` sessions; on return all that could be made is committed.
///
/// # Errors
/// [`Error::Refused`] after everything else was made; another error at once, when a connection is
/// lost or the scope was stopped, with the running statements cancelled on the server.
pub async fn run_section(
    site: &Site,
    section: Section,
    jobs: usize,
    scope: &Scope,
) -> Result<(), Error> {
    if section.statements.is_empty() {
        return Ok(());
    }
    let lanes = jobs.clamp(1, section.units.len());
    let prepared = prepare(site, section, lanes, BTreeSet::new(), Ledger::none()).await?;
    let Prepared { work, first, .. } = prepared;
    let work = Arc::new(work);
    let mut group = Group::new(scope);
    let mut first = Some(first);
    let crew = Arc::new(Crew::of(lanes));
    for lane in 0..lanes {
        let (work, scope, opened) = (Arc::clone(&work), group.scope().clone(), first.take());
        let crew = Arc::clone(&crew);
        group.spawn(async move {
            let session = match opened {
                Some(session) => session,
                None => match work.session().await {
                    Ok(session) => session,
                    // The others run its steps.
                    Err(error) if is_left_for(&crew, &error, &scope).await => return Ok(()),
                    Err(error) => return Err(error),
                },
            };
            stoppable(&[&session], &scope, work.run_lane(lane, &session, &scope)).await
        });
    }
    group.join().await?;
    told(&work).map(drop)
}

/// Prepares the lanes of a section. The rows of the tables
/// `missing` are still to come.
pub(in crate::snapshot) async fn prepare(
    site: &Site,
    section: Section,
    lanes: usize,
    missing: BTreeSet<Oid>,
    ledger: Ledger,
) -> Result<Prepared, Error> {
    let first = site.target.session(Purpose::Build).await;
    let first = first.map_err(Error::Connect)?;
    let budget = share_of_locks(&first, lanes)
        .await
        .map_err(Error::Connect)?;
    let capacity = Capacity::read(&first).await.map_err(Error::Connect)?;
    let tuning = Tuning::new(&capacity, lanes);
    tuning.apply(&first).await.map_err(Error::Connect)?;
    let (evaluation, unset) = site.evaluation.clone().settle(&first).await?;
    let site = Site {
        evaluation,
        ..site.clone()
    };
    let schedule = Schedule::new(section.units.clone(), lanes, budget, missing);
    let work = Work::new(site, section, schedule, (tuning, ledger));
    Ok(Prepared { work, first, unset })
}

/// What the lanes of a section begin with.
pub(in crate::snapshot) struct Prepared {
    /// What they share.
    pub(in crate::snapshot) work: Work,
    /// A session for the first of them.
    pub(in crate::snapshot) first: Session,
    /// The settings that the target does not take, in words.
    pub(in crate::snapshot) unset: Option<String>,
}

/// What is missing and can be made up for by a later statement.
#[derive(Debug, Default)]
pub(in crate::snapshot) struct Lacking {
    /// The tables that could not be analysed, with why.
    pub(in crate::snapshot) unanalyzed: Vec<(QualifiedName, connect::Error)>,
    /// The materialized views that could not be filled, in words.
    pub(in crate::snapshot) unfilled: Vec<String>,
}

/// What is missing, if anything is; else only what a later statement makes up for.
pub(in crate::snapshot) fn told(work: &Work) -> Result<Lacking, Error> {
    let section = &work.section;
    let (mut refusals, mut lacking) = (Vec::new(), Lacking::default());
    for (number, reason) in work.take_refusals() {
        let step = section.step_of(number);
        match (section.analysis(step), reason) {
            (Some(table), Reason::Answer(error)) => {
                lacking.unanalyzed.push((table.clone(), error));
            }
            (None, Reason::Answer(error)) if is_far(section.statements[number].kind, &error) => {
                lacking.unfilled.push(unfilled(section, step, &error));
            }
            (_, reason) => refusals.push((number, reason)),
        }
    }
    if refusals.is_empty() {
        return Ok(lacking);
    }
    let refusals: Vec<Refusal> = refusals
        .into_iter()
        .map(|(number, source)| {
            let statement = &section.statements[number];
            Refusal {
                object: statement.object.to_string(),
                statement: Some(statement.shown().as_str().to_owned()),
                source,
            }
        })
        .collect();
    let skipped = work.skipped().into_iter();
    let skipped = skipped.filter(|(step, _)| section.analysis(*step).is_none());
    let skipped = skipped.map(|(step, cause)| Skipped {
        object: section.label(step),
        cause: section.label(cause),
    });
    let skipped = skipped.collect();
    for refusal in &refusals {
        tracing::debug!(object = refusal.object, "refused: {}", refusal.source);
    }
    Err(Error::Refused(Box::new(Refused { refusals, skipped })))
}

/// Whether a materialized view could not be filled since the target reaches no foreign server: the copy
/// of everything else is as good without it.
fn is_far(kind: Kind, error: &connect::Error) -> bool {
    let answer = error.answer();
    let is_of_foreign_server = answer.is_some_and(|one| matches!(one.code.class(), "08" | "HV"));
    kind == Kind::Refresh && is_of_foreign_server
}

/// A materialized view without rows, and those that read it.
fn unfilled(section: &Section, step: usize, error: &connect::Error) -> String {
    let mut views = vec![step];
    for (number, unit) in section.units.iter().enumerate() {
        let is_view = section.analysis(number).is_none();
        if is_view && unit.needs.iter().any(|needed| views.contains(needed)) {
            views.push(number);
        }
    }
    let labels: Vec<String> = views.iter().map(|view| section.label(*view)).collect();
    format!(
        "{}: not filled, the target cannot reach what it reads ({error}); run REFRESH MATERIALIZED VIEW \
         once it can",
        labels.join(", ")
    )
}

/// Runs work on sessions until it ends or the scope is stopped. Stopped statements are cancelled on
/// their servers, which would otherwise go on with them long after we are gone.
pub(in crate::snapshot) async fn stoppable<T>(
    sessions: &[&Session],
    scope: &Scope,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let cancelling = sessions.iter().map(|session| session.request_cancel());
    let cancel = async { drop(join_all(cancelling).await) };
    match scope.cancelling(cancel, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::Stopped),
    }
}
