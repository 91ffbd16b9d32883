//! Apply errors: the server keeps their text in its log, and `status` finds the cause.

use super::{Copied, TABLE};
use crate::support::route::{Route, common, shared};
use crate::support::{value, wait_until_true};

/// Waits until `status` is broken with these words.
async fn wait_until_broken(copied: &Copied<'_>, words: &[&str]) {
    wait_until_true("status is broken", async || {
        let status = copied.status();
        status.code == 4 && words.iter().all(|word| status.stdout.contains(word))
    })
    .await;
}

/// The replication continues after its cause is removed.
async fn expect_recovered(copied: &Copied<'_>, rows: u32) {
    let arrived = format!("SELECT count(*) = {rows} FROM public.t");
    copied.wait_on_target(&arrived).await;
    wait_until_true("status is well", async || copied.status().code == 0).await;
}

#[tokio::test]
async fn a_conflicting_row_is_found_and_replication_goes_on_without_it() {
    for majors in [[14, 14], [17, 17], [18, 18]] {
        let copied = Copied::synced(shared(majors), "apply_conflict", TABLE).await;
        copied
            .on_target("INSERT INTO public.t VALUES (11, 'conflict')")
            .await;
        copied
            .on_source("INSERT INTO public.t VALUES (11, 'right')")
            .await;
        let log = "logical replication apply worker";
        match majors[1] {
            14 => {
                wait_until_true("the worker does not run", async || {
                    copied.status().code == 4
                })
                .await;
            }
            _ => wait_until_broken(&copied, &["BROKEN", "fails", log, "SKIP"]).await,
        }
        copied.on_target("DELETE FROM public.t WHERE id = 11").await;
        expect_recovered(&copied, 11).await;
        let note = "SELECT note FROM public.t WHERE id = 11";
        assert_eq!(value(&copied.target(), note).await, "right");
        copied.remove();
    }
}

#[tokio::test]
async fn a_column_and_a_table_that_are_missing_are_named() {
    for majors in [[13, 14], [17, 17]] {
        let copied = Copied::synced(shared(majors), "apply_missing", TABLE).await;
        copied
            .on_source(
                "ALTER TABLE public.t ADD COLUMN extra int; INSERT INTO public.t VALUES (11, 'x', 1)",
            )
            .await;
        wait_until_broken(&copied, &["BROKEN", "extra", "is missing"]).await;
        copied
            .on_target("ALTER TABLE public.t ADD COLUMN extra int")
            .await;
        expect_recovered(&copied, 11).await;
        copied
            .on_target("ALTER TABLE public.t RENAME TO away")
            .await;
        copied
            .on_source("INSERT INTO public.t VALUES (12, 'x', 1)")
            .await;
        wait_until_broken(&copied, &["public.t is missing"]).await;
        copied
            .on_target("ALTER TABLE public.away RENAME TO t")
            .await;
        expect_recovered(&copied, 12).await;
        copied.remove();
    }
}

#[tokio::test]
async fn a_partition_that_is_missing_is_named() {
    let tables = "CREATE TABLE public.t (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
         CREATE TABLE public.t_low PARTITION OF public.t FOR VALUES FROM (0) TO (11);
         INSERT INTO public.t SELECT g, 'n' FROM generate_series(1, 10) g;";
    let copied = Copied::synced(common(), "apply_partition", tables).await;
    let create = "CREATE TABLE public.t_high PARTITION OF public.t FOR VALUES FROM (11) TO (100)";
    copied.on_source(create).await;
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'x')")
        .await;
    wait_until_broken(&copied, &["BROKEN", "partition public.t_high is missing"]).await;
    copied.on_target(create).await;
    expect_recovered(&copied, 11).await;
    copied.remove();
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_with_its_grant() {
    let route = Route::of_majors([17, 17]);
    let copied = Copied::synced(&route, "app", TABLE).await;
    copied
        .on_target(
            "CREATE ROLE owner; CREATE ROLE applier LOGIN IN ROLE pg_create_subscription;
             GRANT CREATE ON SCHEMA public TO owner;
             ALTER TABLE public.t OWNER TO owner;
             ALTER SUBSCRIPTION seren_replication_sub SET (password_required = false);
             DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO applier', current_database()); END $$;
             ALTER SUBSCRIPTION seren_replication_sub OWNER TO applier",
        )
        .await;
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'x')")
        .await;
    wait_until_broken(
        &copied,
        &[
            "may not change table public.t",
            "GRANT \"owner\" TO \"applier\"",
        ],
    )
    .await;
    copied.on_target("GRANT owner TO applier").await;
    expect_recovered(&copied, 11).await;
}

#[tokio::test]
async fn without_a_free_worker_status_names_the_setting() {
    let builders = [17, 17].map(seren_replicator::sandbox::Cluster::builder);
    let [source, target] = builders;
    let route = Route::start([
        source,
        target.with_setting("max_logical_replication_workers", "0"),
    ]);
    let copied = Copied::new(&route, "app", TABLE).await;
    let refused = copied.sync(&[]).expect(1);
    refused.assert_prints(&[
        "no logical replication worker is free: 0 of 0",
        "max_logical_replication_workers",
    ]);
}

#[tokio::test]
async fn a_restarted_source_is_followed_again() {
    let mut route = Route::of_majors([16, 17]);
    let name;
    let machine;
    {
        let copied = Copied::synced(&route, "app", TABLE).await;
        name = copied.name.clone();
        machine = copied.machine;
    }
    std::sync::Arc::get_mut(&mut route.source)
        .unwrap()
        .restart()
        .unwrap();
    let copied = Copied {
        route: &route,
        name,
        machine,
    };
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'after')")
        .await;
    expect_recovered(&copied, 11).await;
    copied.status().expect(0);
}

#[tokio::test]
async fn acceptance_29_an_idle_replication_is_caught_up_and_an_inactive_one_is_not() {
    let copied = Copied::synced(common(), "apply_idle", TABLE).await;
    let status = copied.command("status", &["--output", "json"]).expect(0);
    status.assert_prints(&["\"verdict\":\"caught_up\""]);
    copied.command("status", &["--heartbeat"]).expect(0);
    copied
        .on_target("ALTER SUBSCRIPTION seren_replication_sub DISABLE")
        .await;
    let status = copied.command("status", &["--output", "json"]).expect(4);
    status.assert_prints(&[
        "\"verdict\":\"not_active\"",
        "\"ok\":false",
        "\"exit_code\":4",
    ]);
    copied.remove();
}
