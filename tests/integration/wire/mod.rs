//! The wire protocol against real servers.

mod copies;
mod line;
mod pump;
mod slot;
mod startup;

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use seren_replicator::pg::{Ident, Sql, SqlState};
use seren_replicator::sql;
use seren_replicator::wire::{
    Authentication, BoxStream, CancelKey, ChannelBinding, ChannelBindingPolicy, Connection,
    CopyFormat, Error, Idle, Startup, TransactionStatus, send_cancel_request,
};
use tokio::net::UnixStream;

use crate::support::{cluster, fresh_database, wait_until_true};

const AUTHENTICATION: Authentication<'static> = Authentication {
    user: "postgres",
    password: None,
    channel_binding: ChannelBinding::Plain,
    policy: ChannelBindingPolicy::Prefer,
    allow_cleartext: true,
    methods: None,
};

/// A database, and how to reach it without any of the program's own dialing.
struct Server {
    socket: PathBuf,
    database: String,
}

impl Server {
    /// A database of its own.
    async fn fresh(major: u32) -> Self {
        Self::parse(&fresh_database(major, "wire").await)
    }

    /// A database that is only read.
    fn shared(major: u32) -> Self {
        Self::parse(&cluster(major).url("postgres"))
    }

    fn parse(url: &str) -> Self {
        let (_, rest) = url.split_once('@').unwrap();
        let (host, database) = rest.split_once('/').unwrap();
        let (folder, port) = host.split_once(':').unwrap();
        let folder = percent_decode_str(folder).decode_utf8().unwrap();
        Self {
            socket: PathBuf::from(folder.as_ref()).join(format!(".s.PGSQL.{port}")),
            database: database.to_owned(),
        }
    }

    async fn dial(&self) -> BoxStream {
        Box::new(UnixStream::connect(&self.socket).await.unwrap())
    }

    async fn start(&self, more: &[(&str, &str)]) -> Connection<Idle> {
        let mut parameters = vec![("user", "postgres"), ("database", self.database.as_str())];
        parameters.extend_from_slice(more);
        let startup = Startup {
            parameters: &parameters,
            authentication: &AUTHENTICATION,
        };
        Connection::start(self.dial().await, &startup)
            .await
            .unwrap()
    }

    async fn connect(&self) -> Connection<Idle> {
        self.start(&[]).await
    }

    async fn cancel(&self, key: CancelKey) -> Result<(), Error> {
        send_cancel_request(self.dial().await, key).await
    }
}

/// A table `t`.
async fn table(connection: &mut Connection<Idle>, columns: &'static str) -> Ident {
    let name = Ident::from_catalog("t");
    let create = sql!("CREATE TABLE {} ({})", name, Sql::fixed(columns));
    connection.execute(&create).await.unwrap();
    name
}

async fn count(connection: &mut Connection<Idle>, table: &Ident) -> u64 {
    let count = sql!("SELECT count(*) FROM {}", table);
    value(connection, &count).await.parse().unwrap()
}

/// The one value of a query.
async fn value(connection: &mut Connection<Idle>, query: &Sql) -> String {
    let results = connection.query(query).await.unwrap();
    results[0].rows[0][0].clone().unwrap()
}

async fn backend(connection: &mut Connection<Idle>) -> i32 {
    let query = Sql::fixed("SELECT pg_backend_pid()");
    value(connection, &query).await.parse().unwrap()
}

/// Waits until a backend has ended.
async fn gone(connection: &mut Connection<Idle>, pid: i32) {
    let alive = sql!("SELECT count(*) FROM pg_stat_activity WHERE pid = {}", pid);
    wait_until_true(format!("the end of backend {pid}"), async || {
        value(connection, &alive).await == "0"
    })
    .await;
}

#[tokio::test]
async fn a_session_answers_and_knows_its_transaction() {
    let server = Server::fresh(18).await;
    let mut connection = server.connect().await;
    assert_eq!(connection.server_version().unwrap().major(), 18);
    assert!(connection.cancel_key().is_some());
    assert_eq!(connection.parameter("client_encoding"), Some("UTF8"));
    let results = connection
        .query(&Sql::fixed(
            "BEGIN; SELECT 1 AS a, NULL AS b; ; SELECT 'é' AS c WHERE false",
        ))
        .await
        .unwrap();
    assert_eq!(results[1].rows, [[Some("1".to_owned()), None]]);
    assert_eq!(results[2].columns, ["c"]);
    assert_eq!(results[2].tag, "SELECT 0");
    assert_eq!(
        connection.transaction_status().unwrap(),
        TransactionStatus::InTransaction
    );
    let error = connection
        .query(&Sql::fixed("SELECT 1/0"))
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate(), Some(SqlState::parse("22012")));
    assert_eq!(
        connection.transaction_status().unwrap(),
        TransactionStatus::Failed
    );
    connection.execute(&Sql::fixed("ROLLBACK")).await.unwrap();
    assert_eq!(
        connection.transaction_status().unwrap(),
        TransactionStatus::Idle
    );
    connection.close().await.unwrap();
}

#[tokio::test]
async fn notices_are_set_aside() {
    let server = Server::fresh(18).await;
    let mut connection = server.connect().await;
    let raise = Sql::fixed("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$");
    connection.execute(&raise).await.unwrap();
    let notices = connection.take_notices();
    let messages: Vec<_> = notices
        .iter()
        .map(|notice| notice.message.as_str())
        .collect();
    assert_eq!(messages, ["one", "two"]);
    connection
        .execute(&Sql::fixed("SET application_name = 'renamed'"))
        .await
        .unwrap();
    assert_eq!(connection.parameter("application_name"), Some("renamed"));
}

#[tokio::test]
async fn a_dropped_query_leaves_a_connection_that_refuses_work() {
    let server = Server::fresh(18).await;
    let mut connection = server.connect().await;
    let never = Sql::fixed("SELECT pg_sleep(30)");
    tokio::select! {
        biased;
        result = connection.query(&never) => panic!("{result:?}"),
        () = tokio::task::yield_now() => {}
    }
    let refused = connection.query(&Sql::fixed("SELECT 1")).await;
    assert!(matches!(refused, Err(Error::OutOfStep)), "{refused:?}");
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn a_statement_that_is_no_copy_is_refused() {
    let server = Server::fresh(18).await;
    let failure = server
        .connect()
        .await
        .copy_out(&Sql::fixed("SELECT 1"))
        .await
        .unwrap_err();
    assert!(
        matches!(failure.error, Error::Unexpected { .. }),
        "{failure:?}"
    );
    assert!(failure.connection.is_none());
    let failure = server
        .connect()
        .await
        .copy_in(&Sql::fixed("COPY nowhere FROM STDIN"))
        .await
        .unwrap_err();
    assert_eq!(failure.error.sqlstate(), Some(SqlState::UNDEFINED_TABLE));
    let mut connection = failure.connection.unwrap();
    connection.execute(&Sql::fixed("SELECT 1")).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_query_ends_with_the_servers_error() {
    let server = Server::fresh(18).await;
    let mut connection = server.connect().await;
    let key = connection.cancel_key().unwrap();
    let wait = Sql::fixed("SELECT pg_sleep(60)");
    let error = {
        let mut waiting = std::pin::pin!(connection.query(&wait));
        loop {
            // The request may overtake the query: repeat it until the query has ended.
            tokio::select! {
                result = &mut waiting => break result.unwrap_err(),
                cancelled = server.cancel(key) => cancelled.unwrap(),
            }
        }
    };
    assert_eq!(error.sqlstate(), Some(SqlState::QUERY_CANCELED));
    connection.execute(&Sql::fixed("SELECT 1")).await.unwrap();
}

#[tokio::test]
async fn rows_come_out_and_go_in() {
    let server = Server::fresh(18).await;
    let mut connection = server.connect().await;
    let name = table(&mut connection, "a int, b text").await;
    let mut copy = connection
        .copy_in(&sql!("COPY {} FROM STDIN", name))
        .await
        .unwrap();
    assert_eq!(copy.format(), CopyFormat::Text);
    copy.send(b"1\tone\n2\t").await.unwrap();
    copy.send(b"two\n").await.unwrap();
    let (connection, rows) = copy.finish().await.unwrap();
    assert_eq!(rows, 2);
    let copy_out = sql!("COPY {} TO STDOUT", name);
    let mut copy = connection.copy_out(&copy_out).await.unwrap();
    let mut data = Vec::new();
    while let Some(piece) = copy.next_piece().await.unwrap() {
        assert!(piece.first && piece.last);
        data.extend_from_slice(piece.data);
    }
    assert_eq!(data, b"1\tone\n2\ttwo\n");
    let connection = copy.into_idle().unwrap();
    let copy = connection.copy_out(&copy_out).await.unwrap();
    let (_, copied) = copy.finish().await.unwrap();
    assert_eq!((copied.rows, copied.bytes), (2, 12));
}

#[tokio::test]
async fn an_aborted_or_dropped_copy_never_commits() {
    let server = Server::fresh(18).await;
    let mut connection = server.connect().await;
    let name = table(&mut connection, "a int").await;
    let into = sql!("COPY {} FROM STDIN", name);
    let mut copy = connection.copy_in(&into).await.unwrap();
    copy.send(b"1\n").await.unwrap();
    let mut connection = copy.abort("changed our mind").await.unwrap();
    assert_eq!(count(&mut connection, &name).await, 0);

    let pid = backend(&mut connection).await;
    let mut copy = connection.copy_in(&into).await.unwrap();
    copy.send(&b"2\n".repeat(100_000)).await.unwrap();
    drop(copy);
    let mut other = server.connect().await;
    gone(&mut other, pid).await;
    assert_eq!(count(&mut other, &name).await, 0);
}

#[tokio::test]
async fn an_error_within_a_copy_leaves_the_connection_in_step() {
    let server = Server::fresh(18).await;
    let divide =
        Sql::fixed("COPY (SELECT 1/(50000 - i) FROM generate_series(1, 100000) i) TO STDOUT");
    let mut copy = server.connect().await.copy_out(&divide).await.unwrap();
    let error = loop {
        match copy.next_piece().await {
            Ok(piece) => assert!(piece.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate(), Some(SqlState::parse("22012")));
    let connection = copy.into_idle().unwrap();
    let copy = connection.copy_out(&divide).await.unwrap();
    let failure = copy.finish().await.unwrap_err();
    assert_eq!(failure.error.sqlstate(), Some(SqlState::parse("22012")));
    let mut connection = failure.connection.unwrap();
    let name = table(&mut connection, "a int").await;
    let mut copy = connection
        .copy_in(&sql!("COPY {} FROM STDIN", name))
        .await
        .unwrap();
    let error = loop {
        // The server reads on its own time; sooner or later it has seen the bad row.
        if let Err(error) = copy.send(&b"x\n".repeat(10_000)).await {
            break error;
        }
    };
    assert_eq!(error.sqlstate(), Some(SqlState::parse("22P02")));
    copy.into_idle()
        .unwrap()
        .execute(&Sql::fixed("SELECT 1"))
        .await
        .unwrap();
}
