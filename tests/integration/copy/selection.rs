//! The selection of databases and tables, and the objects that are copied with them.

use seren_replicator::pg::{QualifiedName, SqlState};
use seren_replicator::snapshot::{CheckedDatabase, SnapshotSource, establish};
use seren_replicator::task::Scope;

use crate::support::command::program;
use crate::support::route::{Route, common};
use crate::support::{database, endpoint, run, text, url_as, value};

const APP: &str = "
    CREATE EXTENSION citext SCHEMA public;
    CREATE SCHEMA other;
    CREATE SCHEMA crm;
    CREATE TYPE crm.mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN other.code AS text CHECK (VALUE <> '');
    CREATE FUNCTION other.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION other.next() RETURNS int LANGUAGE sql AS 'SELECT 7';
    CREATE SEQUENCE other.alone START 40;
    CREATE TABLE public.orders (id int PRIMARY KEY, note text);
    CREATE TABLE public.users (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name public.citext NOT NULL,
        mood crm.mood,
        code other.code DEFAULT 'x',
        next int DEFAULT other.next(),
        favourite int CONSTRAINT favours REFERENCES public.orders);
    CREATE TRIGGER stamp BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION other.stamp();
    CREATE INDEX ON public.users (name);
    CREATE TABLE public.lines (
        id serial, item int REFERENCES public.orders, by bigint REFERENCES public.users);
    CREATE VIEW crm.names AS SELECT name FROM public.users;
    CREATE VIEW crm.totals AS SELECT u.name, o.note
        FROM public.users u JOIN public.orders o ON o.id = u.favourite;
    CREATE VIEW crm.more AS SELECT * FROM crm.totals;
    CREATE FUNCTION crm.first_order() RETURNS public.orders LANGUAGE sql
        AS 'SELECT * FROM public.orders LIMIT 1';
    CREATE PUBLICATION pub FOR TABLE public.users, public.orders;
    COMMENT ON TABLE public.orders IS 'gone';
    INSERT INTO public.orders VALUES (1, 'one'), (2, 'two');
    INSERT INTO public.users (name, mood, favourite) VALUES ('Ann', 'happy', 1), ('Bob', 'sad', 2);
    INSERT INTO public.lines (item, by) VALUES (1, 1);
";

/// Relations, views and functions that users made, in the order of their names.
const OBJECTS: &str = "SELECT string_agg(name, ' ' ORDER BY name) FROM (
    SELECT n.nspname || '.' || c.relname AS name FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('public', 'crm', 'other') AND c.relkind IN ('r', 'p', 'v', 'S')
    UNION ALL
    SELECT n.nspname || '.' || p.proname || '()' FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('crm', 'other')) objects";

#[tokio::test]
async fn acceptance_17_an_included_table_comes_with_what_it_needs_and_nothing_else() {
    let route = Route::of_majors([15, 15]);
    for name in ["app", "beside"] {
        route.create(name).await;
    }
    let source = route.source.url("app");
    run(&source, APP).await;
    run(&route.source.url("beside"), "CREATE TABLE public.t (a int)").await;

    let flags = ["--yes", "--include-tables", "app.users"];
    let machine = tempfile::tempdir().unwrap();
    let done = route.command("init", &[], &flags).state(&machine);
    let done = done.run().expect(0);
    let target = route.target.url("app");
    assert_eq!(
        value(&target, OBJECTS).await,
        "crm.names other.alone other.next() other.stamp() public.users public.users_id_seq"
    );
    assert_eq!(
        value(
            &target,
            "SELECT string_agg(name || mood || code || next, ' ') FROM public.users"
        )
        .await,
        "Annhappyx7 Bobsadx7"
    );
    let published = "SELECT string_agg(tablename, ' ') FROM pg_publication_tables";
    assert_eq!(value(&target, published).await, "users");
    let keys = "SELECT string_agg(contype::text, ' ' ORDER BY contype) FROM pg_constraint \
                WHERE conrelid = 'public.users'::regclass";
    assert_eq!(value(&target, keys).await, "p");
    let beside = "SELECT count(*) FROM pg_database WHERE datname = 'beside'";
    assert_eq!(value(&route.target.url("postgres"), beside).await, "0");

    let said = done.all();
    for line in [
        "foreign key favours on public.users: skipped, it depends on table public.orders, which is not \
         selected; it is defined by ALTER TABLE",
        "view crm.totals: skipped, it depends on table public.orders, which is not selected; it is defined by \
         CREATE VIEW",
        "VALIDATE CONSTRAINT \"favours\"",
        "view crm.more: skipped, it depends on table public.orders",
        "function crm.first_order()",
        "publication pub of public.orders: skipped",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    // That they are not there was asked for.
    for silent in ["table public.orders:", "lines", "orders_pkey"] {
        assert!(!said.contains(silent), "{silent}\n{said}");
    }

    let flags = ["--include-tables", "app.users"];
    let verified = route.command("verify", &[], &flags).run().expect(0);
    assert!(!verified.all().contains("orders"), "{}", verified.all());
    assert!(!verified.all().contains("beside"), "{}", verified.all());
    let flags = ["--include-tables", "app.users,app.lines"];
    route.command("verify", &[], &flags).run().expect(1);

    // The same plan without a run, and a dry run's script has no other table.
    let flags = [
        "--dry-run",
        "--drop-existing",
        "--include-tables",
        "app.users",
    ];
    let script = route.command("init", &[], &flags).state(&machine);
    let script = script.run().expect(0).stdout;
    assert!(
        script.contains("CREATE TABLE \"public\".\"users\""),
        "{script}"
    );
    assert!(
        !script.contains("CREATE TABLE \"public\".\"orders\""),
        "{script}"
    );
}

#[tokio::test]
async fn excluded_tables_and_partitions_need_no_privilege_and_are_not_copied() {
    let route = Route::of_majors([14, 14]);
    route.create("app").await;
    let source = route.source.url("app");
    run(
        &source,
        "CREATE ROLE reader LOGIN;
         CREATE TABLE public.kept (a int); INSERT INTO public.kept VALUES (1);
         CREATE SCHEMA hidden;
         CREATE TABLE hidden.cache (id serial PRIMARY KEY, a int);
         CREATE TABLE public.locked (a int);
         ALTER TABLE public.locked ENABLE ROW LEVEL SECURITY;
         CREATE TABLE public.parts (at int, x int) PARTITION BY RANGE (at);
         CREATE TABLE public.old PARTITION OF public.parts FOR VALUES FROM (0) TO (10);
         CREATE TABLE public.new PARTITION OF public.parts FOR VALUES FROM (10) TO (20);
         CREATE INDEX ON public.parts (x);
         INSERT INTO public.parts VALUES (1, 1), (11, 2);
         GRANT SELECT ON public.kept, public.parts, public.new, public.locked TO reader",
    )
    .await;
    let [from, to] = [&route.source, &route.target].map(|cluster| cluster.url("postgres"));
    let from = url_as("reader", &from);
    let tables = "hidden.cache,locked,public.old";
    let ends = [
        "--source",
        &from,
        "--target",
        &to,
        "--exclude-tables",
        tables,
    ];
    let init = |more: &[&str]| {
        let flags = ["--yes", "--no-sync", "--no-role-passwords"];
        program(&[&["init"], &ends[..4], &flags, more].concat()).run()
    };
    let refused = init(&[]).expect(1).stderr;
    for named in [
        "hidden.cache",
        "row security hides rows of public.locked",
        "public.old",
    ] {
        assert!(refused.contains(named), "{named}\n{refused}");
    }
    let done = init(&ends[4..]).expect(0);
    let target = route.target.url("app");
    let names = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
                 WHERE relkind IN ('r', 'p', 'S') \
                 AND relnamespace::regnamespace::text IN ('public', 'hidden')";
    assert_eq!(
        value(&target, names).await,
        "kept new parts",
        "{}",
        done.all()
    );
    assert_eq!(value(&target, "SELECT at FROM public.parts").await, "11");
    program(&[&["verify", "--strict"], &ends[..]].concat())
        .run()
        .expect(0);
    program(&[&["verify"], &ends[..4]].concat()).run().expect(1);
}

#[tokio::test]
async fn a_table_that_is_left_out_is_not_locked() {
    let route = common();
    let name = route.fresh("unlocked").await;
    let url = route.source.url(&name);
    run(
        &url,
        "CREATE TABLE public.kept (); CREATE TABLE public.cache ()",
    )
    .await;
    let before = CheckedDatabase {
        excluded: [QualifiedName::from_catalog("public", "cache")].into(),
        ..CheckedDatabase::default()
    };
    let (source, scope) = (endpoint(&url), Scope::detached());
    let basis = establish(&source, &SnapshotSource::SnapshotOnly, before, &scope);
    let basis = basis.await.unwrap();
    let session = database(&url).await;
    let wants = |table: &str| {
        text(&format!(
            "SET lock_timeout = '100ms'; DROP TABLE public.{table}"
        ))
    };
    let refused = session.batch(&wants("kept")).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE));
    session.batch(&wants("cache")).await.unwrap();
    basis.hold.release().await;
    session.batch(&wants("kept")).await.unwrap();
}

#[tokio::test]
async fn entries_that_cannot_be_meant_are_errors_before_anything_is_written() {
    let route = common();
    let name = route.fresh("entries").await;
    let source = route.source.url(&name);
    run(
        &source,
        "CREATE EXTENSION hstore SCHEMA public;
         CREATE TABLE public.mother (a int);
         CREATE TABLE public.child (b int) INHERITS (public.mother);
         CREATE TABLE public.rows_of (m public.mother);
         CREATE VIEW public.view AS SELECT 1 AS a;
         CREATE TABLE public.parts (at int) PARTITION BY LIST (at);
         CREATE TABLE public.part PARTITION OF public.parts FOR VALUES IN (1)",
    )
    .await;
    let entry = |table: &str| format!("{name}.{table}");
    for (flag, table, code, message) in [
        ("--include-tables", "moher", 1, "the nearest: "),
        (
            "--include-tables",
            "view",
            1,
            "is a view, and only tables are selected",
        ),
        ("--include-tables", "part", 1, "include public.parts"),
        (
            "--include-tables",
            "a.b.c",
            2,
            "is not table, database.table",
        ),
        (
            "--include-tables",
            "child",
            1,
            "table public.child: selected, but it depends on table public.mother, which is not selected",
        ),
        (
            "--exclude-tables",
            "mother",
            1,
            "table public.rows_of: selected, but it depends on",
        ),
    ] {
        let table = entry(table);
        let refused = route.init(&name, &[flag, &table]).run().expect(code);
        assert!(refused.stderr.contains(message), "{}", refused.stderr);
    }
    let flags = ["--include-tables", "a", "--exclude-tables", "b"];
    route.init(&name, &flags).run().expect(2);
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

#[tokio::test]
async fn postgres_is_copied_when_asked_for_and_closed_databases_never() {
    let route = Route::of_majors([16, 16]);
    for name in ["app", "closed"] {
        route.create(name).await;
    }
    run(
        &route.source.url("postgres"),
        "CREATE TABLE public.here (a int); INSERT INTO public.here VALUES (5);
         COMMENT ON DATABASE postgres IS 'ours';
         ALTER DATABASE closed WITH ALLOW_CONNECTIONS false",
    )
    .await;
    let rows = "SELECT count(*) FROM pg_class WHERE relname = 'here'";
    let target = route.target.url("postgres");

    let plain = route
        .command("init", &[], &["--yes", "--no-sync"])
        .run()
        .expect(0);
    assert_eq!(value(&target, rows).await, "0");
    let said = "database postgres contains 1 table and is not selected";
    assert!(plain.all().contains(said), "{}", plain.all());
    let names =
        "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";
    assert_eq!(value(&target, names).await, "app postgres");

    let refused = route
        .command("init", &["closed"], &["--yes", "--no-sync"])
        .run()
        .expect(1);
    let said = "no database \"closed\" on the source that could be copied";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);

    route
        .command("init", &["postgres"], &["--yes", "--no-sync"])
        .run()
        .expect(0);
    assert_eq!(value(&target, "SELECT a FROM public.here").await, "5");
    let comment =
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'postgres'";
    assert_eq!(value(&target, comment).await, "ours");

    // A table's name names its database, too.
    let flags = [
        "--yes",
        "--drop-existing",
        "--include-tables",
        "postgres.here",
    ];
    let again = route.command("init", &[], &flags).run();
    assert!(!again.all().contains("database app"), "{}", again.all());
}

/// Templates of users are copied as templates; what refuses connections is named with the reason.
async fn templates(majors: [u32; 2]) {
    let route = Route::of_majors(majors);
    for name in ["app", "model", "template_of_mine", "closed", "empty_model"] {
        route.create(name).await;
    }
    let table = "CREATE TABLE public.t (n int PRIMARY KEY); INSERT INTO public.t VALUES (7)";
    for name in ["app", "model", "template_of_mine"] {
        run(&route.source.url(name), table).await;
    }
    run(
        &route.source.url("postgres"),
        "ALTER DATABASE model WITH IS_TEMPLATE true;
         ALTER DATABASE empty_model WITH IS_TEMPLATE true;
         ALTER DATABASE closed WITH ALLOW_CONNECTIONS false",
    )
    .await;
    let target = route.target.url("postgres");
    // The flag of a database that is used comes from the source, too.
    run(&target, "CREATE DATABASE app TEMPLATE template0").await;
    run(&target, "ALTER DATABASE app WITH IS_TEMPLATE true").await;
    let done = route.command("init", &[], &["--yes", "--no-sync"]).run();
    let done = done.expect(0);
    for said in [
        "database closed is skipped: it refuses connections (datallowconn = false)",
        "ALTER DATABASE \"closed\" WITH ALLOW_CONNECTIONS true",
        "database empty_model is skipped: it is a template without objects of users",
    ] {
        assert!(done.all().contains(said), "{said}: {}", done.all());
    }
    let flags = "SELECT string_agg(datname || ':' || datistemplate, ' ' ORDER BY datname)
                   FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')";
    assert_eq!(
        value(&target, flags).await,
        "app:false model:true template_of_mine:false"
    );
    let rows = "SELECT n FROM public.t";
    assert_eq!(value(&route.target.url("model"), rows).await, "7");
    for (name, why) in [
        ("closed", "it refuses connections"),
        ("template1", "it is one of the server's own templates"),
    ] {
        let refused = route
            .command("init", &[name], &["--yes", "--no-sync"])
            .run();
        let refused = refused.expect(1);
        let said = format!("no database \"{name}\" on the source that could be copied: {why}");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    }
    // A template is dropped only after it is none any more; a named one needs no objects.
    let again = ["--yes", "--no-sync", "--drop-existing"];
    let names = ["empty_model", "model"];
    route.command("init", &names, &again).run().expect(0);
    let flags = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database
                  WHERE datistemplate AND datname !~ '^template'";
    assert_eq!(value(&target, flags).await, "empty_model model");
    route.command("verify", &["model"], &[]).run().expect(0);
}

#[tokio::test]
async fn templates_are_copied_from_12_to_17() {
    templates([12, 17]).await;
}

#[tokio::test]
async fn templates_are_copied_within_12() {
    templates([12, 12]).await;
}
