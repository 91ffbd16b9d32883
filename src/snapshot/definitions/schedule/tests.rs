use std::collections::BTreeSet;

use proptest::prelude::*;

use super::state::{LIGHT, Schedule};
use super::step::{RequiredRows, ScheduledStep};
use crate::pg::Oid;

fn step(needs: &[usize], locks: &[u32]) -> ScheduledStep {
    ScheduledStep {
        needs: needs.to_vec(),
        locks: locks.iter().copied().map(Oid).collect(),
        cost: 1,
        ..ScheduledStep::default()
    }
}

#[test]
fn one_lane_keeps_the_order_and_waits_for_nothing() {
    let steps = vec![step(&[], &[1]), step(&[0], &[2]), step(&[1], &[1])];
    let mut schedule = Schedule::new(steps, 1, 2, BTreeSet::new());
    assert_eq!(schedule.take_steps(0, 0), [0, 1]);
    assert_eq!(schedule.take_steps(0, 0), [2]);
    schedule.commit_steps(0, &[0, 1]);
    assert!(!schedule.is_finished());
    schedule.commit_steps(0, &[2]);
    assert!(schedule.is_finished());
}

#[test]
fn a_step_waits_for_the_rows_that_it_touches_and_the_longest_chain_goes_first() {
    let of = |table| RequiredRows::Of(vec![Oid(table)]);
    let index = |table, weight| ScheduledStep {
        rows: of(table),
        weight,
        ..step(&[], &[table])
    };
    let behind = ScheduledStep {
        rows: of(2),
        weight: 50,
        ..step(&[1], &[2])
    };
    let steps = vec![index(1, 30), index(2, 20), behind, step(&[], &[9])];
    let missing = BTreeSet::from([Oid(1), Oid(2)]);
    let mut schedule = Schedule::new(steps, 1, 1, missing);
    assert_eq!(schedule.critical_paths_of_tables()[&Oid(2)], 70);
    assert_eq!(schedule.take_steps(0, 0), [0; 0]);
    schedule.rows_loaded(&[Oid(2)]);
    assert_eq!(
        schedule.take_steps(0, 71),
        [0; 0],
        "a copy has a longer critical path"
    );
    assert_eq!(schedule.take_steps(0, 70), [1]);
    schedule.rows_loaded(&[Oid(1)]);
    assert_eq!(schedule.take_steps(0, 0), [2]);
    assert_eq!(schedule.take_steps(0, 0), [0]);
    assert_eq!(schedule.take_steps(0, 0), [3], "what waits for all rows");
}

#[test]
fn another_lane_waits_for_needs_and_relations() {
    let steps = vec![
        step(&[], &[1]),
        step(&[0], &[2]),
        step(&[], &[1]),
        step(&[], &[3]),
    ];
    let mut schedule = Schedule::new(steps, 2, 1, BTreeSet::new());
    assert_eq!(schedule.take_steps(0, 0), [0]);
    assert_eq!(schedule.take_steps(1, 0), [3]);
    assert_eq!(schedule.take_steps(1, 0), [0; 0]);
    schedule.commit_steps(0, &[0]);
    assert_eq!(schedule.take_steps(1, 0), [1]);
}

#[test]
fn what_names_a_missing_object_is_tried_again_as_long_as_others_succeed() {
    // 1 needs 0; 3 needs 0 and 2.
    let steps = vec![
        step(&[], &[1]),
        step(&[0], &[2]),
        step(&[], &[3]),
        step(&[0, 2], &[4]),
        step(&[], &[5]),
    ];
    let mut schedule = Schedule::new(steps, 1, 1, BTreeSet::new());
    assert_eq!(schedule.take_steps(0, 0), [0]);
    schedule.return_steps(0);
    schedule.refuse_step(0, true);
    assert_eq!(schedule.retry_steps(), [0; 0], "others have not ended");
    assert_eq!(schedule.take_steps(0, 0), [2]);
    schedule.return_steps(0);
    schedule.refuse_step(2, false);
    assert_eq!(schedule.take_steps(0, 0), [4]);
    schedule.commit_steps(0, &[4]);
    assert_eq!(schedule.retry_steps(), [0]);
    assert_eq!(schedule.take_steps(0, 0), [0]);
    schedule.return_steps(0);
    schedule.refuse_step(0, true);
    assert_eq!(
        schedule.retry_steps(),
        [0; 0],
        "nothing has succeeded since"
    );
    assert!(schedule.is_finished());
    let skipped: Vec<_> = schedule.skipped_steps().collect();
    assert_eq!(skipped, [(1, 0), (3, 2)]);
}

#[test]
fn what_runs_alone_waits_for_the_others() {
    let alone = ScheduledStep {
        runs_alone: true,
        ..step(&[], &[9])
    };
    let steps = vec![alone, step(&[], &[1]), step(&[], &[2])];
    let mut schedule = Schedule::new(steps, 2, 1, BTreeSet::new());
    assert_eq!(schedule.take_steps(0, 0), [0]);
    assert_eq!(schedule.take_steps(1, 0), [0; 0]);
    schedule.commit_steps(0, &[0]);
    assert_eq!(schedule.take_steps(1, 0), [1]);
}

#[test]
fn what_needs_a_refused_step_is_never_attempted() {
    let steps = vec![
        step(&[], &[1]),
        step(&[0], &[2]),
        step(&[1], &[3]),
        step(&[], &[4]),
    ];
    let mut schedule = Schedule::new(steps, 1, 10, BTreeSet::new());
    assert_eq!(schedule.take_steps(0, 0), [0, 1, 2, 3]);
    schedule.return_steps(0);
    schedule.refuse_step(0, false);
    assert_eq!(
        schedule.skipped_steps().collect::<Vec<_>>(),
        [(1, 0), (2, 0)]
    );
    assert_eq!(schedule.take_steps(0, 0), [3]);
    schedule.commit_steps(0, &[3]);
    assert!(schedule.is_finished());
}

#[test]
fn a_large_table_is_not_queued_behind_and_goes_first() {
    let heavy = ScheduledStep {
        weight: LIGHT * 2,
        ..step(&[], &[7])
    };
    let mut schedule = Schedule::new(vec![step(&[], &[1]), heavy], 1, 10, BTreeSet::new());
    let first = schedule.take_steps(0, 0);
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
            0 => RequiredRows::All,
            _ => RequiredRows::Of(vec![Oid(*lock)]),
        };
        let with_rows = |(number, lock): (usize, &u32)| ScheduledStep {
            rows: rows((number, lock)),
            ..step(&[], &[*lock])
        };
        let mut steps: Vec<ScheduledStep> = locks.iter().enumerate().map(with_rows).collect();
        for (a, b) in edges.iter().filter(|(a, b)| a != b && *a.max(b) < locks.len()) {
            steps[*a.max(b)].needs.push(*a.min(b));
        }
        let all: BTreeSet<Oid> = order.iter().copied().map(Oid).collect();
        let mut schedule = Schedule::new(steps.clone(), 1, 5, all.clone());
        let (mut rows_loaded, mut done) = (BTreeSet::new(), 0);
        for table in order.into_iter().map(Oid) {
            rows_loaded.insert(table);
            schedule.rows_loaded(&[table]);
            loop {
                let batch = schedule.take_steps(0, 0);
                if batch.is_empty() {
                    break;
                }
                for number in &batch {
                    let is_there = match &steps[*number].rows {
                        RequiredRows::All => rows_loaded == all,
                        RequiredRows::Of(tables) => tables.iter().all(|table| rows_loaded.contains(table)),
                    };
                    prop_assert!(is_there, "{number}");
                }
                done += batch.len();
                schedule.commit_steps(0, &batch);
            }
        }
        prop_assert!(schedule.is_finished());
        prop_assert_eq!(done, steps.len());
    }

    #[test]
    fn every_step_ends_and_none_before_its_needs(
        edges in proptest::collection::vec((0..40_usize, 0..40_usize), 0..80),
        locks in proptest::collection::vec(1..6_u32, 40),
        refused in proptest::collection::btree_set(0..40_usize, 0..4),
    ) {
        let mut steps: Vec<ScheduledStep> = locks.iter().map(|lock| step(&[], &[*lock])).collect();
        for (a, b) in edges.iter().filter(|(a, b)| a != b) {
            steps[*a.max(b)].needs.push(*a.min(b));
        }
        let needs: Vec<_> = steps.iter().map(|step| step.needs.clone()).collect();
        let mut schedule = Schedule::new(steps, 3, 4, BTreeSet::new());
        let mut done = BTreeSet::new();
        let mut flights = vec![Vec::new(); 3];
        for round in 0.. {
            if schedule.is_finished() {
                break;
            }
            prop_assert!(round < 10_000);
            let worker = round % 3;
            let batch = schedule.take_steps(worker, 0);
            if !batch.is_empty() {
                flights[worker].push(batch);
            }
            if round % 2 == 0 && !flights[worker].is_empty() {
                let batch = flights[worker].remove(0);
                if let Some(bad) = batch.iter().find(|number| refused.contains(number)) {
                    schedule.return_steps(worker);
                    schedule.refuse_step(*bad, false);
                    flights[worker].clear();
                    continue;
                }
                for number in &batch {
                    prop_assert!(needs[*number].iter().all(|needed| done.contains(needed)));
                    prop_assert!(done.insert(*number));
                }
                schedule.commit_steps(worker, &batch);
            }
        }
        prop_assert_eq!(
            done.len() + schedule.skipped_steps().count()
                + refused.iter().filter(|n| !done.contains(n) && schedule.skipped_steps().all(|(s, _)| s != **n)).count(),
            40
        );
    }
}

#[test]
fn a_compared_step_has_a_batch_of_its_own() {
    let compared = ScheduledStep {
        is_compared: true,
        ..step(&[], &[2])
    };
    let steps = vec![step(&[], &[1]), compared, step(&[], &[3])];
    let mut schedule = Schedule::new(steps, 1, 9, BTreeSet::new());
    assert_eq!(schedule.take_steps(0, 0), [0]);
    assert!(schedule.may_queue(&[0]));
    assert_eq!(schedule.take_steps(0, 0), [1]);
    assert!(!schedule.may_queue(&[1]));
    assert!(!schedule.is_single(1), "it is tried again after a deadlock");
    assert_eq!(schedule.take_steps(0, 0), [2]);
}
