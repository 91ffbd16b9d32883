//! `sync` beside another one, interrupted in each phase, or pointed to a standby; and what it leaves of the definitions.

use std::sync::Arc;

use super::{Copied, TABLE};
use crate::support::command::{Finished, Program};
use crate::support::oracle::{data_diff, schema_diff};
use crate::support::route::{Route, common};
use crate::support::rows::row_diff;
use crate::support::standby::start_standby;
use crate::support::{database, text, value, wait_for, wait_until_true};
use seren_replicator::sandbox::Cluster;

const NONE: [String; 0] = [];

const SUBSCRIPTIONS: &str =
    "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
      WHERE d.datname = current_database()";

/// A lock that is in the way of the creation of a subscription, and of its apply worker.
const LOCK: &str = "BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE";

fn sync(copied: &Copied<'_>) -> Program {
    let program = copied.route.command("sync", &[&copied.name], &[]);
    program.state(&copied.machine)
}

async fn expect_level(copied: &Copied<'_>) {
    wait_until_true("status is well", async || copied.status().code == 0).await;
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "1");
    let differences = row_diff(&copied.source(), &copied.target()).await;
    assert_eq!(differences, NONE);
}

/// Whether a run that failed was refused because of another one.
fn names_the_other(finished: &Finished) -> bool {
    finished.code == 1 && finished.all().contains("another run")
}

#[tokio::test]
async fn a_sync_that_begins_while_another_creates_is_refused_by_name() {
    let copied = Copied::new(common(), "two_syncs", TABLE).await;
    let blocker = database(&copied.target()).await;
    blocker.batch(&text(LOCK)).await.unwrap();
    let first = sync(&copied).start();
    first.wait_for_error("holds AccessExclusiveLock on public.t");
    let second = sync(&copied).run();
    assert!(names_the_other(&second), "{}", second.all());
    // The same from another machine, which does not have the state.
    let elsewhere = copied.route.command("sync", &[&copied.name], &[]).run();
    assert!(names_the_other(&elsewhere), "{}", elsewhere.all());
    blocker.batch(&text("COMMIT")).await.unwrap();
    first.finish().expect(0);
    expect_level(&copied).await;
    copied.remove();
}

#[tokio::test]
async fn two_syncs_at_once_create_one_subscription() {
    for _ in 0..3 {
        let copied = Copied::new(common(), "at_once", TABLE).await;
        let both = [sync(&copied).start(), sync(&copied).start()];
        let ended = both.map(|one| one.finish());
        let done = ended.iter().filter(|one| one.code == 0).count();
        assert_ne!(done, 0, "{ended:#?}");
        for one in ended.iter().filter(|one| one.code != 0) {
            assert!(names_the_other(one), "{}", one.all());
        }
        expect_level(&copied).await;
        copied.remove();
    }
}

#[tokio::test]
async fn a_sync_interrupted_before_and_during_the_creation_leaves_nothing() {
    let copied = Copied::new(common(), "interrupted", TABLE).await;
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'between')")
        .await;
    // Before: its checks wait for a lock on a catalog of the source.
    let blocker = database(&copied.source()).await;
    let lock = "BEGIN; LOCK TABLE pg_catalog.pg_publication IN ACCESS EXCLUSIVE MODE";
    blocker.batch(&text(lock)).await.unwrap();
    let running = sync(&copied).start();
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'pg_publication'::regclass
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait_for(&blocker, waits).await;
    running.signal("INT");
    running.finish().expect(130);
    blocker.batch(&text("COMMIT")).await.unwrap();
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
    // During: its statement waits for a lock of the target.
    let blocker = database(&copied.target()).await;
    blocker.batch(&text(LOCK)).await.unwrap();
    let running = sync(&copied).start();
    running.wait_for_error("holds AccessExclusiveLock on public.t");
    running.signal("INT");
    running.finish().expect(130);
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
    let ours = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'postgres-seren-replicator%'
                   AND datname = current_database()";
    wait_for(&blocker, ours).await;
    blocker.batch(&text("COMMIT")).await.unwrap();
    copied.sync(&[]).expect(0);
    expect_level(&copied).await;
    copied.remove();
}

#[tokio::test]
async fn a_sync_interrupted_while_it_waits_leaves_the_replication_running() {
    let copied = Copied::synced(common(), "waiting", TABLE).await;
    let blocker = database(&copied.target()).await;
    blocker.batch(&text(LOCK)).await.unwrap();
    copied
        .on_source("INSERT INTO public.t VALUES (11, 'late')")
        .await;
    let running = sync(&copied).start();
    running.wait_for_error("to catch up");
    running.signal("INT");
    running.finish().expect(130);
    blocker.batch(&text("COMMIT")).await.unwrap();
    copied
        .sync(&[])
        .expect(0)
        .assert_prints(&["nothing was to be changed"]);
    expect_level(&copied).await;
    copied.remove();
}

#[tokio::test]
async fn a_standby_is_no_source_for_sync() {
    let mut primary = Cluster::start(17).unwrap();
    let standby = start_standby(&mut primary).await;
    let target = Arc::new(Cluster::start(17).unwrap());
    let route = Route {
        source: Arc::new(primary),
        target,
    };
    let copied = Copied::new(&route, "app", TABLE).await;
    let there = database(&standby.url("postgres")).await;
    let arrived = format!(
        "SELECT count(*) > 0 FROM pg_database WHERE datname = '{}'",
        copied.name
    );
    wait_for(&there, &arrived).await;
    let urls = [standby.url("postgres"), route.target.url("postgres")];
    let on_standby = |command: &str| {
        let program = Route::command_through(&urls, command, (&[copied.name.as_str()], &[]));
        program.state(&copied.machine).run()
    };
    let refused = on_standby("sync").expect(1);
    refused.assert_prints(&["is a standby", "connect to its primary"]);
    assert_eq!(value(&copied.target(), SUBSCRIPTIONS).await, "0");
    copied.sync(&[]).expect(0);
    copied.status().expect(0);
    on_standby("status")
        .expect(4)
        .assert_prints(&["is a standby", "connect to its primary"]);
}

/// Definitions that a replication must not change, among them identities of every kind.
const DEFINITIONS: &str = "
    CREATE TABLE public.bare (n int, note text);
    CREATE TABLE public.by_index (id int NOT NULL UNIQUE, n int);
    ALTER TABLE public.by_index REPLICA IDENTITY USING INDEX by_index_id_key;
    CREATE TABLE public.nothing (id int PRIMARY KEY);
    ALTER TABLE public.nothing REPLICA IDENTITY NOTHING;
    CREATE TABLE public.parted (id int, k int, note text) PARTITION BY LIST (k);
    CREATE TABLE public.parted_1 PARTITION OF public.parted FOR VALUES IN (1);
    CREATE TABLE public.parted_2 PARTITION OF public.parted DEFAULT;
    CREATE VIEW public.seen AS SELECT note FROM public.bare;
    CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := upper(NEW.note); RETURN NEW; END';
    CREATE TRIGGER stamp BEFORE INSERT ON public.bare FOR EACH ROW EXECUTE FUNCTION public.stamp();
    INSERT INTO public.bare VALUES (1, 'a'), (1, 'a'), (2, 'b');
    INSERT INTO public.by_index VALUES (1, 1); INSERT INTO public.nothing VALUES (1);
    INSERT INTO public.parted VALUES (1, 1, 'one'), (2, 2, 'two');";

#[tokio::test]
async fn definitions_are_equal_after_a_replication_with_changed_identities() {
    for major in [13, 17] {
        let route = Route::of_majors([major, major]);
        let name = route.filled("app", DEFINITIONS).await;
        let before = crate::support::oracle::schema(&route.source.url(&name), &[]);
        let machine = tempfile::tempdir().unwrap();
        let full = route.replicate(&name, &["--replica-identity-full"]);
        full.state(&machine).run().expect(0);
        let copied = Copied {
            route: &route,
            name,
            machine,
        };
        copied.sync(&[]).expect(0);
        copied
            .on_source(
                "UPDATE public.bare SET n = 3 WHERE n = 2; DELETE FROM public.nothing; INSERT INTO public.bare VALUES (4, 'd');
                 UPDATE public.parted SET k = 2 WHERE k = 1",
            )
            .await;
        expect_level(&copied).await;
        copied.command("teardown", &["--yes"]).expect(0);
        let (source, target) = (copied.source(), copied.target());
        assert_eq!(crate::support::oracle::schema(&source, &[]), before);
        assert_eq!(schema_diff(&source, &target), NONE);
        assert_eq!(data_diff(&source, &target), NONE);
    }
}
