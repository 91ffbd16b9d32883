//! The password of a subscription: stored only if the URL has one, and kept out of the target's log.

use super::{Copied, TABLE};
use crate::support::route::Route;
use crate::support::{run, url_as, value};
use seren_replicator::sandbox::Cluster;

const CANARY: &str = "canary-word";

const STORED: &str = "SELECT subconninfo FROM pg_subscription";

#[tokio::test]
async fn acceptance_44_the_password_is_stored_only_on_request_and_never_logged() {
    let [source, target] = [16, 17].map(Cluster::builder);
    let target = target
        .with_setting("log_statement", "all")
        .with_setting("log_min_duration_statement", "0");
    let route = Route::start([source, target]);
    let copied = Copied::new(&route, "app", TABLE).await;
    let with_password = url_as(&format!("postgres:{CANARY}"), &route.source.url("postgres"));
    let urls = [with_password, route.target.url("postgres")];
    let sync = |more: &[&str]| {
        let program = Route::command_through(&urls, "sync", (&[copied.name.as_str()], more));
        program.state(&copied.machine).run()
    };
    let done = sync(&[]).expect(0);
    done.assert_prints(&["contains a password", "pg_subscription"]);
    assert!(!done.all().contains(CANARY), "{}", done.all());
    assert!(value(&copied.target(), STORED).await.contains(CANARY));
    assert!(!route.target.read_log().contains(CANARY));
    let state = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%canary%' AND pid <> pg_backend_pid()";
    assert_eq!(value(&copied.target(), state).await, "0");
    let again = sync(&[]).expect(0);
    again.assert_prints(&["nothing was to be changed"]);
}

#[tokio::test]
async fn a_url_without_password_stores_none() {
    let route = Route::of_majors([17, 17]);
    let copied = Copied::new(&route, "app", TABLE).await;
    let program = route.command("sync", &[&copied.name], &[]);
    let done = program
        .env("PGPASSWORD", CANARY)
        .state(&copied.machine)
        .run();
    done.expect(0);
    assert!(!value(&copied.target(), STORED).await.contains("password"));
}

#[tokio::test]
async fn where_the_log_may_record_the_password_the_user_is_asked() {
    let [source, target] = [17, 17].map(Cluster::builder);
    let route = Route::start([
        source.with_hba_line("local all follower scram-sha-256"),
        target,
    ]);
    let copied = Copied::new(&route, "app", TABLE).await;
    let follower = format!("CREATE ROLE follower SUPERUSER LOGIN PASSWORD '{CANARY}'");
    run(&copied.source(), &follower).await;
    let grant = format!(
        "CREATE ROLE plain LOGIN IN ROLE pg_create_subscription; GRANT CREATE ON DATABASE {} TO plain;
         GRANT postgres TO plain WITH INHERIT FALSE, SET TRUE",
        copied.name
    );
    run(&copied.target(), &grant).await;
    let source = url_as(&format!("follower:{CANARY}"), &route.source.url("postgres"));
    let target = url_as("plain", &route.target.url("postgres"));
    let urls = [source, target];
    let sync = |input: &str, more: &[&str]| {
        let program = Route::command_through(&urls, "sync", (&[copied.name.as_str()], more));
        program.state(&copied.machine).input(input).run()
    };
    let refused = sync("n\n", &[]).expect(1);
    refused.assert_prints(&["log_min_error_statement", "Send the password", "--yes"]);
    assert_eq!(
        value(&copied.target(), "SELECT count(*) FROM pg_subscription").await,
        "0"
    );
    sync("", &["--yes", "--timeout", "60"]).expect(0);
}

#[tokio::test]
async fn a_role_without_rights_gets_the_grants_and_an_owner_out_of_reach_is_named() {
    let route = Route::of_majors([17, 17]);
    let copied = Copied::new(&route, "app", TABLE).await;
    run(
        &copied.target(),
        "CREATE ROLE plain LOGIN; CREATE ROLE owner; GRANT CREATE ON SCHEMA public TO owner;
         ALTER TABLE public.t OWNER TO owner",
    )
    .await;
    let urls = [
        route.source.url("postgres"),
        url_as("plain", &route.target.url("postgres")),
    ];
    let refused = Route::command_through(&urls, "sync", (&[copied.name.as_str()], &[]));
    let refused = refused.state(&copied.machine).run().expect(1);
    refused.assert_prints(&[
        "GRANT pg_create_subscription TO \"plain\"",
        &format!("GRANT CREATE ON DATABASE \"{}\" TO \"plain\"", copied.name),
        "cannot SET ROLE to owner",
        "GRANT \"owner\" TO \"plain\" WITH SET TRUE",
    ]);
}

#[tokio::test]
async fn a_wrong_way_to_the_source_is_refused_without_its_text() {
    let route = crate::support::route::common();
    let source = format!("host=h password={CANARY} colour=red");
    let wrong = route.command("sync", &[], &["--subscription-source", &source]);
    let refused = wrong.run().expect(2);
    refused.assert_prints(&["--subscription-source", "an unknown keyword"]);
    assert!(!refused.all().contains(CANARY), "{}", refused.all());
}

#[tokio::test]
async fn a_changed_password_and_another_way_are_taken_over_and_an_edited_one_stays() {
    let route = Route::of_majors([17, 17]);
    let copied = Copied::new(&route, "app", TABLE).await;
    let sync = |password: &str, more: &[&str]| {
        let source = url_as(
            &format!("postgres:{password}"),
            &route.source.url("postgres"),
        );
        let urls = [source, route.target.url("postgres")];
        let program = Route::command_through(&urls, "sync", (&[copied.name.as_str()], more));
        program.state(&copied.machine).run()
    };
    sync("old", &[]).expect(0);
    let changed = sync("new", &[]).expect(0);
    changed.assert_prints(&["change its connection string"]);
    assert!(
        value(&copied.target(), STORED)
            .await
            .contains("password='new'")
    );
    let conninfo = format!(
        "{} connect_timeout=7",
        value(&copied.target(), STORED).await
    );
    let edit = format!(
        "ALTER SUBSCRIPTION seren_replication_sub CONNECTION '{}'",
        conninfo.replace('\'', "''")
    );
    copied.on_target(&edit).await;
    sync("newer", &[])
        .expect(0)
        .assert_prints(&["nothing was to be changed"]);
    let other = conninfo.replace("connect_timeout=7", "connect_timeout=9");
    let named = sync("newer", &["--subscription-source", &other]).expect(0);
    named.assert_prints(&["change its connection string"]);
    assert!(
        value(&copied.target(), STORED)
            .await
            .contains("connect_timeout='9'")
    );
}
