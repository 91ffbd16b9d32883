//! What `status` reports.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use super::facts::{SourceFacts, TargetFacts};
use crate::cluster::Finding;
use crate::logical::FoundSubscription;
use crate::pg::{Ident, QualifiedName, SlotName};

/// The state of all selected databases at one time.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it was observed, by this machine's clock.
    pub at: Timestamp,
    /// The databases, by name.
    pub databases: Vec<DatabaseStatus>,
}

/// The state of one database.
#[derive(Clone, Debug)]
pub struct DatabaseStatus {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// What was observed.
    pub outcome: Outcome,
}

/// What was observed of a database.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Both servers have answered.
    Observed(Box<Observation>),
    /// A server could not be asked.
    Unknown(Arc<Error>),
}

/// What both servers show of a database, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The names of its objects.
    pub names: Names,
    /// The source's side.
    pub source: SourceFacts,
    /// The target's side.
    pub target: TargetFacts,
    /// How far the target is behind.
    pub lag: Lag,
    /// Tables that are not replicated as they should be.
    pub tables: Vec<TroubledTable>,
    /// What needs attention, with remedies.
    pub findings: Vec<Finding>,
    /// What all of it comes to.
    pub verdict: Verdict,
}

/// The objects that replicate one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The publication.
    pub publication: Ident,
    /// The subscription.
    pub subscription: Ident,
    /// The slot; none while it is not known.
    pub slot: Option<SlotName>,
}

impl Names {
    /// Chooses the subscription that reads from the slot; without one, that of the name.
    pub(crate) fn choose_subscription(
        &self,
        found: Vec<FoundSubscription>,
    ) -> Option<FoundSubscription> {
        let slot = self.slot.as_ref().map(SlotName::as_str);
        let reads = |one: &FoundSubscription| slot.is_some() && one.slot.as_deref() == slot;
        let by_slot = found.iter().position(reads);
        let by_name = || found.iter().position(|one| one.name == self.subscription);
        let place = by_slot.or_else(by_name)?;
        found.into_iter().nth(place)
    }
}

/// The longest lag of a replication that has caught up.
const CAUGHT_UP: Duration = Duration::from_secs(1);

/// How far the target is behind the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// The time until the target had applied what the source had flushed.
    pub time: LagTime,
    /// Bytes of WAL between what the source has flushed and what the target has applied. Not all of them are changes of
    /// this database.
    pub bytes: Option<u64>,
}

/// A measured time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LagTime {
    /// The target has applied everything within this time.
    Within(Duration),
    /// It had not after this time.
    Exceeds(Duration),
    /// Nothing is applied now, so that nothing was measured.
    #[default]
    Unknown,
}

impl LagTime {
    /// Whether a replication with this lag has caught up.
    pub(crate) fn is_caught_up(self) -> bool {
        matches!(self, Self::Within(lag) if lag < CAUGHT_UP)
    }
}

/// A table that is not replicated as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubledTable {
    /// The table.
    pub table: QualifiedName,
    /// Why.
    pub trouble: TableTrouble,
}

/// Why a table is not replicated as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableTrouble {
    /// Its first copy has not ended.
    NotReady(super::facts::TableState),
    /// It is published, and the target lacks it.
    MissingOnTarget,
    /// It is published, and the subscription does not know it.
    NotSubscribed,
    /// It is replicated, and somebody has removed it from the publication: its later changes are missing.
    Unpublished,
    /// It is published, and has lost its replica identity, for this reason: UPDATE and DELETE fail on the source.
    LostIdentity(String),
    /// It was created on the source, or selected, after the publication.
    NotPublished,
    /// It was created on the source, and cannot be published as it is, for this reason.
    NotPublishable(String),
}

/// What the state of a database comes to, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The lag is less than a second, and every table is ready.
    CaughtUp,
    /// It is replicated, and behind.
    Lagging,
    /// It is not replicated now.
    NotActive,
    /// It cannot be replicated until somebody acts.
    Broken,
}

impl Verdict {
    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaughtUp => "CAUGHT UP",
            Self::Lagging => "LAGGING",
            Self::NotActive => "NOT ACTIVE",
            Self::Broken => "BROKEN",
        }
    }

    /// Its name, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CaughtUp => "caught_up",
            Self::Lagging => "lagging",
            Self::NotActive => "not_active",
            Self::Broken => "broken",
        }
    }
}

impl DatabaseStatus {
    /// What was observed, unless a server could not be asked.
    pub fn observation(&self) -> Option<&Observation> {
        match &self.outcome {
            Outcome::Observed(observation) => Some(observation),
            Outcome::Unknown(_) => None,
        }
    }

    /// What its state comes to; none if a server could not be asked.
    pub fn verdict(&self) -> Option<Verdict> {
        self.observation().map(|observation| observation.verdict)
    }
}

impl Report {
    /// The worst verdict of all databases. None if nothing worse than a server that could not be asked is known.
    pub fn verdict(&self) -> Option<Verdict> {
        let verdicts = self.databases.iter().filter_map(DatabaseStatus::verdict);
        let worst = verdicts.max();
        let is_unknown = self.databases.iter().any(|one| one.verdict().is_none());
        match worst {
            Some(worst) if worst >= Verdict::NotActive => Some(worst),
            _ if is_unknown => None,
            None => Some(Verdict::NotActive),
            worst => worst,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Oid;

    fn subscription(name: &str, slot: Option<&str>) -> FoundSubscription {
        FoundSubscription {
            oid: Oid(1),
            name: Ident::from_catalog(name),
            is_enabled: true,
            slot: slot.map(str::to_owned),
            publications: Vec::new(),
            is_marked: true,
            owner: Ident::from_catalog("me"),
            is_owner_superuser: true,
        }
    }

    #[test]
    fn the_slot_goes_before_the_name() {
        let names = Names {
            publication: Ident::from_catalog("p"),
            subscription: Ident::from_catalog("ours"),
            slot: Some(SlotName::new("s").unwrap()),
        };
        let chosen = |found: &[(&str, Option<&str>)]| {
            let found = found.iter().map(|(name, slot)| subscription(name, *slot));
            let chosen = names.choose_subscription(found.collect());
            chosen.map(|one| one.name.as_str().to_owned())
        };
        let theirs = ("theirs", Some("s"));
        assert_eq!(
            chosen(&[("ours", Some("x")), theirs]).as_deref(),
            Some("theirs")
        );
        assert_eq!(chosen(&[("ours", None)]).as_deref(), Some("ours"));
        assert_eq!(chosen(&[("theirs", Some("x"))]), None);
    }
}
