//! Foreign data, event triggers, publications and security labels, with their secrets, roles, remote servers and logins.

use seren_replicator::catalog;
use seren_replicator::ddl::{Options, render_script};

use crate::support::command::program;
use crate::support::route::{Route, common, shared};
use crate::support::{database, fresh_database, oracle, run, url_as, value};

/// Each of these needs rows, roles or settings of its own in one database.
const SOURCE: &str = r#"
    CREATE SCHEMA x;
    CREATE FOREIGN DATA WRAPPER w;
    CREATE SERVER s FOREIGN DATA WRAPPER w;
    CREATE TABLE x.parent (i int, j text);
    INSERT INTO x.parent VALUES (1, 'a');
    CREATE FOREIGN TABLE x.child () INHERITS (x.parent) SERVER s;
    ALTER FOREIGN TABLE x.child ALTER i OPTIONS (ADD k 'v');
    CREATE FOREIGN TABLE x.compressed (a text COMPRESSION pglz OPTIONS (n '1') COLLATE "C" NOT NULL) SERVER s;
    CREATE TABLE x.log (who text);
    CREATE FUNCTION x.note() RETURNS event_trigger LANGUAGE plpgsql
      AS $$BEGIN INSERT INTO x.log VALUES (session_user); END$$;
    CREATE EVENT TRIGGER notes ON ddl_command_end EXECUTE FUNCTION x.note();
    CREATE FUNCTION x.bar() RETURNS event_trigger LANGUAGE plpgsql
      AS $$BEGIN IF session_user = 'deputy' THEN RAISE 'nobody logs in'; END IF; END$$;
    CREATE EVENT TRIGGER bars ON login EXECUTE FUNCTION x.bar();
    COMMENT ON EVENT TRIGGER bars IS 'the last of all';
    CREATE SEQUENCE x.numbers;
    CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'canary-word');
"#;

#[tokio::test]
async fn no_session_of_ours_meets_what_fires_on_logins_and_no_remote_server_is_asked() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let source = route.source.url("app");
    run(&source, SOURCE).await;
    run(
        &route.target.url("postgres"),
        "CREATE ROLE deputy SUPERUSER LOGIN",
    )
    .await;
    let deputy = url_as("deputy", &route.target.url("postgres"));
    let from = route.source.url("postgres");
    let ends = ["--source", &from, "--target", &deputy];
    let more = ["--yes", "--include-databases", "app"];
    let done = program(&[&["init", "--no-sync"], &ends[..], &more].concat())
        .run()
        .expect(0);
    let untold = "table x.parent has no statistics: ANALYZE would read the foreign tables";
    assert!(done.stdout.contains(untold), "{}", done.stdout);
    assert!(!done.all().contains("canary"), "{}", done.all());
    let target = route.target.url("app");
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
}

#[tokio::test]
async fn a_table_that_cannot_be_analyzed_is_told() {
    let route = common();
    let name = route.fresh("unanalyzed").await;
    let make = "CREATE FUNCTION public.f(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
                BEGIN
                  -- The lock that ANALYZE takes, and an index does not.
                  IF EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid()
                               AND relation = 'public.t'::regclass AND mode = 'ShareUpdateExclusiveLock')
                  THEN RAISE 'not to be analyzed'; END IF;
                  RETURN i;
                END $$;
                CREATE TABLE public.t (i int);
                CREATE INDEX ON public.t (public.f(i));
                INSERT INTO public.t VALUES (1)";
    run(&route.source.url(&name), make).await;
    let done = route.init(&name, &[]).run().expect(0);
    let told = "table public.t has no statistics: not to be analyzed";
    assert!(done.stdout.contains(told), "{}", done.stdout);
}

const HIDDEN: &str = r#"
    CREATE FOREIGN DATA WRAPPER w;
    CREATE SERVER closed FOREIGN DATA WRAPPER w;
    CREATE SERVER open FOREIGN DATA WRAPPER w;
    GRANT USAGE ON FOREIGN SERVER open TO reader;
    CREATE USER MAPPING FOR team SERVER closed OPTIONS (password 'canary-a');
    CREATE USER MAPPING FOR reader SERVER closed OPTIONS (password 'canary-b');
    CREATE USER MAPPING FOR reader SERVER open OPTIONS (password 'canary-c');
    CREATE USER MAPPING FOR PUBLIC SERVER open OPTIONS (password 'canary-d');
"#;

#[tokio::test]
async fn options_that_the_sources_role_may_not_read_are_told() {
    let route = Route::of_majors([15, 15]);
    route.create("app").await;
    let roles =
        "CREATE ROLE team; CREATE ROLE reader LOGIN REPLICATION IN ROLE team, pg_read_all_data";
    run(&route.source.url("postgres"), roles).await;
    run(&route.source.url("app"), HIDDEN).await;
    let reader = url_as("reader", &route.source.url("postgres"));
    let to = route.target.url("postgres");
    let ends = ["--source", &reader, "--target", &to];
    let more = ["--yes", "--include-databases", "app"];
    let done = program(&[&["init", "--no-sync"], &ends[..], &more].concat())
        .run()
        .expect(0);
    for mapping in ["team at closed", "reader at closed", "public at open"] {
        let told = format!("user mapping of {mapping}: created without its options");
        assert!(done.stdout.contains(&told), "{told}: {}", done.stdout);
    }
    assert!(!done.all().contains("canary"), "{}", done.all());
    let given = "SELECT string_agg(srvname || ' ' || usename || coalesce(umoptions::text, ''), ', ' ORDER BY srvname, usename)
                   FROM pg_user_mappings";
    assert_eq!(
        value(&route.target.url("app"), given).await,
        "closed reader, closed team, open public, open reader{password=canary-c}"
    );
    // A target that holds nothing but these is not empty.
    let again = program(&[&["init", "--no-sync"], &ends[..], &more].concat())
        .run()
        .expect(1);
    assert!(
        again.stderr.contains("database app is not empty"),
        "{}",
        again.stderr
    );
}

#[tokio::test]
async fn user_mappings_need_roles_of_the_target() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let source = route.source.url("app");
    let make = "CREATE ROLE one; CREATE ROLE two;
                CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
                CREATE USER MAPPING FOR one SERVER s; CREATE USER MAPPING FOR two SERVER s";
    run(&source, make).await;
    let refused = route.init("app", &["--no-roles"]).run().expect(1);
    let told = "user mapping of one at s: role one does not exist on the target";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    let flags = ["--role-map", "one=both", "--role-map", "two=both"];
    let printed = route
        .command("init", &["app"], &[&flags[..], &["--dry-run"]].concat())
        .run()
        .expect(0);
    let made = "CREATE USER MAPPING FOR \"both\" SERVER \"s\";";
    assert!(printed.stdout.contains(made), "{}", printed.stdout);
    let done = route.init("app", &flags).run().expect(0);
    let told = "user mapping of two at s: role both has one from another role";
    assert!(done.stdout.contains(told), "{}", done.stdout);
}

#[tokio::test]
async fn what_only_superusers_can_own_stays_with_its_maker() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let make = "CREATE ROLE boss SUPERUSER; SET ROLE boss;
                CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
                CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
                CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION public.f();
                CREATE PUBLICATION p FOR ALL TABLES; CREATE PUBLICATION q FOR TABLES IN SCHEMA public;
                RESET ROLE; ALTER ROLE boss NOSUPERUSER";
    run(&route.source.url("app"), make).await;
    let done = route.init("app", &[]).run().expect(0);
    for object in ["event trigger e", "foreign data wrapper w"] {
        let told = format!("{object}: it stays with its owner, role boss cannot get it");
        assert!(done.stdout.contains(&told), "{told}: {}", done.stdout);
    }
    let owners = "SELECT concat_ws(' ', (SELECT fdwowner::regrole FROM pg_foreign_data_wrapper),
                    (SELECT srvowner::regrole FROM pg_foreign_server), (SELECT evtowner::regrole FROM pg_event_trigger),
                    (SELECT string_agg(pubowner::regrole::text, ' ') FROM pg_publication))";
    assert_eq!(
        value(&route.target.url("app"), owners).await,
        "postgres boss postgres boss boss"
    );
}

#[tokio::test]
async fn a_skipped_table_leaves_its_publication() {
    let route = common();
    let name = route.fresh("published").await;
    let make = "CREATE EXTENSION hstore SCHEMA public;
                COMMENT ON FUNCTION public.akeys(public.hstore) IS 'a user''s words';
                CREATE TABLE public.gone (id int PRIMARY KEY, h public.hstore);
                CREATE TABLE public.stays (id int PRIMARY KEY);
                CREATE PUBLICATION p FOR TABLE public.gone, public.stays";
    run(&route.source.url(&name), make).await;
    let flags = ["--skip-extensions", "hstore"];
    let done = route.init(&name, &flags).run().expect(0);
    let told = "publication p of public.gone: it depends on table public.gone";
    assert!(done.stdout.contains(told), "{}", done.stdout);
    let published = "SELECT string_agg(tablename, ',') FROM pg_publication_tables";
    assert_eq!(value(&route.target.url(&name), published).await, "stays");
}

#[tokio::test]
async fn the_state_of_a_key_is_lost_without_the_key() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let make = "CREATE TABLE public.a (id int PRIMARY KEY); CREATE TABLE public.b (a int REFERENCES public.a);
                ALTER TABLE public.b DISABLE TRIGGER ALL";
    run(&route.source.url("app"), make).await;
    run(
        &route.target.url("postgres"),
        "CREATE ROLE deployer LOGIN CREATEDB CREATEROLE",
    )
    .await;
    let from = route.source.url("postgres");
    let deployer = url_as("deployer", &route.target.url("postgres"));
    let ends = ["--source", &from, "--target", &deployer];
    let more = ["--yes", "--no-owner", "--include-databases", "app"];
    let done = program(&[&["init", "--no-sync"], &ends[..], &more].concat())
        .run()
        .expect(0);
    let told = "requires superuser (ENABLE and DISABLE of the internal triggers of keys)";
    assert!(done.stdout.contains(told), "{}", done.stdout);
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(value(&route.target.url("app"), keys).await, "1");
}

/// The server names the keys of partitions in the order in which it makes them, which is another one
/// on the target; and `pg_dump` prints the names of these triggers, which hold oids.
const KEYS_OF_PARTITIONS: &str = r#"
    CREATE SCHEMA kt;
    CREATE TABLE kt.a (id int PRIMARY KEY);
    CREATE TABLE kt.root (id int PRIMARY KEY, a int REFERENCES kt.a) PARTITION BY RANGE (id);
    CREATE TABLE kt.referenced (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE kt.referenced_2 PARTITION OF kt.referenced FOR VALUES FROM (10) TO (20);
    CREATE TABLE kt.uses (id int REFERENCES kt.referenced);
    CREATE TABLE kt.referenced_1 PARTITION OF kt.referenced FOR VALUES FROM (0) TO (10);
    CREATE TABLE kt.joined (id int NOT NULL, a int, CONSTRAINT "its own" FOREIGN KEY (a) REFERENCES kt.a);
    ALTER TABLE kt.root ATTACH PARTITION kt.joined FOR VALUES FROM (10) TO (20);
    DO $$
    DECLARE trigger record;
    BEGIN
      FOR trigger IN SELECT tgname, tgrelid::regclass AS of FROM pg_trigger
                      WHERE tgrelid IN ('kt.referenced_1'::regclass, 'kt.joined'::regclass) AND tgisinternal LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', trigger.of, trigger.tgname);
      END LOOP;
    END $$;
"#;

async fn keys_of_partitions_keep_their_state(majors: [u32; 2]) {
    let route = shared(majors);
    let name = &*route.fresh("app").await;
    let source = route.source.url(name);
    run(&source, KEYS_OF_PARTITIONS).await;
    route.init(name, &[]).run().expect(0);
    let states = "SELECT string_agg(concat_ws(' ', tgrelid::regclass, proname, tgenabled), ', '
                    ORDER BY tgrelid::regclass::text, proname::text)
                    FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid WHERE tgisinternal AND tgenabled <> 'O'";
    let kept = value(&route.target.url(name), states).await;
    assert_eq!(kept, value(&source, states).await);
    assert_eq!(kept.matches(" D").count(), 4, "{kept}");
}

#[tokio::test]
async fn keys_of_partitions_keep_their_state_within_17() {
    keys_of_partitions_keep_their_state([17, 17]).await;
}

#[tokio::test]
async fn keys_of_partitions_keep_their_state_from_12_to_18() {
    keys_of_partitions_keep_their_state([12, 18]).await;
}

const LABELLED: &str = r#"
    CREATE SCHEMA "S l";
    CREATE TABLE "S l"."T t" (id int, "C c" text);
    CREATE TYPE "S l".pair AS (a int, "B b" int);
    CREATE FUNCTION "S l".f(a int, OUT b text) LANGUAGE sql AS 'SELECT 1::text';
    CREATE FUNCTION "S l".place() RETURNS int8 LANGUAGE internal WINDOW AS 'window_row_number';
    CREATE AGGREGATE "S l".count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
    CREATE DOMAIN "S l".positive AS int;
    SELECT lo_create(4711);
    INSERT INTO pg_seclabel (classoid, objoid, objsubid, provider, label) VALUES
      ('pg_namespace'::regclass, '"S l"'::regnamespace, 0, 'Some module', 'it''s'),
      ('pg_class'::regclass, '"S l"."T t"'::regclass, 0, 'm', '1'),
      ('pg_class'::regclass, '"S l"."T t"'::regclass, 2, 'm', '2'),
      ('pg_class'::regclass, '"S l".pair'::regclass, 2, 'm', '3'),
      ('pg_type'::regclass, '"S l".pair'::regtype, 0, 'm', '4'),
      ('pg_type'::regclass, '"S l".positive'::regtype, 0, 'm', '5'),
      ('pg_proc'::regclass, '"S l".f(int)'::regprocedure, 0, 'm', '6'),
      ('pg_proc'::regclass, '"S l".place()'::regprocedure, 0, 'm', '7'),
      ('pg_proc'::regclass, '"S l".count()'::regprocedure, 0, 'm', '8'),
      ('pg_largeobject'::regclass, 4711, 0, 'm', '9'),
      ('pg_proc'::regclass, 'pg_catalog.now()'::regprocedure, 0, 'm', '10');
"#;

/// No server of the tests has a module that takes labels, so the statements are read.
async fn labels_are_written(major: u32) {
    let url = fresh_database(major, "labels").await;
    run(&url, LABELLED).await;
    let session = database(&url).await;
    let catalog = catalog::load_catalog(&session).await.unwrap();
    assert_eq!(catalog.unsupported, []);
    let options = Options::everything(
        session.version(),
        ["postgres"]
            .map(seren_replicator::pg::Ident::from_catalog)
            .into(),
    );
    let script = render_script(&catalog, &options).unwrap();
    let statements = script
        .post_data
        .iter()
        .map(|statement| statement.sql.as_str());
    let mut labels: Vec<_> = statements
        .filter_map(|sql| sql.strip_prefix("SECURITY LABEL FOR "))
        .collect();
    labels.sort_unstable();
    assert_eq!(
        labels,
        [
            r#""Some module" ON SCHEMA "S l" IS 'it''s'"#,
            r#""m" ON AGGREGATE "S l".count(*) IS '8'"#,
            r#""m" ON COLUMN "S l"."T t"."C c" IS '2'"#,
            r#""m" ON COLUMN "S l".pair."B b" IS '3'"#,
            r#""m" ON DOMAIN "S l".positive IS '5'"#,
            r#""m" ON FUNCTION "S l".f(integer) IS '6'"#,
            r#""m" ON FUNCTION "S l".place() IS '7'"#,
            r#""m" ON LARGE OBJECT 4711 IS '9'"#,
            r#""m" ON TABLE "S l"."T t" IS '1'"#,
            r#""m" ON TYPE "S l".pair IS '4'"#,
        ]
    );
    let omissions: Vec<_> = script.omissions.iter().map(ToString::to_string).collect();
    assert_eq!(
        omissions,
        ["security label of FUNCTION pg_catalog.now(): the object it is about is not created"]
    );
}

#[tokio::test]
async fn labels_name_objects_of_any_name_on_12() {
    labels_are_written(12).await;
}

#[tokio::test]
async fn labels_name_objects_of_any_name_on_18() {
    labels_are_written(18).await;
}

/// Whatever holds a canary has a name, or a form, that says so.
const SECRETS: &str = r#"
    CREATE FOREIGN DATA WRAPPER w OPTIONS (api_key 'canary-1');
    CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'shown-host', "Password" 'canary''2');
    CREATE SERVER conninfo FOREIGN DATA WRAPPER w OPTIONS (connstr 'host=h password=canary-3');
    CREATE SERVER uri FOREIGN DATA WRAPPER w OPTIONS (address 'https://me:canary-4@h/');
    CREATE SERVER plain FOREIGN DATA WRAPPER w OPTIONS (host 'shown-plain');
    CREATE FOREIGN TABLE public.t (n int OPTIONS (token 'canary-5'), m int OPTIONS (key 'true')) SERVER s;
    CREATE FOREIGN TABLE public.u (n int) SERVER plain OPTIONS (secret_access_key 'canary-6');
    CREATE FOREIGN TABLE public.shown (n int OPTIONS (key 'true')) SERVER plain OPTIONS (name 'shown-name');
    CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'canary-7');
    ALTER DATABASE secrets SET "app.jwt_secret" TO 'canary-8';
    ALTER ROLE hidden SET "app.api_token" TO 'canary-9';
    ALTER ROLE hidden IN DATABASE secrets SET "app.password" TO 'canary-10';
    ALTER ROLE hidden SET password_encryption TO 'md5';
"#;

async fn secrets(major: u32) {
    let route = Route::of_majors([major, major]);
    route.create("secrets").await;
    let source = route.source.url("secrets");
    run(
        &route.source.url("postgres"),
        "CREATE ROLE hidden PASSWORD 'canary-0'",
    )
    .await;
    run(&source, SECRETS).await;
    let planned = route.init("secrets", &["--dry-run"]).run().expect(0);
    assert!(!planned.all().contains("canary"), "{}", planned.all());
    for line in [
        "-- It holds a secret: ALTER ROLE \"hidden\" PASSWORD '***';",
        "-- It holds a secret: CREATE SERVER \"s\" FOREIGN DATA WRAPPER \"w\" OPTIONS (\"host\" '***', \"Password\" '***');",
        "-- It holds a secret: CREATE FOREIGN TABLE \"public\".\"u\"",
        "-- It holds a secret: CREATE USER MAPPING FOR PUBLIC SERVER \"s\" OPTIONS (\"password\" '***');",
        "-- It holds a secret: ALTER DATABASE \"secrets\" SET \"app.jwt_secret\" TO '***';",
        "shown-plain",
        "shown-name",
        "\nALTER ROLE \"hidden\" SET \"password_encryption\" TO 'md5';",
    ] {
        assert!(planned.stdout.contains(line), "{line}: {}", planned.stdout);
    }
    // Most of it is skipped where the target's role is no superuser.
    let make = "CREATE ROLE deployer LOGIN CREATEDB CREATEROLE";
    run(&route.target.url("postgres"), make).await;
    let target = url_as("deployer", &route.target.url("postgres"));
    let from = route.source.url("postgres");
    let ends = [
        "init",
        "--no-sync",
        "--dry-run",
        "--source",
        &from,
        "--target",
        &target,
    ];
    let more = [
        "--include-databases",
        "secrets",
        "--role-map",
        "postgres=deployer",
    ];
    let planned = program(&[&ends[..], &more].concat()).run().expect(0);
    assert!(!planned.all().contains("canary"), "{}", planned.all());
    let done = route.init("secrets", &[]).run().expect(0);
    assert!(!done.all().contains("canary"), "{}", done.all());
    let option = "SELECT srvoptions::text FROM pg_foreign_server WHERE srvname = 'conninfo'";
    let target = route.target.url("secrets");
    assert!(
        value(&target, option).await.contains("canary-3"),
        "copied whole"
    );
}

#[tokio::test]
async fn a_dry_run_shows_no_secret_of_15() {
    secrets(15).await;
}

#[tokio::test]
async fn a_dry_run_shows_no_secret_of_17() {
    secrets(17).await;
}
