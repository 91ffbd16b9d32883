//! Whole copies, from the checks to the report, compared by `pg_dump` and digests.

use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::{run, value};

const RICH: &str = concat!(
    include_str!("../../cases/init/rich.sql"),
    include_str!("../../cases/init/base_types.sql")
);

/// Differences of two lists of text that both hold in any order.
fn differing(source: &[String], target: &[String]) -> Vec<String> {
    let missing = source.iter().filter(|block| !target.contains(block));
    let extra = target.iter().filter(|block| !source.contains(block));
    let missing = missing.map(|block| format!("only source: {block}"));
    missing
        .chain(extra.map(|block| format!("only target: {block}")))
        .collect()
}

/// What `pg_dump --create` says of a database: its definitions, owner, privileges, settings, comment.
fn everything(url: &str) -> Vec<String> {
    oracle::schema(url, &["--create"])
}

/// The roles with passwords, settings, memberships and comments, a line each.
fn roles(url: &str) -> Vec<String> {
    let dump = oracle::run(
        "pg_dumpall",
        &["--roles-only", "--restrict-key=oracle", "-d", url],
    );
    dump.lines().map(str::to_owned).collect()
}

async fn rich(majors: [u32; 2], more: &[&str]) {
    let route = Route::of_majors(majors);
    route.create("house").await;
    let (source, target) = (route.source.url("house"), route.target.url("house"));
    oracle::psql(&source, RICH);
    let done = route.init("house", more).run().expect(0);
    assert!(!done.all().contains("canary"), "{}", done.all());
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    if majors[0] == majors[1] {
        let (source, target) = (everything(&source), everything(&target));
        assert_eq!(differing(&source, &target), Vec::<String>::new());
        let (source, target) = (route.source.url("postgres"), route.target.url("postgres"));
        assert_eq!(
            differing(&roles(&source), &roles(&target)),
            Vec::<String>::new()
        );
    }
    route.command("verify", &["house"], &[]).run().expect(0);
    let left = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(value(&source, left).await, "0");
}

#[tokio::test]
async fn a_rich_database_arrives_whole_within_12() {
    rich([12, 12], &[]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_whole_within_15() {
    rich([15, 15], &[]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_whole_within_13_14_and_16() {
    for major in [13, 14, 16] {
        rich([major, major], &[]).await;
    }
}

#[tokio::test]
async fn a_rich_database_arrives_whole_within_17() {
    rich([17, 17], &[]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_whole_within_18() {
    rich([18, 18], &["--jobs", "1"]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_whole_from_12_to_18() {
    rich([12, 18], &[]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_whole_from_14_to_17() {
    rich([14, 17], &[]).await;
}

/// The same with publication and slot, without the tables that have no replica identity.
async fn rich_with_a_slot(major: u32, left_out: &str) {
    let route = Route::of_majors([major, major]);
    route.create("house").await;
    let source = route.source.url("house");
    oracle::psql(&source, RICH);
    let with_key = "ALTER TABLE house.books REPLICA IDENTITY USING INDEX books_pkey";
    run(&source, with_key).await;
    let more = ["--replica-identity-full", "--exclude-tables", left_out];
    route.replicate("house", &more).run().expect(0);
    let verify = route.command("verify", &["house"], &more[1..]);
    verify.run().expect(0);
    let kept = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(value(&source, kept).await, "1");
    route.remove_run("house").await;
    assert_eq!(value(&source, kept).await, "0");
}

#[tokio::test]
async fn a_rich_database_arrives_whole_at_a_slots_point_within_12() {
    rich_with_a_slot(12, "house.house.sent_values").await;
}

#[tokio::test]
async fn a_rich_database_arrives_whole_at_a_slots_point_within_18() {
    rich_with_a_slot(18, "house.house.computed,house.house.sent_values").await;
}

#[tokio::test]
async fn several_databases_are_copied_in_one_run() {
    let route = common();
    let names = [route.fresh("one").await, route.fresh("two").await];
    for (at, name) in names.iter().enumerate() {
        let fill = format!(
            "CREATE TABLE public.t AS SELECT n FROM generate_series(1, {}) n",
            at + 5
        );
        run(&route.source.url(name), &fill).await;
    }
    let both = names.each_ref().map(String::as_str);
    route
        .command("init", &both, &["--yes", "--no-sync"])
        .run()
        .expect(0);
    for name in both {
        let diff = oracle::data_diff(&route.source.url(name), &route.target.url(name));
        assert_eq!(diff, Vec::<String>::new());
    }
    route.command("verify", &both, &[]).run().expect(0);
}
