use super::*;
use proptest::prelude::*;

fn unit(needs: &[usize], locks: &[u32]) -> Unit {
    Unit {
        needs: needs.to_vec(),
        locks: locks.iter().copied().map(Oid).collect(),
        cost: 1,
        ..Unit::default()
    }
}

#[test]
fn one_lane_keeps_the_order_and_waits_for_nothing() {
    let units = vec![unit(&[], &[1]), unit(&[0], &[2]), unit(&[1], &[1])];
    let mut schedule = Schedule::new(units, 1, 2, BTreeSet::new());
    assert_eq!(schedule.take(0, 0), [0, 1]);
    assert_eq!(schedule.take(0, 0), [2]);
    schedule.done(0, &[0, 1]);
    assert!(!schedule.is_finished());
    schedule.done(0, &[2]);
    assert!(schedule.is_finished());
}

#[test]
fn a_step_waits_for_the_rows_that_it_touches_and_the_longest_chain_goes_first() {
    let of = |table| Rows::Of(vec![Oid(table)]);
    let index = |table, weight| Unit {
        rows: of(table),
        weight,
        ..unit(&[], &[table])
    };
    let behind = Unit {
        rows: of(2),
        weight: 50,
        ..unit(&[1], &[2])
    };
    let units = vec![index(1, 30), index(2, 20), behind, unit(&[], &[9])];
    let missing = BTreeSet::from([Oid(1), Oid(2)]);
    let mut schedule = Schedule::new(units, 1, 1, missing);
    assert_eq!(schedule.chains_behind()[&Oid(2)], 70);
    assert_eq!(schedule.take(0, 0), [0; 0]);
    schedule.landed(&[Oid(2)]);
    assert_eq!(schedule.take(0, 71), [0; 0], "a copy has a longer chain");
    assert_eq!(schedule.take(0, 70), [1]);
    schedule.landed(&[Oid(1)]);
    assert_eq!(schedule.take(0, 0), [2]);
    assert_eq!(schedule.take(0, 0), [0]);
    assert_eq!(schedule.take(0, 0), [3], "what waits for all rows");
}

#[test]
fn another_lane_waits_for_needs_and_relations() {
    let units = vec![
        unit(&[], &[1]),
        unit(&[0], &[2]),
        unit(&[], &[1]),
        unit(&[], &[3]),
    ];
    let mut schedule = Schedule::new(units, 2, 1, BTreeSet::new());
    assert_eq!(schedule.take(0, 0), [0]);
    assert_eq!(schedule.take(1, 0), [3]);
    assert_eq!(schedule.take(1, 0), [0; 0]);
    schedule.done(0, &[0]);
    assert_eq!(schedule.take(1, 0), [1]);
}

#[test]
fn what_names_a_missing_object_is_tried_again_as_long_as_others_succeed() {
    // 1 needs 0; 3 needs 0 and 2.
    let units = vec![
        unit(&[], &[1]),
        unit(&[0], &[2]),
        unit(&[], &[3]),
        unit(&[0, 2], &[4]),
        unit(&[], &[5]),
    ];
    let mut schedule = Schedule::new(units, 1, 1, BTreeSet::new());
    assert_eq!(schedule.take(0, 0), [0]);
    schedule.give_back(0);
    schedule.refuse(0, true);
    assert_eq!(schedule.retry(), [0; 0], "others have not ended");
    assert_eq!(schedule.take(0, 0), [2]);
    schedule.give_back(0);
    schedule.refuse(2, false);
    assert_eq!(schedule.take(0, 0), [4]);
    schedule.done(0, &[4]);
    assert_eq!(schedule.retry(), [0]);
    assert_eq!(schedule.take(0, 0), [0]);
    schedule.give_back(0);
    schedule.refuse(0, true);
    assert_eq!(schedule.retry(), [0; 0], "nothing has succeeded since");
    assert!(schedule.is_finished());
    let skipped: Vec<_> = schedule.skipped().collect();
    assert_eq!(skipped, [(1, 0), (3, 2)]);
}

#[test]
fn what_runs_alone_waits_for_the_others() {
    let alone = Unit {
        is_alone: true,
        ..unit(&[], &[9])
    };
    let units = vec![alone, unit(&[], &[1]), unit(&[], &[2])];
    let mut schedule = Schedule::new(units, 2, 1, BTreeSet::new());
    assert_eq!(schedule.take(0, 0), [0]);
    assert_eq!(schedule.take(1, 0), [0; 0]);
    schedule.done(0, &[0]);
    assert_eq!(schedule.take(1, 0), [1]);
}

#[test]
fn what_needs_a_refused_step_is_never_attempted() {
    let units = vec![
        unit(&[], &[1]),
        unit(&[0], &[2]),
        unit(&[1], &[3]),
        unit(&[], &[4]),
    ];
    let mut schedule = Schedule::new(units, 1, 10, BTreeSet::new());
    assert_eq!(schedule.take(0, 0), [0, 1, 2, 3]);
    schedule.give_back(0);
    schedule.refuse(0, false);
    assert_eq!(schedule.skipped().collect::<Vec<_>>(), [(1, 0), (2, 0)]);
    assert_eq!(schedule.take(0, 0), [3]);
    schedule.done(0, &[3]);
    assert!(schedule.is_finished());
}

#[test]
fn a_large_table_is_not_queued_behind_and_goes_first() {
    let heavy = Unit {
        weight: LIGHT * 2,
        ..unit(&[], &[7])
    };
    let mut schedule = Schedule::new(vec![unit(&[], &[1]), heavy], 1, 10, BTreeSet::new());
    let first = schedule.take(0, 0);
    assert_eq!(first, [1]);
    assert!(!schedule.may_queue(&first));
}

proptest! {
    #[test]
    fn no_step_runs_before_its_rows_and_all_run_in_the_end(
        locks in proptest::collection::vec(1..6_u32, 1..40),
        edges in proptest::collection::vec((0..40_usize, 0..40_usize), 0..40),
        order in Just(vec![1_u32, 2, 3, 4, 5]).prop_shuffle(),
    ) {
        let rows = |(number, lock): (usize, &u32)| match number % 7 {
            0 => Rows::All,
            _ => Rows::Of(vec![Oid(*lock)]),
        };
        let with_rows = |(number, lock): (usize, &u32)| Unit {
            rows: rows((number, lock)),
            ..unit(&[], &[*lock])
        };
        let mut units: Vec<Unit> = locks.iter().enumerate().map(with_rows).collect();
        for (a, b) in edges.iter().filter(|(a, b)| a != b && *a.max(b) < locks.len()) {
            units[*a.max(b)].needs.push(*a.min(b));
        }
        let all: BTreeSet<Oid> = order.iter().copied().map(Oid).collect();
        let mut schedule = Schedule::new(units.clone(), 1, 5, all.clone());
        let (mut landed, mut done) = (BTreeSet::new(), 0);
        for table in order.into_iter().map(Oid) {
            landed.insert(table);
            schedule.landed(&[table]);
            loop {
                let batch = schedule.take(0, 0);
                if batch.is_empty() {
                    break;
                }
                for number in &batch {
                    let is_there = match &units[*number].rows {
                        Rows::All => landed == all,
                        Rows::Of(tables) => tables.iter().all(|table| landed.contains(table)),
                    };
                    prop_assert!(is_there, "{number}");
                }
                done += batch.len();
                schedule.done(0, &batch);
            }
        }
        prop_assert!(schedule.is_finished());
        prop_assert_eq!(done, units.len());
    }

    #[test]
    fn every_step_ends_and_none_before_its_needs(
        edges in proptest::collection::vec((0..40_usize, 0..40_usize), 0..80),
        locks in proptest::collection::vec(1..6_u32, 40),
        refused in proptest::collection::btree_set(0..40_usize, 0..4),
    ) {
        let mut units: Vec<Unit> = locks.iter().map(|lock| unit(&[], &[*lock])).collect();
        for (a, b) in edges.iter().filter(|(a, b)| a != b) {
            units[*a.max(b)].needs.push(*a.min(b));
        }
        let needs: Vec<_> = units.iter().map(|unit| unit.needs.clone()).collect();
        let mut schedule = Schedule::new(units, 3, 4, BTreeSet::new());
        let mut done = BTreeSet::new();
        let mut flights = vec![Vec::new(); 3];
        for round in 0.. {
            if schedule.is_finished() {
                break;
            }
            prop_assert!(round < 10_000);
            let lane = round % 3;
            let batch = schedule.take(lane, 0);
            if !batch.is_empty() {
                flights[lane].push(batch);
            }
            if round % 2 == 0 && !flights[lane].is_empty() {
                let batch = flights[lane].remove(0);
                if let Some(bad) = batch.iter().find(|number| refused.contains(number)) {
                    schedule.give_back(lane);
                    schedule.refuse(*bad, false);
                    flights[lane].clear();
                    continue;
                }
                for number in &batch {
                    prop_assert!(needs[*number].iter().all(|needed| done.contains(needed)));
                    prop_assert!(done.insert(*number));
                }
                schedule.done(lane, &batch);
            }
        }
        prop_assert_eq!(
            done.len() + schedule.skipped().count()
                + refused.iter().filter(|n| !done.contains(n) && schedule.skipped().all(|(s, _)| s != **n)).count(),
            40
        );
    }
}

#[test]
fn a_compared_step_has_a_batch_of_its_own() {
    let compared = Unit {
        is_compared: true,
        ..unit(&[], &[2])
    };
    let units = vec![unit(&[], &[1]), compared, unit(&[], &[3])];
    let mut schedule = Schedule::new(units, 1, 9, BTreeSet::new());
    assert_eq!(schedule.take(0, 0), [0]);
    assert!(schedule.may_queue(&[0]));
    assert_eq!(schedule.take(0, 0), [1]);
    assert!(!schedule.may_queue(&[1]));
    assert!(!schedule.is_single(1), "it is tried again after a deadlock");
    assert_eq!(schedule.take(0, 0), [2]);
}
