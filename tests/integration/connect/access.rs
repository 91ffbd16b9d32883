//! Whole runs with unusual access: passwords of any characters, standbys.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use seren_replicator::sandbox::Cluster;

use crate::support::command::program;
use crate::support::route::Route;
use crate::support::{database, oracle, run, text, wait_for};

/// Characters that mean something in URIs, shells, SQL or on a screen.
const WILD: &str = r#"a@b:c/d%e\f'g"h ?i#j=k&l$m`n"#;

fn wants_password(major: u32) -> Cluster {
    Cluster::builder(major)
        .with_hba_line("host all all 127.0.0.1/32 scram-sha-256")
        .start()
        .unwrap()
}

#[tokio::test]
async fn a_password_of_any_characters_goes_through_init_and_verify_and_is_never_shown() {
    let (source, target) = (wants_password(17), wants_password(17));
    let secret = format!("{WILD}canary");
    let (name, password) = (WILD.replace('"', "\"\""), secret.replace('\'', "''"));
    for cluster in [&source, &target] {
        let role = format!("CREATE ROLE \"{name}\" SUPERUSER LOGIN PASSWORD '{password}'");
        run(&cluster.url("postgres"), &role).await;
    }
    run(
        &source.url("postgres"),
        &format!("CREATE DATABASE \"{name}\""),
    )
    .await;
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let url = |cluster: &Cluster, database: &str| {
        let (user, password, database) = (encode(WILD), encode(&secret), encode(database));
        format!(
            "postgresql://{user}:{password}@127.0.0.1:{}/{database}",
            cluster.port()
        )
    };
    run(
        &source.url(WILD),
        "CREATE TABLE public.t AS SELECT generate_series(1, 10) AS n; ALTER TABLE public.t REPLICA IDENTITY FULL",
    )
    .await;
    for command in [
        &["init", "--yes", "--no-sync", "--log-level", "trace"][..],
        &["verify"],
        &["validate", "--drop-existing"],
    ] {
        let done = program(command)
            .env("SOURCE_DATABASE_URL", &url(&source, "postgres"))
            .env("TARGET_DATABASE_URL", &url(&target, WILD))
            .run()
            .expect(0);
        assert!(!done.all().contains("canary"), "{}", done.all());
    }
    let sql = text("SELECT count(*) FROM public.t");
    let count = database(&target.url(WILD))
        .await
        .query_one(&sql, &[])
        .await
        .unwrap();
    assert_eq!(count.get::<_, i64>(0), 10);
}

#[tokio::test]
async fn a_standby_gives_a_one_off_copy_and_refuses_a_slot() {
    let route = Route::of_majors([16, 16]);
    let name = route.fresh("standby").await;
    run(
        &route.source.url(&name),
        "CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS n",
    )
    .await;
    let standby = Standby::of(Arc::into_inner(route.source).unwrap()).await;
    let target = route.target.url("postgres");
    let source = standby.0.url("postgres");
    let arguments = |more: &[&'static str]| -> Vec<String> {
        let own = [
            "init",
            "--yes",
            "--source",
            &source,
            "--target",
            &target,
            "--include-databases",
            &name,
        ];
        own.iter().chain(more).map(ToString::to_string).collect()
    };
    let go = |more: &[&'static str]| {
        let arguments = arguments(more);
        program(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).run()
    };
    let refused = go(&[]).expect(1);
    assert!(
        refused
            .stderr
            .contains("is a standby: no publication can be created there"),
        "{}",
        refused.stderr
    );
    go(&["--no-sync"]).expect(0);
    let (source, target) = (standby.0.url(&name), route.target.url(&name));
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
}

/// A cluster that replays its own log for ever, as a standby does whose primary is gone.
struct Standby(Cluster);

impl Standby {
    async fn of(mut cluster: Cluster) -> Self {
        cluster.stop().unwrap();
        cluster.write_file("standby.signal", b"").unwrap();
        cluster.restart().unwrap();
        let session = database(&cluster.url("postgres")).await;
        wait_for(&session, "SELECT pg_is_in_recovery()").await;
        Self(cluster)
    }
}
