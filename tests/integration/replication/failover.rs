//! Failover slots: what the checks say of them, and that replication continues on a promoted standby.

use std::sync::Arc;

use seren_replicator::pg::Sql;
use seren_replicator::sandbox::Cluster;

use crate::support::route::{Route, shared};
use crate::support::standby::{STANDBY_SLOT, start_standby};
use crate::support::{database, run, text, value, wait_for, wait_until_true};

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
        ]);
        let reported = copied.stdout.contains("failover slot seren_failover");
        assert!(reported, "{}", copied.stdout);
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

#[tokio::test]
async fn replication_continues_on_a_promoted_standby() {
    let mut primary = Cluster::start(17).unwrap();
    let standby = start_standby(&mut primary).await;
    let target = Arc::new(Cluster::start(17).unwrap());
    let source = Arc::new(primary);
    let route = Route { source, target };
    let name = route.filled("failover", TABLE).await;
    let admin = route.source.url("postgres");

    let without = route.command("validate", &[&name], &["--yes"]).run();
    without.expect(0).assert_prints(&[
        "1 standby is connected: after a failover",
        "create a slot that standbys synchronize with --failover-slot",
    ]);
    let setting = format!("ALTER SYSTEM SET synchronized_standby_slots = '{STANDBY_SLOT}'");
    run(&admin, &setting).await;
    run(&admin, "SELECT pg_reload_conf()").await;
    let copied = route.replicate(&name, &["--failover-slot"]).run().expect(0);
    assert!(
        !copied.all().contains("synchronized_standby_slots"),
        "{}",
        copied.all()
    );
    let subscription = subscribe(&route, &name, true).await;
    let url = route.target.url(&name);
    run(&url, &subscription).await;

    // A standby keeps the slot only once the subscription has read beyond the state that the standby began with.
    let session = database(&standby.url("postgres")).await;
    let is_synced = Sql::fixed(
        "SELECT count(*) = 1 FROM pg_replication_slots WHERE failover AND synced AND NOT temporary",
    );
    let advance = "INSERT INTO public.written DEFAULT VALUES; SELECT pg_log_standby_snapshot()";
    let source = route.source.url(&name);
    run(
        &source,
        "CREATE TABLE public.written (id int GENERATED ALWAYS AS IDENTITY)",
    )
    .await;
    wait_until_true("the standby has the slot", async || {
        run(&source, advance).await;
        session.query_one(&is_synced, &[]).await.unwrap().get(0)
    })
    .await;

    run(&source, "INSERT INTO public.t VALUES (3)").await;
    let target = database(&url).await;
    let has_first = "SELECT array_agg(id ORDER BY id) = '{1,2,3}' FROM public.t";
    wait_for(&target, has_first).await;
    session.batch(&text("SELECT pg_promote()")).await.unwrap();
    run(&standby.url(&name), "INSERT INTO public.t VALUES (4)").await;
    let moved = format!(
        "ALTER SUBSCRIPTION s CONNECTION '{}'",
        conninfo(&standby, &name)
    );
    run(&url, &moved).await;
    let has_all = "SELECT array_agg(id ORDER BY id) = '{1,2,3,4}' FROM public.t";
    wait_for(&target, has_all).await;
}

#[tokio::test]
async fn no_subscription_changes_the_slot() {
    for majors in [[17, 17], [17, 18]] {
        let route = shared(majors);
        for failover in [true, false] {
            let name = route.filled("failover", TABLE).await;
            let copied = route.replicate(&name, &["--failover-slot"]).run();
            copied.expect(0);
            let subscription = subscribe(route, &name, failover).await;
            run(&route.target.url(&name), &subscription).await;
            assert_eq!(value(&route.source.url(&name), IS_FAILOVER).await, "t");
            run(&route.target.url(&name), "DROP SUBSCRIPTION s").await;
        }
    }
}

fn conninfo(cluster: &Cluster, database: &str) -> String {
    let folder = cluster.socket_dir();
    let (folder, port) = (folder.display(), cluster.port());
    format!("host={folder} port={port} user=postgres dbname={database}")
}

/// The statement that creates a subscription of the target to what `init` has left.
async fn subscribe(route: &Route, name: &str, failover: bool) -> String {
    let slot = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()";
    let slot = value(&route.source.url(name), slot).await;
    let conninfo = conninfo(&route.source, name);
    format!(
        "CREATE SUBSCRIPTION s CONNECTION '{conninfo}' PUBLICATION seren_replication_pub \
         WITH (create_slot = false, slot_name = '{slot}', copy_data = false, failover = {failover})"
    )
}
