//! Tables that join a replication later, and selections that differ from what is replicated.

use super::{Copied, TABLE};
use crate::support::route::{common, shared};
use crate::support::{database, value, wait_for};

#[tokio::test]
async fn acceptance_23_a_table_created_later_is_named_and_then_joins() {
    for majors in [[12, 13], [17, 17]] {
        let copied = Copied::synced(shared(majors), "join", TABLE).await;
        let create = "CREATE TABLE public.later (id int PRIMARY KEY, note text)";
        copied.on_source(create).await;
        copied
            .on_source("INSERT INTO public.later SELECT g, 'first' FROM generate_series(1, 1000) g")
            .await;
        // The others go on.
        copied
            .on_source("INSERT INTO public.t VALUES (11, 'continues')")
            .await;
        let arrived = "SELECT count(*) = 11 FROM public.t";
        copied.wait_on_target(arrived).await;
        copied.status().expect(3).assert_prints(&["public.later"]);
        let missing = copied.sync(&[]).expect(0);
        missing.assert_prints(&["public.later is missing"]);
        copied.on_target(create).await;
        copied
            .sync(&[])
            .expect(0)
            .assert_prints(&["add table public.later"]);
        copied
            .on_source("INSERT INTO public.later VALUES (1001, 'second')")
            .await;
        let arrived = "SELECT count(*) = 1001 FROM public.later";
        copied.wait_on_target(arrived).await;
        copied.status().expect(0);
        copied
            .sync(&[])
            .expect(0)
            .assert_prints(&["nothing was to be changed"]);
        copied.remove();
    }
}

#[tokio::test]
async fn a_table_with_rows_on_the_target_does_not_join() {
    let copied = Copied::synced(common(), "join_full", TABLE).await;
    let create =
        "CREATE TABLE public.later (id int PRIMARY KEY); INSERT INTO public.later VALUES (1)";
    copied.on_source(create).await;
    copied.on_target(create).await;
    copied
        .sync(&[])
        .expect(0)
        .assert_prints(&["is not empty", "TRUNCATE"]);
    copied.on_target("TRUNCATE public.later").await;
    copied.sync(&[]).expect(0).assert_prints(&["add table"]);
    let arrived = "SELECT count(*) = 1 FROM public.later";
    copied.wait_on_target(arrived).await;
    copied.remove();
}

#[tokio::test]
async fn a_new_table_without_identity_stays_apart_and_can_be_updated() {
    let copied = Copied::synced(common(), "join_identity", TABLE).await;
    let create = "CREATE TABLE public.bag (word text); INSERT INTO public.bag VALUES ('a')";
    copied.on_source(create).await;
    // Its twin on the target is no reason to publish it: UPDATE and DELETE would fail on the source.
    copied
        .on_target("CREATE TABLE public.bag (word text)")
        .await;
    copied.on_source("UPDATE public.bag SET word = 'b'").await;
    copied
        .status()
        .expect(3)
        .assert_prints(&["public.bag", "no primary key"]);
    copied
        .sync(&[])
        .expect(0)
        .assert_prints(&["public.bag", "no primary key"]);
    copied.on_source("DELETE FROM public.bag").await;
    let published = "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'bag'";
    assert_eq!(value(&copied.source(), published).await, "0");
    copied.remove();
}

#[tokio::test]
async fn a_selection_other_than_the_replicated_one_is_refused_with_the_difference() {
    let tables = "CREATE TABLE public.a (id int PRIMARY KEY, x int); CREATE TABLE public.b (id int PRIMARY KEY);";
    let copied = Copied::synced(common(), "join_scope", tables).await;
    let only = copied.sync(&["--include-tables", "public.a"]).expect(1);
    only.assert_prints(&["public.b is replicated, and not selected now"]);
    let filtered = copied
        .sync(&["--table-filter", "public.a:id > 5"])
        .expect(1);
    filtered.assert_prints(&["public.a is replicated with no filter", "id > 5"]);
    let inserts = copied.sync(&["--insert-only-tables", "public.a"]).expect(1);
    inserts.assert_prints(&["public.a is replicated with every change"]);
    copied
        .sync(&[])
        .expect(0)
        .assert_prints(&["nothing was to be changed"]);
    assert_eq!(
        value(&copied.target(), "SELECT count(*) FROM pg_subscription_rel").await,
        "2"
    );
    copied.remove();
}

#[tokio::test]
async fn rows_that_enter_and_leave_a_filter_follow_it() {
    let route = common();
    let statements = "CREATE TABLE public.t (id int PRIMARY KEY, active bool NOT NULL);
         ALTER TABLE public.t REPLICA IDENTITY FULL;
         INSERT INTO public.t SELECT g, g % 2 = 0 FROM generate_series(1, 10) g;
         CREATE TABLE public.log (at int, note text);";
    let name = route.filled("join_filter", statements).await;
    let machine = tempfile::tempdir().unwrap();
    let rules = [
        "--table-filter",
        "public.t:active",
        "--insert-only-tables",
        "public.log",
    ];
    route
        .replicate(&name, &rules)
        .state(&machine)
        .run()
        .expect(0);
    let copied = Copied {
        route,
        name,
        machine,
    };
    copied
        .sync(&[])
        .expect(0)
        .assert_prints(&["seren_replication_pub_inserts"]);
    copied
        .on_source(
            "UPDATE public.t SET active = true WHERE id = 1; UPDATE public.t SET active = false WHERE id = 2;
             INSERT INTO public.log VALUES (1, 'one'), (2, 'two'); DELETE FROM public.log WHERE at = 1;
             INSERT INTO public.t VALUES (11, false), (12, true)",
        )
        .await;
    let rows = "SELECT string_agg(id::text, ' ' ORDER BY id) = '1 4 6 8 10 12' FROM public.t";
    let target = database(&copied.target()).await;
    wait_for(&target, rows).await;
    wait_for(&target, "SELECT count(*) = 2 FROM public.log").await;
    let verified = copied.command("verify", &rules);
    assert!(verified.all().contains("insert-only"), "{}", verified.all());
    copied
        .sync(&rules)
        .expect(0)
        .assert_prints(&["nothing was to be changed"]);
    copied.remove();
}
