//! `teardown` after every phase of a replication: nothing remains on either server.

use std::path::Path;
use std::sync::Arc;

use super::{Copied, TABLE};
use crate::support::command::Finished;
use crate::support::route::{RUN, Route, common};
use crate::support::{database, run, text, value, wait_for};

/// What a replication leaves on the source: publications, slots, and changed replica identities.
const ON_SOURCE: &str = "SELECT (SELECT count(*) FROM pg_publication)
      + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())
      + (SELECT count(*) FROM pg_class WHERE relreplident = 'f')";

/// What it leaves on the target: subscriptions, and the origins that have no subscription.
const ON_TARGET: &str =
    "SELECT (SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                                  WHERE d.datname = current_database())";

/// Origins of subscriptions that exist no more.
const ORIGINS: &str = "SELECT count(*) FROM pg_replication_origin o WHERE o.roname ~ '^pg_[0-9]+'
      AND NOT EXISTS (SELECT FROM pg_subscription s WHERE o.roname = 'pg_' || s.oid
                                                      OR o.roname LIKE 'pg_' || s.oid || E'\\\\_%')";

/// A table without identity beside the one with a key.
const WITH_BARE: &str = "CREATE TABLE public.bare (n int); INSERT INTO public.bare VALUES (1);";

/// A copy whose table without identity got REPLICA IDENTITY FULL.
async fn copied<'a>(route: &'a Route, hint: &str) -> Copied<'a> {
    let name = route.filled(hint, &format!("{TABLE}{WITH_BARE}")).await;
    let machine = tempfile::tempdir().unwrap();
    let full = route.replicate(&name, &["--replica-identity-full"]);
    full.state(&machine).run().expect(0);
    Copied {
        route,
        name,
        machine,
    }
}

/// Whether the state of a run exists.
fn has_state(machine: &Path) -> bool {
    let runs = std::fs::read_dir(machine.join("postgres-seren-replicator")).unwrap();
    runs.count() > 0
}

/// A teardown of everything that the state records.
fn teardown(copied: &Copied<'_>) -> Finished {
    let program = copied.route.command("teardown", &[], &["--yes"]);
    program.state(&copied.machine).run()
}

async fn expect_clean(copied: &Copied<'_>) {
    assert!(has_state(copied.machine.path()));
    teardown(copied).expect(0);
    let (source, target) = (copied.source(), copied.target());
    assert_eq!(value(&source, ON_SOURCE).await, "0", "source");
    assert_eq!(value(&target, ON_TARGET).await, "0", "target");
    assert_eq!(value(&target, ORIGINS).await, "0", "origins");
    assert!(!has_state(copied.machine.path()));
    teardown(copied).expect(0);
    // The application is free again, and the rows stay.
    run(
        &source,
        "UPDATE public.bare SET n = 2; DELETE FROM public.t",
    )
    .await;
    assert_ne!(value(&target, "SELECT count(*) FROM public.t").await, "0");
}

#[tokio::test]
async fn acceptance_39_nothing_remains_after_init_sync_a_lost_slot_or_a_disabled_subscription() {
    for majors in [[12, 12], [17, 18]] {
        let route = Route::of_majors(majors);
        let after_init = copied(&route, "gone_init").await;
        expect_clean(&after_init).await;

        let after_sync = copied(&route, "gone_sync").await;
        after_sync.sync(&[]).expect(0);
        expect_clean(&after_sync).await;

        let disabled = copied(&route, "gone_disabled").await;
        disabled.sync(&[]).expect(0);
        disabled
            .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
            .await;
        let idle = "SELECT bool_and(NOT active) FROM pg_replication_slots WHERE database = current_database()";
        wait_for(&database(&disabled.source()).await, idle).await;
        disabled
            .on_source(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                  WHERE database = current_database()",
            )
            .await;
        expect_clean(&disabled).await;
    }
}

#[tokio::test]
async fn acceptance_39_nothing_remains_after_a_killed_sync() {
    let route = Route::of_majors([17, 17]);
    // Killed while the creation of the subscription waits for a lock, and while it waits for the target to catch up.
    for is_created in [false, true] {
        let copied = copied(&route, "gone_killed").await;
        if is_created {
            copied.sync(&[]).expect(0);
        }
        let blocker = database(&copied.target()).await;
        let lock = text("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE");
        blocker.batch(&lock).await.unwrap();
        copied
            .on_source("INSERT INTO public.t VALUES (11, 'late')")
            .await;
        let sync = route.command("sync", &[&copied.name], &[]);
        let running = sync.state(&copied.machine).start();
        running.wait_for_error(match is_created {
            false => "holds AccessExclusiveLock on public.t",
            true => "to catch up",
        });
        running.signal("KILL");
        running.finish().expect(137);
        blocker.batch(&text("COMMIT")).await.unwrap();
        expect_clean(&copied).await;
    }
}

#[tokio::test]
async fn acceptance_39_a_dead_target_is_survivable() {
    let mut route = Route::of_majors([17, 17]);
    let copied_one = copied(&route, "app").await;
    copied_one.sync(&[]).expect(0);
    let Copied { name, machine, .. } = copied_one;
    Arc::get_mut(&mut route.target).unwrap().stop().unwrap();
    let teardown = || {
        let program = route.command("teardown", &[], &["--yes"]);
        program.state(&machine).run()
    };
    let gone = teardown().expect(6);
    gone.assert_prints(&[
        "the target cannot be reached",
        "ALTER SUBSCRIPTION \"seren_replication_sub\" DISABLE;",
        "DROP SUBSCRIPTION \"seren_replication_sub\";",
    ]);
    assert_eq!(value(&route.source.url(&name), ON_SOURCE).await, "0");
    teardown().expect(6);
    assert!(has_state(machine.path()));
    Arc::get_mut(&mut route.target).unwrap().restart().unwrap();
    let copied = Copied {
        route: &route,
        name,
        machine,
    };
    expect_clean(&copied).await;
}

#[tokio::test]
async fn a_subscription_of_another_name_goes_with_teardown_and_with_its_database() {
    let copied = copied(common(), "gone_named").await;
    let named = ["--subscription", "theirs"];
    copied.sync(&named).expect(0);
    // It is known by its mark, and without that by its name.
    let again = ["--yes", "--drop-existing", "--replica-identity-full"];
    let unmark = "COMMENT ON SUBSCRIPTION theirs IS NULL";
    let detach =
        "ALTER SUBSCRIPTION theirs DISABLE; ALTER SUBSCRIPTION theirs SET (slot_name = NONE)";
    copied.on_target(unmark).await;
    let kept = copied.command("teardown", &["--dry-run"]).expect(0);
    kept.assert_prints(&["left alone", "subscription theirs"]);
    for statement in detach.split("; ") {
        copied.on_target(statement).await;
    }
    let refused = copied.command("init", &again).expect(1);
    refused.assert_prints(&["in use by subscription theirs"]);
    let replaced = [&again[..], &named].concat();
    copied.command("init", &replaced).expect(0);
    assert_eq!(value(&copied.target(), ON_TARGET).await, "0");

    copied.sync(&named).expect(0);
    copied.on_target(unmark).await;
    for statement in detach.split("; ") {
        copied.on_target(statement).await;
    }
    let listed = copied.command("teardown", &["--dry-run"]).expect(0);
    assert!(
        !listed.stdout.contains("subscription theirs"),
        "{}",
        listed.stdout
    );
    copied
        .command("teardown", &[&["--yes"][..], &named].concat())
        .expect(0);
    assert_eq!(value(&copied.target(), ON_TARGET).await, "0");
    assert_eq!(value(&copied.source(), ON_SOURCE).await, "0");
}

#[tokio::test]
async fn a_marked_subscription_of_another_name_is_replaced_with_its_database() {
    let copied = copied(common(), "gone_marked").await;
    copied.sync(&["--subscription", "theirs"]).expect(0);
    let number = value(&copied.source(), RUN).await;
    let again = [
        "--yes",
        "--drop-existing",
        "--replica-identity-full",
        "--adopt",
        &number,
    ];
    let program = copied.route.command("init", &[&copied.name], &again);
    program.run().expect(0);
    assert_eq!(value(&copied.target(), ON_TARGET).await, "0");
    copied.route.remove_run(&copied.name).await;
}
