//! Several copies in one command, sent without waiting for any of them.

use seren_replicator::pg::{Sql, SqlState};
use seren_replicator::wire::{
    Connection, CopyFormat, EndedBy, Idle, Progress, PumpOptions, PumpOutcome, TransactionStatus,
    pump,
};
use tokio_util::sync::CancellationToken;

use super::{Server, value};

/// Tables `a`, `b`, `c` in a database of their own on the target.
async fn target() -> Connection<Idle> {
    let server = Server::fresh(18).await;
    let mut session = server.connect().await;
    let make = "CREATE TABLE a (x int, y text); CREATE TABLE b (x int); CREATE TABLE c (x text)";
    session.execute(&Sql::fixed(make)).await.unwrap();
    session
}

async fn move_all(
    target: Connection<Idle>,
    from: &'static str,
    into: &'static str,
    format: CopyFormat,
) -> PumpOutcome {
    let source = Server::shared(12).connect().await;
    let source = source.ask(&Sql::fixed(from)).await.unwrap();
    let target = target.ask(&Sql::fixed(into)).await.unwrap();
    let source = source.copies_out().await.unwrap();
    let target = target.copies_in(format);
    let (progress, stop) = (Progress::default(), CancellationToken::new());
    let outcome = pump(source, target, &PumpOptions::default(), &progress, &stop).await;
    let rows: u64 = outcome.copies.iter().map(|copied| copied.rows).sum();
    if outcome.result.is_ok() {
        assert_eq!(progress.rows(), rows);
    }
    outcome
}

/// The rows of the three tables, after a failed transaction was rolled back.
async fn rows(target: &mut Connection<Idle>) -> String {
    if target.transaction_status().unwrap() != TransactionStatus::Idle {
        target.execute(&Sql::fixed("ROLLBACK")).await.unwrap();
    }
    let count = "SELECT (SELECT count(*) FROM a) || ' ' || (SELECT count(*) FROM b) || ' '
                     || (SELECT count(*) FROM c)";
    value(target, &Sql::fixed(count)).await
}

#[tokio::test]
async fn each_copy_goes_into_the_one_of_its_place() {
    let binary =
        "COPY (SELECT i, repeat('y', i) FROM generate_series(1, 3000) i) TO STDOUT (FORMAT binary);
        COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary);
        COPY (SELECT 'z'::text FROM generate_series(1, 5)) TO STDOUT (FORMAT binary)";
    let into = "BEGIN; TRUNCATE a; COPY a FROM STDIN (FORMAT binary, FREEZE);
        TRUNCATE b; COPY b FROM STDIN (FORMAT binary, FREEZE); COPY c FROM STDIN (FORMAT binary)";
    let outcome = move_all(target().await, binary, into, CopyFormat::Binary).await;
    assert_eq!(outcome.result.unwrap().rows, 3005);
    let counted: Vec<u64> = outcome.copies.iter().map(|copied| copied.rows).collect();
    assert_eq!(counted, [3000, 0, 5]);
    let mut target = outcome.target.unwrap();
    target.execute(&Sql::fixed("COMMIT")).await.unwrap();
    assert_eq!(rows(&mut target).await, "3000 0 5");
    assert!(outcome.source.into_idle().unwrap().is_usable());
}

#[tokio::test]
async fn what_the_target_refuses_in_the_middle_takes_all_back() {
    let from =
        "COPY (SELECT 1, 'x') TO STDOUT; COPY (SELECT 2) TO STDOUT; COPY (SELECT 3) TO STDOUT";
    for (into, at) in [
        (
            "BEGIN; COPY a FROM STDIN; COPY missing FROM STDIN; COPY c FROM STDIN",
            1,
        ),
        (
            "BEGIN; TRUNCATE missing; COPY a FROM STDIN; COPY b FROM STDIN; COPY c FROM STDIN",
            0,
        ),
    ] {
        let outcome = move_all(target().await, from, into, CopyFormat::Text).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(
            (error.ended_by, outcome.at),
            (EndedBy::Target, at),
            "{error}"
        );
        let code = error.first().unwrap().sqlstate();
        assert_eq!(code, Some(SqlState::UNDEFINED_TABLE));
        assert_eq!(rows(&mut outcome.target.unwrap()).await, "0 0 0");
    }
}

#[tokio::test]
async fn what_the_source_cannot_send_takes_all_back() {
    let from = "COPY (SELECT 1, 'x') TO STDOUT; COPY (SELECT 1 / (i - 1000) FROM generate_series(1, 2000) i) TO STDOUT";
    let into = "BEGIN; COPY a FROM STDIN; COPY b FROM STDIN";
    let outcome = move_all(target().await, from, into, CopyFormat::Text).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(
        (error.ended_by, outcome.at),
        (EndedBy::Source, 1),
        "{error}"
    );
    assert_eq!(error.first().unwrap().sqlstate().unwrap().as_str(), "22012");
    assert_eq!(rows(&mut outcome.target.unwrap()).await, "0 0 0");
}

#[tokio::test]
async fn more_copies_than_the_target_takes_are_an_error() {
    let two = "COPY (SELECT 1, 'x') TO STDOUT; COPY (SELECT 2) TO STDOUT";
    let outcome = move_all(
        target().await,
        two,
        "BEGIN; COPY a FROM STDIN",
        CopyFormat::Text,
    )
    .await;
    assert!(outcome.result.is_err());
}

#[tokio::test]
async fn a_copy_announced_in_another_format_is_an_error() {
    let from = "COPY (SELECT 1, 'x') TO STDOUT";
    let into = "BEGIN; COPY a FROM STDIN (FORMAT binary)";
    let outcome = move_all(target().await, from, into, CopyFormat::Text).await;
    assert_eq!(outcome.result.unwrap_err().ended_by, EndedBy::Target);
}
