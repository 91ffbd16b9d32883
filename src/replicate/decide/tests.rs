use super::*;
use crate::cluster::Broken;
use crate::logical::{Copied, FoundPublication, Mark, RunTag, Slot};
use crate::pg::{Ident, Lsn, Oid};

fn names() -> Names {
    Names {
        publication: Ident::from_catalog("pub"),
        subscription: Ident::from_catalog("sub"),
        slot: Some(SlotName::new("seren_app").unwrap()),
    }
}

fn slot() -> Slot {
    Slot {
        name: "seren_app".to_owned(),
        database: Some("app".to_owned()),
        active_pid: None,
        restart_lsn: Some(Lsn::new(1)),
        confirmed_lsn: Some(Lsn::new(7)),
        retained: Some(1),
        wal_status: Some("reserved".to_owned()),
        safe_wal_size: None,
        inactive_since: None,
        is_failover: false,
        invalidation: None,
    }
}

fn publication(complete: bool) -> FoundPublication {
    let mut found = FoundPublication::plain(Ident::from_catalog("pub"), [1].into_iter());
    let run = RunId::new("1", "2");
    let mark = Mark::new(run, RunTag::new(), "app", "seren_app", String::new());
    found.mark = Some(match complete {
        true => mark.completed(Some(Copied::new(Some(Lsn::new(7)), &found.listed))),
        false => mark,
    });
    found
}

fn subscription() -> FoundSubscription {
    FoundSubscription {
        oid: Oid(1),
        name: Ident::from_catalog("sub"),
        is_enabled: true,
        slot: Some("seren_app".to_owned()),
        publications: vec!["pub".to_owned()],
        is_marked: true,
        owner: Ident::from_catalog("me"),
        is_owner_superuser: true,
    }
}

fn copied() -> Found {
    Found {
        publication: Some(publication(true)),
        slot: Some(slot()),
        is_point_known: true,
        ..Found::default()
    }
}

fn running() -> Found {
    Found {
        subscription: Some(subscription()),
        ..copied()
    }
}

fn decided(found: &Found, copy_data: bool) -> Result<Action, Code> {
    let asked = Asked {
        database: "app",
        names: &names(),
        copy_data,
        run: &RunId::new("1", "2"),
        target: "app",
        is_unfinished: false,
        reconnects: false,
    };
    decide(found, asked).map_err(|finding| finding.code)
}

#[test]
fn a_complete_copy_is_followed_and_a_running_one_is_left_alone() {
    assert_eq!(decided(&copied(), false), Ok(Action::Create));
    let nothing = Action::Repair(Repair::default());
    assert_eq!(decided(&running(), false), Ok(nothing));
    assert_eq!(decided(&running(), true), Ok(nothing));
}

/// What is changed of a running replication, and what it comes to.
type Case = (fn(&mut Found), Result<Action, Code>);

#[test]
fn each_state_of_a_new_replication_has_its_answer() {
    let cases: [Case; 8] = [
        (|found| found.is_standby = true, Err(Code::Standby)),
        (|found| found.slot = None, Err(Code::SlotMissing)),
        (
            |found| (found.slot, found.publication) = (None, None),
            Err(Code::SlotMissing),
        ),
        (
            |found| found.publication = None,
            Err(Code::PublicationMissing),
        ),
        (
            |found| found.publication = Some(publication(false)),
            Err(Code::CopyIncomplete),
        ),
        (
            |found| found.slot.as_mut().unwrap().active_pid = Some(3),
            Err(Code::SlotActive),
        ),
        (
            |found| {
                let slot = SlotName::new("seren_app").unwrap();
                let (now, point) = (None, Lsn::new(1));
                found.broken = vec![Broken::SlotMoved { slot, now, point }];
            },
            Err(Code::SlotMoved),
        ),
        (|found| found.is_point_known = false, Err(Code::SlotMoved)),
    ];
    for (place, (change, expected)) in cases.into_iter().enumerate() {
        let mut found = copied();
        change(&mut found);
        assert_eq!(decided(&found, false), expected, "case {place}");
    }
    let nothing = Found::default();
    assert_eq!(decided(&nothing, true), Ok(Action::CreateAndCopy));
}

#[test]
fn each_state_of_an_existing_subscription_has_its_answer() {
    let repair = |attach, request, enable| {
        Ok(Action::Repair(Repair {
            attach,
            request,
            reconnect: false,
            enable,
        }))
    };
    let cases: [Case; 9] = [
        (
            |found| found.subscription.as_mut().unwrap().is_enabled = false,
            repair(false, false, true),
        ),
        (
            |found| {
                let subscription = found.subscription.as_mut().unwrap();
                subscription.slot = None;
                subscription.is_enabled = false;
            },
            repair(true, false, true),
        ),
        (
            |found| found.subscription.as_mut().unwrap().publications.clear(),
            repair(false, true, false),
        ),
        (
            |found| found.subscription.as_mut().unwrap().slot = Some("other".to_owned()),
            Err(Code::OtherSubscription),
        ),
        (
            |found| found.is_disabled_by_error = true,
            Err(Code::SubscriptionDisabled),
        ),
        (|found| found.slot = None, Err(Code::SlotMissing)),
        (
            |found| {
                found.slot.as_mut().unwrap().wal_status = Some("lost".to_owned());
            },
            Err(Code::SlotLost),
        ),
        (
            |found| found.publication = None,
            Err(Code::PublicationMissing),
        ),
        // A slot in use is what a running subscription has.
        (
            |found| found.slot.as_mut().unwrap().active_pid = Some(3),
            repair(false, false, false),
        ),
    ];
    for (place, (change, expected)) in cases.into_iter().enumerate() {
        let mut found = running();
        change(&mut found);
        assert_eq!(decided(&found, false), expected, "case {place}");
    }
}

#[test]
fn a_copy_that_the_state_knows_to_be_unfinished_is_refused() {
    let asked = Asked {
        database: "app",
        names: &names(),
        copy_data: false,
        run: &RunId::new("1", "2"),
        target: "app",
        is_unfinished: true,
        reconnects: false,
    };
    let refused = decide(&copied(), asked).unwrap_err();
    assert_eq!(refused.code, Code::CopyIncomplete);
    assert_eq!(refused.database.as_deref(), Some("app"));
}
