//! Killed runs, and the same command after that.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use seren_replicator::task::Background;

use crate::support::command::Program;
use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::{database, run, text, url_as, value, wait_for};

const RICH: &str = include_str!("../../cases/init/rich.sql");

/// Two databases: one that is finished when the run is killed, and one that is then at work.
struct Killed<'a> {
    route: &'a Route,
    names: [String; 2],
    home: tempfile::TempDir,
    gate: Option<Gate>,
}

/// Rows that stop at the gate.
const ROWS: &str = "CREATE TABLE public.t (n int PRIMARY KEY, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
    INSERT INTO public.t SELECT n FROM generate_series(1, 1000) n;";

/// An index that stops at the gate.
const INDEX: &str = "CREATE TABLE public.t (n int PRIMARY KEY);
    INSERT INTO public.t SELECT n FROM generate_series(1, 1000) n;
    CREATE INDEX ON public.t (public.gate(n));";

impl<'a> Killed<'a> {
    async fn new(route: &'a Route, second: &str) -> Self {
        let names = [route.fresh("a").await, route.fresh("b").await];
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let first = "CREATE TABLE public.t (n int PRIMARY KEY);
                     INSERT INTO public.t SELECT n FROM generate_series(1, 10) n";
        run(&route.source.url(&names[0]), first).await;
        let second = gate.function() + second;
        run(&route.source.url(&names[1]), &second).await;
        Self {
            route,
            names,
            home: tempfile::tempdir().unwrap(),
            gate: Some(gate),
        }
    }

    fn command(&self, more: &[&str]) -> Program {
        let names = self.names.each_ref().map(String::as_str);
        let more = [&["--yes"], more].concat();
        self.kept(self.route.command("init", &names, &more))
    }

    /// The command with the state that all runs of this test share.
    fn kept(&self, program: Program) -> Program {
        program.env("XDG_STATE_HOME", self.home.path().to_str().unwrap())
    }

    /// Kills a run that has come to the gate, and lets everybody through.
    async fn kill(mut self, more: &[&str]) -> Self {
        let running = self.command(more).start();
        let gate = self.gate.take().unwrap();
        gate.reached(&self.names[1]).await;
        running.signal("KILL");
        running.finish().expect(137);
        gate.open().await;
        self
    }

    fn target(&self, database: usize) -> String {
        self.route.target.url(&self.names[database])
    }

    async fn oid(&self, database: usize) -> String {
        let question = "SELECT oid FROM pg_database WHERE datname = current_database()";
        value(&self.target(database), question).await
    }

    /// The one state file.
    fn file(&self) -> PathBuf {
        let root = self.home.path().join("postgres-seren-replicator");
        let mut folders = fs::read_dir(root).unwrap();
        folders.next().unwrap().unwrap().path().join("state.json")
    }

    fn assert_equal(&self) {
        for name in &self.names {
            let (source, target) = (self.route.source.url(name), self.route.target.url(name));
            // It stays on the source, for replication to follow.
            oracle::psql(&source, "DROP PUBLICATION IF EXISTS seren_replication_pub");
            assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
            assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
        }
        let names = self.names.each_ref().map(String::as_str);
        self.route.command("verify", &names, &[]).run().expect(0);
    }
}

#[tokio::test]
async fn the_same_command_keeps_what_is_finished_and_copies_the_rest_again() {
    for second in [ROWS, INDEX] {
        let killed = Killed::new(common(), second).await.kill(&[]).await;
        let before = [killed.oid(0).await, killed.oid(1).await];
        let again = killed.command(&[]).run().expect(0);
        let [a, b] = &killed.names;
        let kept = format!("{a}: keep, finished by the interrupted run, 1 table");
        let remade = format!("{b}: drop and create again (its copy was interrupted");
        again.assert_prints(&[&kept, &remade]);
        assert_eq!(killed.oid(0).await, before[0], "copied once");
        assert_ne!(killed.oid(1).await, before[1], "made again");
        killed.assert_equal();
        // There is no state to resume from: the database is like any other existing one.
        let third = killed.command(&[]).run().expect(1);
        third.assert_prints(&["is not empty", "--drop-existing"]);
        killed.command(&["--drop-existing"]).run().expect(0);
        assert_ne!(killed.oid(0).await, before[0]);
    }
}

#[tokio::test]
async fn the_plan_tells_what_is_kept_and_what_is_not() {
    let killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let written = fs::read(killed.file()).unwrap();
    let plan = killed.command(&["--dry-run", "--output", "json"]).run();
    let plan: serde_json::Value = serde_json::from_str(&plan.expect(0).stdout).unwrap();
    let actions = ["keep", "recreate"];
    for (at, action) in actions.into_iter().enumerate() {
        assert_eq!(plan["databases"][at]["action"], action, "{plan}");
        assert!(plan["databases"][at]["reason"].is_string(), "{plan}");
    }
    assert_eq!(
        fs::read(killed.file()).unwrap(),
        written,
        "a dry run records nothing"
    );
    let again = killed.command(&["--output", "json"]).run().expect(0);
    let report: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(report["databases"][0]["action"], "keep", "{report}");
    assert_eq!(report["databases"][1]["rows"], 1000, "{report}");
}

#[tokio::test]
async fn what_is_finished_is_kept_also_with_drop_existing_and_with_a_new_database() {
    let mut killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let before = killed.oid(0).await;
    let new = killed.route.fresh("new").await;
    let old = std::mem::replace(&mut killed.names[1], new);
    // Another spelling of the same clusters, other jobs.
    let names = [&killed.names[0], &old, &killed.names[1]].map(String::as_str);
    let (source, target) = (
        killed.route.source.tcp_url("postgres"),
        killed.route.target.tcp_url("template1"),
    );
    let more = ["--yes", "--drop-existing", "--jobs", "2"];
    let ends = ["--source", &source, "--target", &target];
    let list = names.join(",");
    let arguments = [&["init"], &ends[..], &["--include-databases", &list], &more].concat();
    let program = killed.kept(crate::support::command::program(&arguments));
    program.run().expect(0);
    assert_eq!(killed.oid(0).await, before);
    killed.assert_equal();
}

#[tokio::test]
async fn another_scope_is_named_and_what_stands_there_stays() {
    let killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let before = [killed.oid(0).await, killed.oid(1).await];
    let excluded = format!("{}.public.t", killed.names[1]);
    let refused = killed.command(&["--no-comments", "--exclude-tables", &excluded]);
    let refused = refused.run().expect(1);
    refused.assert_prints(&[
        "has changed since the interrupted run",
        "now excluded: public.t",
        "now without comments",
        "--drop-existing",
    ]);
    assert_eq!([killed.oid(0).await, killed.oid(1).await], before);
    killed.command(&[]).run().expect(0);
    assert_eq!(killed.oid(0).await, before[0]);
    killed.assert_equal();
}

#[tokio::test]
async fn a_database_that_was_replaced_is_nobodys() {
    let killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let name = &killed.names[1];
    let door = killed.route.target.url("postgres");
    run(&door, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    run(&door, &format!("CREATE DATABASE {name}")).await;
    run(&killed.target(1), "CREATE TABLE public.mine ()").await;
    let refused = killed.command(&[]).run().expect(1);
    refused.assert_prints(&["it was replaced on the target", "is not empty"]);
    let mine = "SELECT count(*) FROM pg_class WHERE relname = 'mine'";
    assert_eq!(value(&killed.target(1), mine).await, "1");
    run(&door, &format!("DROP DATABASE {name}")).await;
    let gone = killed.command(&[]).run().expect(0);
    gone.assert_prints(&["it was dropped on the target"]);
    killed.assert_equal();
}

#[tokio::test]
async fn no_resume_begins_anew() {
    let killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let before = killed.oid(0).await;
    let refused = killed.command(&["--no-resume"]).run().expect(1);
    refused.assert_prints(&["is not empty"]);
    let anew = killed.command(&["--no-resume", "--drop-existing"]);
    anew.run().expect(0);
    assert_ne!(killed.oid(0).await, before);
    killed.assert_equal();
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_never_guessed() {
    let killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let file = killed.file();
    for (text, what) in [("{\"version\":1,", "damaged"), ("{\"version\":99}", "99")] {
        fs::write(&file, text).unwrap();
        let refused = killed.command(&["--drop-existing"]).run().expect(1);
        refused.assert_prints(&[what, file.to_str().unwrap(), "--no-resume"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    let anew = killed.command(&["--no-resume", "--drop-existing"]);
    anew.run().expect(0);
    killed.assert_equal();
}

#[tokio::test]
async fn a_second_run_is_told_who_is_at_work() {
    let mut killed = Killed::new(common(), INDEX).await;
    let first = killed.command(&[]).start();
    let gate = killed.gate.take().unwrap();
    gate.reached(&killed.names[1]).await;
    let second = killed.command(&["--drop-existing"]).run().expect(1);
    second.assert_prints(&[&format!("process {}", first.pid())]);
    // Another machine knows nothing of the first one's file.
    let other = killed.route.init(&killed.names[1], &["--drop-existing"]);
    let other = other.run().expect(1);
    other.assert_prints(&["is being filled by another run"]);
    gate.open().await;
    first.finish().expect(0);
    killed.assert_equal();
}

#[tokio::test]
async fn the_state_is_private_and_tells_no_secret_and_no_place() {
    const CANARY: &str = "kanarienvogel";
    let route = Route::of_majors([17, 17]);
    let killed = Killed::new(&route, INDEX).await;
    let with_password = |url: String| url_as(&format!("keeper:{CANARY}"), &url);
    for url in [route.source.url("postgres"), route.target.url("postgres")] {
        let make = format!("CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{CANARY}'");
        run(&url, &make).await;
    }
    let source = with_password(route.source.tcp_url("postgres"));
    let target = with_password(route.target.tcp_url("postgres"));
    let list = killed.names.join(",");
    let ends = ["--source", &source, "--target", &target];
    let more = ["--yes", "--include-databases", &list];
    let state = killed.home.path().join("here");
    let folder = ["--state-dir", state.to_str().unwrap()];
    let arguments = [&["init"], &ends[..], &more, &folder].concat();
    let running = crate::support::command::program(&arguments).start();
    killed
        .gate
        .as_ref()
        .unwrap()
        .reached(&killed.names[1])
        .await;
    running.signal("KILL");
    running.finish().expect(137);
    let run_folder = fs::read_dir(&state)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&run_folder), 0o700);
    for file in fs::read_dir(&run_folder).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        let text = fs::read_to_string(&file).unwrap();
        for secret in [CANARY, "127.0.0.1", "keeper", "postgresql://"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test]
async fn other_pairs_and_other_commands_leave_a_state_alone() {
    let killed = Killed::new(common(), INDEX).await.kill(&[]).await;
    let written = fs::read(killed.file()).unwrap();
    let path = killed.file();
    let other = Route::of_majors([16, 17]);
    let name = other.fresh("other").await;
    killed.kept(other.init(&name, &[])).run().expect(0);
    let names = [killed.names[0].as_str()];
    for command in ["validate", "verify"] {
        let program = killed.route.command(command, &names, &[]);
        killed.kept(program).run();
    }
    assert_eq!(fs::read(path).unwrap(), written);
    killed.command(&[]).run().expect(0);
}

/// An existing database is emptied of all that the killed run made, and of nothing else.
async fn used(majors: [u32; 2]) {
    let route = Route::of_majors(majors);
    let mut killed = Killed::new(&route, "").await;
    let source = route.source.url(&killed.names[1]);
    oracle::psql(&source, RICH);
    run(
        &source,
        "CREATE TABLE public.z (n int PRIMARY KEY); INSERT INTO public.z VALUES (1); CREATE INDEX ON public.z (public.gate(n))",
    )
    .await;
    let door = route.target.url("postgres");
    let name = killed.names[1].clone();
    run(&door, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
    run(&killed.target(1), "CREATE EXTENSION citext SCHEMA public").await;
    killed = killed.kill(&["--no-sync"]).await;
    let before = killed.oid(1).await;
    let again = killed.command(&["--no-sync"]).run().expect(0);
    again.assert_prints(&["remove what is in it and copy again"]);
    assert_eq!(killed.oid(1).await, before);
    run(&killed.target(1), "DROP EXTENSION citext").await;
    killed.assert_equal();
}

#[tokio::test]
async fn a_used_database_is_emptied_within_12() {
    used([12, 12]).await;
}

#[tokio::test]
async fn a_used_database_is_emptied_within_18() {
    used([18, 18]).await;
}

/// The server continues the statement of a killed client; the database is not visible yet.
#[tokio::test]
async fn a_database_that_a_killed_run_is_still_making_is_waited_for() {
    let route = &Route::of_majors([17, 17]);
    let name = route.fresh("making").await;
    let fill = "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 10) n";
    run(&route.source.url(&name), fill).await;
    let target = route.target.url("postgres");
    // It has written the new database's row by then.
    let holder = database(&target).await;
    let lock = "BEGIN; LOCK TABLE pg_catalog.pg_shdepend IN SHARE MODE";
    holder.batch(&text(lock)).await.unwrap();
    let killed = format!("{target}?application_name=postgres-seren-replicator/killed");
    let create = format!("CREATE DATABASE {name} WITH TEMPLATE = template0");
    let making = Background::spawn(async move { run(&killed, &create).await });
    let ours = "FROM pg_stat_activity WHERE application_name LIKE 'postgres-seren-replicator/%'";
    let is_making = format!("SELECT count(*) = 1 {ours} AND wait_event_type = 'Lock'");
    let watcher = database(&target).await;
    wait_for(&watcher, &is_making).await;
    let running = route.init(&name, &[]).start();
    let has_come = format!(
        "SELECT count(*) > 0 {ours} AND application_name NOT LIKE '%/killed'
            AND (query LIKE '%DROP DATABASE %' OR query LIKE 'CREATE DATABASE %')"
    );
    wait_for(&watcher, &has_come).await;
    holder.batch(&text("COMMIT")).await.unwrap();
    making.join().await;
    running.finish().expect(0);
    let [source, target] = [&route.source, &route.target].map(|cluster| cluster.url(&name));
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
}

#[tokio::test]
async fn an_incomplete_copy_is_named_by_teardown_and_by_a_run_without_its_state() {
    let route = Route::of_majors([17, 17]);
    let killed = Killed::new(&route, INDEX).await.kill(&[]).await;
    let names = killed.names.each_ref().map(String::as_str);
    let elsewhere = route.command("init", &names, &["--yes"]).run().expect(1);
    elsewhere.assert_prints(&[
        "it is the incomplete copy of interrupted run ",
        "schema seren_replicator_run",
        "--state-dir",
        "--drop-existing",
    ]);
    let teardown = || killed.kept(route.command("teardown", &[], &[]));
    let declined = teardown().input("n\n").run().expect(1);
    declined.assert_prints(&[
        "is the incomplete copy of an interrupted run",
        "DROP DATABASE",
        "with: postgres-seren-replicator init",
        "[y/N]:",
    ]);
    let finished = format!("database {} on the target is", names[0]);
    assert!(!declined.stderr.contains(&finished), "{}", declined.stderr);
    killed.command(&[]).run().expect(0);
    killed.assert_equal();
    let gone = teardown().input("y\n").run().expect(0);
    assert!(!gone.stderr.contains("incomplete copy"), "{}", gone.stderr);
}
