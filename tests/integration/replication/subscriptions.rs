//! What the target lacks for subscriptions of its own is a warning before the copy.

use seren_replicator::sandbox::Cluster;

use crate::support::route::Route;
use crate::support::{run, url_as};

const TABLE: &str = "CREATE TABLE public.t (id int PRIMARY KEY)";

#[tokio::test]
async fn limits_of_the_target_are_compared_with_the_databases() {
    for (major, origins) in [
        (12, "max_replication_slots"),
        (18, "max_active_replication_origins"),
    ] {
        let target = Cluster::builder(major)
            .with_setting("max_logical_replication_workers", "1")
            .with_setting("max_worker_processes", "2")
            .with_setting(origins, "1");
        let route = Route::start([Cluster::builder(major), target]);
        let one = route.filled("one", TABLE).await;
        let two = route.filled("two", TABLE).await;
        let check = |databases: &[&str], more: &[&str]| {
            let more = [&["--yes"], more].concat();
            route.command("validate", databases, &more).run().expect(0)
        };
        let enough = check(&[&one], &[]);
        assert!(!enough.all().contains("too few for"), "{}", enough.all());
        check(&[&one, &two], &[]).assert_prints(&[
            "max_logical_replication_workers is 1",
            "raise it to at least 2",
            "max_worker_processes is 2",
            "raise it to at least 3",
            &format!("{origins} is 1"),
        ]);
        let once = check(&[&one, &two], &["--no-sync"]);
        assert!(!once.all().contains("too few for"), "{}", once.all());
    }
}

#[tokio::test]
async fn a_role_that_may_not_subscribe_is_named_with_the_way_out() {
    for (major, way_out) in [
        (15, "connect to the target as a superuser"),
        (17, r#"GRANT pg_create_subscription TO "mover""#),
    ] {
        let route = Route::of_majors([major, major]);
        let name = route.filled("subscribed", TABLE).await;
        let admin = route.target.url("postgres");
        run(&admin, "CREATE ROLE mover LOGIN CREATEDB CREATEROLE").await;
        let urls = [
            route.source.url("postgres"),
            url_as("mover", &route.target.url("postgres")),
        ];
        let check = |more: &[&str]| {
            let more = [&["--yes", "--no-owner"], more].concat();
            let databases: &[&str] = &[&name];
            let found = Route::command_through(&urls, "validate", (databases, &more)).run();
            found.expect(0)
        };
        check(&[]).assert_prints(&["may not create subscriptions", way_out]);
        let once = check(&["--no-sync"]);
        assert!(!once.all().contains("subscription"), "{}", once.all());
        if major == 17 {
            run(&admin, "GRANT pg_create_subscription TO mover").await;
            let granted = check(&[]);
            assert!(!granted.all().contains("subscription"), "{}", granted.all());
        }
    }
}
