//! States in which a replication could start or continue with rows missing: each is refused, or repaired without a gap.

use super::{Copied, TABLE};
use crate::support::route::{Route, common, shared};
use crate::support::{database, run, url_as, value, wait_for};

const SLOT: &str = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()";

const SUBSCRIPTIONS: &str =
    "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
     WHERE d.datname = current_database()";

/// How a server of this machine reaches the source's database.
async fn conninfo(copied: &Copied<'_>) -> String {
    let source = copied.source();
    format!(
        "host={} port={} user=postgres dbname={}",
        value(&source, "SHOW unix_socket_directories").await,
        value(&source, "SHOW port").await,
        copied.name
    )
}

#[tokio::test]
async fn the_slot_of_an_interrupted_copy_by_the_server_is_no_start() {
    let route = common();
    let name = route.filled("gap_native", TABLE).await;
    let machine = tempfile::tempdir().unwrap();
    let init = route.init(&name, &["--schema-only"]).state(&machine);
    init.run().expect(0);
    let copied = Copied {
        route,
        name,
        machine,
    };
    copied.sync(&["--copy-data"]).expect(0);
    // As if the target had lost the subscription, and with it the rows.
    for statement in ["DISABLE", "SET (slot_name = NONE)"] {
        let alter = format!("ALTER SUBSCRIPTION seren_replication_sub {statement}");
        copied.on_target(&alter).await;
    }
    copied
        .on_target("DROP SUBSCRIPTION seren_replication_sub")
        .await;
    copied.on_target("TRUNCATE public.t").await;
    let idle =
        "SELECT bool_and(NOT active) FROM pg_replication_slots WHERE database = current_database()";
    wait_for(&database(&copied.source()).await, idle).await;
    let refused = copied.sync(&[]).expect(1);
    refused.assert_prints(&["was begun", "--copy-data"]);
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
    copied.sync(&["--copy-data"]).expect(0);
    let rows = "SELECT count(*) = 10 FROM public.t";
    copied.wait_on_target(rows).await;
    copied.remove();
}

#[tokio::test]
async fn a_subscription_that_knows_no_table_is_not_enabled() {
    let copied = Copied::new(common(), "gap_restored", TABLE).await;
    let slot = value(&copied.source(), SLOT).await;
    // As pg_dump writes it.
    let create = format!(
        "CREATE SUBSCRIPTION seren_replication_sub CONNECTION '{}' PUBLICATION seren_replication_pub
         WITH (connect = false, slot_name = '{slot}')",
        conninfo(&copied).await
    );
    copied.on_target(&create).await;
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'kept')")
        .await;
    let refused = copied.sync(&[]).expect(1);
    refused.assert_prints(&["would discard their changes"]);
    let enabled = "SELECT subenabled FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
         WHERE d.datname = current_database()";
    assert_eq!(value(&copied.target(), enabled).await, "f");
    copied.remove();
}

#[tokio::test]
async fn a_table_that_is_removed_from_the_publication_is_broken_and_does_not_come_back() {
    let tables =
        "CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.u (id int PRIMARY KEY);";
    let copied = Copied::synced(common(), "gap_removed", tables).await;
    copied
        .on_source("ALTER PUBLICATION seren_replication_pub DROP TABLE public.u")
        .await;
    copied.on_source("INSERT INTO public.u VALUES (1)").await;
    let status = copied.status().expect(4);
    status.assert_prints(&["BROKEN", "public.u", "no longer published"]);
    let elsewhere = copied.route.command("status", &[&copied.name], &[]).run();
    elsewhere
        .expect(4)
        .assert_prints(&["BROKEN", "lacks 1 table"]);
    copied.sync(&[]).expect(1).assert_prints(&["lacks 1 table"]);
    copied.remove();
}

#[tokio::test]
async fn a_publication_that_the_subscription_no_longer_asks_for_is_not_asked_for_again() {
    let tables = "CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.log (note text);";
    let route = common();
    let name = route.filled("gap_asked", tables).await;
    let machine = tempfile::tempdir().unwrap();
    let rules = ["--insert-only-tables", "public.log"];
    let init = route.replicate(&name, &rules).state(&machine);
    init.run().expect(0);
    let copied = Copied {
        route,
        name,
        machine,
    };
    copied.sync(&[]).expect(0);
    copied
        .on_target(
            "ALTER SUBSCRIPTION seren_replication_sub SET PUBLICATION seren_replication_pub WITH (refresh = false)",
        )
        .await;
    copied
        .status()
        .expect(4)
        .assert_prints(&["does not ask for"]);
    let refused = copied.sync(&[]).expect(1);
    refused.assert_prints(&["changes of table public.log may be lost", "verify"]);
    copied.remove();
}

#[tokio::test]
async fn a_connection_string_to_another_database_leaves_no_subscription() {
    for majors in [[12, 12], [17, 17]] {
        let copied = Copied::new(shared(majors), "gap_other", TABLE).await;
        let other = conninfo(&copied).await;
        let (server, _) = other.split_once(" dbname=").unwrap();
        let wrong = format!("{server} dbname=postgres");
        let refused = copied.sync(&["--subscription-source", &wrong]).expect(1);
        refused.assert_prints(&["--subscription-source"]);
        assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
        copied.sync(&[]).expect(0);
        copied.remove();
    }
}

#[tokio::test]
async fn the_slot_of_another_target_is_not_taken() {
    let copied = Copied::new(common(), "gap_map", TABLE).await;
    let other = copied.route.fresh("gap_map_other").await;
    let admin = copied.route.target.url("postgres");
    run(
        &admin,
        &format!("CREATE DATABASE {other} TEMPLATE template0"),
    )
    .await;
    run(
        &copied.route.target.url(&other),
        "CREATE TABLE public.t (id int PRIMARY KEY, note text)",
    )
    .await;
    let map = format!("{}={other}", copied.name);
    let refused = copied.sync(&["--map-database", &map]).expect(1);
    assert!(
        !refused.all().contains("create subscription"),
        "{}",
        refused.all()
    );
    let subscriptions = value(&copied.route.target.url(&other), SUBSCRIPTIONS).await;
    assert_eq!(subscriptions, "0");
    copied.sync(&[]).expect(0);
    copied.remove();
}

#[tokio::test]
async fn a_role_without_superuser_sees_the_state_on_every_version() {
    for major in [12, 13, 14, 17] {
        let route = Route::of_majors([major, major]);
        let copied = Copied::synced(&route, "app", TABLE).await;
        run(&copied.target(), "CREATE ROLE plain LOGIN").await;
        let urls = [
            route.source.url("postgres"),
            url_as("plain", &route.target.url("postgres")),
        ];
        let status = Route::command_through(&urls, "status", (&[copied.name.as_str()], &[]));
        let status = status.state(&copied.machine).run().expect(0);
        status.assert_prints(&["CAUGHT UP"]);
    }
}
