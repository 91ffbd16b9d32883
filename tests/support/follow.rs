//! A database from before its copy until its target has caught up, with an application that never stops writing
//! meanwhile.

use super::busy::{BASE, Busy};
use super::command::Finished;
use super::route::Route;
use super::rows::row_diff;
use super::{database, run, text, wait_for, wait_until_true};

/// How long the application writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Transactions of each writer before the copy, between copy and start of the replication, and after it.
    pub(crate) rounds: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Transactions of the application.
    pub(crate) transactions: usize,
    /// Rows or tables that differ in the end.
    pub(crate) differences: Vec<String>,
    /// The end of `verify`.
    pub(crate) verified: Finished,
}

const SLOT_EXISTS: &str =
    "SELECT count(*) > 0 FROM pg_replication_slots WHERE database = current_database()";

const SLOT_IS_READY: &str = "SELECT count(*) > 0 FROM pg_replication_slots
      WHERE database = current_database() AND confirmed_flush_lsn IS NOT NULL";

/// Runs `init`, `sync`, `status`, `verify` and `teardown` of a new database beside the application.
pub(crate) async fn follow(route: &Route, seed: u64, extent: Extent) -> Followed {
    let name = route.filled("live", BASE).await;
    let machine = tempfile::tempdir().unwrap();
    let command = |command: &str, more: &[&str]| {
        let program = route.command(command, &[&name], more);
        program.state(&machine)
    };
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    let busy = Busy::start(&source, seed);
    busy.wait_for_rounds(extent.rounds).await;

    // The round that a writer is in may still truncate.
    busy.keep_tables(true);
    busy.wait_for_rounds(2).await;

    // Three transactions that the creation of the slot meets: one from before, one that begins while it waits for the
    // first, and one that is still open at the consistent point or after it.
    let held = [1, 2, 3].map(|id| format!("BEGIN; INSERT INTO live.held VALUES ({id}, 'open')"));
    let sessions = [
        database(&source).await,
        database(&source).await,
        database(&source).await,
    ];
    sessions[0].batch(&text(&held[0])).await.unwrap();
    let copying = command("init", &["--yes", "--keep-locks"]).start();
    let observer = database(&source).await;
    wait_for(&observer, SLOT_EXISTS).await;
    sessions[1].batch(&text(&held[1])).await.unwrap();
    sessions[0].batch(&text("COMMIT")).await.unwrap();
    sessions[2].batch(&text(&held[2])).await.unwrap();
    sessions[1].batch(&text("COMMIT")).await.unwrap();
    wait_for(&observer, "SELECT count(*) = 2 FROM live.held").await;
    sessions[2].batch(&text("COMMIT")).await.unwrap();
    wait_for(&observer, SLOT_IS_READY).await;
    busy.keep_tables(false);
    copying.finish().expect(0);
    busy.wait_for_rounds(extent.rounds).await;

    let started = command("sync", &[]).run();
    assert_eq!(
        started.code,
        0,
        "seed {seed}: {started:?}\nserver log of the target:\n{}\nof the source:\n{}",
        end_of(&route.target.read_log()),
        end_of(&route.source.read_log())
    );
    busy.wait_for_rounds(extent.rounds).await;
    let transactions = busy.stop().await;
    wait_until_true("status is well", async || {
        command("status", &[]).run().code == 0
    })
    .await;
    let differences = row_diff(&source, &target).await;
    let verified = command("verify", &[]).run();
    command("teardown", &["--yes"]).run().expect(0);
    run(
        &route.target.url("postgres"),
        &format!("DROP DATABASE {name}"),
    )
    .await;
    Followed {
        transactions,
        differences,
        verified,
    }
}

/// The last lines of a server log, where the error of an apply worker is found.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
