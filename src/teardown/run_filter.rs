//! Which runs are removed, by the marks of their publications. Pure.

use std::collections::BTreeSet;

use crate::logical::{Mark, RunId};
use crate::teardown::options::Which;

/// What decides which runs are removed.
#[derive(Clone, Debug)]
pub(crate) struct RunFilter<'a> {
    pub(crate) which: &'a Which,
    /// The two clusters, if both are known.
    pub(crate) pair: Option<RunId>,
    /// The numbers of the runs that local states record.
    pub(crate) numbers: BTreeSet<String>,
    /// The pairs of clusters that have a local state.
    pub(crate) pairs: BTreeSet<RunId>,
}

/// The runs that marks name, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SortedRuns {
    /// The names of the runs whose publications are removed.
    pub(crate) removed: BTreeSet<String>,
    /// The names of the runs between the clusters that no local state records. They are only removed by name.
    pub(crate) unknown: BTreeSet<String>,
}

impl RunFilter<'_> {
    /// Sorts the runs that these marks name.
    pub(crate) fn sort_runs(&self, marks: &[&Mark]) -> SortedRuns {
        let of_pair = |mark: &Mark| self.pair.as_ref().is_none_or(|pair| mark.run == *pair);
        let is_removed = |mark: &Mark| match self.which {
            Which::Run(run) => mark.name() == run,
            Which::Slot(slot) => mark.slot == slot.as_str(),
            Which::Pair => of_pair(mark) && self.is_known(mark),
        };
        let is_unknown = |mark: &Mark| *self.which == Which::Pair && of_pair(mark);
        let (mut removed, rest): (Vec<&Mark>, Vec<&Mark>) =
            marks.iter().copied().partition(|mark| is_removed(mark));
        // Without the target, the runs may have several targets: none of them can be chosen.
        let pairs: BTreeSet<&RunId> = removed.iter().map(|mark| &mark.run).collect();
        let is_ambiguous = *self.which == Which::Pair && pairs.len() > 1;
        let mut unknown: Vec<&Mark> = rest.into_iter().filter(|mark| is_unknown(mark)).collect();
        if is_ambiguous {
            unknown.append(&mut removed);
        }
        let names = |marks: Vec<&Mark>| marks.iter().map(|mark| mark.name().to_owned()).collect();
        SortedRuns {
            removed: names(removed),
            unknown: names(unknown),
        }
    }

    /// Returns whether a local state records the run. Marks of the first form have no number: they belong to
    /// the pair's only run.
    fn is_known(&self, mark: &Mark) -> bool {
        match &mark.tag {
            Some(tag) => self.numbers.contains(&tag.number),
            None => self.pairs.contains(&mark.run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logical::RunTag;

    fn mark(target_system: &str) -> Mark {
        let run = RunId::new("1", target_system);
        Mark::new(run, RunTag::new(), "app", "s", String::new())
    }

    fn wanted<'a>(which: &'a Which, known: &[&Mark]) -> RunFilter<'a> {
        RunFilter {
            which,
            pair: Some(RunId::new("1", "2")),
            numbers: known.iter().map(|mark| mark.name().to_owned()).collect(),
            pairs: known.iter().map(|mark| mark.run.clone()).collect(),
        }
    }

    fn sorted(removed: &[&Mark], unknown: &[&Mark]) -> SortedRuns {
        let names = |marks: &[&Mark]| marks.iter().map(|mark| mark.name().to_owned()).collect();
        SortedRuns {
            removed: names(removed),
            unknown: names(unknown),
        }
    }

    #[test]
    fn without_a_state_no_run_is_removed() {
        let (one, two, other) = (mark("2"), mark("2"), mark("3"));
        let pair = Which::Pair;
        let nothing_known = wanted(&pair, &[]);
        assert_eq!(
            nothing_known.sort_runs(&[&one, &other]),
            sorted(&[], &[&one])
        );
        let both = sorted(&[], &[&one, &two]);
        assert_eq!(nothing_known.sort_runs(&[&one, &two]), both);
    }

    #[test]
    fn with_a_state_only_what_it_records_is_removed() {
        let (one, two) = (mark("2"), mark("2"));
        let pair = Which::Pair;
        let first_known = wanted(&pair, &[&one]);
        let sorted_both = sorted(&[&one], &[&two]);
        assert_eq!(first_known.sort_runs(&[&one, &two]), sorted_both);
        assert_eq!(first_known.sort_runs(&[&two]), sorted(&[], &[&two]));
    }

    #[test]
    fn without_the_target_runs_into_several_targets_are_not_removed() {
        let (one, other) = (mark("2"), mark("3"));
        let pair = Which::Pair;
        let wanted = RunFilter {
            pair: None,
            ..wanted(&pair, &[&one, &other])
        };
        assert_eq!(wanted.sort_runs(&[&one]), sorted(&[&one], &[]));
        assert_eq!(
            wanted.sort_runs(&[&one, &other]),
            sorted(&[], &[&one, &other])
        );
    }

    #[test]
    fn a_mark_without_a_number_is_known_by_its_clusters() {
        let mark = Mark::parse(
            "{\"seren_replicator\":1,\"run\":\"ab\",\"target\":\"app\",\"slot\":\"s\",\"scope\":\"x\",\
             \"complete\":true}",
        )
        .unwrap();
        let pair = Which::Pair;
        let of_state = |known: &[&Mark]| RunFilter {
            pair: Some(mark.run.clone()),
            ..wanted(&pair, known)
        };
        assert_eq!(of_state(&[]).sort_runs(&[&mark]), sorted(&[], &[&mark]));
        assert_eq!(
            of_state(&[&mark]).sort_runs(&[&mark]),
            sorted(&[&mark], &[])
        );
    }

    #[test]
    fn a_run_that_is_named_is_removed_whatever_its_target() {
        let (one, other) = (mark("2"), mark("3"));
        let run = Which::Run(other.name().to_owned());
        let of_run = wanted(&run, &[&one]);
        assert_eq!(of_run.sort_runs(&[&one, &other]), sorted(&[&other], &[]));
    }
}
