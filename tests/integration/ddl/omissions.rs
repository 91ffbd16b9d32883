//! Skipped objects are reported with the statements that create them again; these statements work.

use crate::support::route::shared;
use crate::support::{database, run, text, value};

const SOURCE: &str = r#"
    CREATE TABLE public.base (id int PRIMARY KEY);
    CREATE TABLE public.t (id int, n int);
    CREATE FUNCTION public.f(b public.base) RETURNS int LANGUAGE plpgsql AS $$begin -- first comment
  return 1; -- it's
end$$;
    CREATE FUNCTION public.g() RETURNS int LANGUAGE plpgsql AS 'begin return public.f(NULL); end';
    CREATE VIEW public.v AS SELECT id, E'a\nb\t\\' AS x, 'don''t' AS "Odd
name" FROM public.base;
    CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.base;
    ALTER TABLE public.t ALTER n SET DEFAULT public.f(NULL);
    ALTER TABLE public.t ADD CONSTRAINT fine CHECK (public.f(NULL) > 0);
    COMMENT ON VIEW public.v IS E'two\nlines';
    COMMENT ON COLUMN public.v.x IS 'of x';
    GRANT SELECT ON public.v TO PUBLIC;
"#;

/// Everything about the objects that are skipped.
const LOST: &str = r#"SELECT concat_ws('|', pg_get_functiondef('public.f'::regproc), pg_get_viewdef('public.v'::regclass),
    (SELECT relacl::text || obj_description(oid) || col_description(oid, 2) FROM pg_class WHERE oid = 'public.v'::regclass),
    (SELECT relispopulated FROM pg_class WHERE oid = 'public.m'::regclass),
    (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'public.t'::regclass),
    (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'fine'))"#;

#[tokio::test]
async fn told_statements_make_what_is_left_out() {
    let route = shared([17, 17]);
    let name = &*route.fresh("app").await;
    let source = route.source.url(name);
    run(&source, SOURCE).await;
    let base = format!("{name}.base");
    let flags = ["--exclude-tables", &base];
    let done = route.init(name, &flags).run().expect(0);
    let target = route.target.url(name);
    run(&target, "CREATE TABLE public.base (id int PRIMARY KEY)").await;
    let session = database(&target).await;
    // Functions come first, so that the rest finds them.
    let told = |wanted: bool| {
        let lines = done
            .stdout
            .lines()
            .filter_map(|line| line.split_once("; it is defined by "));
        lines.filter(move |(object, _)| object.contains("function") == wanted)
    };
    for (object, statement) in told(true).chain(told(false)) {
        let ran = session.batch(&text(statement)).await;
        ran.unwrap_or_else(|error| panic!("{object}: {statement}\n{error}"));
    }
    assert_eq!(value(&target, LOST).await, value(&source, LOST).await);
}

const DIGESTED: &str = "
    CREATE EXTENSION pgcrypto SCHEMA public;
    CREATE TABLE public.t (id int PRIMARY KEY, word text DEFAULT public.gen_random_uuid()::text,
      g bytea GENERATED ALWAYS AS (public.digest('x', 'md5')) STORED, more text,
      CONSTRAINT checked CHECK (public.digest(more, 'md5') IS NOT NULL), CONSTRAINT there CHECK (g IS NOT NULL));
    CREATE INDEX by_digest ON public.t (public.digest(more, 'md5'));
    CREATE INDEX by_g ON public.t (g);
    CREATE INDEX by_more ON public.t (more);
    CREATE VIEW public.v AS SELECT g FROM public.t;
    CREATE VIEW public.w AS SELECT more FROM public.t;
    COMMENT ON COLUMN public.t.g IS 'gone';
    GRANT SELECT (g) ON public.t TO PUBLIC;
    INSERT INTO public.t VALUES (1, 'w', DEFAULT, 'more');";

/// What `DROP EXTENSION pgcrypto CASCADE` leaves.
const LEFT: &str = "SELECT concat_ws(' ',
    (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = 'public.t'::regclass AND attnum > 0 AND NOT attisdropped),
    (SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(conname, ',' ORDER BY conname) FROM pg_constraint WHERE contype <> 'n' AND conrelid = 'public.t'::regclass),
    (SELECT string_agg(id || more, ',') FROM public.t))";

#[tokio::test]
async fn a_skipped_extension_takes_along_what_a_drop_would() {
    for major in [14, 17] {
        let route = shared([major, major]);
        let name = &*route.fresh("app").await;
        let source = route.source.url(name);
        run(&source, DIGESTED).await;
        let flags = ["--skip-extensions", "pgcrypto"];
        let done = route.init(name, &flags).run().expect(0);
        assert!(
            done.all().contains("column g on public.t: it depends on"),
            "{}",
            done.all()
        );
        run(&source, "DROP EXTENSION pgcrypto CASCADE").await;
        let left = value(&route.target.url(name), LEFT).await;
        assert_eq!(left, value(&source, LEFT).await);
        assert!(
            left.starts_with("id,word,more by_more,t,t_pkey,w t_pkey"),
            "{left}"
        );
    }
}
