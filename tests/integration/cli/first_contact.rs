//! What somebody sees who has not connected yet: missing and malformed URLs, passwords, servers that do not answer.

use serde_json::Value;

use crate::support::command::{Finished, program};
use crate::support::route::{Route, common};
use crate::support::{run, url_as};
use seren_replicator::sandbox::Cluster;

const URL: &str = "postgresql://127.0.0.1:1/x";

#[test]
fn a_missing_url_names_flags_and_variables() {
    let missing = program(&["init"]).run().expect(2);
    missing.assert_prints(&[
        "--source and --target",
        "environment variables SOURCE_DATABASE_URL and TARGET_DATABASE_URL",
    ]);
    let missing = program(&["verify", "--source", URL]).run().expect(2);
    missing.assert_prints(&[
        "pass --target, or",
        "environment variable TARGET_DATABASE_URL",
    ]);
    assert!(
        !missing.stderr.contains("SOURCE_DATABASE_URL,"),
        "{}",
        missing.stderr
    );
    let missing = program(&["init", "--output", "json"]).run().expect(2);
    let object: Value = serde_json::from_str(&missing.stdout).unwrap();
    let error = &object["error"];
    assert!(
        error["message"].to_string().contains("--source <URL>"),
        "{error}"
    );
    assert!(
        error["hint"].to_string().contains("SOURCE_DATABASE_URL"),
        "{error}"
    );
}

#[test]
fn a_malformed_url_gets_a_suggestion() {
    let refused = |url: &str| {
        let refused = program(&["init", "--source", url, "--target", URL]);
        refused.run().expect(2)
    };
    let form = "next: write postgresql://user@host:5432/database";
    refused("postgres@host/db").assert_prints(&["does not begin with postgresql://", form]);
    refused("").assert_prints(&["it is empty", form]);
    let unknown = "postgresql://h/d?foo=bar";
    refused(unknown).assert_prints(&[
        "unknown connection parameter \"foo\"",
        "next: omit it",
        "sslmode",
    ]);
    let typo = refused("postgresql://h/d?ssl_mode=require");
    typo.assert_prints(&["did you mean \"sslmode\"?"]);
    assert!(!typo.stderr.contains("next:"), "{}", typo.stderr);
}

/// The line that begins with `next:`.
#[track_caller]
fn next(failed: &Finished) -> &str {
    let mut lines = failed.stderr.lines();
    let found = lines.find_map(|line| line.trim().strip_prefix("next: "));
    found.unwrap_or_else(|| panic!("no next: {}", failed.stderr))
}

#[tokio::test]
async fn passwords_that_are_missing_or_wrong_have_a_hint_each() {
    let source = Cluster::builder(17).with_hba_line("host all keeper 127.0.0.1/32 scram-sha-256");
    let route = Route::start([source, Cluster::builder(17)]);
    let create = "CREATE ROLE keeper LOGIN PASSWORD 'right'";
    run(&route.source.url("postgres"), create).await;
    let target = route.target.url("postgres");
    let validate = |role: &str| {
        let source = url_as(role, &route.source.tcp_url("postgres"));
        program(&["validate", "--source", &source, "--target", &target])
    };
    let places = [
        "URL",
        "service file",
        "PGPASSWORD",
        "passfile=",
        "~/.pgpass",
    ];
    let missing = validate("keeper").run().expect(1);
    let wrong = validate("keeper")
        .env("PGPASSWORD", "wrong")
        .run()
        .expect(1);
    for failed in [&missing, &wrong] {
        failed.assert_prints(&places);
    }
    assert!(
        next(&missing).starts_with("give the password"),
        "{}",
        missing.stderr
    );
    assert!(
        next(&wrong).starts_with("correct the role or its password"),
        "{}",
        wrong.stderr
    );
    let right = validate("keeper").env("PGPASSWORD", "right").run();
    assert!(!right.stderr.contains("next: give"), "{}", right.stderr);
}

#[test]
fn servers_that_do_not_answer_have_a_hint() {
    let validate = |source: &str| {
        let failed = program(&["validate", "--source", source, "--target", source]);
        failed.run().expect(1)
    };
    let refused = validate(URL);
    refused.assert_prints(&["connect to the source", "127.0.0.1:1"]);
    assert!(
        next(&refused).contains("listen_addresses"),
        "{}",
        refused.stderr
    );
    let unknown = validate("postgresql://no-such-host.invalid/x");
    assert!(next(&unknown).contains("host name"), "{}", unknown.stderr);
    let socket = validate("postgresql:///x?host=/nonexistent");
    assert!(
        next(&socket).contains("socket directory"),
        "{}",
        socket.stderr
    );
}

#[tokio::test]
async fn a_comparison_without_its_target_has_a_hint() {
    let route = common();
    let name = route.fresh("compared").await;
    let source = route.source.url(&name);
    let compare = ["verify", "--source", &source, "--target", URL];
    let only = ["--include-databases", &name];
    let failed = program(&[&compare[..], &only].concat()).run().expect(5);
    failed.assert_prints(&[
        "127.0.0.1:1",
        "next: check host and port",
        "1 database not compared",
    ]);
}
