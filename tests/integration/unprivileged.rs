//! Copies by roles that are no superusers, as on managed services.

use seren_replicator::sandbox::Cluster;

use crate::support::command::{Program, program};
use crate::support::oracle;
use crate::support::route::Route;
use crate::support::{run, value};

const RICH: &str = include_str!("../cases/init/rich.sql");

/// A URL of a cluster's database for another role.
fn url_as(role: &str, cluster: &Cluster, database: &str) -> String {
    cluster
        .url(database)
        .replacen("postgres@", &format!("{role}@"), 1)
}

/// `init` of one database as these roles.
fn init(route: &Route, roles: [&str; 2], database: &str, more: &[&str]) -> Program {
    let source = url_as(roles[0], &route.source, "postgres");
    let target = url_as(roles[1], &route.target, "postgres");
    let ends = ["init", "--yes", "--source", &source, "--target", &target];
    let selected = ["--include-databases", database];
    program(&[&ends[..], &selected, more].concat())
}

/// Blocks of `pg_dump` that only one side has, the source's written in the target's terms.
fn differing(source: &str, target: &str, translate: impl Fn(&str) -> String) -> Vec<String> {
    let (one, other) = (oracle::schema(source, &[]), oracle::schema(target, &[]));
    let one: Vec<_> = one.iter().map(|block| translate(block)).collect();
    let missing = one.iter().filter(|block| !other.contains(block));
    let extra = other.iter().filter(|block| !one.contains(block));
    missing
        .map(|block| format!("only source: {block}"))
        .chain(extra.map(|block| format!("only target: {block}")))
        .collect()
}

async fn deployer(cluster: &Cluster) {
    let make = "CREATE ROLE deployer LOGIN CREATEDB CREATEROLE";
    run(&cluster.url("postgres"), make).await;
}

/// Temporary memberships of a role, which must be gone: on 16 and later those with a right beside
/// `ADMIN`, which the creator of a role keeps.
async fn memberships(cluster: &Cluster, role: &str) -> String {
    let question = format!(
        "SELECT coalesce(string_agg(m.roleid::regrole::text, ','), 'none') FROM pg_auth_members m \
         WHERE m.member = '{role}'::regrole AND coalesce((to_jsonb(m) ->> 'set_option')::bool, true)"
    );
    value(&cluster.url("postgres"), &question).await
}

async fn rich_target(major: u32, left_out: &[&str], expected: &[&str]) {
    let route = Route::of_majors([major, major]);
    route.create("house").await;
    let source = route.source.url("house");
    oracle::psql(&source, RICH);
    deployer(&route.target).await;
    let map = ["--role-map", "postgres=deployer"];
    let done = init(&route, ["postgres", "deployer"], "house", &map).run();
    let done = done.expect(0);
    assert!(!done.all().contains("canary"), "{}", done.all());
    for line in left_out {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let target = route.target.url("house");
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    let translate = |block: &str| block.replace("postgres", "deployer");
    let found = differing(&source, &target, translate);
    let unexpected: Vec<_> = found
        .iter()
        .filter(|block| !expected.iter().any(|part| block.contains(part)))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(memberships(&route.target, "deployer").await, "none");
    let verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = 'editor'";
    let given = value(&route.target.url("postgres"), verifier).await;
    assert_eq!(given, value(&route.source.url("postgres"), verifier).await);
}

#[tokio::test]
async fn a_rich_database_arrives_without_superuser_on_15() {
    rich_target(15, &[], &[]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_without_superuser_on_16() {
    rich_target(16, &[], &[]).await;
}

#[tokio::test]
async fn a_rich_database_arrives_without_superuser_on_18() {
    rich_target(18, &[], &[]).await;
}
