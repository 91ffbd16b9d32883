//! A replication from its start to its end.

use tempfile::TempDir;

use crate::support::route::{Route, shared};
use crate::support::{database, run, value, wait_for};

/// Tables with every kind of replica identity, one of them without rows.
const APP: &str = "
    CREATE TABLE public.users (id int PRIMARY KEY, name text);
    CREATE TABLE public.notes (id int NOT NULL, body text);
    CREATE UNIQUE INDEX notes_id ON public.notes (id);
    ALTER TABLE public.notes REPLICA IDENTITY USING INDEX notes_id;
    CREATE TABLE public.bag (word text);
    ALTER TABLE public.bag REPLICA IDENTITY FULL;
    INSERT INTO public.users SELECT g, 'u' FROM generate_series(1, 100) g;
    INSERT INTO public.notes SELECT g, 'n' FROM generate_series(1, 100) g;
    INSERT INTO public.bag SELECT 'w' FROM generate_series(1, 100);";

/// Changes of all tables, and a last row that shows that all have arrived.
const CHANGES: &str = "
    INSERT INTO public.users SELECT g, 'new' FROM generate_series(101, 150) g;
    UPDATE public.users SET id = -id WHERE id <= 10;
    UPDATE public.notes SET body = repeat('x', 10000) WHERE id <= 50;
    DELETE FROM public.notes WHERE id > 90;
    DELETE FROM public.bag WHERE ctid IN (SELECT ctid FROM public.bag LIMIT 7);
    INSERT INTO public.users VALUES (1000, 'last');";

/// The contents of all tables in one line.
const CONTENTS: &str = "SELECT concat_ws(' ',
    (SELECT md5(string_agg(u::text, ',' ORDER BY u.id)) FROM public.users u),
    (SELECT md5(string_agg(n::text, ',' ORDER BY n.id)) FROM public.notes n),
    (SELECT count(*) FROM public.bag))";

/// What is left of a replication, on either server.
const SOURCE_OBJECTS: &str =
    "SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())
     + (SELECT count(*) FROM pg_publication)";
const TARGET_OBJECTS: &str =
    "SELECT (SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                                       WHERE d.datname = current_database())";

async fn expect_equal(route: &Route, name: &str) {
    let (source, target) = (route.source.url(name), route.target.url(name));
    let last = "SELECT count(*) > 0 FROM public.users WHERE id = 1000";
    wait_for(&database(&target).await, last).await;
    assert_eq!(
        value(&source, CONTENTS).await,
        value(&target, CONTENTS).await
    );
}

/// Copies, changes, follows, changes, removes; every step by the program.
async fn follows(majors: [u32; 2]) {
    let route = shared(majors);
    let machine = TempDir::new().unwrap();
    let name = route.filled("follow", APP).await;
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    route.replicate(&name, &[]).state(&machine).run().expect(0);
    run(&source, "INSERT INTO public.users VALUES (500, 'between')").await;
    let prepared = route.command("status", &[&name], &[]).state(&machine);
    let prepared = prepared.run().expect(4);
    prepared.assert_prints(&["NOT ACTIVE", "sync"]);

    let started = route.command("sync", &[&name], &[]).state(&machine);
    let started = started.run().expect(0);
    started.assert_prints(&["create subscription seren_replication_sub", "replicating"]);
    run(&source, CHANGES).await;
    expect_equal(route, &name).await;
    let status = route.command("status", &[&name], &[]).state(&machine);
    status.run().expect(0).assert_prints(&["CAUGHT UP"]);
    let again = route.command("sync", &[&name], &[]).state(&machine);
    again
        .run()
        .expect(0)
        .assert_prints(&["nothing was to be changed"]);
    route.command("verify", &[&name], &[]).run().expect(0);

    let removed = route
        .command("teardown", &[&name], &["--yes"])
        .state(&machine);
    removed.run().expect(0);
    assert_eq!(value(&source, SOURCE_OBJECTS).await, "0");
    assert_eq!(value(&target, TARGET_OBJECTS).await, "0");
    let twice = route
        .command("teardown", &[&name], &["--yes"])
        .state(&machine);
    twice.run().expect(0);
}

#[tokio::test]
async fn acceptance_03_sync_works_within_17() {
    follows([17, 17]).await;
}

#[tokio::test]
async fn acceptance_03_sync_works_within_12() {
    follows([12, 12]).await;
}

#[tokio::test]
async fn acceptance_03_sync_works_from_13_to_16() {
    follows([13, 16]).await;
}

#[tokio::test]
async fn acceptance_03_sync_works_from_14_to_18() {
    follows([14, 18]).await;
}

#[tokio::test]
async fn acceptance_03_sync_works_from_15_to_15() {
    follows([15, 15]).await;
}

#[tokio::test]
async fn acceptance_03_sync_works_from_18_to_18() {
    follows([18, 18]).await;
}
