//! What `sync` finds (behaviour.md, 8.3) beside a finished copy: each state is named, and nothing is written then.

use super::{Copied, TABLE};
use crate::support::route::{common, shared};
use crate::support::{database, value, wait_for};

const SLOT: &str = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()";

const SUBSCRIPTIONS: &str =
    "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
     WHERE d.datname = current_database()";

/// Refused with these words, and no subscription was created.
async fn expect_refused(copied: &Copied<'_>, more: &[&str], words: &[&str]) {
    copied.sync(more).expect(1).assert_prints(words);
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
}

#[tokio::test]
async fn without_a_slot_the_ways_are_named_and_the_server_can_copy() {
    let route = common();
    let name = route.filled("sync_no_slot", TABLE).await;
    let machine = tempfile::tempdir().unwrap();
    route
        .init(&name, &["--schema-only"])
        .state(&machine)
        .run()
        .expect(0);
    let copied = Copied {
        route,
        name,
        machine,
    };
    expect_refused(&copied, &[], &["does not exist", "init", "--copy-data"]).await;
    copied
        .on_target("INSERT INTO public.t VALUES (1, 'before')")
        .await;
    expect_refused(
        &copied,
        &["--copy-data"],
        &["public.t is not empty", "TRUNCATE"],
    )
    .await;
    copied.on_target("TRUNCATE public.t").await;
    copied
        .on_source("CREATE TABLE public.bag (word text)")
        .await;
    expect_refused(
        &copied,
        &["--copy-data"],
        &["public.bag", "no primary key", "is missing"],
    )
    .await;
    copied.on_source("DROP TABLE public.bag").await;
    copied.sync(&["--copy-data"]).expect(0);
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'new')")
        .await;
    let arrived = "SELECT count(*) = 11 FROM public.t";
    copied.wait_on_target(arrived).await;
    copied.status().expect(0).assert_prints(&["CAUGHT UP"]);
    let source = copied.source();
    copied.remove();
    let left =
        "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots
                         WHERE database = current_database())";
    assert_eq!(value(&source, left).await, "0");
}

#[tokio::test]
async fn a_copy_that_is_not_complete_is_refused() {
    let copied = Copied::new(common(), "sync_incomplete", TABLE).await;
    let comment = "SELECT format('COMMENT ON PUBLICATION seren_replication_pub IS %L',
                          replace(obj_description(oid, 'pg_publication'), '\"complete\":true', '\"complete\":false'))
                     FROM pg_publication WHERE pubname = 'seren_replication_pub'";
    let comment = value(&copied.source(), comment).await;
    copied.on_source(&comment).await;
    expect_refused(&copied, &[], &["not complete", "init"]).await;
    copied.status().expect(4).assert_prints(&["not complete"]);
}

#[tokio::test]
async fn a_slot_that_has_moved_is_refused_with_its_positions() {
    let copied = Copied::new(common(), "sync_moved", TABLE).await;
    copied
        .on_source(
            "INSERT INTO public.t VALUES (11, 'skipped');
             SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots
              WHERE database = current_database()",
        )
        .await;
    expect_refused(
        &copied,
        &[],
        &["instead of the consistent point", "teardown"],
    )
    .await;
    // Another machine, without the state, finds it in the mark of the publication.
    let elsewhere = Copied {
        machine: tempfile::tempdir().unwrap(),
        name: copied.name.clone(),
        route: copied.route,
    };
    expect_refused(&elsewhere, &[], &["instead of the consistent point"]).await;
    copied.remove();
}

#[tokio::test]
async fn a_slot_in_use_by_another_subscription_is_refused() {
    let copied = Copied::new(common(), "sync_active", TABLE).await;
    let slot = value(&copied.source(), SLOT).await;
    let conninfo = format!(
        "host={} port={} user=postgres dbname={}",
        value(&copied.source(), "SHOW unix_socket_directories").await,
        value(&copied.source(), "SHOW port").await,
        copied.name
    );
    let other = copied.route.target.url("postgres");
    let create = format!(
        "CREATE SUBSCRIPTION other_{slot} CONNECTION '{conninfo}' PUBLICATION seren_replication_pub
         WITH (create_slot = false, slot_name = '{slot}', copy_data = false, connect = false)"
    );
    crate::support::run(&other, &create).await;
    crate::support::run(&other, &format!("ALTER SUBSCRIPTION other_{slot} ENABLE")).await;
    let active = format!("SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'");
    wait_for(&database(&copied.source()).await, &active).await;
    expect_refused(&copied, &[], &["is in use by process"]).await;
    let left = copied.command("teardown", &["--yes"]).expect(1);
    left.assert_prints(&["is active"]);
    for statement in ["DISABLE", "SET (slot_name = NONE)"] {
        crate::support::run(
            &other,
            &format!("ALTER SUBSCRIPTION other_{slot} {statement}"),
        )
        .await;
    }
    crate::support::run(&other, &format!("DROP SUBSCRIPTION other_{slot}")).await;
    let idle = format!("SELECT NOT active FROM pg_replication_slots WHERE slot_name = '{slot}'");
    wait_for(&database(&copied.source()).await, &idle).await;
    // It has taken changes with it.
    expect_refused(&copied, &[], &["instead of the consistent point"]).await;
    copied.remove();
}

#[tokio::test]
async fn a_dropped_slot_breaks_a_replication_and_status_and_sync_say_so() {
    for majors in [[12, 12], [17, 17]] {
        let copied = Copied::synced(shared(majors), "sync_dropped", TABLE).await;
        copied
            .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
            .await;
        let idle = "SELECT bool_and(NOT active) FROM pg_replication_slots WHERE database = current_database()";
        wait_for(&database(&copied.source()).await, idle).await;
        copied
            .on_source(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                  WHERE database = current_database()",
            )
            .await;
        copied
            .status()
            .expect(4)
            .assert_prints(&["BROKEN", "does not exist"]);
        copied
            .sync(&[])
            .expect(1)
            .assert_prints(&["teardown", "init"]);
        // What is left goes, although the slot is gone.
        copied.command("teardown", &["--yes"]).expect(0);
        assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
    }
}

#[tokio::test]
async fn a_changed_or_dropped_publication_is_named() {
    let copied = Copied::new(common(), "sync_publication", TABLE).await;
    copied
        .on_source(
            "CREATE TABLE public.other (id int PRIMARY KEY);
             ALTER PUBLICATION seren_replication_pub ADD TABLE public.other",
        )
        .await;
    expect_refused(&copied, &[], &["also lists 1 table"]).await;
    let elsewhere = Copied {
        machine: tempfile::tempdir().unwrap(),
        name: copied.name.clone(),
        route: copied.route,
    };
    expect_refused(&elsewhere, &[], &["also lists 1 table"]).await;
    copied.on_source("DROP TABLE public.other").await;
    copied.sync(&[]).expect(0);
    copied
        .on_source("ALTER PUBLICATION seren_replication_pub SET (publish = 'insert')")
        .await;
    copied
        .status()
        .expect(4)
        .assert_prints(&["BROKEN", "was changed"]);
    copied.sync(&[]).expect(1).assert_prints(&["was changed"]);
    copied
        .on_source(
            "ALTER PUBLICATION seren_replication_pub SET (publish = 'insert, update, delete, truncate')",
        )
        .await;
    copied.sync(&[]).expect(0);
    copied.status().expect(0);
    copied
        .on_source("DROP PUBLICATION seren_replication_pub")
        .await;
    copied
        .status()
        .expect(4)
        .assert_prints(&["BROKEN", "does not exist"]);
    copied.sync(&[]).expect(1).assert_prints(&["was dropped"]);
}

#[tokio::test]
async fn a_subscription_that_its_user_has_disabled_or_detached_runs_again() {
    let copied = Copied::synced(common(), "sync_disabled", TABLE).await;
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
        .await;
    copied
        .status()
        .expect(4)
        .assert_prints(&["NOT ACTIVE", "is disabled"]);
    copied
        .sync(&["--dry-run"])
        .expect(0)
        .assert_prints(&["enable it"]);
    copied.status().expect(4);
    copied.sync(&[]).expect(0).assert_prints(&["enable it"]);
    copied.status().expect(0);
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
        .await;
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub SET (slot_name = NONE)")
        .await;
    copied.status().expect(4).assert_prints(&["detached"]);
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'meanwhile')")
        .await;
    copied.sync(&[]).expect(0).assert_prints(&["attach it"]);
    let arrived = "SELECT count(*) = 11 FROM public.t";
    copied.wait_on_target(arrived).await;
    copied.remove();
}

#[tokio::test]
async fn somebody_elses_subscription_of_our_name_is_left_alone() {
    let copied = Copied::new(common(), "sync_theirs", TABLE).await;
    copied
        .on_target(
            "CREATE SUBSCRIPTION seren_replication_sub CONNECTION 'host=nowhere' PUBLICATION p
             WITH (connect = false, slot_name = 'theirs')",
        )
        .await;
    copied
        .sync(&[])
        .expect(1)
        .assert_prints(&["not this run's", "--subscription"]);
    copied.status().expect(4).assert_prints(&["not this run's"]);
    copied.sync(&["--subscription", "mine"]).expect(0);
    copied.status().expect(0).assert_prints(&["mine"]);
    copied
        .command("teardown", &["--yes"])
        .expect(0)
        .assert_prints(&["subscription mine"]);
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "1");
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub SET (slot_name = NONE)")
        .await;
    copied
        .on_target("DROP SUBSCRIPTION seren_replication_sub")
        .await;
}

#[tokio::test]
async fn a_source_that_the_targets_server_cannot_reach_is_tried_from_here() {
    let copied = Copied::new(common(), "sync_unreachable", TABLE).await;
    let source = "host=127.0.0.1 port=1 user=postgres connect_timeout=5";
    let words = [
        "the target's server cannot connect to the source",
        "from this machine, the name 127.0.0.1 resolves to 127.0.0.1, and port 1 refuses connections",
        "--subscription-source",
    ];
    expect_refused(&copied, &["--subscription-source", source], &words).await;
    copied.sync(&[]).expect(0);
    copied.remove();
}

#[tokio::test]
async fn after_the_time_limit_and_after_ctrl_c_what_was_started_stays() {
    let copied = Copied::new(common(), "sync_timeout", TABLE).await;
    let blocker = database(&copied.target()).await;
    let lock = crate::support::text("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE");
    blocker.batch(&lock).await.unwrap();
    // Its creation waits for the lock that this session holds, and so does the apply worker.
    let program = copied.route.command("sync", &[&copied.name], &[]);
    let running = program.state(&copied.machine).start();
    running.wait_for_error("holds AccessExclusiveLock on public.t");
    running.signal("INT");
    running.finish().expect(130);
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
    blocker
        .batch(&crate::support::text("COMMIT"))
        .await
        .unwrap();
    copied.sync(&[]).expect(0);
    blocker.batch(&lock).await.unwrap();
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'late')")
        .await;
    let late = copied.sync(&["--timeout", "1"]).expect(1);
    late.assert_prints(&["has not caught up within 1 s", "--timeout"]);
    let program = copied
        .route
        .command("sync", &[&copied.name], &["--timeout", "600"]);
    let running = program.state(&copied.machine).start();
    running.wait_for_error("to catch up");
    running.signal("INT");
    running.finish().expect(130);
    copied
        .status()
        .expect(3)
        .assert_prints(&["LAGGING", "waits for locks of pid"]);
    blocker
        .batch(&crate::support::text("COMMIT"))
        .await
        .unwrap();
    copied
        .sync(&[])
        .expect(0)
        .assert_prints(&["nothing was to be changed"]);
    copied.remove();
}

#[tokio::test]
async fn acceptance_24_two_databases_start_together_and_one_of_them_is_observed() {
    let route = common();
    let machine = tempfile::tempdir().unwrap();
    let first = route.filled("sync_two", TABLE).await;
    let second = route.filled("sync_two", TABLE).await;
    let both = [first.as_str(), second.as_str()];
    let copied = route.command("init", &both, &["--yes"]).state(&machine);
    copied.run().expect(0);
    let synced = route
        .command("sync", &[], &[])
        .state(&machine)
        .run()
        .expect(0);
    synced.assert_prints(&[&first, &second, "2 databases"]);
    let one = route.command("status", &[&second], &[]).state(&machine);
    let one = one.run().expect(0);
    one.assert_prints(&[&second, "seren_replication_sub", "CAUGHT UP"]);
    assert!(!one.all().contains(&first), "{}", one.all());
    // Without the state, the marks on the source name them.
    let elsewhere = route
        .command("status", &[&first], &["--output", "json"])
        .run()
        .expect(0);
    elsewhere.assert_prints(&[
        "\"subscription\":\"seren_replication_sub\"",
        "\"verdict\":\"caught_up\"",
    ]);
    route
        .command("teardown", &both, &["--yes"])
        .state(&machine)
        .run()
        .expect(0);
}
