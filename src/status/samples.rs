//! Reports for tests of what shows them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    DatabaseStatus, Error, Lag, LagTime, Names, Observation, Outcome, Report, Sender, SourceFacts,
    SubscribedTable, TableState, TableTrouble, TargetFacts, TroubledTable, Verdict, Worker,
    WorkerUse,
};
use crate::cluster::Finding;
use crate::cluster::finding::{Code, Level};
use crate::connect;
use crate::logical::{FoundSubscription, Slot};
use crate::pg::{Ident, Lsn, Oid, QualifiedName, Side, SlotName};
use crate::remedy::Remedy;

/// A report of these databases, so many seconds after a fixed time.
pub(crate) fn report(seconds: i64, databases: Vec<DatabaseStatus>) -> Report {
    let at = Timestamp::from_second(1_800_000_000 + seconds).expect("the year 2027 exists");
    Report { at, databases }
}

/// One database of each kind.
pub(crate) fn all_kinds() -> Report {
    report(
        0,
        vec![
            caught_up("shop"),
            copying("archive"),
            broken("orders"),
            not_created("new"),
            unknown("lost"),
        ],
    )
}

/// A database with an observation.
pub(crate) fn observed(source: &str, observation: Observation) -> DatabaseStatus {
    DatabaseStatus {
        source: source.to_owned(),
        target: format!("{source}_new"),
        outcome: Outcome::Observed(Box::new(observation)),
    }
}

/// A database that is level.
pub(crate) fn caught_up(source: &str) -> DatabaseStatus {
    observed(source, level())
}

/// A database that is level, at another position.
pub(crate) fn at_position(source: &str, position: u64) -> DatabaseStatus {
    let mut observation = level();
    let position = Some(Lsn::new(position));
    if let Some(sender) = &mut observation.source.sender {
        (sender.sent, sender.write) = (position, position);
    }
    if let Some(worker) = &mut observation.target.worker {
        worker.received = position;
    }
    observed(source, observation)
}

/// A database whose tables are being copied.
pub(crate) fn copying(source: &str) -> DatabaseStatus {
    let mut observation = level();
    observation.verdict = Verdict::Lagging;
    observation.lag = Lag {
        time: LagTime::Exceeds(Duration::from_secs(2)),
        bytes: Some(48 << 20),
    };
    if let Some(sender) = &mut observation.source.sender {
        sender.state = Some("catchup".to_owned());
        sender.replay = Some(Lsn::new(0x200_0000));
        sender.flush = sender.replay;
        sender.lags.replay = Some(Duration::from_millis(2750));
    }
    observation.target.table_workers = 1;
    observation.target.tables = vec![
        table("orders", TableState::Copying),
        table("lines", TableState::Initializing),
        table("customers", TableState::Ready),
    ];
    observation.tables = vec![
        troubled("orders", TableTrouble::NotReady(TableState::Copying)),
        troubled("lines", TableTrouble::NotReady(TableState::Initializing)),
    ];
    observed(source, observation)
}

/// A database whose slot is lost, with more troubled tables than a list shows.
pub(crate) fn broken(source: &str) -> DatabaseStatus {
    let mut observation = level();
    observation.verdict = Verdict::Broken;
    observation.lag = Lag::default();
    observation.source.sender = None;
    if let Some(slot) = &mut observation.source.slot {
        slot.active_pid = None;
        slot.retained = None;
        slot.restart_lsn = None;
        slot.wal_status = Some("lost".to_owned());
        slot.safe_wal_size = None;
        slot.inactive_since = Some("2027-01-15 07:58:03+00".to_owned());
        slot.invalidation = Some("wal_removed".to_owned());
    }
    observation.target.worker = None;
    let errors = [
        ("apply_error_count", 17),
        ("sync_error_count", 1),
        ("confl_insert_exists", 17),
    ];
    let errors = errors.map(|(name, count)| (name.to_owned(), count));
    observation.target.counters = Some(BTreeMap::from(errors));
    let missing = |number| troubled(&format!("part_{number:02}"), TableTrouble::MissingOnTarget);
    observation.tables = (0..22).map(missing).collect();
    observation.tables.push(troubled(
        "Log",
        TableTrouble::NotPublishable("it is unlogged".to_owned()),
    ));
    observation.findings = vec![
        Finding::new(
            Code::SlotActive,
            Level::Error,
            Side::Source,
            "slot seren_sub is lost: the source has removed WAL that the target lacks",
        )
        .in_database(source)
        .remedy(Remedy::act("copy the database again")),
        Finding::new(
            Code::NotEmpty,
            Level::Warning,
            Side::Target,
            "the apply worker fails: 17 errors",
        )
        .in_database(source),
    ];
    observed(source, observation)
}

/// A database without subscription.
pub(crate) fn not_created(source: &str) -> DatabaseStatus {
    let mut observation = level();
    observation.verdict = Verdict::NotActive;
    observation.lag = Lag::default();
    observation.source.sender = None;
    if let Some(slot) = &mut observation.source.slot {
        slot.active_pid = None;
        slot.retained = Some(3 << 30);
        slot.safe_wal_size = Some(1 << 30);
        slot.wal_status = Some("extended".to_owned());
    }
    observation.target = TargetFacts::default();
    observed(source, observation)
}

/// A database whose source does not answer.
pub(crate) fn unknown(source: &str) -> DatabaseStatus {
    let refused = connect::Error::Dial {
        place: "db.example.com:5432".to_owned(),
        source: io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"),
    };
    DatabaseStatus {
        source: source.to_owned(),
        target: source.to_owned(),
        outcome: Outcome::Unknown(Arc::new(Error::connect(Side::Source)(refused))),
    }
}

/// What a level pair shows.
pub(crate) fn level() -> Observation {
    let name = |name| Ident::from_catalog(name);
    Observation {
        names: Names {
            publication: name("seren_pub"),
            subscription: name("seren_sub"),
            slot: SlotName::new("seren_sub").ok(),
        },
        source: SourceFacts {
            is_standby: false,
            wal_level: "logical".to_owned(),
            flush_lsn: Some(Lsn::new(0x300_0148)),
            slot_wal_limit: Some("4GB".to_owned()),
            slot: Some(slot()),
            sender: Some(sender()),
            publication: None,
            publication_changes: Vec::new(),
        },
        target: TargetFacts {
            subscription: Some(subscription()),
            worker: Some(Worker {
                pid: 4711,
                received: Some(Lsn::new(0x300_0148)),
                latest_end: Some(Lsn::new(0x300_0148)),
                blocked_by: None,
                latest_end_time: Some("2027-01-15 07:59:58+00".to_owned()),
            }),
            table_workers: 0,
            workers: WorkerUse {
                running: 1,
                limit: 4,
            },
            counters: Some(BTreeMap::from([
                ("apply_error_count".to_owned(), 0),
                ("sync_error_count".to_owned(), 0),
            ])),
            tables: vec![
                table("customers", TableState::Ready),
                table("orders", TableState::Ready),
            ],
        },
        lag: Lag {
            time: LagTime::Within(Duration::from_millis(12)),
            bytes: Some(0),
        },
        tables: Vec::new(),
        findings: Vec::new(),
        verdict: Verdict::CaughtUp,
    }
}

fn slot() -> Slot {
    Slot {
        name: "seren_sub".to_owned(),
        database: Some("shop".to_owned()),
        active_pid: Some(812),
        restart_lsn: Some(Lsn::new(0x200_0000)),
        confirmed_lsn: Some(Lsn::new(0x300_0148)),
        retained: Some(16 << 20),
        wal_status: Some("reserved".to_owned()),
        safe_wal_size: Some(4 << 30),
        inactive_since: None,
        is_failover: false,
        invalidation: None,
    }
}

fn sender() -> Sender {
    let position = Some(Lsn::new(0x300_0148));
    Sender {
        pid: 812,
        application_name: Some("seren_sub".to_owned()),
        client: Some("10.0.0.7".to_owned()),
        state: Some("streaming".to_owned()),
        sent: position,
        write: position,
        flush: position,
        replay: position,
        ..Sender::default()
    }
}

fn subscription() -> FoundSubscription {
    FoundSubscription {
        oid: Oid(16400),
        name: Ident::from_catalog("seren_sub"),
        is_enabled: true,
        slot: Some("seren_sub".to_owned()),
        publications: vec!["seren_pub".to_owned()],
        is_marked: true,
        owner: Ident::from_catalog("postgres"),
        is_owner_superuser: true,
    }
}

/// A table of the subscription.
pub(crate) fn table(name: &str, state: TableState) -> SubscribedTable {
    SubscribedTable {
        name: QualifiedName::from_catalog("public", name),
        state,
    }
}

/// A table with a trouble.
pub(crate) fn troubled(name: &str, trouble: TableTrouble) -> TroubledTable {
    TroubledTable {
        table: QualifiedName::from_catalog("public", name),
        trouble,
    }
}
