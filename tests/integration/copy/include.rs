//! Options that select what is copied, and objects that exist on the target already.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use seren_replicator::sandbox::Cluster;

use crate::support::command::program;
use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::{run, value};

/// Makes a tablespace in a folder that the server makes, since that must be its own.
async fn tablespace(cluster: &Cluster, name: &str, folder: &Path) {
    let path = folder.join(format!("{name}-{}", cluster.port()));
    let path = path.display();
    let url = cluster.url("postgres");
    let folder = format!("COPY (SELECT) TO PROGRAM 'mkdir {path} && cat > /dev/null'");
    run(&url, &folder).await;
    run(&url, &format!("CREATE TABLESPACE {name} LOCATION '{path}'")).await;
}

#[tokio::test]
async fn wrong_flags_are_usage_errors() {
    let route = common();
    for (flags, message) in [
        (&["--role-map", "a"][..], "is not OLD=NEW"),
        (
            &["--role-map", "a=b", "--role-map", "a=c"],
            "two roles are to replace a",
        ),
        (&["--skip-extensions", "a,,b"], "is empty"),
        (&["--locale", ""], "--locale"),
        (&["--provider", "aws"], "--provider"),
        (
            &["--no-roles", "--no-role-passwords"],
            "cannot be used with",
        ),
    ] {
        let refused = route.init("postgres", flags).run().expect(2);
        assert!(refused.stderr.contains(message), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn names_that_mean_nothing_are_errors_before_anything_is_written() {
    let route = common();
    let name = route.fresh("flags").await;
    let flags = ["--role-map", "nobody=me", "--skip-extensions", "no_such"];
    let refused = route.init(&name, &flags).run().expect(1);
    for line in [
        "role nobody, which is to get another name, does not exist",
        "extension no_such, which is to be skipped, is in none of the databases",
    ] {
        assert!(refused.stderr.contains(line), "{}", refused.stderr);
    }
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

const OWNED: &str = r#"
    CREATE ROLE old; CREATE ROLE other; CREATE ROLE member;
    GRANT old TO member;
    CREATE SCHEMA s AUTHORIZATION old;
    CREATE TABLE s.t (a int);
    ALTER TABLE s.t OWNER TO old, ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON s.t TO old USING (true);
    GRANT USAGE ON SCHEMA s TO other;
    GRANT SELECT ON s.t TO other WITH GRANT OPTION;
    SET ROLE other; GRANT SELECT ON s.t TO old, member; RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE old IN SCHEMA s GRANT SELECT ON TABLES TO other;
    COMMENT ON TABLE s.t IS 'gone';
    ALTER ROLE old SET work_mem = '5MB';
"#;

#[tokio::test]
async fn a_mapped_role_has_its_new_name_everywhere() {
    let route = Route::of_majors([16, 16]);
    route.create("app").await;
    let source = route.source.url("app");
    run(&source, OWNED).await;
    run(
        &source,
        "ALTER DATABASE app OWNER TO old; ALTER ROLE old IN DATABASE app SET jit = off",
    )
    .await;
    route
        .init("app", &["--role-map", "old=new one", "--no-comments"])
        .run()
        .expect(0);
    let target = route.target.url("app");
    let exists = "SELECT count(*) FROM pg_roles WHERE rolname = 'old'";
    assert_eq!(value(&target, exists).await, "0");
    let dump = |url: &str| oracle::schema(url, &["--create", "--no-comments"]).join("\n");
    let renamed = dump(&source)
        .replace("Owner: old", "Owner: new one")
        .replace("TO old", "TO \"new one\"")
        .replace("ROLE old", "ROLE \"new one\"");
    assert_eq!(dump(&target), renamed);
    let members = "SELECT string_agg(member::regrole::text, ',') FROM pg_auth_members \
                   WHERE roleid = '\"new one\"'::regrole";
    assert_eq!(value(&target, members).await, "member");
    let settings = "SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = 0";
    assert_eq!(value(&target, settings).await, "{work_mem=5MB}");
}

#[tokio::test]
async fn without_roles_every_one_must_exist_and_without_owners_all_is_ours() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    run(&route.source.url("app"), OWNED).await;
    let flags = ["--no-roles", "--verbose"];
    let refused = route.init("app", &flags).run().expect(1);
    for line in [
        "role old, which owns 2 objects, does not exist",
        "role other does not exist on the target; create the role",
        "role old, to which a policy applies, does not exist",
    ] {
        assert!(refused.stderr.contains(line), "{line}: {}", refused.stderr);
    }
    let flags = [
        "--no-roles",
        "--no-owner",
        "--no-privileges",
        "--role-map",
        "old=postgres",
    ];
    route.init("app", &flags).run().expect(0);
    let target = route.target.url("app");
    let facts = "SELECT relowner::regrole::text || coalesce(relacl::text, '') FROM pg_class WHERE relname = 't'";
    assert_eq!(value(&target, facts).await, "postgres");
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname IN ('old', 'other', 'member')";
    assert_eq!(value(&target, roles).await, "0");
}

#[tokio::test]
async fn a_skipped_extension_takes_along_what_depends_on_it() {
    let route = common();
    let name = route.fresh("skip").await;
    let fill = "CREATE EXTENSION hstore SCHEMA public; CREATE EXTENSION pg_trgm SCHEMA public;
                CREATE TABLE public.with_it (id serial, h public.hstore);
                INSERT INTO public.with_it (h) VALUES ('a=>1');
                CREATE VIEW public.of_it AS SELECT id FROM public.with_it;
                CREATE TABLE public.beside (a text, b text DEFAULT ('a=>1'::public.hstore)::text);
                CREATE INDEX by_a ON public.beside USING gin (a public.gin_trgm_ops);
                INSERT INTO public.beside VALUES ('x')";
    run(&route.source.url(&name), fill).await;
    let flags = ["--skip-extensions", "hstore, pg_trgm"];
    let done = route.init(&name, &flags).run().expect(0);
    for line in [
        "extension hstore: extension hstore is skipped",
        "table public.with_it: it depends on extension hstore",
        "sequence public.with_it_id_seq: it depends on table public.with_it",
        "view public.of_it: it depends on table public.with_it",
        "default of b on public.beside: it depends on extension hstore",
        "index public.by_a on public.beside: it depends on extension pg_trgm",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let held = "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class \
                WHERE relnamespace = 'public'::regnamespace";
    let target = route.target.url(&name);
    assert_eq!(value(&target, held).await, "beside");
    assert_eq!(value(&target, "SELECT a FROM public.beside").await, "x");
}

#[tokio::test]
async fn tablespaces_of_the_same_name_are_used_and_others_told() {
    let route = Route::of_majors([15, 15]);
    let place = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(place.path(), open).unwrap();
    let (source, target) = (&route.source, &route.target);
    tablespace(source, "shared", place.path()).await;
    tablespace(source, "lonely", place.path()).await;
    tablespace(target, "shared", place.path()).await;
    run(
        &source.url("postgres"),
        "CREATE DATABASE app TABLESPACE shared",
    )
    .await;
    let fill = "CREATE TABLE public.t (a int PRIMARY KEY USING INDEX TABLESPACE lonely) TABLESPACE pg_default;
                CREATE TABLE public.u (a int) TABLESPACE lonely;
                CREATE INDEX u_a ON public.u (a)";
    run(&source.url("app"), fill).await;
    run(&source.url("postgres"), "CREATE DATABASE other").await;
    let fill =
        "CREATE TABLE public.t (a int, UNIQUE (a) USING INDEX TABLESPACE shared) TABLESPACE shared;
                CREATE INDEX t_b ON public.t ((a + 1)) TABLESPACE shared WHERE a > 0;
                CREATE MATERIALIZED VIEW public.m TABLESPACE shared AS SELECT a FROM public.t";
    run(&source.url("other"), fill).await;
    let done = route
        .command("init", &["app", "other"], &["--yes", "--no-sync"])
        .run();
    let done = done.expect(0);
    for line in [
        "table public.u: its tablespace lonely",
        "index public.t_pkey on public.t: its",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let of_database = "SELECT spcname FROM pg_database d JOIN pg_tablespace s ON s.oid = dattablespace \
                       WHERE datname = 'app'";
    assert_eq!(value(&target.url("app"), of_database).await, "shared");
    let (one, two) = (source.url("other"), target.url("other"));
    assert_eq!(oracle::schema_diff(&one, &two), Vec::<String>::new());
    let flags = ["--no-sync", "--yes", "--drop-existing", "--no-tablespaces"];
    route
        .command("init", &["app", "other"], &flags)
        .run()
        .expect(0);
    let used = "SELECT count(*) FROM pg_class WHERE reltablespace > 10000";
    assert_eq!(value(&target.url("other"), used).await, "0");
}

#[tokio::test]
async fn default_privileges_of_a_used_database_stay_and_do_not_leak() {
    let route = Route::of_majors([16, 16]);
    route.create("app").await;
    let (source, target) = (route.source.url("app"), route.target.url("app"));
    run(&source, "CREATE SCHEMA s CREATE TABLE t (a int)").await;
    run(&route.target.url("postgres"), "CREATE ROLE nosy").await;
    run(&route.target.url("postgres"), "CREATE DATABASE app").await;
    let leak = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO nosy;
                ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO nosy";
    run(&target, leak).await;
    route.init("app", &[]).run().expect(0);
    let question = "SELECT count(*) FROM pg_class WHERE relname = 't' AND relacl IS NULL";
    assert_eq!(value(&target, question).await, "1");
    let question = "SELECT has_schema_privilege('nosy', 's', 'USAGE')";
    assert_eq!(value(&target, question).await, "f");
    assert_eq!(
        value(&target, "SELECT count(*) FROM pg_default_acl").await,
        "2"
    );
}

#[tokio::test]
async fn the_maintenance_database_is_copied_when_named_with_all_its_properties() {
    let route = Route::of_majors([17, 17]);
    let url = route.source.url("postgres");
    let fill = "CREATE ROLE keeper; CREATE ROLE guest;
                CREATE TABLE public.notes (n int); INSERT INTO public.notes VALUES (1);
                ALTER DATABASE postgres OWNER TO keeper;
                COMMENT ON DATABASE postgres IS 'ours';
                ALTER DATABASE postgres SET work_mem = '9MB';
                ALTER ROLE guest IN DATABASE postgres SET jit = off;
                REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC;
                GRANT CREATE ON DATABASE postgres TO guest";
    run(&url, fill).await;
    route.init("postgres", &[]).run().expect(0);
    let dump = |url: &str| oracle::schema(url, &["--create"]);
    assert_eq!(dump(&route.target.url("postgres")), dump(&url));
    // Again, over what holds objects, which is also the entry database.
    let again = route.init("postgres", &["--drop-existing"]).run().expect(0);
    assert!(
        again.stderr.contains("drop and recreate"),
        "{}",
        again.stderr
    );
    assert_eq!(dump(&route.target.url("postgres")), dump(&url));
}

#[tokio::test]
async fn grants_on_what_the_target_lacks_and_bad_settings_are_told() {
    let route = Route::of_majors([12, 18]);
    route.create("app").await;
    // A parameter and a function that went away.
    let fill = "CREATE ROLE guest;
                ALTER ROLE guest SET vacuum_cleanup_index_scale_factor = 0.5;
                ALTER ROLE guest SET password_encryption = 'on';
                GRANT EXECUTE ON FUNCTION pg_catalog.pg_start_backup(text, bool, bool) TO guest;
                REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC";
    run(&route.source.url("app"), fill).await;
    let done = route.init("app", &[]).run().expect(0);
    for line in [
        "role guest is created without its setting of vacuum_cleanup_index_scale_factor",
        "role guest is created without its setting of password_encryption",
        "privileges on pg_catalog.pg_start_backup(text, boolean, boolean)",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let closed = "SELECT has_function_privilege('guest', 'pg_sleep(float8)', 'EXECUTE')";
    assert_eq!(value(&route.target.url("app"), closed).await, "f");
}

#[tokio::test]
async fn validate_judges_with_the_same_flags() {
    let route = common();
    let name = route.fresh("judged").await;
    let (source, target) = (route.source.url("postgres"), route.target.url("postgres"));
    let judged = program(&[
        "validate",
        "--source",
        &source,
        "--target",
        &target,
        "--include-databases",
        &name,
        "--no-owner",
        "--no-privileges",
        "--provider",
        "none",
        "--locale",
        "C",
    ]);
    judged.run().expect(0);
    route.init(&name, &["--locale", "C.UTF-8"]).run().expect(0);
    let locale = format!("SELECT datcollate FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&target, &locale).await, "C.UTF-8");
}

/// As a managed service would leave it: its administrative role, an extension, an event trigger.
const MANAGED: &str = r#"
    CREATE ROLE rds_superuser;
    CREATE ROLE rdsadmin SUPERUSER;
    CREATE SCHEMA x;
    CREATE EXTENSION hstore SCHEMA x;
    UPDATE pg_extension SET extname = 'rds_tools' WHERE extname = 'hstore';
    CREATE FUNCTION x.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER theirs ON ddl_command_end EXECUTE FUNCTION x.watch();
    ALTER EVENT TRIGGER theirs OWNER TO rdsadmin;
    CREATE EVENT TRIGGER ours ON ddl_command_end EXECUTE FUNCTION x.watch();
    CREATE TABLE x.t (a int, b x.hstore);
    CREATE TABLE x.plain (a int);
"#;

#[tokio::test]
async fn what_a_managed_service_keeps_in_a_database_stays_there() {
    let route = Route::of_majors([16, 16]);
    route.create("app").await;
    run(&route.source.url("app"), MANAGED).await;
    let refused = route.init("app", &["--provider", "none"]).run().expect(1);
    assert!(refused.stderr.contains("rds_tools"), "{}", refused.stderr);
    let done = route.init("app", &[]).run().expect(0);
    for line in [
        "extension rds_tools: it belongs to the source's managed service",
        "event trigger theirs: it belongs to the source's managed service",
        "table x.t: it depends on extension rds_tools, which is skipped",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let target = route.target.url("app");
    let names = "SELECT string_agg(evtname, ',') FROM pg_event_trigger";
    assert_eq!(value(&target, names).await, "ours");
    let tables = "SELECT string_agg(relname, ',') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'x'::regnamespace";
    assert_eq!(value(&target, tables).await, "plain");
}

#[tokio::test]
async fn settings_that_name_a_role_have_its_new_name() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let make = "CREATE ROLE old; CREATE ROLE user_of_old IN ROLE old;
                ALTER ROLE user_of_old SET role = 'old';
                ALTER ROLE user_of_old IN DATABASE app SET role = 'old';
                ALTER DATABASE app SET application_name = 'old';
                CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SET role = 'old' AS 'SELECT 1';
                CREATE TABLE public.t (name text);
                CREATE POLICY own ON public.t USING (name = CURRENT_USER);
                CREATE POLICY other ON public.t USING (name = 'x');
                CREATE VIEW public.v AS SELECT name FROM public.t WHERE name = SESSION_USER;
                CREATE FUNCTION public.me() RETURNS text LANGUAGE sql AS 'SELECT current_user::text'";
    run(&route.source.url("app"), make).await;
    let map = ["--role-map", "old=new"];
    let done = route.init("app", &map).run().expect(0);
    let target = route.target.url("app");
    let settings = "SELECT string_agg(setconfig::text, ' ' ORDER BY setdatabase) FROM pg_db_role_setting WHERE setrole <> 0";
    assert_eq!(value(&target, settings).await, "{role=new} {role=new}");
    let function = "SELECT proconfig::text FROM pg_proc WHERE proname = 'f'";
    assert_eq!(value(&target, function).await, "{role=new}");
    let database = "SELECT setconfig::text FROM pg_db_role_setting WHERE setrole = 0";
    assert_eq!(value(&target, database).await, "{application_name=old}");
    let told = "it uses current_user or session_user, and roles are renamed on the target";
    for object in [
        "policy own on public.t",
        "view public.v",
        "function public.me()",
    ] {
        let line = format!("{object}: {told}");
        assert!(done.stdout.contains(&line), "{line}: {}", done.stdout);
    }
    assert_eq!(done.stdout.matches(told).count(), 3, "{}", done.stdout);
}

#[tokio::test]
async fn settings_of_every_role_are_the_clusters() {
    let route = Route::of_majors([17, 17]);
    for name in ["one", "two"] {
        route.create(name).await;
    }
    let source = route.source.url("postgres");
    let set = "ALTER ROLE ALL SET work_mem = '7MB'; ALTER ROLE ALL SET jit = off";
    for statement in set.split("; ") {
        run(&source, statement).await;
    }
    let target = route.target.url("postgres");
    run(&target, "ALTER ROLE ALL SET jit = on").await;
    let settings = "SELECT string_agg(setconfig::text, ' ') FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = 0";
    route.init("one", &["--no-roles"]).run().expect(0);
    assert_eq!(value(&target, settings).await, "{jit=on}");
    let done = route.init("two", &[]).run().expect(0);
    assert_eq!(value(&target, settings).await, "{jit=on,work_mem=7MB}");
    let told = "setting jit of every role: the target keeps its own value";
    assert!(done.all().contains(told), "{}", done.all());
}
