//! What happens to a database of the target.

use crate::cluster::finding::{Code, Finding, Level};
use crate::logical::FoundSubscription;
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
        /// The subscriptions in it that a `sync` has created, or that have the name of ours.
        subscribed: Vec<FoundSubscription>,
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
        let mut slots = self.subscribed().iter().flat_map(|one| &one.slot);
        slots.any(|name| name == slot.as_str())
    }

    /// The subscriptions that end with the database that is on the target.
    fn subscribed(&self) -> &[FoundSubscription] {
        match self {
            Self::DropAndCreate { subscribed, .. } => subscribed,
            Self::Create
            | Self::UseEmpty
            | Self::Recreate { .. }
            | Self::Empty { .. }
            | Self::Complete { .. }
            | Self::Keep { .. } => &[],
        }
    }

    /// Refuses to replace a database in which a subscription of ours reads from another slot.
    pub(crate) fn foreign_subscription(&self, own: &SlotName) -> Option<Finding> {
        let read = self.subscribed().iter();
        let mut read = read.filter_map(|one| Some((&one.name, one.slot.as_ref()?)));
        let (name, slot) = read.find(|(_, slot)| *slot != own.as_str())?;
        let message =
            format!("subscription {name} in it reads from slot {slot}, which is not this run's");
        let finding = Finding::new(Code::OtherSubscription, Level::Error, Side::Target, message);
        Some(finding.about(name).remedy("remove it first"))
    }
}
