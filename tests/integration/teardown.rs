//! `teardown`: what it removes, what it leaves alone, and what it does without one of the sides.

use crate::support::command::{Program, program};
use crate::support::route::Route;
use crate::support::{database, run, value, wait_for};

const LEFT: &str = "SELECT (SELECT count(*) FROM pg_publication) || ' ' || (SELECT count(*) FROM pg_replication_slots)";

/// Two clusters with a database that was copied.
async fn copied() -> Route {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let fill = "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1)";
    run(&route.source.url("app"), fill).await;
    route.replicate("app", &[]).run().expect(0);
    route
}

fn teardown(route: &Route, more: &[&str]) -> Program {
    route.command("teardown", &[], more)
}

/// A subscription of our name that reads from the run's slot.
async fn subscribe(route: &Route, enabled: bool) {
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
async fn a_running_subscription_goes_with_its_slot_and_publication() {
    let route = copied().await;
    subscribe(&route, true).await;
    let refused = route.replicate("app", &[]).run().expect(1);
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
    route.target.stop().unwrap();
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
    route.source.stop().unwrap();
    let target = route.target.url("postgres");
    let gone = program(&["teardown", "--target", &target, "--yes"])
        .run()
        .expect(6);
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
    route.target.stop().unwrap();
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
