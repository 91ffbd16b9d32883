//! Roles that a role with `CREATEROLE` has created, copied by such a role.

use seren_replicator::sandbox::Cluster;

use crate::support::command::{Finished, program};
use crate::support::route::Route;
use crate::support::{run, url_as, value};

const CREATOR: &str = "CREATE ROLE maker LOGIN CREATEDB CREATEROLE";

/// `init --schema-only` of the database `made` by these roles.
fn init(route: &Route, [reader, writer]: [&str; 2], more: &[&str]) -> Finished {
    let (from, to) = (
        url_as(reader, &route.source.url("postgres")),
        url_as(writer, &route.target.url("postgres")),
    );
    let ends = ["init", "--yes", "--schema-only", "--source", &from];
    let chosen = ["--target", &to, "--include-databases", "made"];
    program(&[&ends[..], &chosen, more].concat())
        .run()
        .expect(0)
}

/// The memberships of `maker`, with their options and grantors.
async fn held(cluster: &Cluster) -> String {
    let question = "SELECT string_agg(concat_ws(' ', roleid::regrole, admin_option, inherit_option, set_option, \
                           grantor::regrole), ', ' ORDER BY roleid::regrole::text, grantor::regrole::text) \
                      FROM pg_auth_members WHERE member = 'maker'::regrole";
    value(&cluster.url("postgres"), question).await
}

#[tokio::test]
async fn what_a_creator_holds_by_itself_is_not_granted_to_it() {
    let route = Route::of_majors([18, 18]);
    run(&route.source.url("postgres"), CREATOR).await;
    run(&route.target.url("postgres"), CREATOR).await;
    let source = url_as("maker", &route.source.url("postgres"));
    let make = "CREATE ROLE bare; CREATE ROLE used; CREATE ROLE partly";
    run(&source, make).await;
    run(&source, "GRANT used TO maker WITH INHERIT TRUE, SET TRUE").await;
    run(
        &source,
        "GRANT partly TO maker WITH INHERIT TRUE, SET FALSE",
    )
    .await;
    run(&source, "CREATE DATABASE made").await;
    let made = source.replace("/postgres", "/made");
    run(&made, "CREATE SCHEMA s").await;
    let owner = "ALTER SCHEMA s OWNER TO partly";
    run(&route.source.url("made"), owner).await;
    let done = init(&route, ["maker", "maker"], &[]);
    assert!(!done.all().contains("membership of"), "{}", done.all());
    let wanted = "bare t f f postgres, partly t f f postgres, partly f t f maker, \
                  used t f f postgres, used f t t maker";
    let mut wanted: Vec<&str> = wanted.split(", ").collect();
    let found = held(&route.target).await;
    let mut found: Vec<&str> = found.split(", ").collect();
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted);
    let owner = "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 's'";
    assert_eq!(value(&route.target.url("made"), owner).await, "partly");
}

#[tokio::test]
async fn an_admin_option_of_before_16_is_the_creators_own() {
    let route = Route::of_majors([15, 18]);
    route.create("made").await;
    let source = route.source.url("postgres");
    run(&source, CREATOR).await;
    let grant = "CREATE ROLE led; GRANT led TO maker WITH ADMIN OPTION";
    run(&source, grant).await;
    run(&route.target.url("postgres"), CREATOR).await;
    init(&route, ["postgres", "maker"], &["--no-owner"]);
    let found = held(&route.target).await;
    assert_eq!(found, "led f t t maker, led t f f postgres");
}
