//! Refused steps that may succeed later: the body of a function may name objects on which it does not depend
//! according to the catalogs.

use super::state::{Schedule, StepState};

impl Schedule {
    /// Allows a last attempt with the database's search path, if it has one.
    pub(crate) fn allow_search_path(&mut self, is_allowed: bool) {
        self.is_path_allowed = is_allowed;
    }

    /// Whether a step runs with the database's search path.
    pub(crate) fn has_search_path(&self, number: usize) -> bool {
        self.with_path.contains(&number)
    }

    /// Makes refused steps ready again once every other step of their stage has ended, and returns them. Those are
    /// the steps that were attempted before the last success. If there are none, each one runs once more, alone
    /// and with the database's search path.
    pub(crate) fn retry_steps(&mut self) -> Vec<usize> {
        let has_ended = |number: &usize| self.left.get(&self.steps[*number].stage) == Some(&0);
        let may_succeed =
            |(number, before): &(&usize, &usize)| **before < self.successes && has_ended(number);
        let retried = self.retried.iter().filter(may_succeed);
        let mut retried: Vec<usize> = retried.map(|(number, _)| *number).collect();
        if retried.is_empty() && self.is_path_allowed {
            let without_path = self.retried.keys().copied();
            let without_path =
                without_path.filter(|number| has_ended(number) && !self.with_path.contains(number));
            retried = without_path.collect();
            self.with_path.extend(&retried);
            self.run_alone(&retried);
        }
        if retried.is_empty() {
            return retried;
        }
        for number in 0..self.steps.len() {
            let is_retried = match self.states[number] {
                StepState::Refused => retried.contains(&number),
                StepState::Skipped { cause } => retried.contains(&cause),
                StepState::Waiting | StepState::Taken { .. } | StepState::Done => false,
            };
            if !is_retried {
                continue;
            }
            // What a step needs has a lower number: its new state is known.
            match self.find_refused_need(number) {
                Some(cause) => self.states[number] = StepState::Skipped { cause },
                None => {
                    self.states[number] = StepState::Waiting;
                    *self.left.entry(self.steps[number].stage).or_default() += 1;
                }
            }
        }
        self.find_ready_steps();
        retried
    }

    /// Returns the refused step because of which a step cannot be attempted.
    fn find_refused_need(&self, number: usize) -> Option<usize> {
        let needs = self.steps[number].needs.iter();
        needs
            .filter_map(|needed| match self.states[*needed] {
                StepState::Refused => Some(*needed),
                StepState::Skipped { cause } => Some(cause),
                StepState::Waiting | StepState::Taken { .. } | StepState::Done => None,
            })
            .next()
    }
}
