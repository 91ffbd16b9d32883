//! Objects that `pg_dump` loses silently: they are copied or reported. And older targets, which get what they support.

use crate::support::route::{common, older, shared};
use crate::support::{run, value};

const SOURCE: &str = r#"
    CREATE SCHEMA x;
    CREATE EXTENSION hstore SCHEMA x;
    COMMENT ON FUNCTION x.akeys(x.hstore) IS 'a user''s words';
    CREATE TABLE x.t (a int PRIMARY KEY, b int REFERENCES x.t);
    ALTER TABLE x.t DISABLE TRIGGER ALL;
    CREATE RULE r AS ON INSERT TO x.t DO ALSO NOTHING;
    UPDATE pg_rewrite SET rulename = '_RETURN' WHERE rulename = 'r';
    CREATE INDEX broken ON x.t (b);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'x.broken'::regclass;
    INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label)
      VALUES ('x.t'::regclass, 'pg_class'::regclass, 0, 'absent', 'top');
"#;

const SUBSCRIPTION: &str = "CREATE SUBSCRIPTION follows CONNECTION 'host=h dbname=d password=canary-word' \
     PUBLICATION p WITH (connect = false)";

#[tokio::test]
async fn what_a_dump_loses_arrives_or_is_told() {
    let route = shared([17, 17]);
    let name = &*route.fresh("app").await;
    let source = route.source.url(name);
    run(&source, SOURCE).await;
    run(&source, SUBSCRIPTION).await;
    let done = route.init(name, &["--schema-only"]).run().expect(0);
    let told = format!("{}{}", done.stdout, done.stderr);
    for line in [
        "index x.broken on x.t: it is invalid on the source",
        "rule _RETURN on x.t: no server accepts a rule of this name",
        "the target has not loaded the module absent that reads the label",
        "subscription follows: not created",
        "CREATE SUBSCRIPTION \"follows\" CONNECTION",
        "password=",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(!told.contains("canary-word"), "{told}");
    let target = route.target.url(name);
    let comment = "SELECT obj_description('x.akeys(x.hstore)'::regprocedure, 'pg_proc')";
    assert_eq!(value(&target, comment).await, "a user's words");
    let disabled =
        "SELECT count(*)::text FROM pg_trigger WHERE tgrelid = 'x.t'::regclass AND tgenabled = 'D'";
    assert_eq!(value(&target, disabled).await, "4");
}

const NEW: &str = r#"
    CREATE SCHEMA x;
    CREATE TABLE x.t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, c int);
    ALTER TABLE x.t ADD CONSTRAINT c_there NOT NULL c NOT VALID;
    INSERT INTO x.t (a, c) VALUES (1, 2);
"#;

#[tokio::test]
async fn an_older_target_is_refused_unless_asked_for() {
    let route = shared([18, 15]);
    let name = &*route.fresh("app").await;
    run(&route.source.url(name), NEW).await;
    let refused = route.init(name, &[]).run().expect(1);
    assert!(
        refused.stderr.contains("--allow-older-target"),
        "{}",
        refused.stderr
    );
    let flags = ["--allow-older-target"];
    let done = route.init(name, &flags).run().expect(0);
    let line = "column b on x.t: changed for an older target: it is computed when rows are written";
    assert!(done.stderr.contains(line), "told before: {}", done.stderr);
    assert!(done.stdout.contains(line), "told after: {}", done.stdout);
    let target = route.target.url(name);
    assert_eq!(
        value(&target, "SELECT concat_ws(' ', a, b, c) FROM x.t").await,
        "1 2 2"
    );
    let view = "CREATE VIEW x.v WITH (security_invoker) AS SELECT * FROM x.t; \
                ALTER TABLE x.t ADD UNIQUE NULLS NOT DISTINCT (a)";
    let route = shared([18, 14]);
    let name = &*route.fresh("app").await;
    run(&route.source.url(name), NEW).await;
    run(&route.source.url(name), view).await;
    let refused = route.init(name, &flags).run().expect(1);
    for line in [
        "view x.v: the target does not support security_invoker views",
        "index x.t_a_key: the target does not support NULLS NOT DISTINCT",
    ] {
        assert!(refused.stderr.contains(line), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn columns_are_compressed_by_lz4_only_where_the_target_has_it() {
    for route in [common(), older()] {
        let name = route.fresh("lz4").await;
        // So it is also where the source was built without.
        let fill = "CREATE TABLE public.t (a int PRIMARY KEY, b text); INSERT INTO public.t VALUES (1, 'x');
            CREATE MATERIALIZED VIEW public.m AS SELECT b FROM public.t;
            SET allow_system_table_mods = on;
            UPDATE pg_attribute SET attcompression = 'l'
             WHERE attname = 'b' AND attrelid IN ('public.t'::regclass, 'public.m'::regclass)";
        run(&route.source.url(&name), fill).await;
        let done = route.init(&name, &[]).run().expect(0).all();
        let target = route.target.url(&name);
        let has = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'";
        let has = value(&target, has).await == "t";
        let methods = "SELECT string_agg(attcompression::text, '') FROM pg_attribute
                        WHERE attname = 'b' AND attrelid IN ('public.t'::regclass, 'public.m'::regclass)";
        assert_eq!(value(&target, methods).await == "ll", has, "{done}");
        for column in ["column b on public.m", "column b on public.t"] {
            let told = format!("{column}: skipped, the target does not support LZ4");
            assert_eq!(done.contains(&told), !has, "{told}: {done}");
        }
    }
}
