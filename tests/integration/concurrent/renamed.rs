//! Renames that no lock on a table prevents, while rows are read: schemas, enum labels, attributes of row types.

use seren_replicator::connect::Purpose;
use seren_replicator::snapshot::renamed_since;

use crate::support::gate::Gate;
use crate::support::route::{Route, common, shared};
use crate::support::{database, endpoint, fresh_database, run, text, value, wait_for};

/// Clusters of an older source.
fn older() -> &'static Route {
    shared([14, 17])
}

/// Two gates: one before the tables that a test looks at are read, one after, with their rows on the way.
struct Gates {
    first: Gate,
    last: Gate,
}

impl Gates {
    async fn shut(route: &Route) -> Self {
        let target = route.target.url("postgres");
        Self {
            first: Gate::shut(&target).await,
            last: Gate::shut(&target).await,
        }
    }

    /// A table of its own transaction, which is read first, and the function of the last gate.
    fn definitions(&self) -> String {
        self.first.function().replace("gate(", "early(")
            + &self.last.function()
            + "CREATE TABLE public.large (n int, filler text, held int GENERATED ALWAYS AS (public.early(n)) STORED);
               INSERT INTO public.large SELECT n, repeat('x', 1000) FROM generate_series(1, 400) n;"
    }
}

const TWINS: &str = "
    CREATE SCHEMA one; CREATE SCHEMA two;
    CREATE TABLE one.t (n int, mood text, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
    CREATE TABLE two.t (n int, mood text, held int GENERATED ALWAYS AS (public.gate(n)) STORED);
    INSERT INTO one.t SELECT n FROM generate_series(1, 10) n;
    INSERT INTO two.t SELECT n FROM generate_series(101, 120) n;
    CREATE SEQUENCE one.s; CREATE SEQUENCE two.s;
    SELECT setval('one.s', 7), setval('two.s', 70, false);
    CREATE TYPE public.mood AS ENUM ('sad', 'glad');
    CREATE TABLE public.moods (m public.mood);
    INSERT INTO public.moods VALUES ('glad');";

const EXCHANGE: &str = "
    BEGIN;
    ALTER SCHEMA one RENAME TO three;
    ALTER SCHEMA two RENAME TO one;
    ALTER SCHEMA three RENAME TO two;
    ALTER TYPE public.mood ADD VALUE 'new';
    COMMIT;";

const TWINS_ON_TARGET: &str = "
    SELECT concat_ws(' ', (SELECT sum(n) FROM one.t), (SELECT sum(n) FROM two.t),
                     one.last_value, one.is_called, two.last_value, two.is_called)
      FROM one.s one, two.s two";

/// No lock on a table protects the name of its schema.
async fn schemas_are_exchanged(route: &Route, is_undone: bool) {
    let name = route.fresh("exchanged").await;
    let url = route.source.url(&name);
    let gates = Gates::shut(route).await;
    run(&url, &(gates.definitions() + TWINS)).await;
    let running = route.init(&name, &["--jobs", "1"]).start();
    gates.first.reached(&name).await;
    run(&url, EXCHANGE).await;
    gates.first.open().await;
    let target = database(&route.target.url("postgres")).await;
    let waits = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity
          WHERE wait_event = 'PgSleep' AND datname = '{name}' AND query LIKE '%\"one\".\"t\"%'"
    );
    wait_for(&target, &waits).await;
    if is_undone {
        run(&url, &EXCHANGE.replace("ALTER TYPE", "-- ")).await;
    }
    gates.last.open().await;
    let done = running.finish().expect(0);
    let target = route.target.url(&name);
    assert_eq!(
        value(&target, TWINS_ON_TARGET).await,
        "55 2210 7 t 70 f",
        "{}",
        done.all()
    );
}

#[tokio::test]
async fn schemas_that_are_exchanged_while_rows_are_read_exchange_no_rows() {
    schemas_are_exchanged(older(), false).await;
}

#[tokio::test]
async fn schemas_that_are_exchanged_there_and_back_exchange_no_rows() {
    schemas_are_exchanged(common(), true).await;
}

const FEELINGS: &str = "
    CREATE TYPE public.mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN public.deep AS public.mood;
    CREATE TYPE public.feeling AS (n int, other int, mood public.deep);
    CREATE TABLE public.feelings (n int, f public.feeling[], held int GENERATED ALWAYS AS (public.gate(n)) STORED);
    INSERT INTO public.feelings SELECT 1, ARRAY[(1, 2, 'sad')::public.feeling];";

/// What a value is sent as follows the latest state of its type, and the target has the former one.
#[tokio::test]
async fn types_that_are_changed_while_rows_are_read_end_the_copy() {
    for (route, change, text) in [
        (
            older(),
            "ALTER TYPE public.mood RENAME VALUE 'sad' TO 'x';
             ALTER TYPE public.mood RENAME VALUE 'glad' TO 'sad';
             ALTER TYPE public.mood RENAME VALUE 'x' TO 'glad';",
            "type public.mood was changed on the source while rows were read",
        ),
        (
            common(),
            "ALTER TYPE public.feeling DROP ATTRIBUTE n;
             ALTER TYPE public.feeling DROP ATTRIBUTE mood;
             ALTER TYPE public.feeling ADD ATTRIBUTE more int;
             ALTER TYPE public.feeling ADD ATTRIBUTE mood public.deep;",
            "type public.feeling was changed on the source while rows were read",
        ),
    ] {
        let name = route.fresh("feelings").await;
        let url = route.source.url(&name);
        let gates = Gates::shut(route).await;
        run(&url, &(gates.definitions() + FEELINGS)).await;
        let running = route.init(&name, &["--jobs", "1"]).start();
        gates.first.reached(&name).await;
        run(&url, change).await;
        gates.first.open().await;
        gates.last.open().await;
        let refused = running.finish().expect(1);
        assert!(refused.stderr.contains(text), "{}", refused.stderr);
    }
}

/// What happens to objects after a snapshot: what the server then prints of the objects of the snapshot
/// that name them, and whether it is another thing.
const AFTER: &[(&str, Option<&str>)] = &[
    (
        "CREATE TABLE made (n int); CREATE TEMP TABLE t AS SELECT 1 AS n; DROP TABLE t",
        None,
    ),
    (
        "CREATE SCHEMA made; CREATE FUNCTION made() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        None,
    ),
    (
        "REFRESH MATERIALIZED VIEW m; INSERT INTO kept VALUES (1); ANALYZE",
        None,
    ),
    (
        "ALTER SCHEMA s RENAME TO other; ALTER SCHEMA other RENAME TO s",
        Some("schema s"),
    ),
    ("ALTER FUNCTION f() RENAME TO g", Some("routine f")),
    (
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'x'",
        Some("label sad"),
    ),
    ("ALTER TYPE mood RENAME TO feeling", Some("type mood")),
    (
        "CREATE OR REPLACE VIEW v AS SELECT 1 AS n, 2 AS more",
        Some("columns of v"),
    ),
    ("ALTER VIEW v RENAME TO w", Some("relation v")),
];

#[tokio::test]
async fn what_is_renamed_while_definitions_are_read_is_found() {
    for major in [12, 17] {
        let url = fresh_database(major, "settled").await;
        run(
            &url,
            "SET search_path = public;
             CREATE SCHEMA s; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE kept (n int);
             CREATE VIEW v AS SELECT 1 AS n; CREATE MATERIALIZED VIEW m AS SELECT 1 AS n;",
        )
        .await;
        for (change, expected) in AFTER {
            let source = endpoint(&url);
            let reader = source.session(Purpose::Introspect).await.unwrap();
            let latest = source.session(Purpose::Introspect).await.unwrap();
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";
            reader.batch(&text(begin)).await.unwrap();
            assert_eq!(renamed_since(&reader, &latest).await.unwrap(), None);
            run(&url, &format!("SET search_path = public; {change}")).await;
            let found = renamed_since(&reader, &latest).await.unwrap();
            let expected = expected.map(|name| format!("{name} was renamed or replaced"));
            assert_eq!(found, expected, "{major}: {change}");
        }
    }
}
