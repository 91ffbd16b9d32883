//! Source and target in one place: a database never follows itself, and one cluster has to be allowed.

use seren_replicator::sandbox::Cluster;
use tempfile::TempDir;

use super::TABLE;
use crate::support::command::{Finished, program};
use crate::support::{database, run, value, wait_for};

/// A cluster with a database `a`, reached in two ways.
struct Within {
    cluster: Cluster,
    machine: TempDir,
}

impl Within {
    async fn new() -> Self {
        let cluster = Cluster::start(17).unwrap();
        run(&cluster.url("postgres"), "CREATE DATABASE a").await;
        run(&cluster.url("a"), TABLE).await;
        Self {
            cluster,
            machine: TempDir::new().unwrap(),
        }
    }

    fn command(&self, command: &str, more: &[&str]) -> Finished {
        let source = self.cluster.url("postgres");
        let target = self.cluster.tcp_url("postgres");
        let ends = [command, "--source", &source, "--target", &target];
        let ended = program(&[&ends[..], more].concat());
        ended.state(&self.machine).run()
    }

    async fn value(&self, database: &str, query: &str) -> String {
        value(&self.cluster.url(database), query).await
    }
}

const ALLOWED: &str = "--allow-same-cluster";

const OBJECTS: &str = "SELECT (SELECT count(*) FROM pg_subscription)
      + (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)";

#[tokio::test]
async fn a_database_never_follows_itself() {
    let within = Within::new().await;
    let selected = ["--include-databases", "a"];
    for command in ["sync", "status"] {
        let refused = within.command(command, &selected).expect(1);
        refused.assert_prints(&["are the same cluster", ALLOWED]);
        let allowed = [&selected[..], &[ALLOWED]].concat();
        let refused = within.command(command, &allowed).expect(1);
        refused.assert_prints(&["which is copied itself", "--map-database"]);
    }
    assert_eq!(within.value("a", OBJECTS).await, "0");
}

#[tokio::test]
async fn another_database_of_the_cluster_follows_only_if_it_is_allowed() {
    let within = Within::new().await;
    let mapped = ["--include-databases", "a", "--map-database", "a=b"];
    let allowed = [&mapped[..], &[ALLOWED]].concat();
    within
        .command("init", &[&allowed[..], &["--yes"]].concat())
        .expect(0);
    for command in ["sync", "status"] {
        let refused = within.command(command, &mapped).expect(1);
        refused.assert_prints(&["are the same cluster", ALLOWED]);
    }
    let copying = [&allowed[..], &["--copy-data"]].concat();
    let refused = within.command("sync", &copying).expect(1);
    refused.assert_prints(&["would wait forever", "--copy-data"]);
    assert_eq!(
        within
            .value("b", "SELECT count(*) FROM pg_subscription")
            .await,
        "0"
    );
    // Without a selection, the recorded one counts.
    within.command("sync", &[ALLOWED]).expect(0);
    run(
        &within.cluster.url("a"),
        "INSERT INTO public.t VALUES (11, 'new')",
    )
    .await;
    let arrived = "SELECT count(*) = 11 FROM public.t";
    wait_for(&database(&within.cluster.url("b")).await, arrived).await;
    let status = within.command("status", &allowed).expect(0);
    status.assert_prints(&["CAUGHT UP"]);
    within.command("teardown", &["--yes"]).expect(0);
    assert_eq!(within.value("a", OBJECTS).await, "0");
}

#[tokio::test]
async fn without_the_system_identifier_the_missing_right_is_named() {
    let within = Within::new().await;
    let revoke = "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC;
        CREATE ROLE plain LOGIN";
    run(&within.cluster.url("postgres"), revoke).await;
    let source = within.cluster.url("postgres");
    let source = source.replace("postgres@", "plain@");
    for command in ["sync", "status"] {
        let ended = program(&[
            command,
            "--source",
            &source,
            "--target",
            &within.cluster.url("postgres"),
        ]);
        let refused = ended.state(&within.machine).run().expect(1);
        refused.assert_prints(&["pg_control_system"]);
    }
}
