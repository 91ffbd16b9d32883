//! The runs that publications on the source name.

use std::collections::BTreeMap;

use crate::checkpoint::{self, KnownRuns};
use crate::logical::{Mark, RunId};
use crate::teardown::marked::Marked;
use crate::teardown::options::Which;
use crate::teardown::run_filter::{RunFilter, SortedRuns};
use crate::teardown::source_pair::SourcePair;

/// The runs, sorted by whether they are removed.
pub(crate) struct SourceRuns {
    pub(crate) sorted: SortedRuns,
    /// Whether there is a local state of the clusters.
    pub(crate) has_state: bool,
    /// The pair of clusters whose state is removed.
    pub(crate) removed_state: Option<RunId>,
}

impl SourceRuns {
    /// Sorts the runs that these publications name.
    pub(crate) fn of_publications(pair: &SourcePair<'_>, marked: &[Marked]) -> Self {
        let marks = marked.iter();
        let marks: Vec<&Mark> = marks
            .filter_map(|one| one.publication.mark.as_ref())
            .collect();
        let known = load_known_runs(pair, &marks);
        let numbers = known.values().flat_map(|one| one.numbers.iter().cloned());
        let filter = RunFilter {
            which: &pair.options.which,
            numbers: numbers.collect(),
            pairs: known.keys().cloned().collect(),
            pair: pair.run_id(),
        };
        let sorted = filter.sort_runs(&marks);
        Self {
            removed_state: match &pair.options.which {
                Which::Slot(_) => None,
                Which::Run(run) => find_state_of_run(run, &marks, &known),
                Which::Pair => find_state_of_pair(pair, &marks, &sorted),
            },
            sorted,
            has_state: !known.is_empty(),
        }
    }
}

/// Reads the local states of the pair, or without a target, of all pairs that marks name.
fn load_known_runs(pair: &SourcePair<'_>, marks: &[&Mark]) -> BTreeMap<RunId, KnownRuns> {
    let Some(root) = &pair.options.state_root else {
        return BTreeMap::new();
    };
    let runs = match pair.run_id() {
        Some(run) => vec![run],
        None => marks.iter().map(|mark| mark.run.clone()).collect(),
    };
    let known = runs.into_iter().map(|run| {
        let known = checkpoint::read_known_runs(root, &run);
        (run, known)
    });
    known.filter(|(_, one)| one.exists).collect()
}

/// Returns the pair of a named run, if that run is its latest. Otherwise other runs still use the state.
fn find_state_of_run(
    run: &str,
    marks: &[&Mark],
    known: &BTreeMap<RunId, KnownRuns>,
) -> Option<RunId> {
    let is_latest = known.values().any(|one| one.latest.as_deref() == Some(run));
    let mark = marks.iter().find(|mark| mark.name() == run);
    mark.filter(|_| is_latest).map(|mark| mark.run.clone())
}

/// Returns the pair, or without a target, the pair of a removed run.
fn find_state_of_pair(
    pair: &SourcePair<'_>,
    marks: &[&Mark],
    sorted: &SortedRuns,
) -> Option<RunId> {
    let of_removed = || {
        let mut marks = marks.iter();
        let mark = marks.find(|mark| sorted.removed.contains(mark.name()));
        mark.map(|mark| mark.run.clone())
    };
    pair.run_id().or_else(of_removed)
}
