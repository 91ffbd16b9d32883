//! `teardown`: removes what runs between two clusters have left on them, and nothing else. Data,
//! databases and roles stay.
//!
//! The mark of our publication says whose an object is, and the name of a slot, which is a digest of the
//! pair. Without the target that name cannot be computed: then only the marks count. A run is removed only if
//! the local state records it, or if the user names it or its slot: its target may be gone. What a run at work
//! uses, as its locks on the servers show, is never removed.

mod error;
mod find;
mod marked;
mod orphan;
mod remove;
mod source_side;
mod statements;
mod target_side;
mod whose;

use std::path::PathBuf;

pub use error::Error;
pub use find::find_leftovers;
pub use remove::remove_leftovers;

use crate::checkpoint::Membership;
use crate::cluster::other::Other;
use crate::cluster::run_lock::LockKey;
use crate::connect::Endpoint;
use crate::logical::{self, FoundPublication, FoundSubscription, RunId};
use crate::pg::{Ident, Literal, Side, Sides, SlotName, Sql};
use crate::selection::{DatabaseMap, Databases};
use crate::sql;

/// What `teardown` is asked to do.
#[derive(Clone, Debug)]
pub struct TeardownOptions {
    /// The source, if it is given.
    pub source: Option<Endpoint>,
    /// The target, if it is given.
    pub target: Option<Endpoint>,
    /// Which databases of the source.
    pub databases: Databases,
    /// Which of them have another name on the target.
    pub map: DatabaseMap,
    /// The only publication that counts, if one is named.
    pub publication: Option<Ident>,
    /// What is removed.
    pub which: Which,
    /// The folder in which runs keep their state, where that is known.
    pub state_root: Option<PathBuf>,
    /// Whether the state is removed, too.
    pub removes_state: bool,
}

/// What is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// What the run between the two clusters has left.
    Pair,
    /// What the run of this name has left, for any target.
    Run(String),
    /// A slot, and the publication that goes with it.
    Slot(SlotName),
}

/// An object of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A slot on the source.
    Slot(SlotName),
    /// Our publication, with identities to bring back.
    Publication(Box<FoundPublication>),
    /// Our subscription on the target.
    Subscription(FoundSubscription),
    /// An origin on the target.
    Origin(String),
    /// A membership that a run had granted to its own role on the target for its time.
    Membership(Membership),
}

/// An object and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// On which side.
    pub side: Side,
    /// In which database.
    pub database: String,
    /// What it is.
    pub object: Object,
}

/// What `teardown` found.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Which runs' state goes along, where that is known.
    pub run: Option<RunId>,
    /// What is locked while it is removed.
    pub(crate) locks: Sides<Vec<LockKey>>,
    /// In the order in which they are removed.
    pub objects: Vec<Leftover>,
    /// Objects of other runs, which are left alone.
    pub others: Vec<Other>,
    /// What is of runs between the two clusters and in no local state, each with what removes it.
    pub(crate) unknown: Vec<Other>,
    /// Sides that could not be looked at, with the reason, and the statements to run there.
    pub unreachable: Vec<Unreachable>,
}

/// A side that could not be looked at.
#[derive(Debug)]
pub struct Unreachable {
    /// Which one.
    pub side: Side,
    /// Why; none where no URL was given.
    pub error: Option<Error>,
    /// What to run there.
    pub statements: Vec<String>,
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { side, database, .. } = self;
        write!(f, "{side}, database {database}: ")?;
        match &self.object {
            Object::Slot(slot) => write!(f, "replication slot {slot}"),
            Object::Publication(found) => {
                write!(f, "publication {}", found.name)?;
                let mark = found.mark.as_ref();
                match mark.map_or(0, |mark| mark.identities.len()) {
                    0 => Ok(()),
                    count => write!(f, ", and the former replica identities of {count} tables"),
                }
            }
            Object::Subscription(_) => write!(f, "subscription {}", crate::logical::SUBSCRIPTION),
            Object::Origin(name) => write!(f, "replication origin {name}"),
            Object::Membership(membership) => {
                let [role, member] =
                    [&membership.role, &membership.member].map(Ident::from_catalog);
                write!(f, "membership of role {member} in role {role}")
            }
        }
    }
}

impl Leftover {
    /// The statement that removes it by hand, where it is one on the source.
    pub fn statement(&self) -> Option<String> {
        let statement = match &self.object {
            Object::Slot(slot) => drop_slot_statement(slot.as_str()),
            Object::Publication(found) => logical::drop_statement(&found.name),
            Object::Subscription(_) | Object::Origin(_) | Object::Membership(_) => return None,
        };
        Some(format!("{};", statement.as_str()))
    }
}

/// The statement that drops a slot.
fn drop_slot_statement(slot: &str) -> Sql {
    sql!(
        "SELECT pg_catalog.pg_drop_replication_slot({})",
        Literal(slot)
    )
}
