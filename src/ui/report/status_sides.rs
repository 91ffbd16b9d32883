//! What the report of `status` lists of each server, for programs.

use serde::Serialize;

use super::contract::milliseconds;
use super::status::Counts;
use crate::logical::{FoundSubscription, Slot};
use crate::pg::Lsn;
use crate::status::{Sender, SourceFacts, TargetFacts, Worker};
use crate::ui::replication::TargetState;

/// The source's side.
#[derive(Debug, Serialize)]
pub(super) struct SourceBody {
    is_standby: bool,
    wal_level: String,
    flush_lsn: Option<String>,
    max_slot_wal_keep_size: Option<String>,
    has_publication: bool,
    slot: Option<SlotBody>,
    sender: Option<SenderBody>,
}

#[derive(Debug, Serialize)]
struct SlotBody {
    name: String,
    active: bool,
    active_pid: Option<i32>,
    restart_lsn: Option<String>,
    confirmed_flush_lsn: Option<String>,
    retained_bytes: Option<u64>,
    wal_status: Option<String>,
    safe_wal_bytes: Option<i64>,
    inactive_since: Option<String>,
    failover: bool,
    invalidation: Option<String>,
}

#[derive(Debug, Serialize)]
struct SenderBody {
    pid: i32,
    application_name: Option<String>,
    client: Option<String>,
    state: Option<String>,
    sent_lsn: Option<String>,
    write_lsn: Option<String>,
    flush_lsn: Option<String>,
    replay_lsn: Option<String>,
    write_lag_ms: Option<u64>,
    flush_lag_ms: Option<u64>,
    replay_lag_ms: Option<u64>,
}

/// The target's side.
#[derive(Debug, Serialize)]
pub(super) struct TargetBody {
    state: &'static str,
    subscription: Option<SubscriptionBody>,
    worker: Option<WorkerBody>,
    table_workers: u64,
    cluster_workers: u64,
    max_cluster_workers: u64,
    apply_errors: Option<i64>,
    sync_errors: Option<i64>,
    conflicts: Counts,
}

#[derive(Debug, Serialize)]
struct SubscriptionBody {
    name: String,
    enabled: bool,
    slot: Option<String>,
    publications: Vec<String>,
    owner: String,
}

#[derive(Debug, Serialize)]
struct WorkerBody {
    pid: i32,
    received_lsn: Option<String>,
    latest_end_lsn: Option<String>,
    latest_end_time: Option<String>,
}

fn text(lsn: Option<Lsn>) -> Option<String> {
    lsn.map(|lsn| lsn.to_string())
}

impl SourceBody {
    pub(super) fn new(source: &SourceFacts) -> Self {
        Self {
            is_standby: source.is_standby,
            wal_level: source.wal_level.clone(),
            flush_lsn: text(source.flush_lsn),
            max_slot_wal_keep_size: source.slot_wal_limit.clone(),
            has_publication: source.publication.is_some(),
            slot: source.slot.as_ref().map(SlotBody::new),
            sender: source.sender.as_ref().map(SenderBody::new),
        }
    }
}

impl SlotBody {
    fn new(slot: &Slot) -> Self {
        Self {
            name: slot.name.clone(),
            active: slot.active_pid.is_some(),
            active_pid: slot.active_pid,
            restart_lsn: text(slot.restart_lsn),
            confirmed_flush_lsn: text(slot.confirmed_lsn),
            retained_bytes: slot.retained,
            wal_status: slot.wal_status.clone(),
            safe_wal_bytes: slot.safe_wal_size,
            inactive_since: slot.inactive_since.clone(),
            failover: slot.is_failover,
            invalidation: slot.invalidation.clone(),
        }
    }
}

impl SenderBody {
    fn new(sender: &Sender) -> Self {
        Self {
            pid: sender.pid,
            application_name: sender.application_name.clone(),
            client: sender.client.clone(),
            state: sender.state.clone(),
            sent_lsn: text(sender.sent),
            write_lsn: text(sender.write),
            flush_lsn: text(sender.flush),
            replay_lsn: text(sender.replay),
            write_lag_ms: sender.lags.write.map(milliseconds),
            flush_lag_ms: sender.lags.flush.map(milliseconds),
            replay_lag_ms: sender.lags.replay.map(milliseconds),
        }
    }
}

impl TargetBody {
    pub(super) fn new(target: &TargetFacts) -> Self {
        let conflicts = target.conflicts().into_iter();
        Self {
            state: TargetState::of(target).code(),
            subscription: target.subscription.as_ref().map(SubscriptionBody::new),
            worker: target.worker.as_ref().map(WorkerBody::new),
            table_workers: target.table_workers,
            cluster_workers: target.workers.running,
            max_cluster_workers: target.workers.limit,
            apply_errors: target.apply_errors(),
            sync_errors: target.sync_errors(),
            conflicts: conflicts
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
        }
    }
}

impl SubscriptionBody {
    fn new(subscription: &FoundSubscription) -> Self {
        Self {
            name: subscription.name.as_str().to_owned(),
            enabled: subscription.is_enabled,
            slot: subscription.slot.clone(),
            publications: subscription.publications.clone(),
            owner: subscription.owner.as_str().to_owned(),
        }
    }
}

impl WorkerBody {
    fn new(worker: &Worker) -> Self {
        Self {
            pid: worker.pid,
            received_lsn: text(worker.received),
            latest_end_lsn: text(worker.latest_end),
            latest_end_time: worker.latest_end_time.clone(),
        }
    }
}
