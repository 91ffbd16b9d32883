//! What both servers show of one database's replication at one time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::logical::{FoundPublication, FoundSubscription, Slot};
use crate::pg::{Lsn, QualifiedName};

/// What the source shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFacts {
    /// Whether it is a standby: nothing can be written there.
    pub is_standby: bool,
    /// `wal_level`.
    pub wal_level: String,
    /// The end of the WAL that is on its disk; none on a standby.
    pub flush_lsn: Option<Lsn>,
    /// `max_slot_wal_keep_size` with its unit, since 13; `-1` is no limit.
    pub slot_wal_limit: Option<String>,
    /// The slot.
    pub slot: Option<Slot>,
    /// The process that sends from the slot.
    pub sender: Option<Sender>,
    /// Our publication, and the one of insert-only tables.
    pub publication: Option<FoundPublication>,
    /// How it differs from what its mark says, in words.
    pub publication_changes: Vec<String>,
}

/// A WAL sender (manual, "`pg_stat_replication`"). A role without `pg_monitor` sees its process only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Its process.
    pub pid: i32,
    /// The name of its client, which is usually that of the subscription.
    pub application_name: Option<String>,
    /// The client's address.
    pub client: Option<String>,
    /// `startup`, `catchup` or `streaming`.
    pub state: Option<String>,
    /// The last position that was sent.
    pub sent: Option<Lsn>,
    /// The last position that the target has received.
    pub write: Option<Lsn>,
    /// The last position that the target has flushed.
    pub flush: Option<Lsn>,
    /// The last position that the target has applied.
    pub replay: Option<Lsn>,
    /// How old the acknowledged positions were.
    pub lags: SenderLags,
}

/// The times that a WAL sender has measured; none once the target is level and nothing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderLags {
    /// Until the target had received.
    pub write: Option<Duration>,
    /// Until the target had flushed.
    pub flush: Option<Duration>,
    /// Until the target had applied.
    pub replay: Option<Duration>,
}

/// What the target shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetFacts {
    /// The subscription that reads from the slot, or has the name of ours.
    pub subscription: Option<FoundSubscription>,
    /// Its apply worker.
    pub worker: Option<Worker>,
    /// Its workers that copy tables.
    pub table_workers: u64,
    /// The workers of all subscriptions of the cluster, and how many it allows.
    pub workers: WorkerUse,
    /// Its counters, by the server's names; none before 15.
    pub counters: Option<BTreeMap<String, i64>>,
    /// Its tables.
    pub tables: Vec<SubscribedTable>,
}

/// An apply worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its process.
    pub pid: i32,
    /// The last position that it has received.
    pub received: Option<Lsn>,
    /// The last position that it has reported to the source.
    pub latest_end: Option<Lsn>,
    /// When it has reported that.
    pub latest_end_time: Option<String>,
    /// The sessions whose locks it waits for, in words.
    pub blocked_by: Option<String>,
}

/// How many logical replication workers a cluster runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerUse {
    /// Those that run.
    pub running: u64,
    /// `max_logical_replication_workers`.
    pub limit: u64,
}

/// A table of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribedTable {
    /// The table.
    pub name: QualifiedName,
    /// How far it is.
    pub state: TableState,
}

/// How far a table of a subscription is (manual, "`pg_subscription_rel`").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableState {
    /// Its copy has not begun.
    Initializing,
    /// It is being copied.
    Copying,
    /// It is copied, and catches up.
    Synchronizing,
    /// The apply worker applies its changes.
    Ready,
}

impl TableState {
    /// Reads the server's letter; an unknown one is not ready.
    pub(super) fn parse(letter: &str) -> Self {
        match letter {
            "r" => Self::Ready,
            "f" | "s" => Self::Synchronizing,
            "d" => Self::Copying,
            _ => Self::Initializing,
        }
    }

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::Copying => "copying rows",
            Self::Synchronizing => "synchronizing",
            Self::Ready => "ready",
        }
    }
}

impl TargetFacts {
    /// The errors of the apply worker that the server has counted; none before 15.
    pub fn apply_errors(&self) -> Option<i64> {
        self.count(&["apply_error_count"])
    }

    /// The errors of copies of tables; none before 15. 19 has renamed the counter.
    pub fn sync_errors(&self) -> Option<i64> {
        self.count(&["sync_error_count", "sync_table_error_count"])
    }

    /// The conflicts that the server has counted, by its names without prefix; since 18.
    pub fn conflicts(&self) -> BTreeMap<&str, i64> {
        let counters = self.counters.iter().flatten();
        let conflicts = counters.filter(|(_, count)| **count > 0);
        let conflicts = conflicts
            .filter_map(|(name, count)| name.strip_prefix("confl_").map(|name| (name, *count)));
        conflicts.collect()
    }

    fn count(&self, names: &[&str]) -> Option<i64> {
        let counters = self.counters.as_ref()?;
        names.iter().find_map(|name| counters.get(*name).copied())
    }

    /// How many of its tables are in a state.
    pub fn count_tables(&self, state: TableState) -> usize {
        let tables = self.tables.iter();
        tables.filter(|table| table.state == state).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_under_the_name_of_each_version() {
        let facts = |name: &str| TargetFacts {
            counters: Some(BTreeMap::from([(name.to_owned(), 3)])),
            ..TargetFacts::default()
        };
        assert_eq!(facts("sync_error_count").sync_errors(), Some(3));
        assert_eq!(facts("sync_table_error_count").sync_errors(), Some(3));
        assert_eq!(facts("sync_error_count").apply_errors(), None);
        assert_eq!(TargetFacts::default().sync_errors(), None);
        let conflict = facts("confl_insert_exists");
        assert_eq!(conflict.conflicts(), BTreeMap::from([("insert_exists", 3)]));
    }

    #[test]
    fn only_r_is_ready() {
        for (letter, state) in [
            ("i", TableState::Initializing),
            ("d", TableState::Copying),
            ("f", TableState::Synchronizing),
            ("s", TableState::Synchronizing),
            ("r", TableState::Ready),
            ("?", TableState::Initializing),
        ] {
            assert_eq!(TableState::parse(letter), state);
        }
    }
}
