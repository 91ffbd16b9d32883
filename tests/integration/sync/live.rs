//! A source that its application writes to all the time: nothing is lost, and nothing arrives twice.

use super::{Copied, TABLE};
use crate::support::application::Application;
use crate::support::follow::{Extent, follow};
use crate::support::route::{Route, common};
use crate::support::rows::row_diff;
use crate::support::{database, number, run, value, wait_for, wait_until_true};
use seren_replicator::sandbox::Cluster;

const NONE: [String; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_02_rows_committed_before_during_and_after_the_copy_arrive_once() {
    let seed = number("SEREN_FOLLOW_SEED", 1);
    let route = Route::of_majors([17, 17]);
    let followed = follow(&route, seed, Extent { rounds: 6 }).await;
    assert_eq!(followed.differences, NONE, "seed {seed}");
    assert_ne!(followed.transactions, 0);
    followed.verified.expect(0);
}

#[tokio::test]
async fn acceptance_10_sync_copies_no_row_and_loses_none_between_snapshot_and_slot() {
    let builders = [17, 17].map(Cluster::builder);
    let [source, target] = builders;
    let source = source
        .with_setting("log_replication_commands", "on")
        .with_setting("log_statement", "all");
    let route = Route::start([source, target]);
    let copied = Copied::new(&route, "app", TABLE).await;
    copied
        .on_source(
            "INSERT INTO public.t VALUES (11, 'between'); UPDATE public.t SET note = 'changed' WHERE id = 1;
             DELETE FROM public.t WHERE id = 2",
        )
        .await;
    let before = route.source.read_log().len();
    copied.sync(&[]).expect(0);
    // At once, without a wait: no table has ever been in another state.
    let states = "SELECT string_agg(DISTINCT srsubstate::text, ',') FROM pg_subscription_rel";
    assert_eq!(value(&copied.target(), states).await, "r");
    let errors =
        "SELECT sum(sync_error_count) + sum(apply_error_count) FROM pg_stat_subscription_stats";
    assert_eq!(value(&copied.target(), errors).await, "0");
    let differences = row_diff(&copied.source(), &copied.target()).await;
    assert_eq!(differences, NONE);
    let log = route.source.read_log();
    let (_, since) = log.split_at(before);
    assert!(since.contains("START_REPLICATION SLOT"), "{since}");
    assert!(!since.contains("COPY "), "{since}");
    copied.command("verify", &[]).expect(0);
}

/// Tables of every replica identity, with an unlogged neighbour.
const IDENTITIES: &str = "
    CREATE TABLE public.by_key (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
    CREATE TABLE public.by_index (id int NOT NULL UNIQUE, n int NOT NULL DEFAULT 0);
    ALTER TABLE public.by_index REPLICA IDENTITY USING INDEX by_index_id_key;
    CREATE TABLE public.by_row (id int, n int NOT NULL DEFAULT 0);
    ALTER TABLE public.by_row REPLICA IDENTITY FULL;
    CREATE TABLE public.parted (id int PRIMARY KEY, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);
    CREATE TABLE public.parted_1 PARTITION OF public.parted FOR VALUES FROM (0) TO (50);
    CREATE TABLE public.parted_2 PARTITION OF public.parted DEFAULT;
    CREATE UNLOGGED TABLE public.unlogged (id int, n int NOT NULL DEFAULT 0);
    CREATE TABLE public.bare (id int, n int NOT NULL DEFAULT 0);
    CREATE TABLE public.nothing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
    ALTER TABLE public.nothing REPLICA IDENTITY NOTHING;
    INSERT INTO public.by_key SELECT generate_series(1, 99);
    INSERT INTO public.by_index SELECT generate_series(1, 99);
    INSERT INTO public.by_row SELECT generate_series(1, 99);
    INSERT INTO public.parted SELECT generate_series(1, 99);
    INSERT INTO public.unlogged SELECT generate_series(1, 99);
    INSERT INTO public.bare SELECT generate_series(1, 99);
    INSERT INTO public.nothing SELECT generate_series(1, 99);";

/// Updates and deletes of all of them; a refusal fails the test.
const CHANGES: &[&str] = &[
    "UPDATE public.by_key SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.by_key WHERE id = {n}",
    "UPDATE public.by_index SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.by_index WHERE id = {n}",
    "UPDATE public.by_row SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.by_row WHERE id = {n}",
    "UPDATE public.parted SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.parted WHERE id = {n}",
    "UPDATE public.unlogged SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.unlogged WHERE id = {n}",
    "UPDATE public.bare SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.bare WHERE id = {n}",
    "UPDATE public.nothing SET n = n + 1 WHERE id % 10 = {n} % 10",
    "DELETE FROM public.nothing WHERE id = {n}",
    "INSERT INTO public.by_key VALUES ({n} + 1000)",
    "INSERT INTO public.parted VALUES ({n} + 1000)",
    "SELECT pg_sleep(0.02)",
];

const LEFT: &str = "SELECT (SELECT count(*) FROM pg_publication)
      + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_11_updates_and_deletes_work_throughout_and_blockers_leave_no_publication() {
    let route = common();
    let name = route.filled("identity", IDENTITIES).await;
    let machine = tempfile::tempdir().unwrap();
    let source = route.source.url(&name);
    let writing = Application::start(&source, CHANGES);
    for command in ["validate", "init"] {
        let rules = ["--yes", "--table-filter", "public.by_key:n < 1000000"];
        let refused = route.command(command, &[&name], &rules).state(&machine);
        refused.run().expect(1).assert_prints(&[
            "table public.bare has no primary key",
            "table public.nothing has replica identity NOTHING",
            "public.by_key",
            "ALTER TABLE ONLY \"public\".\"bare\" REPLICA IDENTITY FULL;",
        ]);
        assert_eq!(value(&source, LEFT).await, "0");
    }
    let full = route.replicate(&name, &["--replica-identity-full"]);
    full.state(&machine).run().expect(0);
    let copied = Copied {
        route,
        name,
        machine,
    };
    wait_for_changes(&copied).await;
    copied.sync(&[]).expect(0);
    wait_for_changes(&copied).await;
    assert_ne!(writing.end().await, 0);
    wait_until_true("status is well", async || copied.status().code == 0).await;
    // An unlogged table is copied and not followed.
    for url in [copied.source(), copied.target()] {
        run(&url, "DROP TABLE public.unlogged").await;
    }
    let differences = row_diff(&copied.source(), &copied.target()).await;
    assert_eq!(differences, NONE);
    copied.remove();
}

/// Waits until the application has written a row more.
async fn wait_for_changes(copied: &Copied<'_>) {
    let rows = "SELECT max(id) FROM public.by_key";
    let before = value(&copied.source(), rows).await;
    let more = format!("SELECT max(id) > {before} FROM public.by_key");
    wait_for(&database(&copied.source()).await, &more).await;
}
