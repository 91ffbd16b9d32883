//! Which marked publications are removed, and which are other runs'. Pure.

use std::collections::BTreeSet;

use super::Which;
use crate::logical::{Mark, RunId};

/// What tells the publications that are removed from others.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) which: &'a Which,
    /// The two clusters, where both are known.
    pub(super) pair: Option<RunId>,
    /// The numbers of the runs that the state knows; empty without a state.
    pub(super) numbers: BTreeSet<String>,
}

impl Wanted<'_> {
    /// The names of the runs whose publications are removed, of those that these marks name.
    pub(super) fn runs(&self, marks: &[&Mark]) -> BTreeSet<String> {
        let name = |mark: &&Mark| mark.name().to_owned();
        let is_of = |mark: &&Mark| match self.which {
            Which::Run(run) => mark.name() == run,
            Which::Slot(slot) => mark.slot == slot.as_str(),
            Which::Pair => self.pair.as_ref().is_none_or(|pair| mark.run == *pair),
        };
        let all: BTreeSet<String> = marks
            .iter()
            .copied()
            .filter(is_of)
            .map(|one| name(&one))
            .collect();
        if *self.which != Which::Pair {
            return all;
        }
        // Marks of the first form have no number; they are of the pair's only run.
        let old = self.pair.as_ref().map(|pair| pair.as_str().to_owned());
        let known = self.numbers.iter().cloned().chain(old);
        let known: BTreeSet<String> = known.filter(|run| all.contains(run)).collect();
        // Without a state, one run is the one that is meant. Of several, or beside those that the state
        // knows, each must be named.
        match (self.numbers.is_empty(), all.len()) {
            (true, 1) => all,
            _ => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::RunTag;

    fn mark(target_system: &str) -> Mark {
        let owner = (RunId::new("1", target_system), RunTag::new());
        Mark::new(owner, "app", "s", String::new())
    }

    fn wanted<'a>(which: &'a Which, known: &[&Mark]) -> Wanted<'a> {
        Wanted {
            which,
            pair: Some(RunId::new("1", "2")),
            numbers: known.iter().map(|mark| mark.name().to_owned()).collect(),
        }
    }

    fn names(marks: &[&Mark]) -> BTreeSet<String> {
        marks.iter().map(|mark| mark.name().to_owned()).collect()
    }

    #[test]
    fn without_a_state_only_a_single_run_is_meant() {
        let (one, two, other) = (mark("2"), mark("2"), mark("3"));
        let pair = Which::Pair;
        assert_eq!(wanted(&pair, &[]).runs(&[&one, &other]), names(&[&one]));
        assert_eq!(wanted(&pair, &[]).runs(&[&one, &two]), names(&[]));
    }

    #[test]
    fn with_a_state_only_what_it_knows_is_removed() {
        let (one, two) = (mark("2"), mark("2"));
        let pair = Which::Pair;
        assert_eq!(wanted(&pair, &[&one]).runs(&[&one, &two]), names(&[&one]));
        assert_eq!(wanted(&pair, &[&one]).runs(&[&two]), names(&[]));
    }

    #[test]
    fn a_run_that_is_named_is_removed_whatever_its_target() {
        let (one, other) = (mark("2"), mark("3"));
        let run = Which::Run(other.name().to_owned());
        assert_eq!(
            wanted(&run, &[&one]).runs(&[&one, &other]),
            names(&[&other])
        );
    }
}
