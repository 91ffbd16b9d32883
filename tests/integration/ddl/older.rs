//! What an older target lacks is known by kinds, not by names, and before anything is written.

use crate::support::route::shared;
use crate::support::{run, value};

const REFUSED: &str = "
    CREATE TYPE public.span AS RANGE (SUBTYPE = int, MULTIRANGE_TYPE_NAME = public.spans);
    CREATE TABLE public.t (a public.spans, b int4multirange[]);
    CREATE FUNCTION public.f(a int4multirange) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION public.g() RETURNS SETOF public.spans LANGUAGE plpgsql AS 'BEGIN END';
    CREATE DOMAIN public.d AS datemultirange;
    CREATE TYPE public.c AS (m public.spans);
    CREATE VIEW public.v AS SELECT a FROM public.t;
    CREATE PROCEDURE public.p(a int, OUT b int) LANGUAGE plpgsql AS 'BEGIN b := a; END';
    CREATE TABLE public.gen (a int, b int GENERATED ALWAYS AS (a) STORED) PARTITION BY LIST (a);
    CREATE TABLE public.gen_1 PARTITION OF public.gen (b GENERATED ALWAYS AS (a + 1) STORED) FOR VALUES IN (1);";

/// Objects with similar names, and objects that are skipped or created in another form.
const TAKEN: &str = "
    DROP VIEW public.v; DROP TABLE public.t, public.gen; DROP FUNCTION public.f, public.g;
    DROP DOMAIN public.d; DROP TYPE public.c; DROP PROCEDURE public.p;
    CREATE TYPE public.my_multirange AS ENUM ('x');
    CREATE TABLE public.t (a public.my_multirange);
    CREATE PROCEDURE public.p(a text DEFAULT 'x, OUT y') LANGUAGE plpgsql AS 'BEGIN END';
    CREATE TABLE public.par (a int, CONSTRAINT there NOT NULL a NO INHERIT);
    CREATE TABLE public.child () INHERITS (public.par);
    INSERT INTO public.child VALUES (NULL);
    CREATE TABLE public.key (id int PRIMARY KEY);
    CREATE TABLE public.refers (id int) PARTITION BY LIST (id);
    CREATE TABLE public.refers_1 PARTITION OF public.refers FOR VALUES IN (1);
    INSERT INTO public.refers VALUES (1);
    ALTER TABLE public.refers ADD CONSTRAINT unchecked FOREIGN KEY (id) REFERENCES public.key NOT VALID;";

#[tokio::test]
async fn what_13_lacks_is_known_beforehand() {
    let route = shared([18, 13]);
    let name = &*route.fresh("app").await;
    let (source, target) = (route.source.url(name), route.target.url(name));
    run(&source, REFUSED).await;
    let flags = ["--allow-older-target", "--verbose"];
    let refused = route.init(name, &flags).run().expect(1).all();
    for line in [
        "column a on public.t: the target does not support multiranges",
        "column b on public.t: the target does not support multiranges",
        "routine public.f(a int4multirange): the target does not support multiranges",
        "routine public.g(): the target does not support multiranges",
        "type public.d: the target does not support multiranges",
        "type public.c: the target does not support multiranges",
        "view public.v: the target does not support multiranges",
        "the target does not support OUT arguments of procedures",
        "column b on public.gen_1: the target does not support partitions whose columns are generated",
    ] {
        let plain = refused.replace('"', "");
        assert!(plain.contains(line), "{line}\n{refused}");
    }
    run(&source, TAKEN).await;
    let done = route.init(name, &flags).run().expect(0);
    let line = "constraint unchecked on public.refers: skipped, the target does not support NOT VALID foreign keys";
    assert!(done.stdout.contains(line), "{}", done.stdout);
    let rows =
        "SELECT (SELECT count(*) FROM public.par) || ' ' || (SELECT count(*) FROM public.refers)";
    assert_eq!(value(&target, rows).await, "1 1");
}
