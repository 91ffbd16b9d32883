//! Privileges and comments of system objects, of the kinds that PostgreSQL's own tests of `pg_dump` create.

use std::collections::BTreeSet;

use crate::support::route::Route;
use crate::support::{oracle, run, value};

/// Since the owner of one of the server's objects is not copied, what an owner lost there is lost by
/// the owner on the target.
const SOURCE: &str = r#"
    CREATE ROLE keeper;
    CREATE ROLE "two  ""\ words";
    ALTER FUNCTION pg_catalog.pg_stat_reset() OWNER TO keeper;
    REVOKE ALL ON FUNCTION pg_catalog.pg_stat_reset() FROM keeper;
    ALTER FUNCTION pg_catalog.lo_import(text) OWNER TO keeper;
    GRANT EXECUTE ON FUNCTION pg_catalog.lo_import(text) TO keeper WITH GRANT OPTION;
    REVOKE ALL ON FUNCTION pg_catalog.lo_export(oid, text) FROM postgres;
    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
    REVOKE SELECT ON TABLE pg_catalog.pg_proc FROM PUBLIC;
    GRANT SELECT (proname, prosrc) ON TABLE pg_catalog.pg_proc TO PUBLIC;
    REVOKE USAGE ON LANGUAGE sql FROM PUBLIC;
    REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
    REVOKE USAGE ON TYPE pg_catalog.int8 FROM PUBLIC;
    REVOKE USAGE ON SCHEMA pg_catalog FROM postgres;
    ALTER SCHEMA public OWNER TO "two  ""\ words";
    REVOKE ALL ON SCHEMA public FROM "two  ""\ words";
    ALTER DEFAULT PRIVILEGES FOR ROLE keeper REVOKE SELECT ON TABLES FROM keeper;
    ALTER DEFAULT PRIVILEGES FOR ROLE keeper REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA public GRANT SELECT ON TABLES TO keeper;
    CREATE FUNCTION public.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
    CREATE LANGUAGE spoken HANDLER public.handler;
    ALTER LANGUAGE spoken OWNER TO keeper;
    CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
    CREATE TABLE public.kept (a int) USING other_heap;
    ALTER TABLE public.kept OWNER TO keeper;
    REVOKE ALL ON TABLE public.kept FROM keeper;
    CREATE OPERATOR FAMILY public.family USING btree;
    ALTER OPERATOR FAMILY public.family USING btree ADD OPERATOR 1 < (int8, int4), FUNCTION 2 (int4, int4) btint4sortsupport(internal);
    CREATE PUBLICATION everything FOR ALL TABLES;
    ALTER PUBLICATION everything OWNER TO postgres;
    SELECT lo_create(4711);
    ALTER LARGE OBJECT 4711 OWNER TO keeper;
    REVOKE ALL ON LARGE OBJECT 4711 FROM keeper;
"#;

#[tokio::test]
async fn what_owners_of_the_servers_objects_lost_they_lose() {
    let route = Route::of_majors([17, 17]);
    route.create("own").await;
    let (source, target) = (route.source.url("own"), route.target.url("own"));
    run(&source, SOURCE).await;
    route.init("own", &[]).run().expect(0);
    let lists = "SELECT string_agg(oid::regprocedure || ' ' || proacl::text, ', ' ORDER BY oid::regprocedure::text COLLATE \"C\")
                   FROM pg_proc WHERE oid IN ('pg_stat_reset()'::regprocedure, 'lo_import(text)'::regprocedure,
                                              'lo_export(oid,text)'::regprocedure, 'pg_sleep(float8)'::regprocedure)";
    assert_eq!(
        value(&target, lists).await,
        "lo_export(oid,text) {}, lo_import(text) {keeper=X*/postgres}, \
         pg_sleep(double precision) {postgres=X/postgres}, pg_stat_reset() {}"
    );
    assert_eq!(oracle::data_diff(&source, &target), [""; 0]);
    // The comments of a dump name owners, which it does not restore for the server's own objects.
    let differing = oracle::schema_diff(&source, &target);
    let statements = |side: &str| -> BTreeSet<&str> {
        let of_side = differing
            .iter()
            .filter_map(|entry| entry.strip_prefix(side));
        of_side
            .filter_map(|entry| entry.rsplit("--\n").next())
            .collect()
    };
    assert_eq!(statements("only source:\n"), statements("only target:\n"));
}
