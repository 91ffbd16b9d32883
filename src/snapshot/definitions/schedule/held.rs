//! Which workers hold which relations.

use std::collections::HashMap;

use super::step::ScheduledStep;
use crate::pg::Oid;

/// The relations of the steps under way.
#[derive(Debug, Default)]
pub(super) struct HeldRelations(HashMap<Oid, Holders>);

/// Who holds a relation.
#[derive(Debug, Default)]
struct Holders {
    exclusive: Option<ExclusiveHolder>,
    /// For each reading worker: its steps.
    readers: HashMap<usize, usize>,
}

/// The one worker that locks a relation.
#[derive(Debug)]
struct ExclusiveHolder {
    worker: usize,
    steps: usize,
}

impl HeldRelations {
    /// Whether no other worker holds a relation in a way that a step excludes.
    pub(super) fn is_free(&self, step: &ScheduledStep, worker: usize) -> bool {
        let can_lock = |oid| self.0.get(oid).is_none_or(|held| held.can_lock(worker));
        let can_read = |oid| self.0.get(oid).is_none_or(|held| held.can_read(worker));
        step.locks.iter().all(can_lock) && step.reads.iter().all(can_read)
    }

    /// Holds the relations of a step for a worker.
    pub(super) fn hold(&mut self, step: &ScheduledStep, worker: usize) {
        for oid in &step.locks {
            let held = self.0.entry(*oid).or_default();
            let first = ExclusiveHolder { worker, steps: 0 };
            held.exclusive.get_or_insert(first).steps += 1;
        }
        for oid in &step.reads {
            let held = self.0.entry(*oid).or_default();
            *held.readers.entry(worker).or_default() += 1;
        }
    }

    /// Releases the relations of a step.
    pub(super) fn release(&mut self, step: &ScheduledStep, worker: usize) {
        for oid in &step.locks {
            self.release_one(*oid, Holders::release_lock);
        }
        for oid in &step.reads {
            self.release_one(*oid, |held| held.release_read(worker));
        }
    }

    fn release_one(&mut self, oid: Oid, release: impl FnOnce(&mut Holders)) {
        let Some(held) = self.0.get_mut(&oid) else {
            return;
        };
        release(held);
        if held.exclusive.is_none() && held.readers.is_empty() {
            self.0.remove(&oid);
        }
    }
}

impl Holders {
    fn can_read(&self, worker: usize) -> bool {
        let other = self.exclusive.as_ref();
        other.is_none_or(|holder| holder.worker == worker)
    }

    fn can_lock(&self, worker: usize) -> bool {
        self.can_read(worker) && self.readers.keys().all(|other| *other == worker)
    }

    fn release_lock(&mut self) {
        if let Some(holder) = &mut self.exclusive {
            holder.steps -= 1;
        }
        self.exclusive.take_if(|holder| holder.steps == 0);
    }

    fn release_read(&mut self, worker: usize) {
        if let Some(steps) = self.readers.get_mut(&worker) {
            *steps -= 1;
        }
        self.readers.retain(|_, steps| *steps > 0);
    }
}
