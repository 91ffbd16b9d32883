//! The state of the schedule, and its transitions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::held::HeldRelations;
use super::step::{RequiredRows, ScheduledStep};
use crate::ddl::Stage;
use crate::pg::Oid;

/// Most steps that are examined for a worker: with very many held relations the search itself would take too
/// long.
const EXAMINED: usize = 4000;

/// Bytes of a table below which a step on it takes no time, so that other transactions may queue behind it.
pub(super) const LIGHT: u64 = 16 * 1024 * 1024;

/// Most steps of one transaction.
const BATCH: usize = 200;

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Waiting,
    Taken {
        worker: usize,
    },
    Done,
    Refused,
    /// A step that it depends on was refused.
    Skipped {
        cause: usize,
    },
}

/// All steps of a section and their states.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(super) steps: Vec<ScheduledStep>,
    dependents: Vec<Vec<usize>>,
    pub(super) states: Vec<StepState>,
    /// For each step: how many needed steps are neither under way nor done, plus the tables whose rows are
    /// missing.
    open: Vec<usize>,
    /// Steps whose needed steps are at least under way, the longest critical paths first.
    ready: BTreeSet<(Stage, Reverse<u64>, usize)>,
    /// For each step: its own work and the longest work that waits for it, in bytes.
    critical_paths: Vec<u64>,
    /// Tables whose rows have not arrived.
    missing: BTreeSet<Oid>,
    /// The steps that wait for each of them.
    behind: HashMap<Oid, Vec<usize>>,
    /// The steps that wait for all of them.
    behind_all: Vec<usize>,
    held: HeldRelations,
    /// Steps under way, by worker.
    under_way: Vec<usize>,
    /// Steps under way that run alone.
    alone: usize,
    /// Steps of each stage that have not ended.
    pub(super) left: HashMap<Stage, usize>,
    /// Entries of the lock table that one transaction may take.
    budget: usize,
    /// Steps that have succeeded.
    pub(super) successes: usize,
    /// The steps that may succeed later, each with the successes before its last attempt.
    pub(super) retried: BTreeMap<usize, usize>,
    /// The steps that run with the database's search path.
    pub(super) with_path: BTreeSet<usize>,
    /// Whether the database has a search path to try.
    pub(super) is_path_allowed: bool,
}

impl Schedule {
    /// Creates a schedule for so many workers. Each transaction may take `budget` locks; the rows of the
    /// `missing` tables have not arrived.
    pub(crate) fn new(
        mut steps: Vec<ScheduledStep>,
        workers: usize,
        budget: usize,
        missing: BTreeSet<Oid>,
    ) -> Self {
        let mut dependents = vec![Vec::new(); steps.len()];
        let mut left = HashMap::new();
        for number in 0..steps.len() {
            let needs = std::mem::take(&mut steps[number].needs);
            for needed in &needs {
                dependents[*needed].push(number);
                steps[number].stage = steps[number].stage.max(steps[*needed].stage);
            }
            steps[number].needs = needs;
            *left.entry(steps[number].stage).or_default() += 1;
        }
        let mut schedule = Self {
            critical_paths: compute_critical_paths(&steps, &dependents),
            behind: HashMap::new(),
            behind_all: Vec::new(),
            missing,
            dependents,
            states: vec![StepState::Waiting; steps.len()],
            open: vec![0; steps.len()],
            steps,
            ready: BTreeSet::new(),
            held: HeldRelations::default(),
            under_way: vec![0; workers],
            alone: 0,
            left,
            budget,
            successes: 0,
            retried: BTreeMap::new(),
            with_path: BTreeSet::new(),
            is_path_allowed: false,
        };
        schedule.wait_for_rows();
        schedule.find_ready_steps();
        schedule
    }

    /// Records which steps wait for which rows.
    fn wait_for_rows(&mut self) {
        for (number, step) in self.steps.iter().enumerate() {
            match &step.rows {
                RequiredRows::All if self.missing.is_empty() => {}
                RequiredRows::All => self.behind_all.push(number),
                RequiredRows::Of(tables) => {
                    for table in tables.iter().filter(|table| self.missing.contains(table)) {
                        self.behind.entry(*table).or_default().push(number);
                    }
                }
            }
        }
    }

    /// Whether every step has ended one way or another.
    pub(crate) fn is_finished(&self) -> bool {
        self.left.values().all(|left| *left == 0)
    }

    /// Returns the bytes that all steps read.
    pub(crate) fn total_weight(&self) -> u64 {
        self.steps.iter().map(|step| step.weight).sum()
    }

    /// Returns the bytes that these steps read.
    pub(crate) fn weight_of(&self, steps: &[usize]) -> u64 {
        steps.iter().map(|number| self.steps[*number].weight).sum()
    }

    /// Returns the longest work that waits for each table's rows, in bytes.
    pub(crate) fn critical_paths_of_tables(&self) -> HashMap<Oid, u64> {
        let mut longest = HashMap::new();
        for (step, path) in self.steps.iter().zip(&self.critical_paths) {
            if let (RequiredRows::Of(tables), false) = (&step.rows, step.spans_tables) {
                for table in tables {
                    let longest = longest.entry(*table).or_insert(0);
                    *longest = (*path).max(*longest);
                }
            }
        }
        longest
    }

    /// Returns the critical path of the step that a worker would take next.
    pub(crate) fn next_critical_path(&self, worker: usize) -> Option<u64> {
        let number = self.find_next(worker, &mut 0)?;
        Some(self.critical_paths[number])
    }

    /// Records that all rows of these tables have arrived.
    pub(crate) fn rows_loaded(&mut self, tables: &[Oid]) {
        let mut freed = Vec::new();
        for table in tables {
            if self.missing.remove(table) {
                freed.extend(self.behind.remove(table).unwrap_or_default());
            }
        }
        if self.missing.is_empty() {
            freed.append(&mut self.behind_all);
        }
        for number in freed {
            self.open[number] -= 1;
            self.add_if_ready(number);
        }
    }

    /// Adds a step to the ready ones if nothing is missing for it.
    fn add_if_ready(&mut self, number: usize) {
        if self.open[number] == 0 && self.states[number] == StepState::Waiting {
            let path = Reverse(self.critical_paths[number]);
            self.ready.insert((self.steps[number].stage, path, number));
        }
    }

    /// Takes the steps of a worker's next transaction, in order. None if nothing can run now, or if the next step
    /// has a shorter critical path than `least_path`.
    pub(crate) fn take_steps(&mut self, worker: usize, least_path: u64) -> Vec<usize> {
        let mut batch = Vec::new();
        let (mut cost, mut weight) = (0, 0);
        let limit = self.batch_limit();
        let mut examined = 0;
        // A step of this batch may make another one ready that comes before those examined already.
        while let Some(number) = self.find_next(worker, &mut examined) {
            if self.critical_paths[number] < least_path {
                break;
            }
            let step = &self.steps[number];
            let first = batch.is_empty();
            let is_full = cost + step.cost > self.budget || weight + step.weight > LIGHT;
            let is_apart = step.is_single || step.is_compared;
            if !first && (is_full || is_apart) {
                break;
            }
            // Its answer would delay those of the transactions before it.
            if step.weight > LIGHT && self.under_way[worker] > 0 && first {
                break;
            }
            let ends_batch = is_apart;
            cost += step.cost;
            weight += step.weight;
            self.start_step(number, worker);
            batch.push(number);
            if ends_batch || batch.len() >= limit {
                break;
            }
        }
        batch
    }

    /// Whether a worker may send another transaction after this one.
    pub(crate) fn may_queue(&self, batch: &[usize]) -> bool {
        let weight = self.weight_of(batch);
        let is_apart =
            |number: &usize| self.steps[*number].is_single || self.steps[*number].is_compared;
        weight <= LIGHT && !batch.iter().any(is_apart)
    }

    /// Returns the most steps of a transaction now; leaves steps for the other workers.
    fn batch_limit(&self) -> usize {
        let workers = self.under_way.len();
        if workers == 1 {
            return BATCH;
        }
        (self.ready.len() / (workers * 2)).clamp(8, BATCH)
    }

    fn find_next(&self, worker: usize, examined: &mut usize) -> Option<usize> {
        let stage = self.ready.first()?.0;
        let has_lower = |(other, left): (&Stage, &usize)| *other < stage && *left > 0;
        if self.left.iter().any(has_lower) {
            return None;
        }
        for (of, _, number) in &self.ready {
            if *of != stage || *examined > EXAMINED {
                return None;
            }
            if self.can_run(*number, worker) {
                return Some(*number);
            }
            *examined += 1;
        }
        None
    }

    fn can_run(&self, number: usize, worker: usize) -> bool {
        let step = &self.steps[number];
        let is_mine = |needed: &usize| match self.states[*needed] {
            StepState::Done => true,
            StepState::Taken { worker: other } => other == worker,
            StepState::Waiting | StepState::Refused | StepState::Skipped { .. } => false,
        };
        step.needs.iter().all(is_mine)
            && self.can_run_beside_others(step.runs_alone, worker)
            && self.held.is_free(step, worker)
    }

    fn can_run_beside_others(&self, runs_alone: bool, worker: usize) -> bool {
        let workers = self.under_way.iter().enumerate();
        let mut others = workers.filter(|(other, count)| *other != worker && **count > 0);
        if self.under_way.len() == 1 {
            true
        } else if runs_alone {
            others.next().is_none()
        } else {
            // Other steps run beside each other once what runs alone has ended.
            self.alone == 0
        }
    }

    fn start_step(&mut self, number: usize, worker: usize) {
        let step = &self.steps[number];
        self.held.hold(step, worker);
        self.alone += usize::from(step.runs_alone);
        self.under_way[worker] += 1;
        self.states[number] = StepState::Taken { worker };
        let path = Reverse(self.critical_paths[number]);
        self.ready.remove(&(step.stage, path, number));
        for at in 0..self.dependents[number].len() {
            let dependent = self.dependents[number][at];
            self.open[dependent] -= 1;
            self.add_if_ready(dependent);
        }
    }

    fn release_step(&mut self, number: usize, worker: usize) {
        let step = &self.steps[number];
        self.held.release(step, worker);
        self.alone -= usize::from(step.runs_alone);
        self.under_way[worker] -= 1;
    }

    /// Records that a worker's transaction is committed.
    pub(crate) fn commit_steps(&mut self, worker: usize, batch: &[usize]) {
        for number in batch {
            self.release_step(*number, worker);
            self.end_step(*number, StepState::Done);
            self.retried.remove(number);
        }
        self.successes += batch.len();
    }

    /// Records that all transactions of a worker were rolled back.
    pub(crate) fn return_steps(&mut self, worker: usize) {
        for number in 0..self.steps.len() {
            if self.states[number] == (StepState::Taken { worker }) {
                self.release_step(number, worker);
                self.states[number] = StepState::Waiting;
            }
        }
        self.find_ready_steps();
    }

    /// Records that a step was refused: it ends, and its dependents are skipped. A step that names something that
    /// does not exist may succeed later. Call it after [`return_steps`](Self::return_steps).
    pub(crate) fn refuse_step(&mut self, number: usize, may_succeed_later: bool) {
        self.end_step(number, StepState::Refused);
        if may_succeed_later {
            self.retried.insert(number, self.successes);
        } else {
            self.retried.remove(&number);
        }
        let mut left = self.dependents[number].clone();
        while let Some(dependent) = left.pop() {
            if self.states[dependent] == StepState::Waiting {
                self.end_step(dependent, StepState::Skipped { cause: number });
                left.extend(&self.dependents[dependent]);
            }
        }
        self.find_ready_steps();
    }

    /// Marks steps to run one by one, with nothing beside them. Call it after
    /// [`return_steps`](Self::return_steps).
    pub(crate) fn run_alone(&mut self, batch: &[usize]) {
        for number in batch {
            self.steps[*number].is_single = true;
            self.steps[*number].runs_alone = true;
        }
    }

    /// Whether a step already has a transaction of its own.
    pub(crate) fn is_single(&self, number: usize) -> bool {
        self.steps[number].is_single
    }

    /// Returns the steps that were not attempted, each with the refused one that it depends on.
    pub(crate) fn skipped_steps(&self) -> impl Iterator<Item = (usize, usize)> {
        let states = self.states.iter().enumerate();
        states.filter_map(|(number, state)| match state {
            StepState::Skipped { cause } => Some((number, *cause)),
            StepState::Waiting | StepState::Taken { .. } | StepState::Done | StepState::Refused => {
                None
            }
        })
    }

    fn end_step(&mut self, number: usize, state: StepState) {
        self.states[number] = state;
        if let Some(left) = self.left.get_mut(&self.steps[number].stage) {
            *left -= 1;
        }
    }

    /// Finds the ready steps from the beginning.
    pub(super) fn find_ready_steps(&mut self) {
        self.ready.clear();
        for (number, step) in self.steps.iter().enumerate() {
            let is_open = |needed: &&usize| {
                let state = self.states[**needed];
                !matches!(state, StepState::Done | StepState::Taken { .. })
            };
            let is_missing = |table: &&Oid| self.missing.contains(table);
            let rows = match &step.rows {
                RequiredRows::All => usize::from(!self.missing.is_empty()),
                RequiredRows::Of(tables) => tables.iter().filter(is_missing).count(),
            };
            self.open[number] = step.needs.iter().filter(is_open).count() + rows;
        }
        for number in 0..self.steps.len() {
            self.add_if_ready(number);
        }
    }
}

/// Computes the critical paths from the end: a step comes after those that it needs. Small steps count as
/// nothing, so their order is the script's.
fn compute_critical_paths(steps: &[ScheduledStep], dependents: &[Vec<usize>]) -> Vec<u64> {
    let mut paths = vec![0_u64; steps.len()];
    for number in (0..steps.len()).rev() {
        let behind = dependents[number].iter().map(|dependent| paths[*dependent]);
        paths[number] = behind
            .max()
            .unwrap_or(0)
            .saturating_add(steps[number].weight);
    }
    paths
}
