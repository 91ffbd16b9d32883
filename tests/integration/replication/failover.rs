//! Failover slots: what the checks say of them, and that the slot is one.

use crate::support::route::{Route, shared};
use crate::support::{run, value};

const TABLE: &str =
    "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1), (2)";

const IS_FAILOVER: &str =
    "SELECT failover FROM pg_replication_slots WHERE database = current_database()";

#[tokio::test]
async fn the_slot_is_created_with_failover_and_every_report_says_so() {
    for major in [17, 18] {
        let route = shared([major, major]);
        let name = route.filled("failover", TABLE).await;
        let dry = route.replicate(&name, &["--failover-slot", "--dry-run"]);
        dry.run()
            .expect(0)
            .assert_prints(&["is created in", "then failover slot seren_failover"]);
        let plain = ["--failover-slot"];
        let copied = route.replicate(&name, &plain).run().expect(0);
        copied.assert_prints(&[
            "on the source: publication seren_replication_pub, failover slot seren_failover",
            "to seren_replication_pub WITH (failover = true)",
        ]);
        assert_eq!(value(&route.source.url(&name), IS_FAILOVER).await, "t");
        route.remove_run(&name).await;

        let name = route.filled("failover", TABLE).await;
        let json = ["--failover-slot", "--output", "json"];
        let copied = route.replicate(&name, &json).run().expect(0);
        assert!(
            copied.stdout.contains(r#""failover_slot":true"#),
            "{}",
            copied.stdout
        );
        route.remove_run(&name).await;
    }
}

#[tokio::test]
async fn an_older_source_refuses_the_option_with_the_way_out() {
    let route = shared([16, 17]);
    let name = route.filled("failover", TABLE).await;
    for command in ["validate", "init"] {
        let refused = route.command(command, &[&name], &["--yes", "--failover-slot"]);
        refused.run().expect(1).assert_prints(&[
            "has no failover slots: 17 is the first with them",
            "run without --failover-slot",
        ]);
    }
    let slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
    assert_eq!(value(&route.source.url(&name), slots).await, "0");
}

#[tokio::test]
async fn slots_that_replication_would_wait_for_are_named() {
    let route = Route::of_majors([17, 17]);
    let name = route.filled("failover", TABLE).await;
    let admin = route.source.url("postgres");
    let check = || {
        let more = ["--yes", "--failover-slot"];
        route.command("validate", &[&name], &more).run().expect(0)
    };
    check().assert_prints(&[
        "sync_replication_slots = on",
        "synchronized_standby_slots is empty",
    ]);
    run(
        &admin,
        "SELECT pg_create_physical_replication_slot('idle', true)",
    )
    .await;
    run(
        &admin,
        "SELECT pg_create_physical_replication_slot('gone', true)",
    )
    .await;
    run(
        &admin,
        "ALTER SYSTEM SET synchronized_standby_slots = 'idle', 'gone'",
    )
    .await;
    run(&admin, "SELECT pg_reload_conf()").await;
    run(&admin, "SELECT pg_drop_replication_slot('gone')").await;
    check().assert_prints(&[
        "names slot idle, which is not in use by a standby",
        "names slot gone, which does not exist",
    ]);
}
