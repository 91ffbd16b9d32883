//! Planner statistics are copied to a target of 18 from every major.

use std::collections::BTreeSet;

use seren_replicator::catalog;
use seren_replicator::connect::{Purpose, Session};
use seren_replicator::pg::QualifiedName;
use seren_replicator::snapshot::{analyze, import_statistics, load_importable_tables};

use crate::support::route::common;
use crate::support::{database, endpoint, fresh_database, run, text, value};

const TABLES: &str = r#"
    CREATE TYPE public.mood AS ENUM ('sad', 'so, "so"', 'glad');
    CREATE DOMAIN public.short AS varchar(9) CHECK (value <> 'never');
    CREATE TYPE public.pair AS (a int, b text);
    CREATE TABLE public."Odd ""Name" ("Key Col" int PRIMARY KEY, "it's" text, n numeric, f float8, r float4, b bool,
      at timestamptz, d date, i interval, m public.mood, s public.short, c "char", by bytea, u uuid, j jsonb,
      words text[], numbers int[], moods public.mood[], v tsvector, e inet, x xml, p public.pair, pt point, oid regclass,
      never int, nothing int);
    ALTER TABLE public."Odd ""Name" ALTER never SET STATISTICS 0, ALTER numbers SET STATISTICS 1000;
    CREATE TABLE public.parted (id int, v text) PARTITION BY RANGE (id);
    CREATE TABLE public.leaf PARTITION OF public.parted FOR VALUES FROM (0) TO (10000);
    CREATE TABLE public.parent (id int, v text);
    CREATE TABLE public.child () INHERITS (public.parent);
    CREATE TABLE public.by_expression (a text); CREATE INDEX ON public.by_expression (lower(a));
    CREATE TABLE public.together (a int, b int); CREATE STATISTICS public.both ON a, b FROM public.together;
    CREATE TABLE public.ranges (r int4range, t tstzrange);
    CREATE TABLE public.empty (a int);
    CREATE TABLE public.unseen (a int);
    CREATE TABLE public.grown (a int);
"#;

const ROWS: &str = r#"
    INSERT INTO public."Odd ""Name" SELECT g, 'it''s "' || g % 17 || '\', g / 7.0, 1.0 / (g + 1), random(), g % 3 = 0,
      '2020-01-01'::timestamptz + g * interval '1 hour 0.123456 sec', '2020-01-01'::date + g % 40, g % 9 * interval '1 month 1 s',
      (enum_range(NULL::public.mood))[1 + g % 3], 's' || g % 5, 'x', decode(lpad(to_hex(g % 50), 4, '0'), 'hex'),
      md5((g % 60)::text)::uuid, jsonb_build_object('a', g % 8, 'b', '{},'), ARRAY['a', 'b,"' || g % 4, NULL], ARRAY[g % 10, g],
      ARRAY['sad', 'glad']::public.mood[], to_tsvector('simple', 'word w' || g % 30), ('10.0.0.' || g % 200)::inet,
      '<a/>', ROW(g % 6, 'b, ' || g % 2)::public.pair, point(g, g), 'pg_catalog.pg_class', g, NULL
      FROM generate_series(1, 3000) g;
    INSERT INTO public.parted SELECT g, 'v' || g % 100 FROM generate_series(1, 5000) g;
    INSERT INTO public.parent SELECT g, 'v' || g % 100 FROM generate_series(1, 500) g;
    INSERT INTO public.child SELECT g, 'c' || g % 10 FROM generate_series(1, 700) g;
    INSERT INTO public.by_expression SELECT 'A' || g FROM generate_series(1, 50) g;
    INSERT INTO public.together SELECT g, g FROM generate_series(1, 50) g;
    INSERT INTO public.ranges SELECT int4range(g, g + g % 5), tstzrange('2020-01-01', '2020-01-02'::timestamptz + g * interval '1 min')
      FROM generate_series(1, 900) g;
    INSERT INTO public.unseen SELECT g FROM generate_series(1, 50) g;
    INSERT INTO public.grown SELECT g FROM generate_series(1, 50) g;
    ANALYZE public."Odd ""Name", public.parted, public.leaf, public.parent, public.child, public.by_expression, public.together,
      public.ranges, public.empty, public.grown;
    ALTER TABLE public.grown ADD COLUMN later int;
"#;

fn name(name: &str) -> QualifiedName {
    QualifiedName::from_catalog("public", name)
}

/// All statistics, by table; `seen` lists what the version has.
async fn known(session: &Session, table: &str, ranges: bool) -> Vec<String> {
    let ranges = if ranges {
        ", range_length_histogram, range_empty_frac, range_bounds_histogram"
    } else {
        ""
    };
    let of_columns = format!(
        "SELECT attname, inherited, null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs, histogram_bounds, \
                correlation, most_common_elems, most_common_elem_freqs, elem_count_histogram{ranges} \
           FROM pg_stats WHERE schemaname = 'public' AND tablename = '{table}'"
    );
    let of_table = format!(
        "SELECT reltuples, relpages, relallvisible FROM pg_class \
          WHERE relnamespace = 'public'::regnamespace AND relname = '{table}'"
    );
    let sql = format!(
        "SELECT row(s)::text FROM ({of_columns}) s UNION ALL SELECT row(c)::text FROM ({of_table}) c ORDER BY 1"
    );
    let rows = session.rows(&text(&sql)).await.unwrap();
    rows.iter()
        .map(|row| row.get(0).unwrap().to_owned())
        .collect()
}

/// A source with statistics, and a target with tables alone.
async fn sessions(major: u32) -> [Session; 2] {
    let source = fresh_database(major, "planner").await;
    run(&source, TABLES).await;
    run(&source, ROWS).await;
    let target = fresh_database(18, "planner").await;
    run(&target, TABLES).await;
    run(&target, "ALTER TABLE public.grown ADD COLUMN later int").await;
    [
        endpoint(&source)
            .session(Purpose::Introspect)
            .await
            .unwrap(),
        endpoint(&target).session(Purpose::Build).await.unwrap(),
    ]
}

#[tokio::test]
async fn what_is_known_arrives_exactly_and_the_rest_is_left_to_analyze() {
    for major in [12, 14, 17, 18] {
        let [reader, writer] = sessions(major).await;
        let catalog = catalog::load_catalog(&reader).await.unwrap();
        let importable = load_importable_tables(&reader, writer.version(), &catalog)
            .await
            .unwrap();
        let mut expected =
            BTreeSet::from(["Odd \"Name", "parted", "leaf", "parent", "child"].map(name));
        // Before 17 no view shows what is known of ranges.
        expected.extend((major >= 17).then(|| name("ranges")));
        assert_eq!(importable, expected, "{major}");

        let tables: Vec<&QualifiedName> = importable.iter().collect();
        let left = import_statistics(&reader, &writer, &tables).await.unwrap();
        assert_eq!(left, BTreeSet::new(), "{major}");
        for table in tables {
            let table = table.name.as_str();
            let source = known(&reader, table, major >= 17).await;
            assert!(source.len() > 1);
            assert_eq!(source, known(&writer, table, major >= 17).await, "{major}");
        }
    }
}

#[tokio::test]
async fn an_older_target_takes_none() {
    let source = fresh_database(17, "planner").await;
    let session = database(&source).await;
    let catalog = catalog::load_catalog(&session).await.unwrap();
    let importable = load_importable_tables(&session, session.version(), &catalog);
    assert_eq!(importable.await.unwrap(), BTreeSet::new());
}

#[tokio::test]
async fn a_table_that_the_target_does_not_take_whole_is_told_and_can_be_analyzed() {
    let [reader, writer] = sessions(17).await;
    let change = "ALTER TYPE public.mood RENAME VALUE 'glad' TO 'happy'; ALTER TABLE public.ranges RENAME r TO q; \
                  INSERT INTO public.ranges VALUES ('[1,2]')";
    writer.batch(&text(change)).await.unwrap();
    let [odd, ranges, parent] = ["Odd \"Name", "ranges", "parent"].map(name);
    let left = import_statistics(&reader, &writer, &[&odd, &ranges, &parent])
        .await
        .unwrap();
    assert_eq!(left, BTreeSet::from([odd, ranges.clone()]));
    assert_eq!(
        known(&reader, "parent", true).await,
        known(&writer, "parent", true).await
    );
    assert_eq!(analyze(&writer, &ranges).await.unwrap(), None);
    let rows = known(&writer, "ranges", true).await;
    assert!(rows.iter().any(|row| row.contains("(1,1,")), "{rows:?}");
}

/// What the target's planner knows by itself, without any from the source: relation and inherited.
const ANALYZED: &str =
    "SELECT string_agg(DISTINCT tablename || CASE WHEN inherited THEN ' whole' ELSE '' END, ', ')
  FROM pg_stats WHERE schemaname = 'public'";

#[tokio::test]
async fn tables_with_rows_partitioned_ones_and_views_that_hold_rows_are_analyzed() {
    let route = common();
    let name = route.fresh("analyzed").await;
    let make = "CREATE TABLE public.plain AS SELECT i FROM generate_series(1, 100) i;
                CREATE INDEX of_plain ON public.plain ((i % 7), (i % 3));
                CREATE TABLE public.above (i int);
                INSERT INTO public.above VALUES (1);
                CREATE TABLE public.below () INHERITS (public.above);
                INSERT INTO public.below VALUES (2);
                CREATE TABLE public.root (i int PRIMARY KEY) PARTITION BY RANGE (i);
                CREATE TABLE public.part PARTITION OF public.root FOR VALUES FROM (0) TO (9) PARTITION BY LIST (i);
                CREATE TABLE public.leaf PARTITION OF public.part FOR VALUES IN (1, 2);
                INSERT INTO public.root VALUES (1), (2);
                CREATE MATERIALIZED VIEW public.filled AS SELECT i FROM public.root;
                CREATE MATERIALIZED VIEW public.empty AS SELECT i FROM public.root WITH NO DATA";
    run(&route.source.url(&name), make).await;
    route.init(&name, &[]).run().expect(0);
    assert_eq!(
        value(&route.target.url(&name), ANALYZED).await,
        "above, above whole, below, filled, leaf, of_plain, part whole, plain, root whole"
    );
}
