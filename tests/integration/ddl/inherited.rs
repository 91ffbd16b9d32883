//! Children and partitions with properties that their parents do not allow.

use crate::support::route::shared;
use crate::support::schema::copy;
use crate::support::{fresh_database, oracle, run, value};

const CLASHING: &str = "
    CREATE TABLE public.p1 (a int, b int DEFAULT 1);
    CREATE TABLE public.p2 (a int, b int DEFAULT 1);
    CREATE TABLE public.c () INHERITS (public.p1, public.p2);
    CREATE TABLE public.d () INHERITS (public.p1);
    ALTER TABLE ONLY public.p1 ALTER a SET DEFAULT 1;
    ALTER TABLE ONLY public.p2 ALTER a SET DEFAULT 2;
    ALTER TABLE public.c ALTER a SET DEFAULT 3;
    ALTER TABLE ONLY public.p2 ALTER b SET DEFAULT 5;";

#[tokio::test]
async fn a_child_of_parents_with_different_defaults_arrives() {
    for majors in [[15, 15], [18, 18]] {
        let source = fresh_database(majors[0], "clashing").await;
        run(&source, CLASHING).await;
        let target = copy("clashing", &source, majors).await;
        assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
        run(&target, "INSERT INTO public.c DEFAULT VALUES").await;
        assert_eq!(
            value(&target, "SELECT a || ' ' || b FROM public.c").await,
            "3 1"
        );
    }
}

const LAX: &str = "
    CREATE TABLE public.par (a int, b int);
    CREATE TABLE public.child () INHERITS (public.par);
    CREATE TABLE public.grandchild (b int) INHERITS (public.child);
    ALTER TABLE ONLY public.par ALTER a SET NOT NULL, ALTER b SET NOT NULL;
    ALTER TABLE ONLY public.grandchild ALTER b SET NOT NULL;
    INSERT INTO public.child VALUES (NULL, NULL);
    INSERT INTO public.grandchild VALUES (NULL, 1);";

/// The tables that refuse NULL, by column.
const STRICT: &str = "SELECT string_agg(attrelid::regclass || '.' || attname, ' ' ORDER BY 1) FROM pg_attribute
     WHERE attnotnull AND attnum > 0 AND attrelid IN ('public.par'::regclass, 'public.child'::regclass, 'public.grandchild'::regclass)";

#[tokio::test]
async fn a_child_takes_null_where_its_parent_does_not() {
    for majors in [[15, 15], [15, 18]] {
        let route = shared(majors);
        let name = &*route.fresh("app").await;
        let (source, target) = (route.source.url(name), route.target.url(name));
        run(&source, LAX).await;
        route.init(name, &[]).run().expect(0);
        assert_eq!(value(&target, STRICT).await, value(&source, STRICT).await);
        assert_eq!(value(&target, "SELECT count(*) FROM public.par").await, "2");
    }
}

/// What servers of 12 take, by what the refusal names and the first major that takes it no more.
const OLD: &str = "
    CREATE TABLE public.p (a int NOT NULL, b int) PARTITION BY LIST (a);
    CREATE TABLE public.p1 (a int NOT NULL GENERATED ALWAYS AS IDENTITY, b int);
    ALTER TABLE public.p ATTACH PARTITION public.p1 FOR VALUES IN (1);
    CREATE TABLE public.par (a int, b int);
    CREATE TABLE public.child (a int, b int GENERATED ALWAYS AS (a * 2) STORED) INHERITS (public.par);
    CREATE AGGREGATE public.gather(anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}');
    CREATE AGGREGATE public.numbers(int) (SFUNC = array_append, STYPE = int[], INITCOND = '{}');
    CREATE OPERATOR public.+ (FUNCTION = array_append, LEFTARG = anyarray, RIGHTARG = anyelement);";

#[tokio::test]
async fn what_a_newer_target_takes_no_more_is_named_before_anything_is_written() {
    let route = shared([12, 17]);
    let name = &*route.fresh("app").await;
    run(&route.source.url(name), OLD).await;
    let refused = route.init(name, &["--schema-only"]).run().expect(1).all();
    // Across majors servers quote every name.
    let refused = refused.replace('"', "");
    for line in [
        "column a on public.p1 (no partition has an identity of its own since 17",
        "column b on public.child (it is generated, and that of its parent is not",
        "aggregate public.gather(anyelement) (it uses array functions",
        "operator public.+",
    ] {
        assert!(refused.contains(line), "{line}\n{refused}");
    }
    assert!(!refused.contains("numbers"), "{refused}");
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
    run(
        &route.source.url(name),
        "DROP AGGREGATE public.gather(anyelement); DROP OPERATOR public.+ (anyarray, anyelement);
         ALTER TABLE public.p1 ALTER a DROP IDENTITY; DROP TABLE public.child",
    )
    .await;
    route.init(name, &["--schema-only"]).run().expect(0);
}
