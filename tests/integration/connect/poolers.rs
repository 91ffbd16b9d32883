//! Connection poolers: one that shares sessions is detected, with any number of sessions; one that keeps a session for
//! each client works.

use tokio_postgres::SimpleQueryMessage;

use crate::support::pooler::{Mode, Pooler};
use crate::support::route::{RUN, Route, common};
use crate::support::{cluster, run, value};

/// What says that nothing of ours is on a server.
const UNTOUCHED: &str = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname LIKE 'pooled%'";

fn refused(urls: &[String; 2], command: &str, more: &[&str]) {
    let ended = Route::command_through(urls, command, (&[], more))
        .run()
        .expect(1);
    let said = &ended.stderr;
    assert!(said.contains("is a transaction pooler"), "{said}");
    assert!(said.contains("connect to the server itself"), "{said}");
    assert!(
        said.contains("without -pooler") && said.contains("5432 instead of 6543"),
        "{said}"
    );
}

#[tokio::test]
async fn a_transaction_pooler_is_refused_by_every_command() {
    for major in [13, 17] {
        let port = value(&cluster(major).url("postgres"), "SHOW port").await;
        let port = port.parse().unwrap();
        let direct = cluster(17).url("postgres");
        for size in [1, 2, 5] {
            let pooler = Pooler::start(port, Mode::Transaction, size);
            let urls = [pooler.url("postgres"), direct.clone()];
            refused(&urls, "validate", &[]);
        }
        let pooler = Pooler::start(port, Mode::Transaction, 1);
        let as_target = [direct.clone(), pooler.url("postgres")];
        refused(&as_target, "validate", &[]);
        refused(&as_target, "verify", &[]);
        refused(&as_target, "teardown", &["--yes"]);
    }
}

#[tokio::test]
async fn a_transaction_pooler_is_refused_before_anything_is_written() {
    let route = common();
    let name = route.fresh("pooled").await;
    run(
        &route.source.url(&name),
        "CREATE TABLE public.t (n int PRIMARY KEY)",
    )
    .await;
    let pooler = Pooler::start(route.source.port(), Mode::Transaction, 2);
    let urls = [pooler.url(&name), route.target.url("postgres")];
    refused(&urls, "init", &["--yes"]);
    assert_eq!(value(&route.target.url("postgres"), UNTOUCHED).await, "0");
    let publications = "SELECT count(*) FROM pg_catalog.pg_publication";
    assert_eq!(value(&route.source.url(&name), publications).await, "0");
    // Sessions of other clients keep their settings.
    let reads = "SELECT current_setting('default_transaction_read_only')";
    assert_eq!(value_through(&pooler.url(&name), reads).await, "off");
}

/// A value as another client of a pooler gets it.
async fn value_through(url: &str, sql: &str) -> String {
    let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let asked = async {
        let answer = client.simple_query(sql).await.unwrap();
        let row = answer.iter().find_map(|message| {
            if let SimpleQueryMessage::Row(row) = message {
                return row.get(0);
            }
            None
        });
        row.unwrap().to_owned()
    };
    tokio::select! {
        value = asked => value,
        ended = driver => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn a_session_pooler_with_keys_of_its_own_works() {
    let route = common();
    let name = route.fresh("sessions").await;
    let fill = "CREATE TABLE public.t (n int PRIMARY KEY);
                INSERT INTO public.t SELECT generate_series(1, 1000);";
    run(&route.source.url(&name), fill).await;
    let source = Pooler::start(route.source.port(), Mode::Session, 50);
    let target = Pooler::start(route.target.port(), Mode::Session, 50);
    let urls = [source.url(&name), target.url("postgres")];
    let through = |command: &str, more: &[&str]| {
        Route::command_through(&urls, command, (&[&name], more)).run()
    };
    through("init", &["--yes"]).expect(0);
    through("verify", &[]).expect(0);
    let number = value(&urls[0], RUN).await;
    through("teardown", &["--yes", "--run", &number]).expect(0);
}

#[tokio::test]
async fn a_pooler_that_refuses_replication_is_found_by_the_checks() {
    let route = common();
    let name = route.fresh("refused").await;
    run(
        &route.source.url(&name),
        "CREATE TABLE public.t (n int PRIMARY KEY)",
    )
    .await;
    let source = Pooler::start(route.source.port(), Mode::SessionForSql, 50);
    let urls = [source.url(&name), route.target.url("postgres")];
    let through = |command: &str, more: &[&str]| {
        Route::command_through(&urls, command, (&[&name], more)).run()
    };
    let refused = through("init", &["--yes"]).expect(1);
    let said = &refused.stderr;
    assert!(
        said.contains("refuses a connection for replication"),
        "{said}"
    );
    assert!(said.contains("connect to the server itself"), "{said}");
    through("init", &["--yes", "--no-sync"]).expect(0);
    route.drop_target(&name).await;
}
