//! Which step may run when: pure, asked by the lanes.
//!
//! A lane takes a step once everything that the step needs is committed, or is under way in the
//! same lane, where it comes first. A lane holds the relations of its steps until their commit,
//! and takes no step whose relations another lane holds: so lanes never wait for each other's
//! locks on the server, and cannot block each other for good.
//!
//! Where rows are copied at the same time, a step also waits for the rows of the tables that it
//! touches. What is at hand goes in the order of its *chain*: its own work and the longest work that
//! waits for it, so that the last thing of a run is never one that could have begun long before.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ddl::Stage;
use crate::pg::Oid;

/// Steps that do not fit and are looked at before a lane is told that there is nothing for it.
const LOOKED_AT: usize = 4000;

/// Bytes of a table below which a step on it is over at once, so that others may queue behind it.
const LIGHT: u64 = 16 * 1024 * 1024;

/// Steps of one transaction at most.
const BATCH: usize = 200;

/// One step as the schedule sees it; its number is its place in the script's section.
#[derive(Clone, Debug, Default)]
pub(in crate::snapshot::definitions) struct Unit {
    /// Steps of the section that come before it.
    pub(in crate::snapshot::definitions) needs: Vec<usize>,
    /// Higher stages wait for lower ones.
    pub(in crate::snapshot::definitions) stage: Stage,
    /// Relations that no other lane may touch.
    pub(in crate::snapshot::definitions) locks: Vec<Oid>,
    /// Relations that no other lane may lock.
    pub(in crate::snapshot::definitions) reads: Vec<Oid>,
    /// Every other lane waits.
    pub(in crate::snapshot::definitions) is_alone: bool,
    /// It stands alone in its transaction.
    pub(in crate::snapshot::definitions) is_single: bool,
    /// It stands alone in its transaction, which begins when those before it are over.
    pub(in crate::snapshot::definitions) is_compared: bool,
    /// Entries of the server's lock table that it may take.
    pub(in crate::snapshot::definitions) cost: usize,
    /// Bytes that it reads.
    pub(in crate::snapshot::definitions) weight: u64,
    /// It waits for the rows of several tables, and is not counted as the work behind any one of them.
    pub(in crate::snapshot::definitions) spans_tables: bool,
    /// Which rows must be there before.
    pub(in crate::snapshot::definitions) rows: Rows,
}

/// Which rows a step waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::snapshot::definitions) enum Rows {
    /// Those of these relations, where they are copied at all.
    Of(Vec<Oid>),
    /// All.
    #[default]
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Taken {
        lane: usize,
    },
    Done,
    Refused,
    /// One that it needs was refused.
    Skipped {
        cause: usize,
    },
}

/// Who holds a relation.
#[derive(Debug, Default)]
struct Held {
    locked: Option<(usize, usize)>,
    read: HashMap<usize, usize>,
}

/// All steps of a section, and how far each is.
#[derive(Debug)]
pub(in crate::snapshot::definitions) struct Schedule {
    units: Vec<Unit>,
    dependents: Vec<Vec<usize>>,
    states: Vec<State>,
    /// How many needs are neither under way nor done, and how many tables' rows are missing.
    open: Vec<usize>,
    /// Steps whose needs are at least under way, those of the longest chains first.
    ready: BTreeSet<(Stage, Reverse<u64>, usize)>,
    /// The work of a step and the longest work behind it, in bytes.
    chains: Vec<u64>,
    /// Tables whose rows are still to come.
    missing: BTreeSet<Oid>,
    /// The steps that wait for each of them.
    behind: HashMap<Oid, Vec<usize>>,
    /// The steps that wait for all of them.
    behind_all: Vec<usize>,
    held: HashMap<Oid, Held>,
    /// Steps under way, by lane.
    under_way: Vec<usize>,
    /// The same that run alone.
    alone: usize,
    /// Steps of each stage that have not ended.
    left: HashMap<Stage, usize>,
    /// Entries of the lock table that one transaction may take.
    budget: usize,
    /// Steps that have succeeded.
    successes: usize,
    /// The steps that may succeed later, each with the successes before its last attempt.
    retried: BTreeMap<usize, usize>,
    /// The steps whose functions are lent the database's path.
    lent: BTreeSet<usize>,
    /// Whether there is one.
    may_lend: bool,
}

impl Schedule {
    /// A schedule for so many lanes, each of whose transactions may take so many locks, while the
    /// rows of these tables are still to come.
    pub(in crate::snapshot::definitions) fn new(
        mut units: Vec<Unit>,
        lanes: usize,
        budget: usize,
        missing: BTreeSet<Oid>,
    ) -> Self {
        let mut dependents = vec![Vec::new(); units.len()];
        let mut left = HashMap::new();
        for number in 0..units.len() {
            let needs = std::mem::take(&mut units[number].needs);
            for needed in &needs {
                dependents[*needed].push(number);
                units[number].stage = units[number].stage.max(units[*needed].stage);
            }
            units[number].needs = needs;
            *left.entry(units[number].stage).or_default() += 1;
        }
        let mut schedule = Self {
            chains: chains(&units, &dependents),
            behind: HashMap::new(),
            behind_all: Vec::new(),
            missing,
            dependents,
            states: vec![State::Waiting; units.len()],
            open: vec![0; units.len()],
            units,
            ready: BTreeSet::new(),
            held: HashMap::new(),
            under_way: vec![0; lanes],
            alone: 0,
            left,
            budget,
            successes: 0,
            retried: BTreeMap::new(),
            lent: BTreeSet::new(),
            may_lend: false,
        };
        schedule.wait_for_rows();
        schedule.look_again();
        schedule
    }

    /// Notes which steps wait for which rows.
    fn wait_for_rows(&mut self) {
        for (number, unit) in self.units.iter().enumerate() {
            match &unit.rows {
                Rows::All if self.missing.is_empty() => {}
                Rows::All => self.behind_all.push(number),
                Rows::Of(tables) => {
                    for table in tables.iter().filter(|table| self.missing.contains(table)) {
                        self.behind.entry(*table).or_default().push(number);
                    }
                }
            }
        }
    }

    /// Whether every step has ended one way or another.
    pub(in crate::snapshot::definitions) fn is_finished(&self) -> bool {
        self.left.values().all(|left| *left == 0)
    }

    /// The longest work that waits for each table's rows, in bytes.
    pub(in crate::snapshot::definitions) fn chains_behind(&self) -> HashMap<Oid, u64> {
        let mut longest = HashMap::new();
        for (unit, chain) in self.units.iter().zip(&self.chains) {
            if let (Rows::Of(tables), false) = (&unit.rows, unit.spans_tables) {
                for table in tables {
                    let longest = longest.entry(*table).or_insert(0);
                    *longest = (*chain).max(*longest);
                }
            }
        }
        longest
    }

    /// The chain of the step that a lane would take next.
    pub(in crate::snapshot::definitions) fn next_chain(&self, lane: usize) -> Option<u64> {
        let number = self.next(lane, &mut 0)?;
        Some(self.chains[number])
    }

    /// All rows of these tables have arrived.
    pub(in crate::snapshot::definitions) fn landed(&mut self, tables: &[Oid]) {
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
            self.make_ready(number);
        }
    }

    /// Notes a step as ready if nothing is missing for it.
    fn make_ready(&mut self, number: usize) {
        if self.open[number] == 0 && self.states[number] == State::Waiting {
            let chain = Reverse(self.chains[number]);
            self.ready.insert((self.units[number].stage, chain, number));
        }
    }

    /// The steps of a lane's next transaction, in order; none when nothing fits now, or something
    /// with a longer chain than this waits elsewhere.
    pub(in crate::snapshot::definitions) fn take(
        &mut self,
        lane: usize,
        longer: u64,
    ) -> Vec<usize> {
        let mut batch = Vec::new();
        let (mut cost, mut weight) = (0, 0);
        let limit = self.share();
        let mut looked_at = 0;
        // What a step of this batch makes ready may come before what was looked at already.
        while let Some(number) = self.next(lane, &mut looked_at) {
            if self.chains[number] < longer {
                break;
            }
            let unit = &self.units[number];
            let first = batch.is_empty();
            let is_full = cost + unit.cost > self.budget || weight + unit.weight > LIGHT;
            let is_apart = unit.is_single || unit.is_compared;
            if !first && (is_full || is_apart) {
                break;
            }
            if unit.weight > LIGHT && self.under_way[lane] > 0 && first {
                break;
            }
            let ends_batch = is_apart;
            cost += unit.cost;
            weight += unit.weight;
            self.hold(number, lane);
            batch.push(number);
            if ends_batch || batch.len() >= limit {
                break;
            }
        }
        batch
    }

    /// Whether a lane may send more behind what it has under way.
    pub(in crate::snapshot::definitions) fn may_queue(&self, batch: &[usize]) -> bool {
        let weight: u64 = batch.iter().map(|number| self.units[*number].weight).sum();
        let is_apart =
            |number: &usize| self.units[*number].is_single || self.units[*number].is_compared;
        weight <= LIGHT && !batch.iter().any(is_apart)
    }

    /// Leaves work for the other lanes.
    fn share(&self) -> usize {
        let lanes = self.under_way.len();
        if lanes == 1 {
            return BATCH;
        }
        (self.ready.len() / (lanes * 2)).clamp(8, BATCH)
    }

    fn next(&self, lane: usize, looked_at: &mut usize) -> Option<usize> {
        let stage = self.ready.first()?.0;
        let has_lower = |(other, left): (&Stage, &usize)| *other < stage && *left > 0;
        if self.left.iter().any(has_lower) {
            return None;
        }
        for (of, _, number) in &self.ready {
            if *of != stage || *looked_at > LOOKED_AT {
                return None;
            }
            if self.fits(*number, lane) {
                return Some(*number);
            }
            *looked_at += 1;
        }
        None
    }

    fn fits(&self, number: usize, lane: usize) -> bool {
        let unit = &self.units[number];
        let is_mine = |needed: &usize| match self.states[*needed] {
            State::Done => true,
            State::Taken { lane: other } => other == lane,
            State::Waiting | State::Refused | State::Skipped { .. } => false,
        };
        unit.needs.iter().all(is_mine)
            && self.beside_others(unit.is_alone, lane)
            && unit.locks.iter().all(|oid| self.is_free(*oid, lane, true))
            && unit.reads.iter().all(|oid| self.is_free(*oid, lane, false))
    }

    fn beside_others(&self, is_alone: bool, lane: usize) -> bool {
        let lanes = self.under_way.iter().enumerate();
        let mut others = lanes.filter(|(other, count)| *other != lane && **count > 0);
        if self.under_way.len() == 1 {
            true
        } else if is_alone {
            others.next().is_none()
        } else {
            // The rest may go side by side once what runs alone is over.
            self.alone == 0
        }
    }

    fn is_free(&self, oid: Oid, lane: usize, exclusively: bool) -> bool {
        let Some(held) = self.held.get(&oid) else {
            return true;
        };
        held.locked.is_none_or(|(other, _)| other == lane)
            && (!exclusively || held.read.keys().all(|other| *other == lane))
    }

    fn hold(&mut self, number: usize, lane: usize) {
        let unit = &self.units[number];
        for oid in &unit.locks {
            let held = self.held.entry(*oid).or_default();
            held.locked.get_or_insert((lane, 0)).1 += 1;
        }
        for oid in &unit.reads {
            let held = self.held.entry(*oid).or_default();
            *held.read.entry(lane).or_default() += 1;
        }
        self.alone += usize::from(unit.is_alone);
        self.under_way[lane] += 1;
        self.states[number] = State::Taken { lane };
        self.ready
            .remove(&(unit.stage, Reverse(self.chains[number]), number));
        for at in 0..self.dependents[number].len() {
            let dependent = self.dependents[number][at];
            self.open[dependent] -= 1;
            self.make_ready(dependent);
        }
    }

    fn release(&mut self, number: usize, lane: usize) {
        let unit = &self.units[number];
        for oid in &unit.locks {
            if let Some(held) = self.held.get_mut(oid) {
                held.locked = held
                    .locked
                    .map(|(lane, count)| (lane, count - 1))
                    .filter(|(_, count)| *count > 0);
                if held.locked.is_none() && held.read.is_empty() {
                    self.held.remove(oid);
                }
            }
        }
        for oid in &unit.reads {
            if let Some(held) = self.held.get_mut(oid) {
                if let Some(count) = held.read.get_mut(&lane) {
                    *count -= 1;
                    if *count == 0 {
                        held.read.remove(&lane);
                    }
                }
                if held.locked.is_none() && held.read.is_empty() {
                    self.held.remove(oid);
                }
            }
        }
        self.alone -= usize::from(unit.is_alone);
        self.under_way[lane] -= 1;
    }

    /// A lane's transaction is committed.
    pub(in crate::snapshot::definitions) fn done(&mut self, lane: usize, batch: &[usize]) {
        for number in batch {
            self.release(*number, lane);
            self.end(*number, State::Done);
            self.retried.remove(number);
        }
        self.successes += batch.len();
    }

    /// Everything that a lane has under way was rolled back.
    pub(in crate::snapshot::definitions) fn give_back(&mut self, lane: usize) {
        for number in 0..self.units.len() {
            if self.states[number] == (State::Taken { lane }) {
                self.release(number, lane);
                self.states[number] = State::Waiting;
            }
        }
        self.look_again();
    }

    /// A step was refused: it and everything that needs it is over. One that names something which
    /// does not exist may succeed later. After [`give_back`](Self::give_back).
    pub(in crate::snapshot::definitions) fn refuse(
        &mut self,
        number: usize,
        may_succeed_later: bool,
    ) {
        self.end(number, State::Refused);
        if may_succeed_later {
            self.retried.insert(number, self.successes);
        } else {
            self.retried.remove(&number);
        }
        let mut left = self.dependents[number].clone();
        while let Some(dependent) = left.pop() {
            if self.states[dependent] == State::Waiting {
                self.end(dependent, State::Skipped { cause: number });
                left.extend(&self.dependents[dependent]);
            }
        }
        self.look_again();
    }

    /// Lets steps run one by one, with nothing beside them. After
    /// [`give_back`](Self::give_back).
    pub(in crate::snapshot::definitions) fn single(&mut self, batch: &[usize]) {
        for number in batch {
            self.units[*number].is_single = true;
            self.units[*number].is_alone = true;
        }
    }

    /// Whether a step already stands alone.
    pub(in crate::snapshot::definitions) fn is_single(&self, number: usize) -> bool {
        self.units[number].is_single
    }

    /// The steps that were not attempted, and which refused one each of them needs.
    pub(in crate::snapshot::definitions) fn skipped(&self) -> impl Iterator<Item = (usize, usize)> {
        let states = self.states.iter().enumerate();
        states.filter_map(|(number, state)| match state {
            State::Skipped { cause } => Some((number, *cause)),
            State::Waiting | State::Taken { .. } | State::Done | State::Refused => None,
        })
    }

    fn end(&mut self, number: usize, state: State) {
        self.states[number] = state;
        if let Some(left) = self.left.get_mut(&self.units[number].stage) {
            *left -= 1;
        }
    }

    /// Finds anew what is ready.
    fn look_again(&mut self) {
        self.ready.clear();
        for (number, unit) in self.units.iter().enumerate() {
            let is_open = |needed: &&usize| {
                let state = self.states[**needed];
                !matches!(state, State::Done | State::Taken { .. })
            };
            let is_missing = |table: &&Oid| self.missing.contains(table);
            let rows = match &unit.rows {
                Rows::All => usize::from(!self.missing.is_empty()),
                Rows::Of(tables) => tables.iter().filter(is_missing).count(),
            };
            self.open[number] = unit.needs.iter().filter(is_open).count() + rows;
        }
        for number in 0..self.units.len() {
            self.make_ready(number);
        }
    }
}

/// Needs come before what needs them, so the chains are found from the end. Small steps count as
/// nothing: their order is the script's.
fn chains(units: &[Unit], dependents: &[Vec<usize>]) -> Vec<u64> {
    let mut chains = vec![0_u64; units.len()];
    for number in (0..units.len()).rev() {
        let behind = dependents[number]
            .iter()
            .map(|dependent| chains[*dependent]);
        chains[number] = behind
            .max()
            .unwrap_or(0)
            .saturating_add(units[number].weight);
    }
    chains
}

mod retry;

#[cfg(test)]
mod tests;
