//! Values for the tests of this area.

use std::collections::BTreeSet;

use super::folder::Pair;
use super::run::DatabasePair;
use super::selection::{Chosen, Deviation, Selection};

pub(super) fn pair() -> Pair {
    Pair {
        source: "7312".to_owned(),
        target: "7313".to_owned(),
    }
}

pub(super) fn selection(deviations: &[Deviation]) -> Selection {
    Selection {
        tables: Chosen::AllBut(BTreeSet::new()),
        deviations: deviations.iter().cloned().collect(),
    }
}

pub(super) fn same(name: &str) -> DatabasePair {
    DatabasePair::new(name, name)
}
