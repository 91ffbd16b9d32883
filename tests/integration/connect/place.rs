//! Source and target that are the same database under different addresses, and those that only look the same.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use seren_replicator::sandbox::Cluster;

use crate::support::command::program;
use crate::support::oracle;
use crate::support::route::Route;
use crate::support::{run, value};

const ROWS: &str = "SELECT count(*) FROM public.kept";

/// A cluster with a database `home` that holds rows.
async fn cluster() -> Cluster {
    let cluster = Cluster::start(17).unwrap();
    let admin = cluster.url("postgres");
    run(&admin, "CREATE ROLE other SUPERUSER LOGIN").await;
    run(&admin, "CREATE DATABASE home").await;
    let fill = "CREATE TABLE public.kept AS SELECT n FROM generate_series(1, 7) n";
    run(&cluster.url("home"), fill).await;
    cluster
}

#[tokio::test]
async fn one_cluster_is_refused_under_every_spelling_and_keeps_its_rows() {
    let cluster = cluster().await;
    let socket = cluster.url("postgres");
    let tcp = cluster.tcp_url("home");
    let spellings = [
        socket.clone(),
        cluster.url("home"),
        tcp.clone(),
        tcp.replace("127.0.0.1", "localhost"),
        tcp.replace("postgres@", "other@"),
        cluster.tcp_url("not there"),
    ];
    for target in &spellings {
        for command in ["validate", "init"] {
            let mut arguments = vec![
                command,
                "--source",
                &tcp,
                "--target",
                target,
                "--drop-existing",
            ];
            if command == "init" {
                arguments.push("--yes");
            }
            let refused = program(&arguments).run().expect(1);
            assert!(
                refused
                    .all()
                    .contains("source and target are the same cluster"),
                "{}",
                refused.all()
            );
        }
    }
    assert_eq!(value(&tcp, ROWS).await, "7");
    assert_eq!(value(&tcp, "SELECT count(*) FROM pg_database").await, "4");
}

/// Copies the data folder of a stopped cluster over another one's.
fn clone_data(from: &Path, to: &Path) {
    std::fs::remove_dir_all(to).unwrap();
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn a_physical_clone_is_another_place() {
    let mut source = cluster().await;
    let mut target = Cluster::start(17).unwrap();
    let settings = std::fs::read(target.data_dir().join("postgresql.auto.conf")).unwrap();
    source.stop().unwrap();
    target.stop().unwrap();
    clone_data(&source.data_dir(), &target.data_dir());
    target
        .write_file("postgresql.auto.conf", &settings)
        .unwrap();
    source.restart().unwrap();
    target.restart().unwrap();
    run(&source.url("home"), "INSERT INTO public.kept VALUES (8)").await;
    let route = Route {
        source: Arc::new(source),
        target: Arc::new(target),
    };
    let refused = route.init("home", &[]).run().expect(1);
    assert!(
        refused.all().contains("--drop-existing"),
        "{}",
        refused.all()
    );
    let done = route.init("home", &["--drop-existing"]).run().expect(0);
    assert!(
        done.all().contains("is a clone of the source's cluster"),
        "{}",
        done.all()
    );
    let (source, target) = (route.source.url("home"), route.target.url("home"));
    assert_eq!(value(&target, ROWS).await, "8");
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
}
