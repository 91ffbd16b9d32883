//! What `teardown` has found.

use crate::checkpoint::DatabasePair;
use crate::cluster::ServerIdentity;
use crate::cluster::run_lock::LockKey;
use crate::logical::{FoundPublication, RunId};
use crate::pg::{Side, Sides};
use crate::teardown::error::Error;
use crate::teardown::leftover::{Leftover, Object};
use crate::teardown::unrecorded::UnrecordedObject;

/// What runs have left on both servers.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// The servers that answer.
    pub servers: Sides<Option<ServerIdentity>>,
    /// The pair of clusters whose state is removed as well, if it is known.
    pub run: Option<RunId>,
    /// The locks that are held during the removal, so that no run starts.
    pub(crate) locks: Sides<Vec<LockKey>>,
    /// Databases of the target that interrupted runs have begun, and that nothing continues once the state is
    /// removed. They stay.
    pub incomplete: Vec<DatabasePair>,
    /// The objects, in the order in which they are removed.
    pub objects: Vec<Leftover>,
    /// Objects of other runs, which are not removed.
    pub others: Vec<UnrecordedObject>,
    /// Objects of runs between the two clusters that no local state records, each with the remedy that removes
    /// it.
    pub(crate) unknown: Vec<UnrecordedObject>,
    /// Servers that were not examined, with the reason and the statements to run there.
    pub unreachable: Vec<Unreachable>,
}

/// A server that was not examined.
#[derive(Debug)]
pub struct Unreachable {
    /// The server.
    pub side: Side,
    /// The reason; `None` if no URL was given.
    pub error: Option<Error>,
    /// The statements to run there.
    pub statements: Vec<String>,
}

impl Leftovers {
    /// Returns whether something is there to remove: objects, or the state that would continue a copy.
    pub fn has_any(&self) -> bool {
        !self.objects.is_empty() || !self.incomplete.is_empty()
    }

    /// Returns whether a publication was found before, with the same mark.
    pub(crate) fn has_publication(&self, found: &FoundPublication) -> bool {
        self.objects.iter().any(|leftover| match &leftover.object {
            Object::Publication(before) => before.mark == found.mark,
            Object::Slot(_)
            | Object::Subscription(_)
            | Object::Origin(_)
            | Object::Membership(_) => false,
        })
    }
}

/// Returns whether one of the objects is more than a temporary membership.
pub(crate) fn has_objects_of_runs(objects: &[Leftover]) -> bool {
    let is_of_run = |one: &Leftover| !matches!(one.object, Object::Membership(_));
    objects.iter().any(is_of_run)
}
