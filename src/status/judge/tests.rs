use std::time::Duration;

use super::*;
use crate::logical::FoundPublication;
use crate::pg::{Ident, QualifiedName};
use crate::status::samples;
use crate::status::{Lag, Observation, TableState};

/// What both servers have shown, and what was measured.
struct Case {
    now: Observation,
    before: Option<TargetFacts>,
    measured: Measured,
    troubled: Vec<TroubledTable>,
    causes: Vec<Finding>,
    limit: Option<u64>,
}

impl Case {
    /// A level pair.
    fn level() -> Self {
        let mut now = samples::level();
        let publication =
            FoundPublication::plain(now.names.publication.clone(), std::iter::empty());
        now.source.publication = Some(publication);
        Self {
            measured: Measured {
                lag: now.lag,
                has_moved: false,
            },
            now,
            before: None,
            troubled: Vec::new(),
            causes: Vec::new(),
            limit: None,
        }
    }

    fn judge(&self) -> (Verdict, Vec<Code>) {
        let judgment = judge(Seen {
            database: "shop",
            target_database: "copy",
            names: &self.now.names,
            source: &self.now.source,
            target: &self.now.target,
            before: self.before.as_ref().unwrap_or(&self.now.target),
            measured: self.measured,
            troubled: &self.troubled,
            causes: &self.causes,
            max_retained_wal: self.limit,
        });
        let codes = judgment.findings.iter().map(|finding| finding.code);
        (judgment.verdict, codes.collect())
    }

    fn set_lag(&mut self, time: LagTime) {
        let bytes = Some(1000);
        self.measured.lag = Lag { time, bytes };
    }

    fn set_errors(&mut self, count: i64) {
        let counters = self.now.target.counters.get_or_insert_default();
        counters.insert("apply_error_count".to_owned(), count);
    }
}

/// A change of a level pair, and what it comes to.
type Row = (&'static str, fn(&mut Case), Verdict, &'static [Code]);

#[track_caller]
fn check(rows: &[Row]) {
    for (name, change, verdict, codes) in rows {
        let mut case = Case::level();
        change(&mut case);
        assert_eq!(case.judge(), (*verdict, codes.to_vec()), "{name}");
    }
}

fn subscription(case: &mut Case) -> &mut FoundSubscription {
    let subscription = &mut case.now.target.subscription;
    subscription.as_mut().expect("a level pair has one")
}

fn slot(case: &mut Case) -> &mut crate::logical::Slot {
    let slot = &mut case.now.source.slot;
    slot.as_mut().expect("a level pair has one")
}

#[test]
fn the_lag_alone_decides_where_nothing_is_wrong() {
    check(&[
        ("level", |_| {}, Verdict::CaughtUp, &[]),
        (
            "just below a second",
            |case| case.set_lag(LagTime::Within(Duration::from_millis(999))),
            Verdict::CaughtUp,
            &[],
        ),
        (
            "a second",
            |case| case.set_lag(LagTime::Within(Duration::from_secs(1))),
            Verdict::Lagging,
            &[],
        ),
        (
            "more than was waited for",
            |case| {
                case.set_lag(LagTime::Exceeds(Duration::from_secs(2)));
                case.measured.has_moved = true;
            },
            Verdict::Lagging,
            &[],
        ),
        (
            "errors of long ago",
            |case| case.set_errors(7),
            Verdict::CaughtUp,
            &[],
        ),
    ]);
}

#[test]
fn each_fault_of_an_object_is_named() {
    check(&[
        (
            "slot dropped",
            |case| case.now.source.slot = None,
            Verdict::Broken,
            &[Code::SlotMissing],
        ),
        (
            "slot lost",
            |case| slot(case).wal_status = Some("lost".to_owned()),
            Verdict::Broken,
            &[Code::SlotLost],
        ),
        (
            "slot at risk",
            |case| slot(case).wal_status = Some("unreserved".to_owned()),
            Verdict::Lagging,
            &[Code::SlotAtRisk],
        ),
        (
            "slot of another database",
            |case| slot(case).database = Some("other".to_owned()),
            Verdict::Broken,
            &[Code::SlotOfOtherDatabase],
        ),
        (
            "publication dropped",
            |case| case.now.source.publication = None,
            Verdict::Broken,
            &[Code::PublicationMissing],
        ),
        (
            "standby",
            |case| case.now.source.is_standby = true,
            Verdict::Broken,
            &[Code::Standby],
        ),
        (
            "wal_level",
            |case| case.now.source.wal_level = "replica".to_owned(),
            Verdict::Broken,
            &[Code::WalLevel],
        ),
    ]);
}

#[test]
fn each_fault_of_the_subscription_is_named() {
    check(&[
        (
            "no subscription",
            |case| case.now.target.subscription = None,
            Verdict::NotActive,
            &[Code::SubscriptionMissing],
        ),
        (
            "disabled",
            |case| subscription(case).is_enabled = false,
            Verdict::NotActive,
            &[Code::SubscriptionDisabled],
        ),
        (
            "detached",
            |case| subscription(case).slot = None,
            Verdict::NotActive,
            &[Code::SubscriptionDetached],
        ),
        (
            "another slot",
            |case| subscription(case).slot = Some("other".to_owned()),
            Verdict::Broken,
            &[Code::OtherSubscription],
        ),
        (
            "another publication",
            |case| subscription(case).publications.clear(),
            Verdict::Broken,
            &[Code::SubscriptionPublications],
        ),
        (
            "nothing at all",
            |case| {
                (case.now.source.slot, case.now.source.publication) = (None, None);
                case.now.target = TargetFacts::default();
            },
            Verdict::NotActive,
            &[Code::SubscriptionMissing],
        ),
    ]);
}

#[test]
fn each_fault_of_the_workers_is_named() {
    check(&[
        (
            "absent, without errors",
            |case| {
                case.now.target.worker = None;
                case.set_lag(LagTime::Unknown);
            },
            Verdict::NotActive,
            &[Code::WorkerNotRunning],
        ),
        (
            "absent, with errors of long ago",
            |case| {
                case.now.target.worker = None;
                case.set_errors(3);
                case.set_lag(LagTime::Unknown);
            },
            Verdict::NotActive,
            &[Code::WorkerNotRunning],
        ),
        (
            "absent, with errors, and the slot was read",
            |case| {
                case.now.target.worker = None;
                case.set_errors(3);
                case.set_lag(LagTime::Exceeds(Duration::from_secs(2)));
            },
            Verdict::Broken,
            &[Code::ApplyFails],
        ),
        (
            "none is free",
            |case| {
                case.now.target.worker = None;
                case.now.target.workers.running = case.now.target.workers.limit;
                case.set_lag(LagTime::Unknown);
            },
            Verdict::NotActive,
            &[Code::WorkersExhausted],
        ),
        (
            "errors grow",
            |case| {
                case.before = Some(case.now.target.clone());
                case.set_errors(1);
                case.set_lag(LagTime::Exceeds(Duration::from_secs(2)));
            },
            Verdict::Broken,
            &[Code::ApplyFails],
        ),
        (
            "a cause is known",
            |case| {
                case.now.target.worker = None;
                case.set_lag(LagTime::Unknown);
                let code = Code::ColumnMissingOnTarget;
                case.causes = vec![Finding::new(code, Level::Error, Side::Target, "x")];
            },
            Verdict::Broken,
            &[Code::ApplyFails, Code::ColumnMissingOnTarget],
        ),
        (
            "blocked",
            |case| {
                let worker = case.now.target.worker.as_mut();
                worker.expect("a level pair has one").blocked_by = Some("pid 7".to_owned());
                case.set_lag(LagTime::Exceeds(Duration::from_secs(2)));
            },
            Verdict::Lagging,
            &[Code::ApplyBlocked],
        ),
    ]);
}

#[test]
fn each_trouble_of_a_table_makes_it_no_better_than_lagging() {
    let troubles = [
        (
            TableTrouble::NotReady(TableState::Copying),
            Code::TableNotReady,
        ),
        (TableTrouble::MissingOnTarget, Code::TableMissingOnTarget),
        (TableTrouble::NotSubscribed, Code::TableNotSubscribed),
        (TableTrouble::NotPublished, Code::TableNotPublished),
        (
            TableTrouble::NotPublishable("has no key".to_owned()),
            Code::TableNotPublishable,
        ),
    ];
    for (trouble, code) in troubles {
        let mut case = Case::level();
        let table = QualifiedName::from_catalog("s", "t");
        case.troubled = vec![TroubledTable { table, trouble }];
        assert_eq!(case.judge(), (Verdict::Lagging, vec![code]));
    }
}

#[test]
fn a_slot_over_its_limit_is_a_warning() {
    let mut case = Case::level();
    case.limit = Some(1);
    let expected = (Verdict::Lagging, vec![Code::SlotRetainsWal]);
    assert_eq!(case.judge(), expected);
    case.limit = slot(&mut case).retained;
    assert_eq!(case.judge(), (Verdict::CaughtUp, Vec::new()));
}

#[test]
fn what_is_wrong_is_said_of_the_right_database() {
    let mut case = Case::level();
    let table = QualifiedName::from_catalog("s", "t");
    let trouble = TableTrouble::MissingOnTarget;
    case.troubled = vec![TroubledTable { table, trouble }];
    case.now.names.subscription = Ident::from_catalog("x");
    let judgment = judge(Seen {
        database: "shop",
        target_database: "copy",
        names: &case.now.names,
        source: &case.now.source,
        target: &case.now.target,
        before: &case.now.target,
        measured: case.measured,
        troubled: &case.troubled,
        causes: &[],
        max_retained_wal: None,
    });
    assert_eq!(judgment.findings[0].database.as_deref(), Some("copy"));
}
