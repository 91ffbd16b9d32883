//! What `status` reports.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Error;
use super::facts::{SourceFacts, TargetFacts};
use crate::cluster::Finding;
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
