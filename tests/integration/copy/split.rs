//! Large tables are copied in parts, by several lanes at once.

use crate::support::oracle;
use crate::support::route::shared;
use crate::support::{run, value};

/// Tables whose rows lie in a key's order, in none, out of line, in partitions and below a parent; one
/// without a key, and some in the order of a key that no condition of ours can be trusted with.
const TABLES: &str = "
    CREATE TABLE public.ordered (id bigint PRIMARY KEY, at timestamptz NOT NULL, filler text);
    INSERT INTO public.ordered SELECT n, now() + n * interval '1 s', md5(n::text) FROM generate_series(1, 20000) n;
    CREATE TABLE public.shuffled (id text PRIMARY KEY, twice int GENERATED ALWAYS AS (half * 2) STORED, half int);
    INSERT INTO public.shuffled (id, half) SELECT md5(n::text), n FROM generate_series(1, 20000) n;
    CREATE TABLE public.plain (n int, wide text);
    ALTER TABLE public.plain ALTER wide SET STORAGE EXTERNAL;
    INSERT INTO public.plain SELECT n, repeat(md5(n::text), 100) FROM generate_series(1, 400) n;
    CREATE TABLE public.arrays (id int[] PRIMARY KEY, filler text);
    INSERT INTO public.arrays SELECT ARRAY[n, 1], md5(n::text) FROM generate_series(1, 5000) n;
    CREATE EXTENSION citext SCHEMA public;
    CREATE TABLE public.cities (id public.citext PRIMARY KEY, filler text);
    INSERT INTO public.cities
      SELECT (CASE WHEN n < 2500 THEN 'a' ELSE 'A' END || lpad(n::text, 6, '0'))::public.citext, md5(n::text)
        FROM generate_series(1, 5000) n;
    CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE public.moods (id public.mood, n int, filler text, PRIMARY KEY (id, n));
    INSERT INTO public.moods
      SELECT (ARRAY['sad', 'ok', 'happy'])[1 + n / 2000]::public.mood, n, md5(n::text) FROM generate_series(1, 5000) n;
    CREATE TABLE public.child (more text) INHERITS (public.ordered);
    INSERT INTO public.child SELECT n, now(), 'x', 'y' FROM generate_series(1, 20000) n;
    CREATE TABLE public.parted (id int PRIMARY KEY, filler text) PARTITION BY RANGE (id);
    CREATE TABLE public.low PARTITION OF public.parted FOR VALUES FROM (0) TO (10000);
    CREATE TABLE public.high PARTITION OF public.parted FOR VALUES FROM (10000) TO (20000);
    INSERT INTO public.parted SELECT n, md5(n::text) FROM generate_series(0, 19999) n;
    CREATE INDEX ON public.ordered (at);
    ALTER TABLE public.parted ADD FOREIGN KEY (id) REFERENCES public.parted;
    DELETE FROM public.ordered WHERE id BETWEEN 3000 AND 6000;
    ANALYZE;
";

/// How many transactions have written a table's rows.
async fn writers(url: &str, table: &str) -> i32 {
    let count = format!("SELECT count(DISTINCT xmin::text) FROM ONLY public.{table}");
    value(url, &count).await.parse().unwrap()
}

/// In how many parts a plan says that a table is copied.
fn parts(plan: &str, table: &str) -> i32 {
    let begin = format!("-- public.{table}, ");
    let line = plan.lines().find(|line| line.starts_with(&begin));
    let line = line.unwrap_or_else(|| panic!("{table} is not in the plan:\n{plan}"));
    if line.ends_with("kB, whole, binary") {
        return 1;
    }
    let rest = line.split_once(", in ").map(|(_, rest)| rest);
    let count = rest.and_then(|rest| rest.strip_suffix(" parts, binary"));
    count.unwrap_or_else(|| panic!("{line}")).parse().unwrap()
}

#[tokio::test]
async fn tables_in_parts_arrive_whole_and_each_row_once() {
    for majors in [[12, 12], [13, 18], [15, 15], [18, 18]] {
        let route = shared(majors);
        let name = route.fresh("split").await;
        let (source, target) = (route.source.url(&name), route.target.url(&name));
        run(&source, TABLES).await;
        for flags in [&["--split-larger-than", "100kB", "--jobs", "3"][..], &[]] {
            let is_forced = !flags.is_empty();
            let more = [flags, &["--drop-existing"]].concat();
            let plan = route
                .init(&name, &[&more[..], &["--dry-run"]].concat())
                .run();
            let plan = plan.expect(0).stdout;
            route.init(&name, &more).run().expect(0);
            assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
            assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
            for table in ["ordered", "low", "high"] {
                let count = writers(&target, table).await;
                // A part whose rows are all deleted writes nothing.
                let parts = parts(&plan, table);
                let is_whole = table != "ordered";
                assert!(
                    parts == count || parts > count && !is_whole,
                    "{table} of {majors:?}: {parts}, {count}"
                );
                assert_eq!(count > 1, is_forced, "{table} of {majors:?}: {count}");
            }
            // Before 14 only a key in whose order rows lie cuts a table, and only by an order of the server's own.
            let is_cut = is_forced && majors[0] >= 14;
            for table in ["shuffled", "plain", "arrays", "cities", "moods"] {
                let count = writers(&target, table).await;
                assert_eq!(count > 1, is_cut, "{table} of {majors:?}: {count}");
            }
        }
    }
}

#[tokio::test]
async fn a_filtered_table_is_split_unless_an_index_finds_few_rows() {
    for majors in [[13, 18], [17, 17]] {
        let route = shared(majors);
        let name = route.fresh("split_filter").await;
        let fill = "CREATE TABLE public.t (id int PRIMARY KEY, filler text);
            INSERT INTO public.t SELECT n, repeat('x', 100) FROM generate_series(1, 50000) n;
            VACUUM ANALYZE public.t";
        let (source, target) = (route.source.url(&name), route.target.url(&name));
        for statement in fill.split(';') {
            run(&source, statement).await;
        }
        // Before 14 the ranges are those of a key, which the planner would search for by either condition.
        let has_ranges = majors[0] >= 14;
        for (predicate, is_split) in [
            ("id <= 25000", has_ranges),
            ("id <= 5000", false),
            ("filler LIKE 'x%'", true),
            // The planner expects few rows, and yet all are to be looked at.
            ("id % 2 = 0", true),
        ] {
            let filter = format!("t:{predicate}");
            let flags = [
                "--split-larger-than",
                "500kB",
                "--drop-existing",
                "--table-filter",
                &filter,
            ];
            let plan = route.init(&name, &[&flags[..], &["--dry-run"]].concat());
            let plan = plan.run().expect(0).stdout;
            let line = plan.lines().find(|line| line.starts_with("-- public.t, "));
            let line = line.unwrap_or_else(|| panic!("{plan}"));
            assert_eq!(line.contains(" parts, binary"), is_split, "{line}");
            assert_eq!(line.contains("kB, whole, binary"), !is_split, "{line}");
            route.init(&name, &flags).run().expect(0);
            let counted = format!("SELECT count(*) FROM public.t WHERE {predicate}");
            let wanted = value(&source, &counted).await;
            assert_eq!(
                value(&target, "SELECT count(*) FROM public.t").await,
                wanted
            );
            assert_eq!(writers(&target, "t").await > 1, is_split, "{predicate}");
        }
    }
}
