//! Objects that cannot be copied, or only in part: they are reported, and never get more privileges than before.

use crate::support::route::{Route, shared};
use crate::support::{run, value};

/// Roles removed from the catalog by hand, and what still names them.
const GONE: &str = r#"
    CREATE ROLE gone; CREATE ROLE stays;
    CREATE TABLE public.t (a int);
    ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY narrow ON public.t TO gone USING (true);
    CREATE POLICY mixed ON public.t TO gone, stays USING (true);
    CREATE POLICY wide ON public.t USING (a > 0);
    COMMENT ON POLICY narrow ON public.t IS 'nobody';
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
    CREATE USER MAPPING FOR gone SERVER s OPTIONS (password 'canary');
    GRANT SELECT ON public.t TO gone WITH GRANT OPTION;
    SET ROLE gone; GRANT SELECT ON public.t TO stays; RESET ROLE;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO gone;
    ALTER ROLE gone SET work_mem = '3MB';
    DELETE FROM pg_authid WHERE rolname = 'gone';
"#;

#[tokio::test]
async fn what_names_a_role_that_is_gone_is_nobodys() {
    for majors in [[12, 12], [16, 18]] {
        let route = Route::of_majors(majors);
        route.create("app").await;
        run(&route.source.url("app"), GONE).await;
        let flags = ["--schema-only", "--verbose"];
        let done = route.init("app", &flags).run().expect(0);
        for line in [
            "policy of no existing role narrow on public.t is not copied",
            "role that no longer exists of policy mixed on public.t is not copied",
            "user mapping of no existing role",
            "grant to or by a role that no longer exists on table public.t is not copied",
            "default privilege of, to or by a role that no longer exists of postgres is not copied",
            "setting of a role that no longer exists",
        ] {
            assert!(done.stderr.contains(line), "{line}: {}", done.stderr);
        }
        assert!(!done.all().contains("canary"), "{}", done.all());
        let target = route.target.url("app");
        let policies = "SELECT string_agg(polname || polroles::regrole[]::text, ' ' ORDER BY polname) FROM pg_policy";
        assert_eq!(value(&target, policies).await, "mixed{stays} wide{-}");
        let mappings = "SELECT count(*) FROM pg_user_mappings";
        assert_eq!(value(&target, mappings).await, "0");
    }
}

#[tokio::test]
async fn what_users_put_among_the_servers_objects_is_told() {
    let route = shared([17, 17]);
    let name = &*route.fresh("app").await;
    let make = "CREATE FUNCTION pg_catalog.mine(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
                CREATE TYPE information_schema.kind AS ENUM ('a');
                CREATE OPERATOR pg_catalog.<<<>>> (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int)";
    run(&route.source.url(name), make).await;
    let done = route.init(name, &[]).run().expect(0);
    for line in [
        "routine pg_catalog.mine(integer) is not copied",
        "type information_schema.kind is not copied",
        "operator pg_catalog.<<<>>>(integer,integer) is not copied",
    ] {
        assert!(done.stderr.contains(line), "{line}: {}", done.stderr);
    }
}

#[tokio::test]
async fn a_table_that_was_added_to_an_extension_is_told() {
    let route = shared([17, 17]);
    let name = &*route.fresh("app").await;
    let source = route.source.url(name);
    let make = "CREATE SCHEMA s;
                CREATE TABLE s.mine (a int PRIMARY KEY);
                INSERT INTO s.mine VALUES (1);
                ALTER EXTENSION plpgsql ADD TABLE s.mine";
    run(&source, make).await;
    let done = route.init(name, &[]).run().expect(0);
    let told =
        "relation s.mine: not copied with its rows, it was added to extension plpgsql by hand";
    assert!(done.stdout.contains(told), "{}", done.stdout);
}

#[tokio::test]
async fn comments_on_the_triggers_of_partitions_arrive() {
    for majors in [[12, 12], [14, 17], [18, 18]] {
        let route = shared(majors);
        let name = &*route.fresh("app").await;
        let make = "CREATE TABLE public.p (a int) PARTITION BY LIST (a);
                    CREATE TABLE public.one PARTITION OF public.p FOR VALUES IN (1);
                    CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                    CREATE TRIGGER g AFTER INSERT ON public.p FOR EACH ROW EXECUTE FUNCTION public.f();
                    COMMENT ON TRIGGER g ON public.p IS 'above';
                    COMMENT ON TRIGGER g ON public.one IS 'below'";
        run(&route.source.url(name), make).await;
        route.init(name, &[]).run().expect(0);
        let comments = "SELECT string_agg(tgrelid::regclass || ' ' || obj_description(oid, 'pg_trigger'), ', ' ORDER BY oid)
                          FROM pg_trigger";
        assert_eq!(
            value(&route.target.url(name), comments).await,
            "public.p above, public.one below"
        );
    }
}

#[tokio::test]
async fn comments_on_the_servers_own_objects_arrive() {
    for majors in [[12, 12], [13, 18]] {
        let route = shared(majors);
        let name = &*route.fresh("app").await;
        let make = "COMMENT ON FUNCTION pg_catalog.abs(int) IS 'ours';
                    COMMENT ON ACCESS METHOD btree IS 'a tree';
                    COMMENT ON OPERATOR pg_catalog.+ (int, int) IS 'and';
                    COMMENT ON TYPE bigint IS 'long'";
        run(&route.source.url(name), make).await;
        if majors[0] != majors[1] {
            let gone = "COMMENT ON FUNCTION pg_catalog.pg_stop_backup() IS 'gone'";
            run(&route.source.url(name), gone).await;
        }
        let done = route.init(name, &["--schema-only"]).run().expect(0);
        let told = "comment on FUNCTION pg_catalog.pg_stop_backup(): the target has no such object";
        assert_eq!(done.stdout.contains(told), majors[0] != majors[1]);
        let comments = "SELECT string_agg(description, ', ' ORDER BY description) FROM pg_description
                         WHERE objoid IN ('abs(int)'::regprocedure, 403, '+(int,int)'::regoperator, 'bigint'::regtype)";
        let found = value(&route.target.url(name), comments).await;
        assert_eq!(found, "a tree, and, long, ours");
    }
}
