//! What the state of a replication is called and how much it is, the same in the report, in the monitor, in metrics and
//! on the web page. Everything here is pure.

use std::time::Duration;

use super::style::Style;
use super::text;
use crate::status::{
    DatabaseStatus, LagTime, Observation, Report, TableState, TableTrouble, TargetFacts, Verdict,
};

/// Names of what `status` could not find out.
const UNKNOWN: &str = "unknown";

/// How far a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// There is no subscription.
    NotCreated,
    /// The subscription is disabled.
    Disabled,
    /// It is enabled, and its apply worker does not run.
    Error,
    /// It runs, and the copy of its tables has not begun.
    Initializing,
    /// Tables are being copied.
    Copying,
    /// All tables are copied, and some catch up.
    Syncing,
    /// The changes of all tables are applied.
    Ready,
}

impl TargetState {
    /// Returns the state that the facts come to.
    pub fn of(target: &TargetFacts) -> Self {
        let Some(subscription) = &target.subscription else {
            return Self::NotCreated;
        };
        let has = |state| target.count_tables(state) > 0;
        let has_begun = target.count_tables(TableState::Initializing) < target.tables.len();
        let has_failed = target.apply_errors().is_some_and(|errors| errors > 0);
        match target.worker {
            _ if !subscription.is_enabled => Self::Disabled,
            None if has_begun || has_failed => Self::Error,
            _ if has(TableState::Copying) => Self::Copying,
            _ if has(TableState::Initializing) || target.worker.is_none() => Self::Initializing,
            _ if has(TableState::Synchronizing) => Self::Syncing,
            _ => Self::Ready,
        }
    }

    /// Returns its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotCreated => "Not created",
            Self::Disabled => "Disabled",
            Self::Error => "Error",
            Self::Initializing => "Initializing",
            Self::Copying => "Copying data",
            Self::Syncing => "Syncing",
            Self::Ready => "Ready (streaming)",
        }
    }

    /// Returns its name, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotCreated => "not_created",
            Self::Disabled => "disabled",
            Self::Error => "error",
            Self::Initializing => "initializing",
            Self::Copying => "copying",
            Self::Syncing => "syncing",
            Self::Ready => "ready",
        }
    }
}

/// A verdict, or that there is none because a server could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// There is a verdict.
    Known(Verdict),
    /// A server could not be asked.
    Unknown,
}

/// How good a state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing is to be done.
    Good,
    /// It may become good.
    Doubtful,
    /// Somebody has to act.
    Bad,
}

impl Health {
    /// All of them, from best to worst.
    pub const ALL: [Self; 5] = [
        Self::Known(Verdict::CaughtUp),
        Self::Known(Verdict::Lagging),
        Self::Known(Verdict::NotActive),
        Self::Known(Verdict::Broken),
        Self::Unknown,
    ];

    /// Returns that of a database.
    pub fn of(database: &DatabaseStatus) -> Self {
        database.verdict().map_or(Self::Unknown, Self::Known)
    }

    /// Returns that of all databases together.
    pub fn of_all(report: &Report) -> Self {
        report.verdict().map_or(Self::Unknown, Self::Known)
    }

    /// Returns its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known(verdict) => verdict.name(),
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Returns its name, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Known(verdict) => verdict.code(),
            Self::Unknown => UNKNOWN,
        }
    }

    /// Returns how good it is.
    pub const fn grade(self) -> Grade {
        match self {
            Self::Known(Verdict::CaughtUp) => Grade::Good,
            Self::Known(Verdict::Lagging) | Self::Unknown => Grade::Doubtful,
            Self::Known(Verdict::NotActive | Verdict::Broken) => Grade::Bad,
        }
    }

    /// Returns the mark before it.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Known(Verdict::CaughtUp) => "✓",
            Self::Known(Verdict::Lagging) => "!",
            Self::Known(Verdict::NotActive | Verdict::Broken) => "✗",
            Self::Unknown => "?",
        }
    }
}

impl Grade {
    /// Returns the text in the colour of the grade.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Good => style.good(text),
            Self::Doubtful => style.doubtful(text),
            Self::Bad => style.bad(text),
        }
    }
}

/// Returns the name of a state of a table, for programs.
pub const fn table_state_code(state: TableState) -> &'static str {
    match state {
        TableState::Initializing => "initializing",
        TableState::Copying => "copying",
        TableState::Synchronizing => "synchronizing",
        TableState::Ready => "ready",
    }
}

/// The states of tables, from the last to the first.
pub const TABLE_STATES: [TableState; 4] = [
    TableState::Ready,
    TableState::Synchronizing,
    TableState::Copying,
    TableState::Initializing,
];

/// Returns why a table is in trouble, for programs.
pub const fn trouble_code(trouble: &TableTrouble) -> &'static str {
    match trouble {
        TableTrouble::NotReady(_) => "not_ready",
        TableTrouble::MissingOnTarget => "missing_on_target",
        TableTrouble::NotSubscribed => "not_subscribed",
        TableTrouble::Unpublished => "unpublished",
        TableTrouble::LostIdentity(_) => "lost_identity",
        TableTrouble::NotPublished => "not_published",
        TableTrouble::NotPublishable(_) => "not_publishable",
    }
}

/// Returns why a table is in trouble, in words.
pub(super) fn trouble_text(trouble: &TableTrouble) -> String {
    match trouble {
        TableTrouble::NotReady(state) => state.name().to_owned(),
        TableTrouble::MissingOnTarget => "missing on the target".to_owned(),
        TableTrouble::NotSubscribed => "published, but the subscription lacks it".to_owned(),
        TableTrouble::Unpublished => "no longer published".to_owned(),
        TableTrouble::LostIdentity(reason) => {
            format!(
                "UPDATE and DELETE fail on the source: it {}",
                text::clean(reason)
            )
        }
        TableTrouble::NotPublished => "not published".to_owned(),
        TableTrouble::NotPublishable(reason) => {
            format!("cannot be published: {}", text::clean(reason))
        }
    }
}

/// Returns the lag as people read it; none if it was not measured.
pub(super) fn lag_text(time: LagTime) -> Option<String> {
    match time {
        LagTime::Within(time) => Some(text::duration(time)),
        LagTime::Exceeds(limit) => Some(format!("> {}", round_duration(limit))),
        LagTime::Unknown => None,
    }
}

/// A limit of whole seconds has no tenths.
fn round_duration(limit: Duration) -> String {
    match limit.as_secs() {
        seconds @ 1..60 if limit.subsec_millis() == 0 => format!("{seconds}s"),
        _ => text::duration(limit),
    }
}

/// Returns the least lag that is known: the measured one, or the limit that it exceeds.
pub fn least_lag(observation: &Observation) -> Option<Duration> {
    match observation.lag.time {
        LagTime::Within(time) | LagTime::Exceeds(time) => Some(time),
        LagTime::Unknown => None,
    }
}

/// Returns the bytes of WAL that the slot retains.
pub fn retained_wal(observation: &Observation) -> Option<u64> {
    observation.source.slot.as_ref()?.retained
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    fn target(states: &[TableState]) -> TargetFacts {
        let tables = states.iter().map(|state| samples::table("t", *state));
        TargetFacts {
            tables: tables.collect(),
            ..samples::level().target
        }
    }

    #[test]
    fn the_state_is_that_of_the_table_that_is_least_far() {
        use TableState::{Copying, Initializing, Ready, Synchronizing};
        for (states, expected) in [
            (&[Ready, Ready][..], TargetState::Ready),
            (&[], TargetState::Ready),
            (&[Ready, Synchronizing], TargetState::Syncing),
            (&[Ready, Copying, Initializing], TargetState::Copying),
            (&[Synchronizing, Initializing], TargetState::Initializing),
        ] {
            assert_eq!(TargetState::of(&target(states)), expected, "{states:?}");
        }
    }

    #[test]
    fn without_worker_a_subscription_begins_or_has_failed() {
        let stopped = |states: &[TableState]| TargetFacts {
            worker: None,
            ..target(states)
        };
        let begins = stopped(&[TableState::Initializing]);
        assert_eq!(TargetState::of(&begins), TargetState::Initializing);
        let failed = stopped(&[TableState::Ready]);
        assert_eq!(TargetState::of(&failed), TargetState::Error);
        let mut disabled = failed;
        if let Some(subscription) = &mut disabled.subscription {
            subscription.is_enabled = false;
        }
        assert_eq!(TargetState::of(&disabled), TargetState::Disabled);
        assert_eq!(
            TargetState::of(&TargetFacts::default()),
            TargetState::NotCreated
        );
    }

    #[test]
    fn a_limit_of_whole_seconds_has_no_tenths() {
        let text = |time| lag_text(time).unwrap();
        assert_eq!(text(LagTime::Exceeds(Duration::from_secs(2))), "> 2s");
        assert_eq!(
            text(LagTime::Exceeds(Duration::from_millis(2500))),
            "> 2.5s"
        );
        assert_eq!(
            text(LagTime::Exceeds(Duration::from_millis(500))),
            "> 500 ms"
        );
        assert_eq!(text(LagTime::Within(Duration::ZERO)), "0 ms");
        assert_eq!(lag_text(LagTime::Unknown), None);
    }
}
