//! An object that a run has left on a server.

use std::fmt;

use crate::checkpoint::Membership;
use crate::logical::{FoundPublication, FoundSubscription};
use crate::pg::{Ident, Literal, Side, SlotName, Sql};
use crate::sql;

/// An object of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A slot on the source.
    Slot(SlotName),
    /// Our publication, with the replica identities to restore.
    Publication(Box<FoundPublication>),
    /// Our subscription on the target.
    Subscription(FoundSubscription),
    /// An origin on the target.
    Origin(String),
    /// A temporary membership that a run has granted to its own role on the target.
    Membership(Membership),
}

/// An object and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The server.
    pub side: Side,
    /// The database.
    pub database: String,
    /// The object.
    pub object: Object,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            side,
            database,
            object,
        } = self;
        write!(f, "{side}, database {database}: {object}")
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(slot) => write!(f, "replication slot {slot}"),
            Self::Publication(found) => describe_publication(f, found),
            Self::Subscription(found) => write!(f, "subscription {}", found.name),
            Self::Origin(name) => write!(f, "replication origin {name}"),
            Self::Membership(membership) => {
                let [role, member] =
                    [&membership.role, &membership.member].map(Ident::from_catalog);
                write!(f, "membership of role {member} in role {role}")
            }
        }
    }
}

fn describe_publication(f: &mut fmt::Formatter<'_>, found: &FoundPublication) -> fmt::Result {
    match &found.inserts {
        Some(inserts) => write!(f, "publications {} and {inserts}", found.name)?,
        None => write!(f, "publication {}", found.name)?,
    }
    let mark = found.mark.as_ref();
    match mark.map_or(0, |mark| mark.identities.len()) {
        0 => Ok(()),
        1 => f.write_str(", and the former replica identity of 1 table"),
        count => write!(f, ", and the former replica identities of {count} tables"),
    }
}

impl Leftover {
    /// Returns the statement that drops it, if it is on the source.
    pub fn statement(&self) -> Option<String> {
        let statement = match &self.object {
            Object::Slot(slot) => render_drop_slot(slot.as_str()),
            Object::Publication(found) => found.drop_statement(),
            Object::Subscription(_) | Object::Origin(_) | Object::Membership(_) => return None,
        };
        Some(format!("{};", statement.as_str()))
    }
}

/// Renders the statement that drops a slot.
pub(crate) fn render_drop_slot(slot: &str) -> Sql {
    sql!(
        "SELECT pg_catalog.pg_drop_replication_slot({})",
        Literal(slot)
    )
}
