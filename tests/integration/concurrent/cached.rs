//! The copy uses the definitions that the checks have read, unless one has changed meanwhile.

use seren_replicator::catalog;
use seren_replicator::catalog::load::cached::{CachedCatalog, Fingerprint};
use seren_replicator::connect::{Purpose, Session};
use seren_replicator::sandbox::Cluster;
use seren_replicator::snapshot::{CheckedDatabase, SnapshotSource, establish};
use seren_replicator::task::Scope;

use crate::support::route::Route;
use crate::support::{database, endpoint, run, text};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Something of each kind to be changed.
const FILL: &str = r#"
    CREATE ROLE anna; CREATE ROLE bert;
    CREATE TABLE public.t (id serial PRIMARY KEY, n int DEFAULT 1, s text);
    CREATE TABLE public.u (t int REFERENCES public.t, p point);
    INSERT INTO public.t (s) SELECT 'row ' || i FROM generate_series(1, 500) i;
    CREATE INDEX t_n ON public.t (n);
    CREATE VIEW public.v AS SELECT id FROM public.t;
    CREATE MATERIALIZED VIEW public.m AS SELECT count(*) FROM public.t;
    CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();
    CREATE TYPE public.mood AS ENUM ('ok');
    CREATE DOMAIN public.d AS int;
    CREATE RULE r AS ON DELETE TO public.v DO INSTEAD NOTHING;
    CREATE POLICY p ON public.t USING (true);
    CREATE STATISTICS public.st ON id, n FROM public.t;
    CREATE PUBLICATION pub FOR TABLE public.t;
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER sv FOREIGN DATA WRAPPER w;
    CREATE USER MAPPING FOR anna SERVER sv OPTIONS (user 'x');
    CREATE FOREIGN TABLE public.ft (a int) SERVER sv;
    CREATE TEXT SEARCH CONFIGURATION public.ts (COPY = pg_catalog.simple);
    CREATE TABLE public.part (a int) PARTITION BY RANGE (a);
    CREATE TABLE public.part1 PARTITION OF public.part FOR VALUES FROM (1) TO (2);"#;

/// What leaves every definition as it is.
const SAME: &[&str] = &[
    "INSERT INTO public.t (s) SELECT 'more ' || i FROM generate_series(1, 5000) i",
    "UPDATE public.t SET n = 2; DELETE FROM public.t WHERE id % 2 = 0",
    "SELECT nextval('public.t_id_seq'), setval('public.t_id_seq', 90000)",
    "VACUUM public.t",
    "ANALYZE",
    "VACUUM FREEZE",
    "CHECKPOINT",
    "SELECT lo_create(4711)",
];

/// What changes one.
const OTHER: &[&str] = &[
    "CREATE TABLE public.fresh (a int)",
    "DROP TABLE public.fresh",
    "ALTER TABLE public.t ADD COLUMN more int",
    "ALTER TABLE public.t ALTER COLUMN more SET DEFAULT 7",
    "ALTER TABLE public.u ALTER COLUMN t SET NOT NULL",
    "ALTER TABLE public.t ALTER COLUMN s SET STORAGE EXTERNAL",
    "ALTER TABLE public.t ALTER COLUMN s SET STATISTICS 11",
    "ALTER TABLE public.t RENAME COLUMN more TO less",
    "ALTER TABLE public.t DROP COLUMN less",
    "ALTER TABLE public.t ADD CHECK (n > 0)",
    "ALTER TABLE public.t SET (fillfactor = 70)",
    "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE public.t REPLICA IDENTITY FULL",
    "ALTER TABLE public.t CLUSTER ON t_n",
    "ALTER TABLE public.t OWNER TO anna",
    "ALTER TABLE public.t DISABLE TRIGGER g",
    "ALTER TABLE public.part DETACH PARTITION public.part1",
    "ALTER TABLE public.part1 INHERIT public.t_parent",
    "ALTER SEQUENCE public.t_id_seq INCREMENT 2",
    "ALTER SEQUENCE public.t_id_seq OWNED BY NONE",
    "ALTER INDEX public.t_n RENAME TO t_m",
    "CREATE INDEX ON public.t (s)",
    "CREATE OR REPLACE VIEW public.v AS SELECT id, n FROM public.t",
    "ALTER VIEW public.v ALTER COLUMN n SET DEFAULT 3",
    "REFRESH MATERIALIZED VIEW public.m WITH NO DATA",
    "CREATE OR REPLACE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "ALTER FUNCTION public.f() SET work_mem = '1MB'",
    "CREATE AGGREGATE public.agg (int) (SFUNC = int4pl, STYPE = int)",
    "ALTER TYPE public.mood ADD VALUE 'sad'",
    "ALTER DOMAIN public.d SET DEFAULT 1",
    "CREATE TYPE public.span AS RANGE (SUBTYPE = date)",
    "CREATE OR REPLACE RULE r AS ON DELETE TO public.v DO ALSO NOTHING",
    "ALTER POLICY p ON public.t USING (false)",
    "ALTER STATISTICS public.st RENAME TO stats",
    "ALTER PUBLICATION pub SET (publish = 'insert')",
    "ALTER PUBLICATION pub ADD TABLE public.u",
    "ALTER SERVER sv OPTIONS (ADD host 'h')",
    "ALTER USER MAPPING FOR anna SERVER sv OPTIONS (SET user 'y')",
    "ALTER FOREIGN TABLE public.ft OPTIONS (ADD o 'v')",
    "ALTER FOREIGN DATA WRAPPER w OPTIONS (ADD o 'v')",
    "ALTER TEXT SEARCH CONFIGURATION public.ts DROP MAPPING FOR word",
    "CREATE TEXT SEARCH DICTIONARY public.dict (TEMPLATE = simple)",
    "CREATE COLLATION public.c (LOCALE = 'C')",
    "CREATE CONVERSION public.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    "CREATE OPERATOR public.<+> (LEFTARG = point, RIGHTARG = point, FUNCTION = point_add)",
    "CREATE OPERATOR FAMILY public.fam USING btree",
    "CREATE CAST (public.mood AS int) WITH INOUT",
    "CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler",
    "CREATE LANGUAGE lang HANDLER plpgsql_call_handler",
    "CREATE FUNCTION public.e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "CREATE EVENT TRIGGER et ON ddl_command_end WHEN TAG IN ('IMPORT FOREIGN SCHEMA') EXECUTE FUNCTION public.e()",
    "ALTER EVENT TRIGGER et DISABLE",
    "COMMENT ON TABLE public.t IS 'told'",
    "COMMENT ON COLUMN public.t.n IS 'told'",
    "GRANT SELECT ON public.t TO bert",
    "GRANT UPDATE (n) ON public.t TO bert",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bert",
    "CREATE SCHEMA more",
    "ALTER SCHEMA more RENAME TO other",
    "ALTER ROLE bert RENAME TO berta",
    "CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE)",
    "ALTER SUBSCRIPTION sub RENAME TO subs",
];

async fn fingerprint(session: &Session) -> Fingerprint {
    Fingerprint::load(session).await.unwrap()
}

async fn every_change_shows(major: u32) {
    let cluster = Cluster::builder(major).start().unwrap();
    let url = cluster.url("postgres");
    run(&url, FILL).await;
    run(&url, "CREATE TABLE public.t_parent (a int)").await;
    let looker = endpoint(&url);
    let looker = looker.session(Purpose::Introspect).await.unwrap();
    let plain = endpoint(&url.replace("postgres@", "anna@"));
    run(&url, "ALTER ROLE anna LOGIN").await;
    let plain = plain.session(Purpose::Introspect).await.unwrap();
    let writer = database(&url).await;
    let mut before = fingerprint(&looker).await;
    for statement in SAME {
        writer.batch(&text(statement)).await.unwrap();
        assert_eq!(fingerprint(&looker).await, before, "{major}: {statement}");
    }
    let mut seen_by_anna = fingerprint(&plain).await;
    for statement in OTHER {
        writer.batch(&text(statement)).await.unwrap();
        let after = fingerprint(&looker).await;
        assert_ne!(after, before, "{major}: {statement}");
        let anna_sees = fingerprint(&plain).await;
        let is_hers = !statement.starts_with("ALTER USER MAPPING");
        assert_eq!(anna_sees != seen_by_anna, is_hers, "{major}: {statement}");
        (before, seen_by_anna) = (after, anna_sees);
    }
}

#[tokio::test]
async fn every_change_of_a_definition_shows_on_12() {
    every_change_shows(12).await;
}

#[tokio::test]
async fn every_change_of_a_definition_shows_on_15() {
    every_change_shows(15).await;
}

#[tokio::test]
async fn every_change_of_a_definition_shows_on_18() {
    every_change_shows(18).await;
}

async fn remember(url: &str) -> CachedCatalog {
    let session = endpoint(url).session(Purpose::Introspect).await.unwrap();
    session.batch(&text(BEGIN)).await.unwrap();
    let catalog = catalog::load_catalog(&session).await.unwrap();
    let remembered = CachedCatalog::cache(&session, &catalog).await.unwrap();
    remembered.unwrap()
}

#[tokio::test]
async fn what_changes_after_the_checks_is_read_again() {
    let cluster = Cluster::builder(17).start().unwrap();
    let url = cluster.url("postgres");
    run(&url, FILL).await;
    let source = endpoint(&url);
    let scope = Scope::detached();

    let before = CheckedDatabase {
        definitions: Some(remember(&url).await),
        ..CheckedDatabase::default()
    };
    run(
        &url,
        "INSERT INTO public.t (s) SELECT repeat('x', 1000) FROM generate_series(1, 999)",
    )
    .await;
    let basis = establish(&source, &SnapshotSource::SnapshotOnly, before, &scope);
    let basis = basis.await.unwrap();
    let session = source.session(Purpose::Introspect).await.unwrap();
    session.batch(&text(BEGIN)).await.unwrap();
    // Among the rest, the sizes are those of now.
    assert!(basis.catalog == catalog::load_catalog(&session).await.unwrap());
    basis.hold.release().await;
    session.batch(&text("COMMIT")).await.unwrap();

    let before = CheckedDatabase {
        definitions: Some(remember(&url).await),
        ..CheckedDatabase::default()
    };
    run(&url, "CREATE TABLE public.late (a int); DROP VIEW public.v").await;
    let basis = establish(&source, &SnapshotSource::SnapshotOnly, before, &scope);
    let basis = basis.await.unwrap();
    let names: Vec<_> = basis
        .catalog
        .tables
        .iter()
        .map(|t| t.name.to_string())
        .collect();
    assert!(names.contains(&"public.late".to_owned()), "{names:?}");
    assert_eq!(basis.catalog.views, []);
    basis.hold.release().await;
}

#[tokio::test]
async fn a_run_reads_the_definitions_once() {
    let logging = |major| Cluster::builder(major).with_setting("log_statement", "all");
    let route = Route::start([logging(17), Cluster::builder(17)]);
    route.create("once").await;
    run(
        &route.source.url("once"),
        "CREATE TABLE public.t (id int PRIMARY KEY)",
    )
    .await;
    route.init("once", &[]).run().expect(0);
    let log = route.source.read_log();
    let sent = |query: &str| {
        let first = query.lines().next().unwrap();
        log.lines().filter(|line| line.contains(first)).count()
    };
    assert_eq!(
        sent(include_str!("../../../src/catalog/sql/relations.sql")),
        1
    );
    assert_eq!(
        sent(include_str!("../../../src/catalog/sql/fingerprint.sql")),
        2
    );
}
