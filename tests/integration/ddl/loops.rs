//! Circular dependencies that `pg_dump` does not detect: it writes the objects in the order of their oids, which fails.

use crate::support::schema::copy;
use crate::support::{fresh_database, run, value};

const SOURCE: &str = r#"
    CREATE SCHEMA l;
    CREATE TABLE l.keyed (id int PRIMARY KEY, a text);
    -- A function that calls itself; some that call each other, one of which rests on a primary key.
    CREATE FUNCTION l.downwards(n int) RETURNS int LANGUAGE sql RETURN n;
    CREATE OR REPLACE FUNCTION l.downwards(n int) RETURNS int LANGUAGE sql
      BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN l.downwards(n - 1) ELSE 0 END; END;
    CREATE FUNCTION l.is_odd(n int DEFAULT 1) RETURNS bool LANGUAGE sql IMMUTABLE RETURN false;
    CREATE FUNCTION l.is_even(n int) RETURNS bool LANGUAGE sql IMMUTABLE RETURN n = 0 OR l.is_odd(n - 1);
    CREATE OR REPLACE FUNCTION l.is_odd(n int DEFAULT 1) RETURNS bool LANGUAGE sql IMMUTABLE RETURN n <> 0 AND l.is_even(n - 1);
    CREATE TABLE l.odd (n int CHECK (l.is_odd(n)));
    CREATE FUNCTION l.ping(n int) RETURNS text LANGUAGE sql RETURN n::text;
    CREATE FUNCTION l.pong(n int) RETURNS text LANGUAGE sql RETURN l.ping(n - 1);
    CREATE FUNCTION l.peng(n int) RETURNS text LANGUAGE sql RETURN l.pong(n - 1);
    CREATE OR REPLACE FUNCTION l.ping(n int) RETURNS text LANGUAGE sql
      BEGIN ATOMIC SELECT k.a || l.peng(n) FROM l.keyed k GROUP BY k.id; END;
    COMMENT ON FUNCTION l.ping(int) IS 'and back';
    INSERT INTO l.keyed VALUES (1, 'x');
"#;

const CALLS: &str = "SELECT concat_ws(' ', l.downwards(3), l.is_odd(), l.is_even(7), l.is_even(8))";

/// What the catalogs say of them.
const FUNCTIONS: &str = "SELECT string_agg(pg_get_functiondef(oid) || proowner::regrole || \
      coalesce(obj_description(oid, 'pg_proc'), ''), ';' ORDER BY oid::regprocedure::text) \
      FROM pg_proc WHERE pronamespace = 'l'::regnamespace";

#[tokio::test]
async fn routines_that_call_each_other_are_made_without_a_body_first() {
    for majors in [[14, 14], [17, 17], [14, 17]] {
        let source = fresh_database(majors[0], "mutual").await;
        run(&source, SOURCE).await;
        let target = copy("mutual", &source, majors).await;
        assert_eq!(value(&target, CALLS).await, "0 t f t");
        assert_eq!(
            value(&target, FUNCTIONS).await,
            value(&source, FUNCTIONS).await
        );
    }
}

const GENERATED: &str = "
    CREATE TABLE public.generated (id int, g int, n int);
    CREATE FUNCTION public.of_table(r public.generated, i int) RETURNS int LANGUAGE sql IMMUTABLE
      AS 'SELECT i + 1';
    ALTER TABLE public.generated DROP g, ADD g int GENERATED ALWAYS AS (public.of_table(NULL, id)) STORED, ADD last int;";

// The newest minors (15.20 and its siblings) let no table be rewritten that its own columns name,
// so only older ones can hold this: the majors are those that are fetched at a fixed version.
#[tokio::test]
async fn a_generated_column_gets_its_expression_after_what_takes_the_tables_rows() {
    for majors in [[16, 17], [18, 18]] {
        let source = fresh_database(majors[0], "generated").await;
        run(&source, GENERATED).await;
        let target = copy("generated", &source, majors).await;
        run(&target, "INSERT INTO public.generated VALUES (1)").await;
        assert_eq!(
            value(&target, "SELECT generated::text FROM public.generated").await,
            "(1,,2,)"
        );
    }
}
