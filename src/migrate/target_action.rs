//! What happens to a database of the target.

use crate::cluster::finding::{Code, Finding, Level};
use crate::logical::SUBSCRIPTION;
use crate::pg::{Oid, Side, SlotName};

/// What happens to a database of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetAction {
    /// It is created.
    Create,
    /// It exists, is empty, and is used as it is.
    UseEmpty,
    /// It holds objects; it is dropped and created again.
    DropAndCreate {
        /// Which database it must be.
        oid: Oid,
        /// A digest of what it holds.
        digest: String,
        /// Tables it holds.
        tables: i64,
        /// Its size on disk.
        bytes: i64,
        /// The slot that our subscription in it reads from.
        subscribed: Option<String>,
    },
    /// An interrupted run has created it; it is dropped and created again.
    Recreate {
        /// Which database it must be.
        oid: Oid,
        /// Why its rows are not kept.
        why: &'static str,
    },
    /// It was there when an interrupted run began to fill it; what is in it is removed.
    Empty {
        /// Which database it must be.
        oid: Oid,
        /// Why its rows are not kept.
        why: &'static str,
    },
    /// An earlier run has finished it; what that has not created is created.
    Complete {
        /// Its tables with rows.
        tables: usize,
        /// How many objects are missing.
        missing: usize,
    },
    /// The run that is continued has finished it; nothing happens to it.
    Keep {
        /// Its tables with rows.
        tables: usize,
    },
}

impl TargetAction {
    /// Whether the database that is there is filled.
    pub(crate) fn uses_existing(&self) -> bool {
        match self {
            Self::UseEmpty | Self::Empty { .. } => true,
            Self::Create
            | Self::DropAndCreate { .. }
            | Self::Recreate { .. }
            | Self::Complete { .. }
            | Self::Keep { .. } => false,
        }
    }

    /// Whether who uses this slot ends with the database that is on the target.
    pub(crate) fn frees(&self, slot: &SlotName) -> bool {
        matches!(self, Self::DropAndCreate { subscribed: Some(name), .. } if name == slot.as_str())
    }

    /// Refuses to replace a database in which a subscription of our name reads from another slot.
    pub(crate) fn foreign_subscription(&self, own: &SlotName) -> Option<Finding> {
        let Self::DropAndCreate {
            subscribed: Some(slot),
            ..
        } = self
        else {
            return None;
        };
        (slot != own.as_str()).then(|| {
            let message = format!(
                "subscription {SUBSCRIPTION} in it reads from slot {slot}, which is not this run's"
            );
            Finding::new(Code::OtherSubscription, Level::Error, Side::Target, message)
                .about(&SUBSCRIPTION)
                .remedy("remove it first")
        })
    }
}
