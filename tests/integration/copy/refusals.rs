//! Refusals before anything is written: every obstacle is reported, and both servers are unchanged.

use seren_replicator::sandbox::Cluster;

use crate::support::command::program;
use crate::support::route::{Route, common};
use crate::support::{run, url_as, value};

#[tokio::test]
async fn missing_rights_are_listed_all_together() {
    let route = Route::of_majors([15, 15]);
    let name = route.fresh("poor").await;
    let url = route.source.url(&name);
    let fill = "CREATE ROLE poor LOGIN;
                CREATE TABLE public.closed (n int);
                CREATE SEQUENCE public.numbers;
                CREATE SCHEMA walled CREATE TABLE inside (n int);
                CREATE TABLE public.hidden (n int);
                ALTER TABLE public.hidden ENABLE ROW LEVEL SECURITY;
                GRANT SELECT ON public.hidden TO poor;
                SELECT lo_create(77);";
    run(&url, fill).await;
    run(&route.target.url("postgres"), "CREATE ROLE poor LOGIN").await;
    let poor = |url: String| url_as("poor", &url);
    let ends = [poor(url), poor(route.target.url("postgres"))];
    let arguments = [
        "--source",
        &ends[0],
        "--target",
        &ends[1],
        "--include-databases",
        &name,
    ];
    for command in [&["validate"][..], &["init", "--yes"]] {
        let refused = program(&[command, &arguments].concat())
            .run()
            .expect(1)
            .all();
        for obstacle in [
            "may not use replication",
            "may not create databases",
            "table public.closed is not readable",
            "sequence public.numbers is not readable",
            "walled.inside is in a schema that is not usable",
            "row security hides rows of public.hidden",
            "large objects that are not readable: 1, among them 77",
        ] {
            assert!(refused.contains(obstacle), "{obstacle}: {refused}");
        }
    }
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

#[tokio::test]
async fn many_findings_of_a_kind_are_one_line_with_a_remedy_that_helps() {
    let route = Route::of_majors([17, 17]);
    let name = route.fresh("many").await;
    let url = route.source.url(&name);
    let fill = "CREATE ROLE reader LOGIN;
                CREATE TABLE public.t1 (); CREATE TABLE public.t2 (); CREATE TABLE public.t3 ();
                CREATE TABLE public.t4 (); CREATE TABLE public.t5 ();";
    run(&url, fill).await;
    let source = url_as("reader", &url);
    let target = route.target.url("postgres");
    let validate = |more: &[&str]| {
        let arguments = [
            "validate",
            "--no-sync",
            "--source",
            &source,
            "--target",
            &target,
        ];
        let only = ["--include-databases", &name];
        program(&[&arguments[..], &only, more].concat())
    };
    let grouped = validate(&[]).run().expect(1).stdout;
    let remedy = "GRANT pg_read_all_data TO \"reader\";";
    let line = format!(
        "error    source {name}: 5 tables are not readable: public.t1, public.t2, public.t3 and 2 more; \
         run on the source: {remedy}\n"
    );
    assert!(grouped.contains(&line), "{grouped}");
    assert!(grouped.contains("\n5 errors\n"), "{grouped}");
    let listed = validate(&["--verbose"]).run().expect(1).stdout;
    for number in 1..=5 {
        let line = format!(
            "error    source {name}: table public.t{number} is not readable; run on the source: GRANT SELECT ON \
             TABLE \"public\".\"t{number}\" TO \"reader\";\n"
        );
        assert!(listed.contains(&line), "{listed}");
    }
    run(&url, remedy).await;
    validate(&[]).run().expect(0);
}

#[tokio::test]
async fn a_source_without_logical_wal_is_refused_and_copied_once_when_asked() {
    let replica = Cluster::builder(17).with_setting("wal_level", "replica");
    let route = Route::start([replica, Cluster::builder(17)]);
    let name = route.fresh("plain").await;
    run(
        &route.source.url(&name),
        "CREATE TABLE public.t AS SELECT 1 AS n",
    )
    .await;
    let refused = route.replicate(&name, &[]).run().expect(1);
    assert!(
        refused.stderr.contains("wal_level is replica, not logical"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--no-sync"), "{}", refused.stderr);
    route.init(&name, &[]).run().expect(0);
    route.command("verify", &[&name], &[]).run().expect(0);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named() {
    let route = common();
    let target = route.target.url("postgres");
    let wrong = [
        (route.source.url("no such database"), "3D000"),
        (url_as("nobody", &route.source.url("postgres")), "nobody"),
        (
            "postgresql://postgres@127.0.0.1:1/postgres".to_owned(),
            "refused",
        ),
    ];
    for (source, reason) in wrong {
        let failed = program(&["validate", "--source", &source, "--target", &target]).run();
        let failed = failed.expect(1);
        assert!(
            failed.stderr.contains("connect to the source"),
            "{}",
            failed.stderr
        );
        assert!(
            failed.stderr.contains(reason),
            "{reason}: {}",
            failed.stderr
        );
    }
}
