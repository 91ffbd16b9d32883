//! Rows from one server to another, and every way in which that can end.

use seren_replicator::pg::{Ident, Sql, SqlState};
use seren_replicator::sql;
use seren_replicator::wire::{
    EndedBy, Error, Packing, Progress, PumpError, PumpOptions, PumpOutcome, SourceAfter, pump,
};
use tokio_util::sync::CancellationToken;

use super::{Server, backend, count, table, value};

/// A set-returning function in the select list streams; in FROM it would be stored first.
const ENDLESS: &str = "COPY (SELECT generate_series(1, 2000000000)) TO STDOUT";

/// A table on the newest server, and rows to come from an older one.
struct Lane {
    source: Server,
    target: Server,
    table: Ident,
}

impl Lane {
    async fn new(source_major: u32, columns: &'static str) -> Self {
        let target = Server::fresh(18).await;
        let table = table(&mut target.connect().await, columns).await;
        Self {
            source: Server::shared(source_major),
            target,
            table,
        }
    }

    async fn pump(&self, from: &Sql) -> PumpOutcome {
        self.pump_as(from, "text", Packing::Adaptive).await.0
    }

    async fn pump_as(
        &self,
        from: &Sql,
        format: &'static str,
        packing: Packing,
    ) -> (PumpOutcome, Progress) {
        let format = Sql::fixed(format);
        let from = sql!("COPY ({}) TO STDOUT (FORMAT {})", from, format);
        let into = sql!("COPY {} FROM STDIN (FORMAT {})", self.table, format);
        let source = self.source.connect().await.copy_out(&from).await.unwrap();
        let target = self.target.connect().await.copy_in(&into).await.unwrap();
        let progress = Progress::default();
        let (options, stop) = (PumpOptions { packing }, CancellationToken::new());
        let outcome = pump(source, target, &options, &progress, &stop).await;
        (outcome, progress)
    }

    /// Pumps without end, until `end` has done what it does.
    async fn pump_until(&self, end: impl AsyncFnOnce([i32; 2], &CancellationToken)) -> PumpOutcome {
        self.pump_from(ENDLESS, 10_000, end).await
    }

    /// Pumps until some rows are through and `end` has done what it does.
    async fn pump_from(
        &self,
        from: &'static str,
        rows: u64,
        end: impl AsyncFnOnce([i32; 2], &CancellationToken),
    ) -> PumpOutcome {
        let mut source = self.source.connect().await;
        let mut target = self.target.connect().await;
        let pids = [backend(&mut source).await, backend(&mut target).await];
        let source = source.copy_out(&Sql::fixed(from)).await.unwrap();
        let into = sql!("COPY {} FROM STDIN", self.table);
        let target = target.copy_in(&into).await.unwrap();
        let (progress, stop) = (Progress::default(), CancellationToken::new());
        let options = PumpOptions::default();
        let moved = pump(source, target, &options, &progress, &stop);
        let ending = async {
            while progress.rows() < rows {
                tokio::task::yield_now().await;
            }
            end(pids, &stop).await;
        };
        let (outcome, ()) = tokio::join!(moved, ending);
        outcome
    }

    async fn rows(&self) -> u64 {
        count(&mut self.target.connect().await, &self.table).await
    }
}

async fn terminate(server: &Server, pid: i32) {
    let terminate = sql!("SELECT pg_terminate_backend({})", pid);
    server.connect().await.execute(&terminate).await.unwrap();
}

fn code(error: &PumpError) -> &str {
    match error.first() {
        Some(Error::Server(error)) => error.code.as_str(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_row_arrives_in_every_format_and_packing() {
    const ROWS: &str = "SELECT i, CASE WHEN i % 3 > 0 THEN repeat('x', i % 2000) END
        FROM generate_series(1, 20000) i";
    let lane = Lane::new(12, "a int, b text").await;
    let digest = |rows: Sql| {
        let digest = "SELECT md5(string_agg(t::text, ',' ORDER BY a))";
        sql!("{} FROM ({}) t(a, b)", Sql::fixed(digest), rows)
    };
    for packing in [Packing::Adaptive, Packing::PassThrough, Packing::Repack] {
        for format in ["text", "binary"] {
            let truncate = sql!("TRUNCATE {}", lane.table);
            lane.target
                .connect()
                .await
                .execute(&truncate)
                .await
                .unwrap();
            let (outcome, progress) = lane.pump_as(&Sql::fixed(ROWS), format, packing).await;
            let copied = outcome.result.unwrap();
            assert_eq!(copied.rows, 20_000);
            assert_eq!(
                (progress.rows(), progress.bytes()),
                (copied.rows, copied.bytes)
            );
            let mut source = outcome.source.into_idle().unwrap();
            let mut target = outcome.target.unwrap();
            assert_eq!(
                value(&mut source, &digest(Sql::fixed(ROWS))).await,
                value(&mut target, &digest(sql!("TABLE {}", lane.table))).await
            );
        }
    }
}

#[tokio::test]
async fn an_empty_table_is_no_rows_in_either_format() {
    let lane = Lane::new(15, "a int").await;
    for format in ["text", "binary"] {
        let nothing = Sql::fixed("SELECT 1 WHERE false");
        let (outcome, progress) = lane.pump_as(&nothing, format, Packing::Adaptive).await;
        assert_eq!(outcome.result.unwrap().rows, 0);
        assert_eq!(progress.rows(), 0);
    }
}

#[tokio::test]
async fn one_wide_row_passes_in_pieces() {
    let lane = Lane::new(15, "a text").await;
    let before = peak_memory();
    let wide = Sql::fixed("SELECT repeat('x', 209715200)");
    let (outcome, _) = lane.pump_as(&wide, "binary", Packing::Adaptive).await;
    assert_eq!(outcome.result.unwrap().rows, 1);
    // The kernel adds up counters of each CPU without a lock: a later reading may be a little smaller.
    let grown = peak_memory().saturating_sub(before);
    assert!(grown < 50 << 10, "{grown} KiB more for one row");
    let length = sql!("SELECT length(a) FROM {}", lane.table);
    let mut target = outcome.target.unwrap();
    assert_eq!(value(&mut target, &length).await, "209715200");
}

/// The most memory that this process ever held, in KiB; tests beside this one are small.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn an_error_of_the_source_is_told_alone_and_nothing_is_kept() {
    let lane = Lane::new(14, "a int").await;
    let divide = Sql::fixed("SELECT 1/(90000 - i) FROM generate_series(1, 100000) i");
    let outcome = lane.pump(&divide).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.ended_by, code(&error)), (EndedBy::Source, "22012"));
    assert!(error.target_error.is_none(), "{error}");
    assert_eq!(
        error.to_string(),
        "source: division by zero (SQLSTATE 22012)"
    );
    let mut source = outcome.source.into_idle().unwrap();
    source.execute(&Sql::fixed("SELECT 1")).await.unwrap();
    assert_eq!(count(&mut outcome.target.unwrap(), &lane.table).await, 0);
}

#[tokio::test]
async fn an_error_of_the_target_ends_the_pump_and_the_source_can_be_cancelled() {
    let lane = Lane::new(15, "a int CHECK (a <> 5)").await;
    let outcome = lane
        .pump(&Sql::fixed("SELECT generate_series(1, 50000000) % 1000"))
        .await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.ended_by, code(&error)), (EndedBy::Target, "23514"));
    assert!(error.source_error.is_none(), "{error}");
    assert_eq!(count(&mut outcome.target.unwrap(), &lane.table).await, 0);
    let SourceAfter::Running(source) = outcome.source else {
        panic!("the source has 50 million rows to send");
    };
    lane.source
        .cancel(source.cancel_key().unwrap())
        .await
        .unwrap();
    let failure = source.finish().await.unwrap_err();
    assert_eq!(failure.error.sqlstate(), Some(SqlState::QUERY_CANCELED));
    let mut source = failure.connection.unwrap();
    source.execute(&Sql::fixed("SELECT 1")).await.unwrap();
}

#[tokio::test]
async fn an_error_at_the_end_is_the_targets() {
    let lane = Lane::new(12, "a int UNIQUE DEFERRABLE INITIALLY DEFERRED").await;
    let outcome = lane
        .pump(&Sql::fixed("SELECT 1 FROM generate_series(1, 2)"))
        .await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.ended_by, code(&error)), (EndedBy::Target, "23505"));
    assert!(outcome.source.into_idle().is_some() && outcome.target.is_some());
}

#[tokio::test]
async fn errors_of_both_sides_are_both_told() {
    let lane = Lane::new(15, "a int CHECK (a <> 5000)").await;
    // The source fails after its first rows, which the target refuses: whichever is noticed
    // first, the other is not lost.
    let both = Sql::fixed(
        "SELECT CASE WHEN i = 5001 THEN 1/(i - i) ELSE i END
        FROM generate_series(1, 10000) i",
    );
    let error = lane.pump(&both).await.result.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("22012") && text.contains("23514"), "{text}");
}

#[tokio::test]
async fn a_terminated_source_is_named() {
    let lane = Lane::new(15, "a int").await;
    let end = async |pids: [i32; 2], _: &CancellationToken| terminate(&lane.source, pids[0]).await;
    // It sleeps when it is ended: a server that is blocked in sending rows cannot say why it ends.
    const THEN_ASLEEP: &str = "COPY (SELECT i FROM generate_series(1, 20000) i \
        UNION ALL SELECT 1 FROM pg_sleep(600)) TO STDOUT";
    // All but what waits in the server's own buffer of 8 KiB.
    let outcome = lane.pump_from(THEN_ASLEEP, 19_000, end).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.ended_by, code(&error)), (EndedBy::Source, "57P01"));
    assert!(
        error.is_transient() && error.target_error.is_none(),
        "{error}"
    );
    assert!(matches!(outcome.source, SourceAfter::Lost));
    assert_eq!(count(&mut outcome.target.unwrap(), &lane.table).await, 0);
}

#[tokio::test]
async fn a_terminated_target_is_named() {
    let lane = Lane::new(15, "a int").await;
    let end = async |pids: [i32; 2], _: &CancellationToken| terminate(&lane.target, pids[1]).await;
    let outcome = lane.pump_until(end).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.ended_by, code(&error)), (EndedBy::Target, "57P01"));
    assert!(error.source_error.is_none(), "{error}");
    assert!(matches!(outcome.source, SourceAfter::Running(_)));
    assert!(outcome.target.is_none());
    assert_eq!(lane.rows().await, 0);
}

#[tokio::test]
async fn a_stopped_pump_takes_the_copy_back() {
    let lane = Lane::new(15, "a int").await;
    let outcome = lane
        .pump_until(async |_, stop: &CancellationToken| stop.cancel())
        .await;
    let error = outcome.result.unwrap_err();
    assert_eq!(
        (error.ended_by, error.to_string()),
        (EndedBy::Stop, "stopped".to_owned())
    );
    assert!(matches!(outcome.source, SourceAfter::Running(_)));
    assert_eq!(count(&mut outcome.target.unwrap(), &lane.table).await, 0);
}

#[tokio::test]
async fn a_dropped_pump_takes_the_copy_back() {
    let lane = Lane::new(15, "a int").await;
    let mut target = lane.target.connect().await;
    let pid = backend(&mut target).await;
    let source = lane.source.connect().await;
    let source = source.copy_out(&Sql::fixed(ENDLESS)).await.unwrap();
    let into = sql!("COPY {} FROM STDIN", lane.table);
    let target = target.copy_in(&into).await.unwrap();
    let (progress, stop) = (Progress::default(), CancellationToken::new());
    let options = PumpOptions::default();
    let moving = async {
        while progress.rows() < 10_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = pump(source, target, &options, &progress, &stop) => panic!("{outcome:?}"),
        () = moving => {}
    }
    super::gone(&mut lane.target.connect().await, pid).await;
    assert_eq!(lane.rows().await, 0);
}

#[tokio::test]
async fn a_statement_timeout_on_either_side_ends_both() {
    let lane = Lane::new(15, "a int").await;
    let soon = Sql::fixed("SET statement_timeout = 200");
    let into = sql!("COPY {} FROM STDIN", lane.table);
    let (options, stop) = (PumpOptions::default(), CancellationToken::new());
    for (ended_by, sides) in [
        (EndedBy::Source, [true, false]),
        (EndedBy::Target, [false, true]),
    ] {
        let mut source = lane.source.connect().await;
        let mut target = lane.target.connect().await;
        for (connection, limited) in [&mut source, &mut target].into_iter().zip(sides) {
            if limited {
                connection.execute(&soon).await.unwrap();
            }
        }
        let source = source.copy_out(&Sql::fixed(ENDLESS)).await.unwrap();
        let target = target.copy_in(&into).await.unwrap();
        let outcome = pump(source, target, &options, &Progress::default(), &stop).await;
        let error = outcome.result.unwrap_err();
        assert_eq!((error.ended_by, code(&error)), (ended_by, "57014"));
        assert_eq!(count(&mut outcome.target.unwrap(), &lane.table).await, 0);
    }
}

#[tokio::test]
async fn different_formats_are_refused() {
    let lane = Lane::new(18, "a int").await;
    let from = Sql::fixed("COPY (SELECT 1) TO STDOUT (FORMAT binary)");
    let source = lane.source.connect().await.copy_out(&from).await.unwrap();
    let into = sql!("COPY {} FROM STDIN", lane.table);
    let target = lane.target.connect().await.copy_in(&into).await.unwrap();
    let (options, stop) = (PumpOptions::default(), CancellationToken::new());
    let outcome = pump(source, target, &options, &Progress::default(), &stop).await;
    let error = outcome.result.unwrap_err();
    assert!(
        matches!(error.first(), Some(Error::CopyFormats { .. })),
        "{error}"
    );
    assert_eq!(count(&mut outcome.target.unwrap(), &lane.table).await, 0);
}

#[tokio::test]
async fn a_target_that_takes_fewer_rows_than_were_sent_is_an_error() {
    let lane = Lane::new(18, "a int").await;
    let from = Sql::fixed("COPY (SELECT generate_series(1, 10)) TO STDOUT");
    let source = lane.source.connect().await.copy_out(&from).await.unwrap();
    let into = sql!("COPY {} FROM STDIN WHERE a > 3", lane.table);
    let target = lane.target.connect().await.copy_in(&into).await.unwrap();
    let (options, stop) = (PumpOptions::default(), CancellationToken::new());
    let outcome = pump(source, target, &options, &Progress::default(), &stop).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(error.ended_by, EndedBy::Target);
    let Some(Error::RowCount { tagged, counted }) = error.first() else {
        panic!("{error}");
    };
    assert_eq!((*tagged, *counted), (7, 10));
}
