//! `teardown`: what it removes, what it keeps, and what it does when one server is not reachable.

use std::sync::Arc;

use tempfile::TempDir;

use crate::support::command::{Program, program};
use crate::support::route::{RUN, Route};
use crate::support::{database, run, value, wait_for};

const LEFT: &str = "SELECT (SELECT count(*) FROM pg_publication) || ' ' || (SELECT count(*) FROM pg_replication_slots)";

/// Two clusters with a database that was copied, and the machine that has copied it.
struct Copied {
    route: Route,
    machine: TempDir,
}

impl std::ops::Deref for Copied {
    type Target = Route;

    fn deref(&self) -> &Route {
        &self.route
    }
}

async fn copied() -> Copied {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let fill = "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1)";
    run(&route.source.url("app"), fill).await;
    let machine = tempfile::tempdir().unwrap();
    let done = route.replicate("app", &[]).state(&machine).run();
    done.expect(0);
    Copied { route, machine }
}

/// A teardown on the machine that has copied.
fn teardown(copied: &Copied, more: &[&str]) -> Program {
    let program = copied.route.command("teardown", &[], more);
    program.state(&copied.machine)
}

/// A subscription of our name that reads from the run's slot.
async fn subscribe(route: &Copied, enabled: bool) {
    let slot = value(
        &route.source.url("app"),
        "SELECT slot_name FROM pg_replication_slots",
    )
    .await;
    let conninfo = format!(
        "host={} port={} user=postgres dbname=app",
        value(&route.source.url("app"), "SHOW unix_socket_directories").await,
        value(&route.source.url("app"), "SHOW port").await
    );
    let create = format!(
        "CREATE SUBSCRIPTION seren_replication_sub CONNECTION '{conninfo}' PUBLICATION seren_replication_pub \
         WITH (create_slot = false, slot_name = '{slot}', copy_data = false, enabled = {enabled})"
    );
    run(&route.target.url("app"), &create).await;
    if enabled {
        let active = "SELECT bool_and(active) FROM pg_replication_slots";
        wait_for(&database(&route.source.url("app")).await, active).await;
    }
}

#[tokio::test]
async fn nothing_is_removed_before_the_user_agrees() {
    let route = copied().await;
    let source = route.source.url("app");
    let listed = teardown(&route, &["--dry-run"]).run().expect(0);
    assert!(
        listed
            .stdout
            .contains("would remove source, database app: replication slot"),
        "{}",
        listed.stdout
    );
    let declined = teardown(&route, &[]).input("n\n").run().expect(1);
    assert!(
        declined.stderr.contains("Remove these objects? [y/N]:"),
        "{}",
        declined.stderr
    );
    assert_eq!(value(&source, LEFT).await, "1 1");
    teardown(&route, &[]).input("y\n").run().expect(0);
    assert_eq!(value(&source, LEFT).await, "0 0");
    assert_eq!(
        value(&route.target.url("app"), "SELECT count(*) FROM public.t").await,
        "1"
    );
    teardown(&route, &[]).run().expect(0);
}

#[tokio::test]
async fn without_a_state_runs_are_listed_and_removed_only_by_name() {
    let route = copied().await;
    let source = route.source.url("app");
    let number = value(&source, RUN).await;
    let by_name = format!("postgres-seren-replicator teardown --run {number}");
    let host = "SELECT obj_description(oid, 'pg_publication')::json ->> 'host' FROM pg_publication";
    let host = value(&source, host).await;
    let refused = |arguments: &[&str]| {
        let refused = program(arguments).run().expect(1);
        for part in [
            &by_name,
            &host,
            ", complete) of database app",
            "nothing was removed",
        ] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    };
    let (from, to) = (route.source.url("postgres"), route.target.url("postgres"));
    let both = ["teardown", "--source", &from, "--target", &to];
    for more in [
        &["--yes"][..],
        &["--dry-run"],
        &["--yes", "--publication", "seren_replication_pub"],
    ] {
        refused(&[&both[..], more].concat());
    }
    // Without the target as well.
    refused(&["teardown", "--source", &from, "--yes"]);
    assert_eq!(value(&source, LEFT).await, "1 1");
    for more in [&["--yes"][..], &["--dry-run"]] {
        let wrong = ["--run", "0123456789abcdef"];
        let absent = program(&[&both[..], &wrong, more].concat()).run().expect(1);
        absent.assert_prints(&["run 0123456789abcdef has left nothing", &number, "--run"]);
        let wrong = ["--slot", "seren_none"];
        let absent = program(&[&both[..], &wrong, more].concat()).run().expect(1);
        absent.assert_prints(&["seren_none does not exist", "found: seren_app_", "--slot"]);
    }
    let named = ["--yes", "--run", &number];
    program(&[&both[..], &named].concat()).run().expect(0);
    assert_eq!(value(&source, LEFT).await, "0 0");
    // Nothing is left to refuse.
    program(&[&both[..], &["--yes"]].concat()).run().expect(0);
}

#[tokio::test]
async fn a_run_of_another_machine_stays_beside_one_of_the_state() {
    let route = copied().await;
    let source = route.source.url("app");
    let more = ["--map-database", "app=second", "--publication", "second"];
    route.replicate("app", &more).run().expect(0);
    let gone = teardown(&route, &["--yes"]).run().expect(0);
    assert!(gone.stderr.contains("left alone: run "), "{}", gone.stderr);
    assert_eq!(value(&source, LEFT).await, "1 1");
    let name = "SELECT pubname FROM pg_publication";
    assert_eq!(value(&source, name).await, "second");
    // What is left is not of a run that a state records.
    teardown(&route, &["--yes"]).run().expect(1);
    assert_eq!(value(&source, LEFT).await, "1 1");
}

#[tokio::test]
async fn a_running_subscription_goes_with_its_slot_and_publication() {
    let route = copied().await;
    subscribe(&route, true).await;
    let refused = route.replicate("app", &[]).state(&route.machine).run();
    let refused = refused.expect(1);
    assert!(
        refused.stderr.contains("its replication is active"),
        "{}",
        refused.stderr
    );
    let source = route.source.url("app");
    let slot = value(&source, "SELECT slot_name FROM pg_replication_slots").await;
    let used = ["teardown", "--source", &source, "--slot", &slot, "--yes"];
    let used = program(&used).run().expect(1);
    assert!(used.stderr.contains("is in use by pid"), "{}", used.stderr);
    assert_eq!(value(&source, LEFT).await, "1 1");
    let gone = teardown(&route, &["--yes", "--output", "json"])
        .run()
        .expect(0);
    assert!(
        gone.stdout.contains("subscription seren_replication_sub"),
        "{}",
        gone.stdout
    );
    assert_eq!(value(&route.source.url("app"), LEFT).await, "0 0");
    let left = "SELECT (SELECT count(*) FROM pg_subscription) + (SELECT count(*) FROM pg_replication_origin)";
    assert_eq!(value(&route.target.url("app"), left).await, "0");
}

#[tokio::test]
async fn databases_with_the_runs_own_subscription_are_replaced_and_others_refused() {
    let route = copied().await;
    subscribe(&route, true).await;
    run(&route.source.url("app"), "INSERT INTO public.t VALUES (2)").await;
    let name =
        "SELECT obj_description(oid, 'pg_publication')::json ->> 'number' FROM pg_publication";
    let first = value(&route.source.url("app"), name).await;
    route
        .replicate("app", &["--drop-existing", "--adopt", &first])
        .run()
        .expect(0);
    assert_eq!(
        value(&route.target.url("app"), "SELECT count(*) FROM public.t").await,
        "2"
    );
    assert_eq!(value(&route.source.url("app"), LEFT).await, "1 1");
    let foreign =
        "CREATE SUBSCRIPTION theirs CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)";
    run(&route.target.url("app"), foreign).await;
    let refused = route.replicate("app", &["--drop-existing"]).run().expect(1);
    assert!(
        refused.stderr.contains("in use by subscription theirs"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        value(&route.target.url("app"), "SELECT count(*) FROM public.t").await,
        "2"
    );
}

#[tokio::test]
async fn the_source_is_cleaned_without_its_target() {
    let mut route = copied().await;
    Arc::get_mut(&mut route.route.target)
        .unwrap()
        .stop()
        .unwrap();
    let gone = teardown(&route, &["--yes"]).run().expect(6);
    assert!(
        gone.stdout.contains("the target cannot be reached"),
        "{}",
        gone.stdout
    );
    assert!(
        gone.stdout
            .contains("DROP SUBSCRIPTION \"seren_replication_sub\";"),
        "{}",
        gone.stdout
    );
    assert_eq!(value(&route.source.url("app"), LEFT).await, "0 0");
    teardown(&route, &["--yes"]).run().expect(6);
    // What the target still has is known from the state: it stays until the target is clean.
    let folder = route.machine.path().join("postgres-seren-replicator");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[tokio::test]
async fn the_target_is_cleaned_without_its_source() {
    let mut route = copied().await;
    subscribe(&route, false).await;
    let slot = value(
        &route.source.url("app"),
        "SELECT slot_name FROM pg_replication_slots",
    )
    .await;
    Arc::get_mut(&mut route.route.source)
        .unwrap()
        .stop()
        .unwrap();
    let target = route.target.url("postgres");
    let alone = || program(&["teardown", "--target", &target, "--yes"]);
    let unknown = alone().run().expect(1);
    let statement = "DROP SUBSCRIPTION \"seren_replication_sub\";";
    assert!(unknown.stderr.contains(statement), "{}", unknown.stderr);
    let gone = alone().state(&route.machine).run().expect(6);
    assert!(
        gone.stdout.contains("no URL of the source is given"),
        "{}",
        gone.stdout
    );
    let drop = format!("pg_drop_replication_slot('{slot}');");
    assert!(gone.stdout.contains(&drop), "{}", gone.stdout);
    assert_eq!(
        value(
            &route.target.url("app"),
            "SELECT count(*) FROM pg_subscription"
        )
        .await,
        "0"
    );
    Arc::get_mut(&mut route.route.target)
        .unwrap()
        .stop()
        .unwrap();
    teardown(&route, &["--yes"]).run().expect(1);
    program(&["teardown", "--yes"]).run().expect(2);
}

#[tokio::test]
async fn objects_of_other_runs_are_listed_and_left_alone() {
    let route = copied().await;
    let other = Route::of_majors([16, 17]);
    let (source, target) = (route.source.url("postgres"), other.target.url("postgres"));
    let gone = program(&[
        "teardown", "--source", &source, "--target", &target, "--yes",
    ])
    .run()
    .expect(0);
    assert!(
        gone.stderr
            .contains("left alone: source, database app: replication slot seren_app_"),
        "{}",
        gone.stderr
    );
    assert!(
        gone.stderr
            .contains("left alone: source, database app: publication"),
        "{}",
        gone.stderr
    );
    assert_eq!(value(&route.source.url("app"), LEFT).await, "1 1");
}

#[tokio::test]
async fn databases_that_nobody_can_enter_any_more_are_no_obstacle() {
    let route = copied().await;
    for cluster in [&route.source, &route.target] {
        // As a DROP DATABASE that was interrupted leaves it; one at work closes it as well.
        let admin = cluster.url("postgres");
        run(&admin, "CREATE DATABASE broken").await;
        let invalid = "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'";
        run(&admin, invalid).await;
    }
    teardown(&route, &["--yes"]).run().expect(0);
    assert_eq!(value(&route.source.url("app"), LEFT).await, "0 0");
}
