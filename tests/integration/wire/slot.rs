//! Replication commands on both of their syntaxes.

use seren_replicator::pg::{Literal, Lsn, SlotName, Sql, SqlState};
use seren_replicator::sql;
use seren_replicator::wire::{
    Error, ReplicationMessage, SlotKind, SlotSnapshot, StandbyStatusUpdate, Timestamp,
};

use super::{Server, gone, value};
use crate::support::fresh_name;
use crate::support::wait_until_true;

const REPLICATION: &[(&str, &str)] = &[("replication", "database")];

#[tokio::test]
async fn a_temporary_slot_exports_its_snapshot_and_ends_with_its_connection() {
    for major in [12, 14, 15, 18] {
        let server = Server::fresh(major).await;
        let mut replication = server.start(REPLICATION).await;
        let identity = replication.identify_system().await.unwrap();
        assert_eq!(identity.database.as_deref(), Some(server.database.as_str()));
        assert!(identity.system_id.parse::<u64>().is_ok() && identity.timeline >= 1);

        let name = SlotName::new(fresh_name("wire")).unwrap();
        let slot = replication
            .create_logical_slot(&name, SlotKind::Temporary, SlotSnapshot::Export)
            .await
            .unwrap();
        assert_eq!((&slot.name, slot.plugin.as_str()), (&name, "pgoutput"));
        assert!(slot.consistent_point >= identity.flush_lsn);

        let mut session = server.connect().await;
        let snapshot = slot.snapshot_name.unwrap();
        let import = sql!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT {}; COMMIT",
            Literal(&snapshot)
        );
        session.execute(&import).await.unwrap();
        let literal = Literal(name.as_str());
        let holder = sql!(
            "SELECT active_pid FROM pg_replication_slots WHERE slot_name = {} AND temporary",
            literal
        );
        let pid: i32 = value(&mut session, &holder).await.parse().unwrap();
        replication.close().await.unwrap();
        gone(&mut session, pid).await;
        let left = sql!(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = {}",
            literal
        );
        // A server process leaves the list of sessions before it drops its slots.
        wait_until_true("the slot is dropped", async || {
            value(&mut session, &left).await == "0"
        })
        .await;
    }
}

#[tokio::test]
async fn a_permanent_slot_stays_until_it_is_dropped() {
    for major in [12, 14, 15, 18] {
        let server = Server::fresh(major).await;
        let mut replication = server.start(REPLICATION).await;
        // A slot's name may begin with a digit, which an unquoted identifier may not.
        let name = SlotName::new(format!("0_{}", fresh_name("wire"))).unwrap();
        let create = replication
            .create_logical_slot(&name, SlotKind::Permanent, SlotSnapshot::Nothing)
            .await;
        assert_eq!(create.unwrap().snapshot_name, None);
        replication.close().await.unwrap();

        let mut replication = server.start(REPLICATION).await;
        let taken = replication
            .create_logical_slot(&name, SlotKind::Permanent, SlotSnapshot::Nothing)
            .await;
        assert_eq!(
            taken.unwrap_err().sqlstate(),
            Some(SqlState::DUPLICATE_OBJECT)
        );
        replication.drop_slot(&name).await.unwrap();
        let missing = replication.drop_slot(&name).await.unwrap_err();
        assert_eq!(missing.sqlstate(), Some(SqlState::UNDEFINED_OBJECT));
        replication.execute(&Sql::fixed("SELECT 1")).await.unwrap();
    }
}

#[tokio::test]
async fn replication_commands_are_refused_on_an_ordinary_session() {
    let mut session = Server::shared(18).connect().await;
    let refused = session.identify_system().await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some(SqlState::parse("42601")));
}

#[tokio::test]
async fn changes_stream_until_both_sides_have_ended() {
    let server = Server::fresh(18).await;
    let mut session = server.connect().await;
    let prepare = "CREATE TABLE t (a text); CREATE PUBLICATION p FOR TABLE t";
    session.execute(&Sql::fixed(prepare)).await.unwrap();
    let mut replication = server.start(REPLICATION).await;
    let name = SlotName::new(fresh_name("wire")).unwrap();
    let create = replication.create_logical_slot(&name, SlotKind::Temporary, SlotSnapshot::Nothing);
    let slot = create.await.unwrap();
    // One change is wider than any buffer.
    let insert =
        "INSERT INTO t SELECT string_agg(md5(i::text), '') FROM generate_series(1, 50000) i";
    session.execute(&Sql::fixed(insert)).await.unwrap();

    let options = [("proto_version", "1"), ("publication_names", "p")];
    let mut stream = replication
        .start_replication(&name, slot.consistent_point, &options)
        .await
        .unwrap();
    let (mut kinds, mut widest, mut end) = (Vec::new(), 0, slot.consistent_point);
    while kinds.last() != Some(&b'C') {
        if let Some(ReplicationMessage::XLogData(message)) = stream.next_message().await.unwrap() {
            kinds.push(message.data[0]);
            widest = widest.max(message.data.len());
            end = end.max(message.end_lsn);
        }
    }
    assert_eq!(kinds, b"BRIC");
    assert!(widest > 50_000 * 32, "{widest}");
    let status = StandbyStatusUpdate {
        write_lsn: end,
        flush_lsn: end,
        apply_lsn: end,
        sent_at: Timestamp::now(),
        wants_reply: true,
    };
    stream.report(&status).await.unwrap();
    let reply = stream.next_message().await.unwrap();
    assert!(
        matches!(reply, Some(ReplicationMessage::PrimaryKeepalive(_))),
        "{reply:?}"
    );
    let mut replication = stream.finish().await.unwrap();
    replication.identify_system().await.unwrap();
}

/// The server answers our `CopyDone` between two messages of its own stream, and continues the stream.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_ended_while_changes_and_keepalives_flow() {
    let server = Server::fresh(18).await;
    let mut session = server.connect().await;
    let prepare = "CREATE TABLE t (a text); CREATE PUBLICATION p FOR TABLE t";
    session.execute(&Sql::fixed(prepare)).await.unwrap();
    let mut maker = server.start(REPLICATION).await;
    let name = SlotName::new(fresh_name("wire")).unwrap();
    let create = maker.create_logical_slot(&name, SlotKind::Permanent, SlotSnapshot::Nothing);
    let from = create.await.unwrap().consistent_point;
    let insert = "INSERT INTO t SELECT md5(i::text) FROM generate_series(1, 20000) i";
    session.execute(&Sql::fixed(insert)).await.unwrap();

    let options = [("proto_version", "1"), ("publication_names", "p")];
    for round in 0..20 {
        let replication = server.start(REPLICATION).await;
        let started = replication.start_replication(&name, from, &options);
        let mut stream = started.await.unwrap();
        for _ in 0..round {
            stream.report(&nothing_yet(from)).await.unwrap();
            stream.next_message().await.unwrap();
        }
        session
            .execute(&Sql::fixed("INSERT INTO t VALUES ('x')"))
            .await
            .unwrap();
        let mut replication = stream.finish().await.unwrap();
        replication.identify_system().await.unwrap();
        replication.close().await.unwrap();
        let active = sql!(
            "SELECT active FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            Literal(name.as_str())
        );
        wait_until_true("the slot is free", async || {
            let rows = session.query(&active).await.unwrap();
            rows[0].single("active") == Some("f")
        })
        .await;
    }
    maker.drop_slot(&name).await.unwrap();
}

/// No server streams twice on one connection: it must not look like a stream without changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_stream_on_one_connection_is_an_error() {
    let server = Server::fresh(18).await;
    let mut session = server.connect().await;
    let prepare = "CREATE TABLE t (a text); CREATE PUBLICATION p FOR TABLE t";
    session.execute(&Sql::fixed(prepare)).await.unwrap();
    let mut replication = server.start(REPLICATION).await;
    let name = SlotName::new(fresh_name("wire")).unwrap();
    let create = replication.create_logical_slot(&name, SlotKind::Temporary, SlotSnapshot::Nothing);
    let from = create.await.unwrap().consistent_point;
    let options = [("proto_version", "1"), ("publication_names", "p")];
    let first = replication.start_replication(&name, from, &options).await;
    let replication = first.unwrap().finish().await.unwrap();
    let second = replication.start_replication(&name, from, &options).await;
    let mut second = second.unwrap();
    loop {
        match second.next_message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream has ended well"),
            Err(error) => break assert!(matches!(error, Error::Unexpected { .. }), "{error}"),
        }
    }
}

/// A status that confirms nothing and asks for an answer.
fn nothing_yet(from: Lsn) -> StandbyStatusUpdate {
    StandbyStatusUpdate {
        write_lsn: from,
        flush_lsn: from,
        apply_lsn: from,
        sent_at: Timestamp::now(),
        wants_reply: true,
    }
}
