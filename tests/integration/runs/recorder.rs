//! Tables that the state file lists as done are on the target's disk.

use std::sync::Arc;
use std::time::Duration;

use seren_replicator::checkpoint::{
    DatabasePair, Name, Origin, Pair, Recorder, Run, Selection, Store,
};
use seren_replicator::pg::{Lsn, Oid, QualifiedName, SlotName};
use seren_replicator::sandbox::Cluster;
use seren_replicator::selection::TableChoice;
use seren_replicator::transfer::Fact;
use tokio_util::sync::CancellationToken;

use crate::support::times::within;
use crate::support::{database, endpoint, run, text, value, wait_until_true};

fn shop() -> DatabasePair {
    DatabasePair::new("shop", "shop")
}

/// A store that has begun to fill the database `shop`.
fn store(root: &std::path::Path) -> Arc<Store> {
    let pair = Pair {
        source: "1".to_owned(),
        target: "2".to_owned(),
    };
    let store = Store::create(root, &pair).unwrap();
    let selection = Selection {
        tables: (&TableChoice::All).into(),
        deviations: [].into(),
    };
    let plan = |run: &mut Run| {
        run.begin();
        run.plan(&shop(), Oid(1), selection);
    };
    store.change(plan).unwrap();
    let begin = |database: &mut seren_replicator::checkpoint::Database| {
        database.begin(Oid(2), Origin::Made);
    };
    store.change_database(&shop(), begin).unwrap();
    Arc::new(store)
}

fn table(name: &str) -> QualifiedName {
    QualifiedName::from_catalog("public", name)
}

fn done(name: &str) -> Fact {
    Fact::Table {
        table: table(name),
        rows: 1000,
    }
}

/// Tables that the state file calls done.
fn recorded(store: &Store) -> usize {
    let run = store.run();
    let tables = run.databases[&shop()].tables.values();
    tables.filter(|table| table.done).count()
}

#[tokio::test]
async fn a_table_that_is_recorded_survives_a_crash_of_the_target() {
    let mut target = Cluster::builder(17)
        // Nothing is flushed but on request.
        .with_setting("wal_writer_delay", "10s")
        .with_setting("wal_writer_flush_after", "1GB")
        .start()
        .unwrap();
    run(&target.url("postgres"), "CREATE DATABASE shop").await;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let inside = endpoint(&target.url("shop"));
    let token = CancellationToken::new();
    let recorder = Recorder::start(Arc::clone(&store), shop(), &inside, token);
    let recorder = recorder.await.unwrap();
    let point = Lsn::new(7);
    let session = database(&target.url("shop")).await;
    let ledger = recorder.ledger();
    let slot = SlotName::new("kept").unwrap();
    store
        .change_database(&shop(), |database| database.record_point(point, &slot))
        .unwrap();
    // The second one waits in the queue while the first is recorded.
    for name in ["first", "second", "third"] {
        let make = format!(
            "SET synchronous_commit = off; CREATE TABLE public.{name} AS SELECT n FROM generate_series(1, 1000) n"
        );
        session.batch(&text(&make)).await.unwrap();
        ledger.note(done(name)).await;
    }
    let all = async || recorded(&store) == 3;
    wait_until_true("all tables are recorded", all).await;
    target.crash().unwrap();
    target.restart().unwrap();
    for name in ["first", "second", "third"] {
        let count = format!("SELECT count(*) FROM public.{name}");
        assert_eq!(value(&target.url("shop"), &count).await, "1000");
    }
    let run = store.run();
    let entry = &run.databases[&shop()].tables[&Name::from(&table("first"))];
    assert_eq!((entry.rows, entry.lsn), (1000, Some(point)));
}

#[tokio::test]
async fn what_was_told_before_the_end_is_recorded_and_a_lost_target_is_an_error() {
    let mut target = Cluster::start(17).unwrap();
    run(&target.url("postgres"), "CREATE DATABASE shop").await;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let inside = endpoint(&target.url("shop"));
    let start = async || {
        let token = CancellationToken::new();
        let recorder = Recorder::start(Arc::clone(&store), shop(), &inside, token.clone());
        (recorder.await.unwrap(), token)
    };
    let (recorder, _) = start().await;
    let ledger = recorder.ledger();
    ledger.note(done("first")).await;
    // The ledger is still held, as by a task of the engine.
    recorder.close().await.unwrap();
    assert_eq!(recorded(&store), 1);

    let (recorder, token) = start().await;
    target.crash().unwrap();
    recorder.ledger().note(done("second")).await;
    token.cancelled().await;
    recorder.close().await.unwrap_err();
    assert_eq!(recorded(&store), 1, "nothing is recorded unflushed");
}

/// Ten thousand tables are recorded without a file of megabytes being written for each.
#[tokio::test]
async fn many_tables_are_recorded_in_few_writes() {
    let target = crate::support::fresh_database(17, "many").await;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let inside = endpoint(&target);
    let token = CancellationToken::new();
    let recorder = Recorder::start(Arc::clone(&store), shop(), &inside, token);
    let recorder = recorder.await.unwrap();
    let ledger = recorder.ledger();
    let begun = std::time::Instant::now();
    for number in 0..10_000 {
        ledger.note(done(&format!("table_{number}"))).await;
    }
    recorder.close().await.unwrap();
    assert_eq!(recorded(&store), 10_000);
    let file = std::fs::metadata(store.path()).unwrap().len();
    assert!(file < 2_000_000, "{file} bytes");
    within(Duration::from_secs(30), begun, "ten thousand tables");
}
