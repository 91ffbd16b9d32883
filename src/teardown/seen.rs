//! What the source shows of the runs that are removed.

use std::collections::{BTreeMap, BTreeSet};

use crate::teardown::leftover::Leftover;

/// The prefix of the names of our slots.
pub(crate) const SLOT_PREFIX: &str = "seren_";

/// The slots and objects on the source.
#[derive(Default)]
pub(crate) struct Seen {
    /// Slots of this pair, each with the target's database.
    pub(crate) slots: BTreeMap<String, String>,
    /// Names that slots of this pair would have, if no local state records whose they are.
    pub(crate) unrecorded: BTreeSet<String>,
    /// The objects to remove, in order.
    pub(crate) objects: Vec<Leftover>,
}
