//! Extensions: configuration tables, users' objects on their tables, objects that their scripts create, and their schemas
//! on the target. The files are in `tests/cases/extensions`; source and target have different versions of some.

use std::sync::OnceLock;

use crate::support::command::{Program, program};
use crate::support::installation::with_extensions;
use crate::support::route::Route;
use crate::support::{database, oracle, run, text, url_as, value};

/// Clusters of two majors, for all tests of this module.
fn route() -> &'static Route {
    static ROUTE: OnceLock<Route> = OnceLock::new();
    ROUTE.get_or_init(|| {
        Route::start([
            with_extensions(14, &["both", "old"]),
            with_extensions(17, &["both", "new"]),
        ])
    })
}

/// A database of the source after these statements; its name.
async fn source(hint: &str, statements: &str) -> String {
    let name = route().fresh(hint).await;
    let statements = format!("SET search_path = public; {statements}");
    run(&route().source.url(&name), &statements).await;
    name
}

/// Copies a database; what differs in its rows.
async fn copied(name: &str, more: &[&str]) -> Vec<String> {
    route().init(name, more).run().expect(0);
    let (source, target) = (route().source.url(name), route().target.url(name));
    let differing = tokio::task::spawn_blocking(move || oracle::data_diff(&source, &target)).await;
    route().command("verify", &[name], &[]).run().expect(0);
    differing.unwrap()
}

async fn on_target(name: &str, sql: &str) -> String {
    value(&route().target.url(name), sql).await
}

const JOBS: &str = "
    CREATE EXTENSION jobber;
    SELECT jobber.schedule('* * * * *', 'select ' || g) FROM generate_series(1, 5) g;
    -- The extension's trigger would refuse it.
    ALTER TABLE jobber.job DISABLE TRIGGER job_check;
    INSERT INTO jobber.job (schedule, command) VALUES ('bad', 'select 6');
    ALTER TABLE jobber.job ENABLE TRIGGER job_check;
";

#[tokio::test]
async fn a_configuration_sequence_keeps_its_value_where_the_target_prescribes_a_schema() {
    let name = source("jobber", JOBS).await;
    assert_eq!(copied(&name, &[]).await, [""; 0]);
    let place = "SELECT extnamespace::regnamespace::text || ' ' || extversion FROM pg_extension WHERE extname = 'jobber'";
    assert_eq!(on_target(&name, place).await, "pg_catalog 1.1");
    let next = "SELECT jobber.schedule('a', 'b')::text";
    assert_eq!(on_target(&name, next).await, "7");
}

#[tokio::test]
async fn without_rows_configuration_keeps_rows_and_values() {
    let name = source("jobber_schema", JOBS).await;
    assert_eq!(copied(&name, &["--schema-only"]).await, [""; 0]);
}

#[tokio::test]
async fn configuration_rows_with_foreign_keys_and_rows_of_the_script_arrive() {
    let statements = "
        CREATE EXTENSION seeded;
        INSERT INTO child VALUES (1, NULL), (2, NULL);
        INSERT INTO aaa_child (child) VALUES (1), (2);
        DELETE FROM status_text;
        INSERT INTO permission VALUES ('write', 'team', false);
        CREATE SCHEMA x;
        CREATE EXTENSION looped SCHEMA x;
        SET search_path = x;
        ALTER TABLE choice DISABLE TRIGGER USER;
        INSERT INTO node VALUES (5, 5, NULL, false), (4, 5, NULL, false), (3, 1, NULL, false);
        INSERT INTO choice VALUES (4, 4), (3, 5);
        UPDATE node SET chosen = 3 WHERE id = 4;
        ALTER TABLE choice ENABLE TRIGGER USER;
        CREATE TABLE own (choice int REFERENCES choice, node int REFERENCES node, code int REFERENCES public.child);
        INSERT INTO own VALUES (4, 4, 1), (1, 1, 2);
    ";
    let name = source("seeded", statements).await;
    assert_eq!(copied(&name, &[]).await, [""; 0]);
    let fires =
        "SELECT string_agg(tgname || tgenabled::text, ' ') FROM pg_trigger WHERE NOT tgisinternal";
    assert_eq!(on_target(&name, fires).await, "refusesO");
}

#[tokio::test]
async fn a_row_that_loses_its_partner_on_the_target_ends_the_copy() {
    // `used` is no configuration: its rows on the target are those of the script.
    let statements = "
        CREATE EXTENSION looped;
        ALTER TABLE choice DISABLE TRIGGER USER;
        DELETE FROM used;
        UPDATE node SET chosen = NULL;
        DELETE FROM choice WHERE id = 2;
    ";
    let name = source("orphan", statements).await;
    let failed = route().init(&name, &[]).run().expect(1);
    let cause =
        "foreign key used_choice_fkey of public.used: a row refers to no row of public.choice";
    assert!(failed.stderr.contains(cause), "{}", failed.stderr);
}

#[tokio::test]
async fn children_and_partitions_of_an_extension_stay_with_their_parents() {
    let statements = "
        CREATE EXTENSION geocode;
        CREATE EXTENSION parted;
        CREATE EXTENSION cronlike;
        CREATE TABLE kid (extra int) INHERITS (geo.parent);
        INSERT INTO kid VALUES (1, '10115', 5);
        CREATE TABLE heir (zip text, id int) INHERITS (geo.parent);
        CREATE TABLE late (extra int, zip text, id int);
        ALTER TABLE late INHERIT geo.parent;
        INSERT INTO late VALUES (1, 'z', 2);
        CREATE TABLE two (id int, word text DEFAULT 'own') INHERITS (parted.parent);
        INSERT INTO two (id) VALUES (7);
        CREATE TABLE one PARTITION OF parted.event FOR VALUES IN (1, 2);
        CREATE INDEX own_index ON one (label);
        INSERT INTO parted.event VALUES (1, '2026-01-01', 'a'), (2, '2026-01-02', 'b');
        CREATE TABLE joined (label text, k int NOT NULL, at date DEFAULT '2026-02-02');
        ALTER TABLE joined ADD CONSTRAINT joined_key PRIMARY KEY (k);
        CREATE INDEX joined_at ON joined (at);
        ALTER TABLE parted.event ATTACH PARTITION joined FOR VALUES IN (3);
        INSERT INTO joined VALUES ('c', 3);
        CREATE TABLE deep PARTITION OF cronlike.part FOR VALUES IN (1) PARTITION BY LIST (k);
        CREATE TABLE deeper PARTITION OF deep DEFAULT;
        INSERT INTO cronlike.part VALUES (1);
    ";
    let name = source("children", statements).await;
    assert_eq!(copied(&name, &[]).await, [""; 0]);
    let tree = "SELECT string_agg(inhrelid::regclass || ' of ' || inhparent::regclass, ', ' ORDER BY inhrelid::regclass::text COLLATE \"C\")
                  FROM pg_inherits";
    let wanted = value(&route().source.url(&name), tree).await;
    assert!(wanted.contains("public.kid of geo.parent"), "{wanted}");
    assert!(
        wanted.contains("public.joined_key of parted.event_pkey"),
        "{wanted}"
    );
    assert_eq!(on_target(&name, tree).await, wanted);
    let rows = "SELECT count(*)::text FROM parted.event";
    assert_eq!(on_target(&name, rows).await, "3");
    let indexes = "SELECT string_agg(indexrelid::regclass::text, ', ' ORDER BY indexrelid::regclass::text COLLATE \"C\")
                     FROM pg_index WHERE indrelid IN ('public.one'::regclass, 'public.joined'::regclass)";
    let wanted = value(&route().source.url(&name), indexes).await;
    assert_eq!(on_target(&name, indexes).await, wanted);
}

#[tokio::test]
async fn what_a_script_creates_without_owning_it_is_kept() {
    let statements = "
        CREATE EXTENSION watcher;
        INSERT INTO watcher.team VALUES ('a');
        INSERT INTO watcher.note VALUES (1, 'b');
        CREATE FUNCTION watcher.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
        ALTER EVENT TRIGGER watcher_protect DISABLE;
        COMMENT ON FUNCTION watcher.protect() IS 'ours';
    ";
    let name = source("watcher", statements).await;
    let done = route().init(&name, &[]).run().expect(0);
    for object in [
        "function watcher.protect()",
        "event trigger watcher_protect",
        "table watcher.note",
    ] {
        let line = format!("{object}: kept as the script of an extension creates it on the target");
        assert!(done.stdout.contains(&line), "{line}\n{}", done.stdout);
    }
    let (from, to) = (route().source.url(&name), route().target.url(&name));
    let differing = tokio::task::spawn_blocking(move || oracle::data_diff(&from, &to)).await;
    assert_eq!(differing.unwrap(), [""; 0]);
    let state = "SELECT evtenabled::text || obj_description('watcher.protect'::regproc) || watcher.mine() FROM pg_event_trigger";
    assert_eq!(on_target(&name, state).await, "Dours1");
}

#[tokio::test]
async fn one_refused_extension_does_not_hide_the_other_refusals() {
    let statements = "
        CREATE EXTENSION broken;
        CREATE EXTENSION watcher;
        CREATE TABLE bad (w word);
        CREATE VIEW worse AS SELECT w FROM bad;
        CREATE TABLE good (a int);
        CREATE VIEW old AS SELECT pg_start_backup('a') FROM good;
    ";
    let name = source("refused_extension", statements).await;
    let failed = route().init(&name, &[]).run().expect(1);
    for line in [
        "the target refused 2 statements, and 2 objects that need them were not attempted",
        "refused: extension broken",
        "refused: view public.old",
    ] {
        assert!(failed.stderr.contains(line), "{line}\n{}", failed.stderr);
    }
}

#[tokio::test]
async fn a_refused_extension_is_skipped_on_request_unless_a_table_needs_it() {
    let unused = "
        CREATE EXTENSION broken;
        CREATE TABLE good (a int);
        INSERT INTO good VALUES (1);
        CREATE FUNCTION spoken(word) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
        COMMENT ON FUNCTION spoken(word) IS 'gone';
    ";
    let name = source("skipped_extension", unused).await;
    let done = route().init(&name, &["--skip-failed-objects"]).run();
    done.expect(7).assert_prints(&[
        "refused: extension broken",
        "function public.spoken(public.word): not attempted, needs extension broken",
    ]);
    assert_eq!(on_target(&name, "SELECT a FROM public.good").await, "1");
    let used = "CREATE EXTENSION broken; CREATE TABLE bad (w word);";
    let name = source("needed_extension", used).await;
    let failed = route().init(&name, &["--skip-failed-objects"]).run();
    failed.expect(1).assert_prints(&[
        "refused: extension broken",
        "table public.bad: not attempted, needs extension broken",
    ]);
}

#[tokio::test]
async fn the_schemas_of_a_managed_service_take_what_names_them_along() {
    let roles = "CREATE ROLE supabase_admin; CREATE ROLE postgres_reader; CREATE ROLE anon";
    // Tests beside this one copy roles, too.
    run(
        &route().target.url("postgres"),
        "CREATE ROLE postgres_reader",
    )
    .await;
    run(&route().source.url("postgres"), roles).await;
    let statements = "
        CREATE SCHEMA storage; CREATE SCHEMA auth; CREATE SCHEMA app;
        CREATE TABLE storage.objects (id int PRIMARY KEY); CREATE TABLE app.t (id int PRIMARY KEY);
        ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA storage GRANT ALL ON TABLES TO anon, postgres_reader;
        ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA auth GRANT SELECT ON SEQUENCES TO postgres_reader;
        ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO postgres_reader;
        GRANT USAGE ON SCHEMA storage, app TO postgres_reader;
        GRANT SELECT ON storage.objects TO postgres_reader;
        COMMENT ON SCHEMA storage IS 'theirs';
        CREATE PUBLICATION p FOR TABLE app.t, storage.objects;
        CREATE VIEW app.v AS SELECT * FROM storage.objects;
    ";
    let name = source("managed", statements).await;
    run(
        &route().source.url(&name),
        &format!("ALTER DATABASE {name} SET search_path = storage, app"),
    )
    .await;
    route().init(&name, &[]).run().expect(0);
    let defaults = "SELECT string_agg(defaclnamespace::regnamespace || defaclacl::text, ', ') FROM pg_default_acl";
    assert_eq!(
        on_target(&name, defaults).await,
        "app{postgres_reader=r/postgres}"
    );
}

#[tokio::test]
async fn an_extension_and_its_schema_that_exist_are_used() {
    let statements = "
        CREATE SCHEMA ext; CREATE EXTENSION looped SCHEMA ext;
        CREATE TABLE t (a int PRIMARY KEY REFERENCES ext.node); INSERT INTO t VALUES (2);
    ";
    let name = source("existing", statements).await;
    let admin = route().target.url("postgres");
    run(
        &admin,
        &format!("CREATE DATABASE {name} TEMPLATE template0"),
    )
    .await;
    let target = route().target.url(&name);
    run(&target, "CREATE EXTENSION looped SCHEMA public").await;
    let elsewhere = route().command("validate", &[&name], &[]).run().expect(1);
    for line in [
        "extension looped exists in schema public, on the source it is in ext",
        r#"ALTER EXTENSION "looped" SET SCHEMA "ext";"#,
    ] {
        assert!(
            elsewhere.all().contains(line),
            "{line}\n{}",
            elsewhere.all()
        );
    }
    let moved =
        "CREATE SCHEMA ext; ALTER EXTENSION looped SET SCHEMA ext; INSERT INTO ext.node VALUES (9)";
    run(&target, moved).await;
    let ready = route().command("validate", &[&name], &[]).run().expect(0);
    let told =
        "extension looped exists: rows of its configuration tables are replaced by the source's";
    assert!(ready.all().contains(told), "{}", ready.all());
    assert_eq!(copied(&name, &[]).await, [""; 0]);
}

/// A command that fills a database as another role of the target, which connects to that database alone.
fn filling_as(role: &str, name: &str, command: &[&str]) -> Program {
    let to = url_as(role, &route().target.url(name));
    let from = route().source.url(name);
    let ends = ["--source", &from, "--target", &to];
    let options = ["--include-databases", name, "--no-owner"];
    program(&[command, &ends[..], &options[..]].concat())
}

#[tokio::test]
async fn a_role_that_may_connect_to_one_database_only_fills_it() {
    let name = source(
        "closed",
        "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)",
    )
    .await;
    let admin = route().target.url("postgres");
    run(&admin, "CREATE ROLE tenant LOGIN CREATEROLE").await;
    run(
        &admin,
        &format!("CREATE DATABASE {name} OWNER tenant TEMPLATE template0"),
    )
    .await;
    let close = "DO $$DECLARE d name; BEGIN FOR d IN SELECT datname FROM pg_database WHERE datname IN ('postgres', 'template1')
                 LOOP EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', d); END LOOP; END$$";
    run(&admin, close).await;
    filling_as("tenant", &name, &["validate"]).run().expect(0);
    let init = ["init", "--no-sync", "--yes"];
    filling_as("tenant", &name, &init).run().expect(0);
    assert_eq!(on_target(&name, "SELECT a::text FROM public.t").await, "1");
}

#[tokio::test]
async fn configuration_rows_arrive_in_the_order_of_their_keys_without_the_right_to_silence_triggers()
 {
    let statements = "
        CREATE EXTENSION seeded;
        DELETE FROM status_text WHERE code = 3;
        INSERT INTO status_text VALUES (4, 'UNKNOWN');
        INSERT INTO child VALUES (1, 4), (2, 1);
        INSERT INTO aaa_child (child) VALUES (2), (1);
        INSERT INTO permission VALUES ('write', 'team', false);
    ";
    let name = source("keys_only", statements).await;
    let admin = route().target.url("postgres");
    run(&admin, "CREATE ROLE filler LOGIN CREATEROLE").await;
    let create = format!("CREATE DATABASE {name} OWNER filler TEMPLATE template0");
    run(&admin, &create).await;
    let prepared = "
        CREATE EXTENSION seeded SCHEMA public;
        CREATE TABLE public.seen (code int);
        ALTER TABLE public.seen OWNER TO filler;
        CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql
          AS $$ BEGIN INSERT INTO public.seen VALUES (NEW.code); RETURN NEW; END $$;
        ALTER FUNCTION public.see() OWNER TO filler;
        CREATE TRIGGER sees BEFORE INSERT ON public.status_text FOR EACH ROW EXECUTE FUNCTION public.see();
        ALTER EXTENSION seeded ADD TABLE public.seen; ALTER EXTENSION seeded ADD FUNCTION public.see();
        ALTER TABLE public.status_text OWNER TO filler; ALTER TABLE public.permission OWNER TO filler;
        ALTER TABLE public.child OWNER TO filler; ALTER TABLE public.aaa_child OWNER TO filler;";
    run(&route().target.url(&name), prepared).await;
    let init = ["init", "--no-sync", "--yes"];
    let done = filling_as("filler", &name, &init).run().expect(0);
    let told = "configuration table public.status_text: triggers of its extension fire";
    assert!(done.all().contains(told), "{}", done.all());
    let (from, to) = (route().source.url(&name), route().target.url(&name));
    let differing = tokio::task::spawn_blocking(move || oracle::data_diff(&from, &to)).await;
    let differing: Vec<String> = differing.unwrap();
    assert!(
        differing.iter().all(|one| one.contains("seen")),
        "{differing:?}"
    );
    let seen = "SELECT string_agg(code::text, ' ' ORDER BY code) FROM public.seen";
    assert_eq!(on_target(&name, seen).await, "1 2 4");
    let session = database(&route().target.url(&name)).await;
    let refused = session
        .batch(&text("UPDATE public.child SET code = 9"))
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.sqlstate().unwrap().class(), "23");
}

#[tokio::test]
async fn objects_beside_an_extension_of_a_used_target_are_named_with_the_way_out() {
    let name = source(
        "beside",
        "CREATE EXTENSION watcher; INSERT INTO watcher.note VALUES (1, 'b')",
    )
    .await;
    let admin = route().target.url("postgres");
    run(
        &admin,
        &format!("CREATE DATABASE {name} TEMPLATE template0"),
    )
    .await;
    let target = route().target.url(&name);
    run(&target, "CREATE EXTENSION watcher SCHEMA public").await;
    let refused = route().command("validate", &[&name], &[]).run().expect(1);
    let said = refused.all();
    for part in [
        "is not empty",
        "the transaction of a CREATE EXTENSION has created event trigger watcher_protect, function watcher.protect(), \
         table watcher.note:",
        "DROP EXTENSION … CASCADE",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // What else a user creates is none of these.
    run(&target, "CREATE TABLE watcher.own (a int)").await;
    let refused = route().command("validate", &[&name], &[]).run().expect(1);
    assert!(!refused.all().contains("watcher.own"), "{}", refused.all());
    run(&target, "DROP EXTENSION watcher CASCADE").await;
    assert_eq!(copied(&name, &[]).await, [""; 0]);
}
