//! Refused steps that may succeed later: a function's body may name what no catalog says that it needs.

use crate::snapshot::definitions::schedule::{Schedule, State};

impl Schedule {
    /// Lets functions have the database's path where nothing else has helped.
    pub(in crate::snapshot::definitions) fn lend_path(&mut self) {
        self.may_lend = true;
    }

    /// Whether the functions of a step are lent the database's path.
    pub(in crate::snapshot::definitions) fn is_lent(&self, number: usize) -> bool {
        self.lent.contains(&number)
    }

    /// Lets refused steps run again once every other step of their stage has ended: those that were
    /// attempted before the last success; where there are none, each once more with the database's
    /// path, alone. Returns them.
    pub(in crate::snapshot::definitions) fn retry(&mut self) -> Vec<usize> {
        let has_ended = |number: &usize| self.left.get(&self.units[*number].stage) == Some(&0);
        let may_succeed =
            |(number, before): &(&usize, &usize)| **before < self.successes && has_ended(number);
        let retried = self.retried.iter().filter(may_succeed);
        let mut retried: Vec<usize> = retried.map(|(number, _)| *number).collect();
        if retried.is_empty() && self.may_lend {
            let unlent = self.retried.keys().copied();
            let unlent = unlent.filter(|number| has_ended(number) && !self.lent.contains(number));
            retried = unlent.collect();
            self.lent.extend(&retried);
            self.single(&retried);
        }
        if retried.is_empty() {
            return retried;
        }
        for number in 0..self.units.len() {
            let is_revived = match self.states[number] {
                State::Refused => retried.contains(&number),
                State::Skipped { cause } => retried.contains(&cause),
                State::Waiting | State::Taken { .. } | State::Done => false,
            };
            if !is_revived {
                continue;
            }
            // What a step needs has a lower number: its new state is known.
            match self.missing_need(number) {
                Some(cause) => self.states[number] = State::Skipped { cause },
                None => {
                    self.states[number] = State::Waiting;
                    *self.left.entry(self.units[number].stage).or_default() += 1;
                }
            }
        }
        self.look_again();
        retried
    }

    /// The refused step for which a step cannot be attempted.
    fn missing_need(&self, number: usize) -> Option<usize> {
        let needs = self.units[number].needs.iter();
        needs
            .filter_map(|needed| match self.states[*needed] {
                State::Refused => Some(*needed),
                State::Skipped { cause } => Some(cause),
                State::Waiting | State::Taken { .. } | State::Done => None,
            })
            .next()
    }
}
