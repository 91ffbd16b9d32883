//! Copies by roles that are not superusers, as on managed services.

use seren_replicator::sandbox::Cluster;

use crate::support::command::{Program, program};
use crate::support::gate::Gate;
use crate::support::oracle;
use crate::support::route::Route;
use crate::support::{run, url_as, value};

const RICH: &str = include_str!("../../cases/init/rich.sql");

/// A URL of a cluster's database for another role.
/// `init` of one database as these roles.
fn init(route: &Route, roles: [&str; 2], database: &str, more: &[&str]) -> Program {
    let source = url_as(roles[0], &route.source.url("postgres"));
    let target = url_as(roles[1], &route.target.url("postgres"));
    let ends = [
        "init",
        "--yes",
        "--no-sync",
        "--source",
        &source,
        "--target",
        &target,
    ];
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

/// Objects that take a superuser, and what hangs on them.
const POWERFUL: &str = r#"
    CREATE ROLE app;
    CREATE SCHEMA s AUTHORIZATION app;
    CREATE FUNCTION s.quick() RETURNS int LANGUAGE internal STRICT AS 'pg_backend_pid';
    CREATE FUNCTION s.leak() RETURNS int LANGUAGE sql LEAKPROOF SET log_statement = 'none' AS 'SELECT 1';
    CREATE TABLE s.t (a int DEFAULT s.quick(), b int, CHECK (b <> s.leak()));
    CREATE TABLE s.guarded (a int, CHECK (a <> s.quick()));
    INSERT INTO s.t VALUES (1, 2);
    INSERT INTO s.guarded VALUES (0);
    CREATE VIEW s.v AS SELECT s.quick() AS pid;
    CREATE VIEW s.over AS SELECT * FROM s.v;
    GRANT SELECT ON s.v TO app;
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
    ALTER ROLE app SET log_min_messages = 'error';
    ALTER TABLE s.t OWNER TO app;
    CREATE ROLE giver;
    CREATE ROLE taker;
    GRANT USAGE ON SCHEMA s TO giver;
    GRANT SELECT ON s.t TO giver WITH GRANT OPTION;
    SET ROLE giver;
    GRANT SELECT ON s.t TO taker;
    RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO taker;
"#;

#[tokio::test]
async fn what_takes_a_superuser_is_left_out_with_what_depends_on_it() {
    let route = Route::of_majors([16, 16]);
    route.create("strong").await;
    let source = route.source.url("strong");
    run(&source, POWERFUL).await;
    deployer(&route.target).await;
    let refused = init(&route, ["postgres", "deployer"], "strong", &[]).run();
    let refused = refused.expect(1);
    let remedy = "pass --role-map postgres=…, or pass --no-owner";
    assert!(refused.stderr.contains(remedy), "{}", refused.stderr);
    let flags = ["--role-map", "postgres=deployer", "--verbose"];
    let done = init(&route, ["postgres", "deployer"], "strong", &flags).run();
    let done = done.expect(0);
    for line in [
        "function s.quick(): requires superuser (functions in C",
        "default of a on s.t: it depends on function s.quick()",
        "constraint guarded_a_check on s.guarded: it depends on function s.quick()",
        "view s.v: it depends on function s.quick()",
        "view s.over: it depends on view s.v",
        "function s.leak(): requires superuser (LEAKPROOF)",
        "function s.leak(): the parameter log_statement is unknown",
        "privileges on pg_catalog.pg_sleep(double precision): requires superuser",
        "role app is created without its setting of log_min_messages",
    ] {
        // All of it is known before the question.
        assert!(done.stderr.contains(line), "{line}: {}", done.stderr);
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let target = route.target.url("strong");
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    let granted = "SELECT relacl::text FROM pg_class WHERE relname = 't'";
    assert_eq!(value(&target, granted).await, value(&source, granted).await);
    let defaults = "SELECT defaclrole::regrole || defaclacl::text FROM pg_default_acl";
    assert_eq!(
        value(&target, defaults).await,
        value(&source, defaults).await
    );
    assert_eq!(memberships(&route.target, "deployer").await, "none");
    let owner = "SELECT relowner::regrole FROM pg_class WHERE relname = 't'";
    assert_eq!(value(&target, owner).await, "app");
    let may_create = "SELECT has_schema_privilege('deployer', 's', 'CREATE')";
    assert_eq!(value(&target, may_create).await, "f");
}

#[tokio::test]
async fn an_owner_without_superuser_copies_what_it_owns() {
    for major in [12, 15, 18] {
        let route = Route::of_majors([major, major]);
        let own = "CREATE ROLE app LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD 'canary'";
        run(&route.source.url("postgres"), own).await;
        let make = "CREATE DATABASE mine OWNER app";
        run(&route.source.url("postgres"), make).await;
        let source = url_as("app", &route.source.url("mine"));
        let fill = "CREATE SCHEMA s CREATE TABLE t (id serial PRIMARY KEY, b text);
                    INSERT INTO s.t (b) SELECT n::text FROM generate_series(1, 50) n;
                    SELECT lo_from_bytea(77, 'abc');
                    CREATE ROLE reader;
                    GRANT USAGE ON SCHEMA s TO reader;
                    GRANT SELECT ON s.t TO reader;
                    COMMENT ON DATABASE mine IS 'of app'";
        run(&source, fill).await;
        deployer(&route.target).await;
        let done = init(&route, ["app", "deployer"], "mine", &[]).run();
        let done = done.expect(0);
        let told = "role app is created without a password: the source does not let us read it";
        assert!(done.stdout.contains(told), "{}", done.stdout);
        assert!(!done.all().contains("canary"), "{}", done.all());
        let (source, target) = (route.source.url("mine"), route.target.url("mine"));
        assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
        let same = differing(&source, &target, str::to_owned);
        assert_eq!(same, Vec::<String>::new());
        assert_eq!(memberships(&route.target, "deployer").await, "none");
    }
}

#[tokio::test]
async fn what_others_own_on_the_target_is_left_out_before_it_is_tried() {
    let route = Route::of_majors([17, 17]);
    route.create("owned").await;
    let source = route.source.url("owned");
    let make = "COMMENT ON EXTENSION plpgsql IS 'ours';
                COMMENT ON LANGUAGE plpgsql IS 'ours, too';
                CREATE CAST (int4range AS text) WITH INOUT;
                CREATE TYPE public.own AS (a int);
                CREATE CAST (public.own AS text) WITH INOUT;
                CREATE CAST (public.own[] AS text) WITH INOUT;
                CREATE TRANSFORM FOR int4 LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
                CREATE TABLE public.t (a public.own)";
    run(&source, make).await;
    deployer(&route.target).await;
    let flags = ["--no-owner", "--schema-only"];
    let done = init(&route, ["postgres", "deployer"], "owned", &flags).run();
    let done = done.expect(0);
    for line in [
        "comment on extension plpgsql: skipped, another role owns it on the target",
        "comment on LANGUAGE plpgsql: skipped, another role owns it on the target",
        "cast (int4range AS text): requires superuser (casts between types of the server",
        "transform for integer language sql: requires superuser (transforms",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let casts = "SELECT string_agg(castsource::regtype::text, ' ' ORDER BY castsource::regtype::text) FROM pg_cast WHERE oid >= 16384";
    assert_eq!(
        value(&route.target.url("owned"), casts).await,
        "public.own public.own[]"
    );
}

#[tokio::test]
async fn memberships_that_a_killed_run_was_lent_are_ended_by_the_next() {
    for major in [15, 17] {
        let route = Route::of_majors([major, major]);
        deployer(&route.target).await;
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let name = route.fresh("lent").await;
        run(&route.source.url("postgres"), "CREATE ROLE keeper").await;
        let fill = gate.function()
            + "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n;
               CREATE INDEX ON public.t (public.gate(n));
               ALTER TABLE public.t OWNER TO keeper;";
        run(&route.source.url(&name), &fill).await;
        let home = tempfile::tempdir().unwrap();
        let command = || {
            let map = ["--role-map", "postgres=deployer"];
            let program = init(&route, ["postgres", "deployer"], &name, &map);
            program.env("XDG_STATE_HOME", home.path().to_str().unwrap())
        };
        let running = command().start();
        gate.reached(&name).await;
        running.signal("KILL");
        running.finish().expect(137);
        gate.open().await;
        assert_eq!(memberships(&route.target, "deployer").await, "keeper");
        command().run().expect(0);
        assert_eq!(memberships(&route.target, "deployer").await, "none");
        let target = route.target.url(&name);
        assert_eq!(value(&target, "SELECT count(*) FROM public.t").await, "100");
    }
}

#[tokio::test]
async fn teardown_ends_memberships_that_a_killed_run_was_lent() {
    for major in [15, 17] {
        let route = Route::of_majors([major, major]);
        deployer(&route.target).await;
        let gate = Gate::shut(&route.target.url("postgres")).await;
        let name = route.fresh("lent").await;
        run(&route.source.url("postgres"), "CREATE ROLE keeper").await;
        let fill = gate.function()
            + "CREATE TABLE public.t AS SELECT n FROM generate_series(1, 100) n;
               CREATE INDEX ON public.t (public.gate(n));
               ALTER TABLE public.t OWNER TO keeper;";
        run(&route.source.url(&name), &fill).await;
        let home = tempfile::tempdir().unwrap();
        let command = || {
            let map = ["--role-map", "postgres=deployer"];
            let program = init(&route, ["postgres", "deployer"], &name, &map);
            program.env("XDG_STATE_HOME", home.path().to_str().unwrap())
        };
        let running = command().start();
        gate.reached(&name).await;
        running.signal("KILL");
        running.finish().expect(137);
        gate.open().await;
        assert_eq!(memberships(&route.target, "deployer").await, "keeper");
        let teardown = |more: &[&str]| {
            let source = route.source.url("postgres");
            let target = url_as("deployer", &route.target.url("postgres"));
            let ends = [
                "teardown", "--yes", "--source", &source, "--target", &target,
            ];
            let program = program(&[&ends[..], more].concat());
            program.env("XDG_STATE_HOME", home.path().to_str().unwrap())
        };
        let listed = teardown(&["--dry-run"]).run().expect(0);
        let said = "membership of role deployer in role keeper";
        assert!(listed.all().contains(said), "{}", listed.all());
        assert_eq!(memberships(&route.target, "deployer").await, "keeper");
        teardown(&[]).run().expect(0);
        assert_eq!(memberships(&route.target, "deployer").await, "none");
        let state = home.path().join("postgres-seren-replicator");
        let left = std::fs::read_dir(state).unwrap().count();
        assert_eq!(left, 0, "the state is gone, too");
    }
}
