//! Objects that users create on the target during a run are never removed with the run's own objects.

use std::io::Write as _;

use crate::support::command::{Finished, Program};
use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::others::begin;
use crate::support::route::{Route, common};
use crate::support::{database, run, text, value, wait_for};

/// A database of a route, and the state that all runs of it share.
struct Place<'a> {
    route: &'a Route,
    name: String,
    home: tempfile::TempDir,
}

impl<'a> Place<'a> {
    async fn new(route: &'a Route, hint: &str) -> Self {
        Self {
            route,
            name: route.fresh(hint).await,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn source(&self) -> String {
        self.route.source.url(&self.name)
    }

    fn target(&self) -> String {
        self.route.target.url(&self.name)
    }

    fn command(&self, command: &str, more: &[&str]) -> Program {
        let program = self.route.command(command, &[&self.name], more);
        program.env("XDG_STATE_HOME", self.home.path().to_str().unwrap())
    }

    fn init(&self, more: &[&str]) -> Program {
        self.command("init", &[&["--yes", "--no-sync"], more].concat())
    }

    /// Creates the database on the target, where a run is to use it.
    async fn create_target(&self) {
        let create = format!("CREATE DATABASE {} TEMPLATE template0", self.name);
        run(&self.route.target.url("postgres"), &create).await;
    }

    /// Fills the source, and kills a run that builds an index over the rows.
    async fn killed(&self, more: &str) {
        let gate = Gate::shut(&self.route.target.url("postgres")).await;
        let fill = gate.function()
            + "CREATE SCHEMA app;
               CREATE TABLE app.t (n int PRIMARY KEY, kind text);
               INSERT INTO app.t SELECT n FROM generate_series(1, 100) n;
               CREATE TABLE app.u (n int);
               CREATE SEQUENCE app.s;
               CREATE VIEW app.v AS SELECT n FROM app.t;
               CREATE INDEX ON app.t (public.gate(n));"
            + more;
        run(&self.source(), &fill).await;
        let running = self.init(&[]).start();
        gate.reached(&self.name).await;
        running.signal("KILL");
        running.finish().expect(137);
        gate.open().await;
        self.is_idle().await;
    }

    /// Waits until nobody is connected to the database on the target.
    async fn is_idle(&self) {
        let idle = format!(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{}')",
            self.name
        );
        wait_for(&database(&self.route.target.url("postgres")).await, &idle).await;
    }

    fn assert_equal(&self) {
        let (source, target) = (self.source(), self.target());
        assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
        assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    }
}

/// What a user does to a database that a killed run has left, what a refusal names, and how it is undone.
const USERS: [[&str; 3]; 9] = [
    [
        "CREATE TABLE public.mine AS SELECT 1 AS n",
        "table public.mine",
        "DROP TABLE public.mine",
    ],
    [
        "CREATE VIEW public.over AS SELECT * FROM app.t",
        "view public.over",
        "DROP VIEW public.over",
    ],
    [
        "CREATE TABLE app.inside (n int)",
        "table app.inside",
        "DROP TABLE app.inside",
    ],
    [
        "CREATE FUNCTION app.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function app.mine()",
        "DROP FUNCTION app.mine()",
    ],
    [
        "SELECT lo_create(4711)",
        "large object 4711",
        "SELECT lo_unlink(4711)",
    ],
    [
        "ALTER TABLE app.u ADD COLUMN mine int",
        "table column app.u.mine",
        "ALTER TABLE app.u DROP COLUMN mine",
    ],
    [
        "CREATE INDEX mine ON app.u (n)",
        "index app.mine",
        "DROP INDEX app.mine",
    ],
    [
        "CREATE EXTENSION citext SCHEMA public; CREATE SCHEMA other",
        "schema other",
        "DROP SCHEMA other; DROP EXTENSION citext",
    ],
    // It has the name of one of ours, and is another.
    [
        "ALTER TABLE app.u RENAME TO ours; CREATE TABLE app.u (n int); INSERT INTO app.u VALUES (5)",
        "table app.u",
        "DROP TABLE app.u; DROP TABLE app.ours",
    ],
];

async fn users_objects_stay(place: &Place<'_>, goes_on: &str) {
    for [make, named, undo] in USERS {
        run(&place.target(), make).await;
        let refused = place.init(&[]).run().expect(1);
        refused.assert_prints(&["is not empty", named, "--drop-existing"]);
        run(&place.target(), undo).await;
    }
    let again = place.init(&[]).run().expect(0);
    again.assert_prints(&[goes_on]);
    place.assert_equal();
    let journal = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'seren%'";
    assert_eq!(value(&place.target(), journal).await, "0");
}

#[tokio::test]
async fn a_used_database_keeps_what_users_created_after_a_kill() {
    let route = Route::of_majors([15, 15]);
    let place = Place::new(&route, "used").await;
    place.create_target().await;
    place.killed("").await;
    users_objects_stay(&place, "remove what is in it and copy again").await;
}

#[tokio::test]
async fn a_created_database_keeps_what_users_created_after_a_kill() {
    let place = Place::new(common(), "made").await;
    place.killed("").await;
    let door = place.route.target.url("postgres");
    users_objects_stay(&place, "drop and create again").await;
    // As a drop that was killed leaves it.
    let place = Place::new(common(), "shut").await;
    place.killed("").await;
    let shut = format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", place.name);
    run(&door, &shut).await;
    run(
        &door,
        &format!("ALTER DATABASE {} WITH IS_TEMPLATE true", place.name),
    )
    .await;
    place.init(&[]).run().expect(0);
    place.assert_equal();
    let template = "SELECT datistemplate FROM pg_database WHERE datname = current_database()";
    assert_eq!(value(&place.target(), template).await, "f");
}

/// Starts a run that asks, and answers once `change` is done to the target's database.
async fn answered_after(place: &Place<'_>, more: &[&str], change: &str) -> Finished {
    let program = place.command("init", &[&["--no-sync"], more].concat());
    let (running, mut stdin) = program.start_open();
    running.wait_for_error("[y/N]");
    run(&place.target(), change).await;
    stdin.write_all(b"y\ny\n").unwrap();
    drop(stdin);
    running.finish()
}

#[tokio::test]
async fn what_comes_between_the_question_and_the_answer_stays() {
    for route in [common(), &Route::of_majors([12, 12])] {
        let place = Place::new(route, "asked").await;
        run(&place.source(), "CREATE TABLE public.t AS SELECT 1 AS n").await;
        place.create_target().await;
        let change = "CREATE TABLE public.mine AS SELECT 1 AS n";
        let refused = answered_after(&place, &[], change).await.expect(1);
        refused.assert_prints(&["is not empty any more", "table public.mine"]);
        // The user has seen one table, and not the other.
        let change = "CREATE TABLE public.more AS SELECT 1 AS n";
        let refused = answered_after(&place, &["--drop-existing"], change).await;
        let refused = refused.expect(1);
        refused.assert_prints(&["was changed since it was examined", "table public.more"]);
        let both = "SELECT count(*) FROM pg_class WHERE relname IN ('mine', 'more')";
        assert_eq!(value(&place.target(), both).await, "2");
        place.init(&["--drop-existing"]).run().expect(0);
        place.assert_equal();
    }
}

#[tokio::test]
async fn a_database_that_took_the_name_of_another_is_not_dropped() {
    let route = common();
    let place = Place::new(route, "renamed").await;
    run(&place.source(), "CREATE TABLE public.t AS SELECT 1 AS n").await;
    place.create_target().await;
    let table = "CREATE TABLE public.mine AS SELECT 1 AS n";
    run(&place.target(), table).await;
    let program = place.command("init", &["--no-sync", "--drop-existing"]);
    let (running, mut stdin) = program.start_open();
    running.wait_for_error("[y/N]");
    place.is_idle().await;
    let (door, name) = (route.target.url("postgres"), &place.name);
    let rename = format!("ALTER DATABASE {name} RENAME TO {name}_old");
    run(&door, &rename).await;
    place.create_target().await;
    run(&place.target(), table).await;
    stdin.write_all(b"y\ny\n").unwrap();
    drop(stdin);
    running
        .finish()
        .expect(1)
        .assert_prints(&["has been replaced meanwhile"]);
    for name in [name.clone(), format!("{name}_old")] {
        let rows = value(&route.target.url(&name), "SELECT n FROM public.mine").await;
        assert_eq!(rows, "1");
    }
}

#[tokio::test]
async fn a_failed_run_leaves_a_database_in_which_somebody_works() {
    let route = common();
    let place = Place::new(route, "beside").await;
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let fill = gate.function()
        + "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n;
           CREATE INDEX ON public.t (public.gate(n));";
    run(&place.source(), &fill).await;
    let running = place.init(&[]).start();
    gate.reached(&place.name).await;
    run(&place.target(), "CREATE TABLE public.mine AS SELECT 1 AS n").await;
    running.signal("INT");
    running.finish().expect(130);
    let mine = value(&place.target(), "SELECT n FROM public.mine").await;
    assert_eq!(mine, "1", "and it can be connected to");
    gate.open().await;
    run(&place.target(), "DROP TABLE public.mine").await;
    place.init(&[]).run().expect(0);
    place.assert_equal();
}

/// Rows of an extension that existed before the run.
const CONFIGURED: &str = "CREATE TABLE public.settings (n int, own bool);
    ALTER EXTENSION plpgsql ADD TABLE public.settings;
    UPDATE pg_extension SET extconfig = ARRAY['public.settings'::regclass::oid],
           extcondition = ARRAY['WHERE own'] WHERE extname = 'plpgsql';
    INSERT INTO public.settings VALUES (1, false);";

#[tokio::test]
async fn rows_of_an_extension_are_not_doubled_by_a_repetition() {
    let place = Place::new(common(), "configured").await;
    place.create_target().await;
    run(&place.target(), CONFIGURED).await;
    let own = "INSERT INTO public.settings VALUES (2, true), (3, true);";
    place.killed(&format!("{CONFIGURED}{own}")).await;
    place.init(&[]).run().expect(0);
    let rows = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM public.settings";
    assert_eq!(value(&place.target(), rows).await, "1 2 3");
    place.assert_equal();
}

#[tokio::test]
async fn another_place_for_a_database_leaves_the_first_one_named() {
    let route = common();
    let place = Place::new(route, "mapped").await;
    let (first, second) = (format!("{}_x", place.name), format!("{}_y", place.name));
    let [to_first, to_second] = [&first, &second].map(|to| format!("{}={to}", place.name));
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let fill = gate.function()
        + "CREATE TABLE public.t (n int PRIMARY KEY);
           INSERT INTO public.t SELECT n FROM generate_series(1, 100) n;
           CREATE INDEX ON public.t (public.gate(n));";
    run(&place.source(), &fill).await;
    let running = place.command("init", &["--yes", "--map-database", &to_first]);
    let running = running.start();
    gate.reached(&first).await;
    running.signal("KILL");
    running.finish().expect(137);
    gate.open().await;
    let planned = place.command(
        "init",
        &["--yes", "--dry-run", "--map-database", &to_second],
    );
    let planned = planned.run();
    planned.assert_prints(&[
        &format!("was copying it to database {first}"),
        "retains WAL on the source",
        &format!("init --map-database {to_first}"),
        &format!("teardown --map-database {to_first}"),
        &format!("DROP DATABASE \"{first}\""),
    ]);
    assert!(
        !planned.all().contains("was dropped on the target"),
        "{}",
        planned.all()
    );
    // Without replication nothing of the first copy is in the way.
    let done = place.command(
        "init",
        &["--yes", "--no-sync", "--map-database", &to_second],
    );
    done.run().expect(0);
    // The second copy's teardown leaves the first one's objects, and says how they are removed.
    let listed = place.command(
        "teardown",
        &["--yes", "--dry-run", "--map-database", &to_second],
    );
    let listed = listed.run().expect(0);
    listed.assert_prints(&[&format!("teardown --map-database {to_first}")]);
    let slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()";
    assert_eq!(value(&place.source(), slots).await, "1");
    // The first copy can be continued.
    let again = place.command("init", &["--yes", "--map-database", &to_first]);
    again.run().expect(0);
    let rows = "SELECT count(*) FROM public.t";
    assert_eq!(value(&route.target.url(&first), rows).await, "100");
    let removed = place.command("teardown", &["--yes", "--map-database", &to_first]);
    removed.run().expect(0);
    assert_eq!(value(&place.source(), slots).await, "0");
}

/// A server drops a large object only when nobody else changes it, and waits without end by itself.
#[tokio::test]
async fn a_large_object_that_somebody_changes_is_named_and_the_wait_limited() {
    let place = Place::new(common(), "objects").await;
    place.create_target().await;
    let gate = Gate::shut(&place.route.target.url("postgres")).await;
    let fill = gate.function()
        + "CREATE TABLE public.t (n int PRIMARY KEY);
           INSERT INTO public.t VALUES (1);
           CREATE INDEX ON public.t (public.gate(n));
           SELECT lo_from_bytea(4711, 'x');";
    run(&place.source(), &fill).await;
    let running = place.init(&[]).start();
    gate.reached(&place.name).await;
    let target = database(&place.target()).await;
    wait_for(&target, "SELECT count(*) = 1 FROM pg_largeobject_metadata").await;
    drop(target);
    running.signal("KILL");
    running.finish().expect(137);
    gate.open().await;
    place.is_idle().await;
    let other = begin(&place.target(), "SELECT lo_unlink(4711)").await;
    let refused = place.init(&["--max-lock-wait", "1"]).run().expect(1);
    let named = "of role postgres holds AccessExclusiveLock on large object 4711";
    refused.assert_prints(&["pid ", named, "SELECT lo_unlink(4711)"]);
    other.batch(&text("ROLLBACK")).await.unwrap();
    place.init(&[]).run().expect(0);
    place.assert_equal();
}
