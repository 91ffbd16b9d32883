//! Expressions that are evaluated during a copy: checks, generated columns, views and indexes that read other tables,
//! depend on settings, or refer to themselves.

use crate::support::oracle;
use crate::support::route::{Route, common, shared};
use crate::support::{run, value};

/// Clusters of an old major.
fn older() -> &'static Route {
    shared([13, 13])
}

/// From the last major without named not-null constraints to the first with them.
fn newer() -> &'static Route {
    shared([16, 18])
}

/// Copies a database that was filled by these statements, and compares definitions and rows; the name
/// of both, and what the run printed.
async fn copied(route: &Route, hint: &str, fill: &str) -> (String, String) {
    let name = route.fresh(hint).await;
    let source = route.source.url(&name);
    run(&source, fill).await;
    let done = route.init(&name, &[]).run().expect(0).all();
    let target = route.target.url(&name);
    let verified = route.command("verify", &[&name], &[]).run().expect(0).all();
    assert!(!verified.contains("could not"), "{verified}");
    if route.source.major() == route.target.major() {
        assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    }
    (name, done)
}

/// Both sides answer alike, and as said.
async fn both_say(route: &Route, name: &str, answers: &[(&str, &str)]) {
    for (question, answer) in answers {
        for cluster in [&route.source, &route.target] {
            let found = value(&cluster.url(name), question).await;
            assert_eq!(found, *answer, "{question}");
        }
    }
}

const VALID: &str = "SELECT string_agg(concat_ws(' ', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), \
     conname, convalidated, conislocal, coninhcount), ', ' ORDER BY conrelid::regclass::text, contypid::regtype::text, conname COLLATE \"C\") \
     FROM pg_constraint WHERE contype = 'c'";

/// The tables come before the one that their checks read: by name, and by size.
const CHECKS: &str = "
    CREATE SCHEMA aaa; CREATE SCHEMA zzz;
    CREATE TABLE zzz.dict (val text PRIMARY KEY);
    INSERT INTO zzz.dict VALUES ('x'), ('y'), ('z');
    CREATE FUNCTION zzz.known(v text) RETURNS bool LANGUAGE sql STABLE
      AS 'SELECT EXISTS (SELECT 1 FROM zzz.dict WHERE val = v)';
    CREATE TABLE aaa.plain (id int PRIMARY KEY, val text CHECK (zzz.known(val)), CHECK (id > 0));
    CREATE TABLE aaa.part (id int, val text CHECK (zzz.known(val))) PARTITION BY RANGE (id);
    CREATE TABLE aaa.part1 PARTITION OF aaa.part FOR VALUES FROM (0) TO (1000);
    CREATE TABLE aaa.above (id int, val text CONSTRAINT k CHECK (zzz.known(val)));
    CREATE TABLE aaa.below (CONSTRAINT k CHECK (zzz.known(val))) INHERITS (aaa.above);
    CREATE TABLE aaa.deeper () INHERITS (aaa.below);
    CREATE TABLE aaa.only (id int, val text, CONSTRAINT o CHECK (zzz.known(val)) NO INHERIT);
    CREATE DOMAIN aaa.word AS text CHECK (zzz.known(VALUE));
    CREATE TABLE aaa.words (w aaa.word);
    INSERT INTO aaa.plain SELECT g, chr(120 + g % 3) FROM generate_series(1, 30) g;
    INSERT INTO aaa.part TABLE aaa.plain;
    INSERT INTO aaa.above TABLE aaa.plain;
    INSERT INTO aaa.below TABLE aaa.plain;
    INSERT INTO aaa.deeper TABLE aaa.plain;
    INSERT INTO aaa.only TABLE aaa.plain;
    INSERT INTO aaa.words SELECT val FROM zzz.dict;
    CREATE TABLE aaa.unchecked (val text);
    INSERT INTO aaa.unchecked VALUES ('unknown');
    ALTER TABLE aaa.unchecked ADD CONSTRAINT later CHECK (zzz.known(val)) NOT VALID;";

#[tokio::test]
async fn checks_that_read_other_tables_are_validated_after_all_rows() {
    for route in [common(), older()] {
        let (name, _) = copied(route, "checks", CHECKS).await;
        let (source, target) = (route.source.url(&name), route.target.url(&name));
        assert_eq!(value(&source, VALID).await, value(&target, VALID).await);
        assert!(
            value(&target, VALID)
                .await
                .contains("aaa.unchecked later f")
        );
    }
}

/// The server validates no domain that columns hold within another type.
const NESTED: &str = "
    CREATE DOMAIN aaa.nested AS text CHECK (zzz.known(VALUE));
    CREATE TABLE aaa.lists (w aaa.nested[]);
    INSERT INTO aaa.lists VALUES (ARRAY['x', 'y']);";

#[tokio::test]
async fn a_check_of_a_domain_within_another_type_is_reported_as_not_valid() {
    let route = common();
    let name = route.fresh("nested").await;
    run(&route.source.url(&name), &[CHECKS, NESTED].concat()).await;
    let done = route.init(&name, &[]).run().expect(0).all();
    let told = "constraint nested_check on aaa.nested: NOT VALID on the target";
    assert!(done.contains(told), "{done}");
    let valid = "SELECT string_agg(convalidated::text, ' ' ORDER BY conname) FROM pg_constraint \
                 WHERE contypid <> 0 AND connamespace = 'aaa'::regnamespace";
    assert_eq!(value(&route.target.url(&name), valid).await, "false true");
}

#[tokio::test]
async fn generated_columns_that_read_a_table_are_made_and_filled_after_it() {
    let fill = "
        CREATE TABLE zz_rates (k text PRIMARY KEY, r numeric);
        INSERT INTO zz_rates VALUES ('std', 1.19), ('low', 1.07);
        CREATE FUNCTION gross(k text, n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE
          AS 'SELECT n * (SELECT r FROM public.zz_rates z WHERE z.k = gross.k)';
        CREATE TABLE zzz_orders (id int PRIMARY KEY, net numeric, total numeric GENERATED ALWAYS AS (gross('std', net)) STORED);
        CREATE TABLE aa_orders (id int PRIMARY KEY, net numeric, kind text,
          total numeric GENERATED ALWAYS AS (gross(kind, net)) STORED, pad text);
        INSERT INTO aa_orders (id, net, kind, pad) SELECT g, g, CASE WHEN g % 2 = 0 THEN 'std' ELSE 'low' END, repeat('x', 400)
          FROM generate_series(1, 400) g;
        INSERT INTO zzz_orders SELECT id, net FROM aa_orders;
        CREATE INDEX aa_orders_total ON aa_orders (gross(kind, net));";
    for route in [common(), older()] {
        let fill = format!("SET search_path = public; {fill}");
        let (name, _) = copied(route, "generated", &fill).await;
        let sums = "SELECT sum(total) FROM public.aa_orders";
        both_say(route, &name, &[(sums, "90638.00")]).await;
    }
}

#[tokio::test]
async fn a_view_that_reads_itself_is_made_in_two_steps() {
    let fill = "
        CREATE TABLE public.t (a int, b text);
        INSERT INTO public.t VALUES (1, 'x');
        CREATE VIEW public.v AS SELECT a, b FROM public.t;
        CREATE VIEW public.v2 AS SELECT a FROM public.v;
        CREATE OR REPLACE VIEW public.v WITH (security_barrier) AS SELECT v.a, v.b FROM public.v;
        CREATE VIEW public.\"V\" AS SELECT 1 AS n;
        CREATE OR REPLACE VIEW public.\"V\" AS SELECT 2 AS n WHERE EXISTS (SELECT FROM public.\"V\");
        COMMENT ON VIEW public.v IS 'endless';";
    for route in [common(), older()] {
        let (name, _) = copied(route, "itself", fill).await;
        let failing = "SELECT count(*) FROM pg_rewrite WHERE ev_class = 'public.v'::regclass";
        both_say(route, &name, &[(failing, "1")]).await;
    }
}

/// Gives the database settings, and the session that fills it the same.
fn with_settings(settings: &[(&str, &str)], fill: &str) -> String {
    let alter = |(name, value): &(&str, &str)| {
        format!(
            "DO $$ BEGIN EXECUTE format($q$ALTER DATABASE %I SET {name} = {value}$q$, current_database()); END $$;
             SET {name} = {value};"
        )
    };
    settings.iter().map(alter).collect::<String>() + fill
}

/// The first hour of a day in Tokyo is the day before in UTC. Rows with a `regtype` go as text.
const SETTINGS: &str = "
    CREATE FUNCTION public.day(timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT $1::date';
    CREATE TABLE public.events (ts timestamptz PRIMARY KEY, d date, i interval, s text, body text,
      day date GENERATED ALWAYS AS (public.day(ts)) STORED, CHECK (ts::date = d), CHECK (i::text = s));
    INSERT INTO public.events SELECT t, t::date, i, i::text, 'die Häuser'
      FROM (SELECT '2024-03-01 00:30+09'::timestamptz + g * '1 hour'::interval AS t, '-1 day +02:03:04'::interval * g AS i
              FROM generate_series(0, 99) g) AS x;
    CREATE TABLE public.as_text (kind regtype, ts timestamptz, d date, i interval, s text, CHECK (ts::date = d), CHECK (i::text = s));
    INSERT INTO public.as_text SELECT 'int4', ts, d, i, s FROM public.events;
    CREATE INDEX events_day ON public.events (public.day(ts));
    CREATE DOMAIN public.tokyo AS timestamptz CHECK (extract(hour FROM VALUE) < 12);
    CREATE TABLE public.mornings (t public.tokyo);
    INSERT INTO public.mornings VALUES ('2024-03-01 00:30+09');
    CREATE MATERIALIZED VIEW public.seen AS
      SELECT ts::date::text AS d, ts::text AS t, i::text AS i, to_tsvector(body) AS v, 1.5::float8::text AS f, '\\x01'::bytea::text AS b
        FROM public.events;";

#[tokio::test]
async fn expressions_are_evaluated_under_the_databases_settings() {
    let settings = [
        ("timezone", "'Asia/Tokyo'"),
        ("datestyle", "'SQL, DMY'"),
        ("intervalstyle", "'sql_standard'"),
        ("default_text_search_config", "'pg_catalog.german'"),
        ("bytea_output", "'escape'"),
    ];
    for route in [common(), older()] {
        let fill = with_settings(&settings, SETTINGS);
        let (name, _) = copied(route, "settings", &fill).await;
        let answers = [
            (
                "SELECT count(*) FROM public.seen WHERE d = '01/03/2024'",
                "24",
            ),
            ("SELECT count(*) FROM public.seen WHERE v @@ 'haus'", "100"),
            (
                "SELECT string_agg(DISTINCT b, '') FROM public.seen",
                "\\001",
            ),
            (
                "SET enable_seqscan = off; SET timezone = 'Asia/Tokyo'; \
                 SELECT count(*) FROM public.events WHERE public.day(ts) = '2024-03-02'",
                "24",
            ),
        ];
        both_say(route, &name, &answers).await;
        let all = "SELECT md5(string_agg(x::text, ';' ORDER BY x::text COLLATE \"C\")) \
                   FROM (SELECT d, t, i, v::text, f, b FROM public.seen) AS x";
        let (source, target) = (route.source.url(&name), route.target.url(&name));
        assert_eq!(value(&source, all).await, value(&target, all).await);
    }
}

/// Bodies that rely on the path of their database, which PostgreSQL 17 itself does not use for indexes
/// and materialized views: there they were created while the functions had a path of their own.
const PATH: &str = "
    CREATE SCHEMA zzz;
    CREATE TABLE zzz.dict (val text PRIMARY KEY);
    INSERT INTO zzz.dict VALUES ('x'), ('y'), ('z');
    CREATE FUNCTION zzz.short(v text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT pg_catalog.upper(v)';
    CREATE FUNCTION zzz.short(n int) RETURNS text LANGUAGE sql IMMUTABLE STRICT SET search_path = zzz
      AS 'SELECT short(n::text)';
    CREATE FUNCTION zzz.known(v text) RETURNS bool LANGUAGE plpgsql STABLE SET search_path = zzz
      AS $$ BEGIN RETURN EXISTS (SELECT 1 FROM dict WHERE val = v); END $$;
    CREATE TABLE public.aaa (id int PRIMARY KEY, val text CHECK (zzz.known(val)),
      code text GENERATED ALWAYS AS (zzz.short(id)) STORED);
    INSERT INTO public.aaa SELECT g, chr(120 + g % 3) FROM generate_series(1, 30) g;
    CREATE INDEX aaa_code ON public.aaa (zzz.short(id));
    CREATE DOMAIN public.word AS text CHECK (zzz.known(VALUE));
    CREATE TABLE public.words (w public.word);
    INSERT INTO public.words VALUES ('z');
    CREATE MATERIALIZED VIEW public.m AS SELECT id, zzz.known(val) AS k, zzz.short(id) AS s FROM public.aaa;
    ALTER FUNCTION zzz.short(int) RESET search_path;
    ALTER FUNCTION zzz.known(text) RESET search_path;";

#[tokio::test]
async fn bodies_find_what_they_name_by_the_databases_path() {
    for route in [common(), older()] {
        let settings = [("search_path", "zzz, public")];
        let (name, done) = copied(route, "path", &with_settings(&settings, PATH)).await;
        let answers = [
            (
                "SELECT count(*) FROM public.m WHERE k AND s = id::text",
                "30",
            ),
            (
                "SELECT count(*) FROM pg_proc WHERE pronamespace = 'zzz'::regnamespace AND proconfig IS NULL",
                "3",
            ),
        ];
        both_say(route, &name, &answers).await;
        assert!(done.contains("index public.aaa_code on public.aaa: a function that it calls relies on search_path"), "{done}");
        let view = "rows of materialized view public.m: a function";
        assert_eq!(done.contains(view), route.target.major() >= 17, "{done}");
    }
}

#[tokio::test]
async fn tables_whose_queries_need_a_path_are_read_whole_and_compared() {
    let fill = "
        CREATE FUNCTION public.inner_one(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + 1';
        CREATE FUNCTION public.outer_one(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT inner_one(n)';
        CREATE TABLE public.spots (id int PRIMARY KEY, pad text);
        INSERT INTO public.spots SELECT g, repeat('x', 500) FROM generate_series(1, 3000) g;
        CREATE TABLE public.sums (id int PRIMARY KEY, next int GENERATED ALWAYS AS (public.outer_one(id)) STORED);
        INSERT INTO public.sums SELECT g FROM generate_series(1, 30) g;
        SET search_path = public, pg_catalog;
        CREATE INDEX ON public.spots (public.outer_one(id));
        CREATE INDEX ON public.sums (public.outer_one(id));";
    let route = older();
    let name = route.fresh("planned").await;
    run(
        &route.source.url(&name),
        &format!("SET search_path = public; {fill}"),
    )
    .await;
    let flags = ["--split-larger-than", "100kB"];
    route.init(&name, &flags).run().expect(0);
    route.command("verify", &[&name], &[]).run().expect(0);
    both_say(
        route,
        &name,
        &[(
            "SET search_path = public; SELECT count(*) FROM spots",
            "3000",
        )],
    )
    .await;
}

#[tokio::test]
async fn names_of_not_null_constraints_do_not_collide_on_18() {
    let fill = "
        CREATE TABLE public.t (i int NOT NULL, j int NOT NULL, k int PRIMARY KEY);
        ALTER TABLE public.t ADD CONSTRAINT t_i_not_null CHECK (i IS NOT NULL) NOT VALID;
        ALTER TABLE public.t ADD CONSTRAINT t_j_not_null CHECK (j IS NOT NULL);
        ALTER TABLE public.t ADD CONSTRAINT t_k_not_null CHECK (k > 0) NOT VALID;
        INSERT INTO public.t SELECT g, g, g FROM generate_series(1, 10) g;
        CREATE TABLE public.pt (a int NOT NULL, b int) PARTITION BY RANGE (a);
        CREATE TABLE public.pt1 PARTITION OF public.pt FOR VALUES FROM (0) TO (100);
        ALTER TABLE public.pt ADD CONSTRAINT pt_a_not_null CHECK (a IS NOT NULL) NOT VALID;
        CREATE TABLE public.u (a int NOT NULL, b int);
        ALTER TABLE public.u ADD CONSTRAINT u_a_not_null UNIQUE (b);
        CREATE TABLE public.f (a int NOT NULL CONSTRAINT f_a_not_null REFERENCES public.t (k));
        CREATE TABLE public.above (a int NOT NULL, CONSTRAINT above_a_not_null CHECK (a > 0));
        CREATE TABLE public.below (b int) INHERITS (public.above);
        CREATE TABLE public.plain (a int NOT NULL);";
    let (name, _) = copied(newer(), "names", fill).await;
    let names = "SELECT string_agg(conname, ' ' ORDER BY conname COLLATE \"C\") FROM pg_constraint
                 WHERE contype = 'n' AND conrelid IN ('public.t'::regclass, 'public.plain'::regclass)";
    assert_eq!(
        value(&newer().target.url(&name), names).await,
        "plain_a_not_null t_i_not_null1 t_j_not_null1 t_k_not_null1"
    );
}

#[tokio::test]
async fn a_child_that_takes_null_below_a_primary_key_is_refused_beforehand_on_18() {
    let name = newer().fresh("nullable").await;
    let fill = "CREATE TABLE public.above (id int PRIMARY KEY);
                CREATE TABLE public.below () INHERITS (public.above);
                ALTER TABLE public.below ALTER COLUMN id DROP NOT NULL;";
    run(&newer().source.url(&name), fill).await;
    let refused = newer()
        .command("validate", &[&name], &[])
        .run()
        .expect(1)
        .all();
    let told = "column id on public.below (it takes NULL below the primary key of its parent";
    assert!(refused.contains(told), "{refused}");
}

#[tokio::test]
async fn a_materialized_view_shows_what_policies_show_its_owner() {
    let fill = "
        CREATE ROLE tenant; CREATE ROLE admin;
        GRANT CREATE, USAGE ON SCHEMA public TO tenant, admin;
        CREATE TABLE public.fact (id int PRIMARY KEY, tenant text);
        ALTER TABLE public.fact OWNER TO admin;
        INSERT INTO public.fact SELECT g, CASE WHEN g % 2 = 0 THEN 'tenant' ELSE 'x' END FROM generate_series(1, 20) g;
        ALTER TABLE public.fact ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON public.fact USING (tenant = current_user);
        GRANT SELECT ON public.fact TO tenant;
        SET row_security = on;
        SET ROLE tenant; CREATE MATERIALIZED VIEW public.mine AS SELECT * FROM public.fact; RESET ROLE;";
    let route = &Route::of_majors([16, 18]);
    let (name, _) = copied(route, "policies", fill).await;
    both_say(route, &name, &[("SELECT count(*) FROM public.mine", "10")]).await;
}

#[tokio::test]
async fn marks_of_cycles_are_written_as_they_are_read() {
    let fill = "
        CREATE VIEW public.lit AS WITH RECURSIVE s(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < 5)
          CYCLE n SET hit TO 'Y' DEFAULT 'N' USING pth SELECT n, hit FROM s;
        CREATE TYPE public.\"Mood\" AS ENUM ('a', 'it''s');
        CREATE MATERIALIZED VIEW public.mat AS WITH RECURSIVE s(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < 5)
          CYCLE n SET hit TO public.\"Mood\" 'a' DEFAULT public.\"Mood\" 'it''s' USING pth SELECT n, hit FROM s;
        CREATE VIEW public.numbers AS WITH RECURSIVE s(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < 5)
          CYCLE n SET hit TO 1 DEFAULT 0 USING pth SELECT n, hit FROM s;";
    for route in [common(), newer()] {
        let (name, _) = copied(route, "marks", fill).await;
        both_say(
            route,
            &name,
            &[(
                "SELECT string_agg(hit::text, '') FROM public.mat",
                "it'sit'sit'sit'sit's",
            )],
        )
        .await;
    }
}

#[tokio::test]
async fn duplicates_below_a_unique_index_are_named_with_the_way_out() {
    let route = older();
    let name = route.fresh("twice").await;
    let fill = "
        CREATE TABLE public.account (id int PRIMARY KEY, mail text);
        CREATE UNIQUE INDEX account_mail ON public.account (mail);
        INSERT INTO public.account SELECT g, 'm' || g FROM generate_series(1, 100) g;
        SET allow_system_table_mods = on;
        UPDATE pg_index SET indisunique = false WHERE indexrelid = 'public.account_mail'::regclass;";
    let source = route.source.url(&name);
    run(&source, fill).await;
    run(&source, "INSERT INTO public.account VALUES (101, 'm5')").await;
    let unique = "SET allow_system_table_mods = on;
        UPDATE pg_index SET indisunique = true WHERE indexrelid = 'public.account_mail'::regclass";
    run(&source, unique).await;
    let failed = route.init(&name, &[]).run().expect(1).stderr;
    for told in [
        "index public.account_mail on public.account",
        "detail: Key (mail)=(m5) is duplicated.",
        "next: the copied rows contain duplicates: on the target, correct all but one of them or delete them",
    ] {
        assert!(failed.contains(told), "{told}: {failed}");
    }
}

#[tokio::test]
async fn a_materialized_view_over_a_server_out_of_reach_stays_empty_and_is_reported() {
    let route = common();
    let name = route.fresh("far").await;
    let fill = format!(
        "CREATE EXTENSION postgres_fdw SCHEMA public;
         CREATE TABLE public.good (id int PRIMARY KEY);
         INSERT INTO public.good SELECT generate_series(1, 1000);
         CREATE SERVER partner FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{}', port '{}', dbname 'postgres');
         CREATE USER MAPPING FOR postgres SERVER partner OPTIONS (user 'postgres', password_required 'false');
         CREATE FOREIGN TABLE public.remote (relname name) SERVER partner OPTIONS (schema_name 'pg_catalog', table_name 'pg_class');
         CREATE MATERIALIZED VIEW public.names AS SELECT relname::text FROM public.remote WHERE relname LIKE 'pg_a%';
         CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) FROM public.names;
         CREATE UNIQUE INDEX names_key ON public.names (relname);
         ALTER SERVER partner OPTIONS (SET port '1');",
        route.source.socket_dir().display(),
        route.source.port()
    );
    run(&route.source.url(&name), &fill).await;
    let done = route.init(&name, &[]).run().expect(0).all();
    let told = "rows of materialized view public.names, rows of materialized view public.counted: not filled";
    assert!(
        done.contains(told) && done.contains("REFRESH MATERIALIZED VIEW"),
        "{done}"
    );
    let target = route.target.url(&name);
    assert_eq!(
        value(&target, "SELECT count(*) FROM public.good").await,
        "1000"
    );
    let index = "SELECT count(*) FROM pg_indexes WHERE indexname = 'names_key'";
    assert_eq!(value(&target, index).await, "1");
}

/// Bodies that find what they name by the path of a session alone, but for the last one: by their database's.
const LOST_PATH: &str = "
    CREATE SCHEMA zzz;
    CREATE TABLE zzz.dict (val text PRIMARY KEY);
    CREATE FUNCTION zzz.short(v text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.upper(v)';
    CREATE FUNCTION zzz.short(n int) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = zzz AS 'SELECT short(n::text)';
    CREATE FUNCTION zzz.known(v text) RETURNS bool LANGUAGE plpgsql STABLE SET search_path = zzz
      AS $$ BEGIN RETURN EXISTS (SELECT 1 FROM dict WHERE val = v); END $$;
    CREATE FUNCTION public.next(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + 1';
    CREATE FUNCTION public.second(n int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = public AS 'SELECT next(next(n))';
    CREATE FUNCTION public.own_path(n int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = public AS 'SELECT next(n)';
    CREATE TABLE public.aaa (id int PRIMARY KEY, val text);
    INSERT INTO public.aaa VALUES (1, 'x');
    CREATE INDEX aaa_code ON public.aaa (zzz.short(id));
    CREATE INDEX aaa_second ON public.aaa (public.second(id), public.own_path(id));
    CREATE VIEW public.between AS SELECT zzz.known(val) AS k, public.second(id) AS s FROM public.aaa;
    CREATE MATERIALIZED VIEW public.m AS SELECT * FROM public.between;
    ALTER FUNCTION zzz.short(int) RESET search_path;
    ALTER FUNCTION zzz.known(text) RESET search_path;
    ALTER FUNCTION public.second(int) RESET search_path;";

#[tokio::test]
async fn bodies_that_a_newer_server_runs_without_a_path_are_found_beforehand() {
    for route in [common(), newer(), older()] {
        let name = route.fresh("lost_path").await;
        run(&route.source.url(&name), LOST_PATH).await;
        let found = route
            .command("validate", &[&name], &[])
            .run()
            .expect(0)
            .all()
            .replace('"', "");
        // Between majors every name is quoted.
        let is_found = route.target.major() >= 17;
        for part in [
            "the body of function zzz.short(integer) relies on search_path (function short(text) does not exist)",
            "runs it for index public.aaa_code without",
            "ALTER FUNCTION zzz.short(integer) SET search_path = …",
            "the body of function public.second(integer) relies on",
            "for index public.aaa_second, materialized view public.m without",
            "ALTER FUNCTION public.second(integer) SET search_path TO '$user', 'public'",
        ] {
            assert_eq!(found.contains(part), is_found, "{part}: {found}");
        }
        assert!(!found.contains("own_path"), "{found}");
        let failed = route.init(&name, &[]).run().expect(1).all();
        let failed = failed.replace('"', "");
        for part in [
            "index public.aaa_code on public.aaa",
            "SQL function short",
            "materialized view public.m",
            "PL/pgSQL function zzz.known(text)",
            "run on both servers: ALTER FUNCTION ... SET search_path = ...",
        ] {
            assert!(failed.contains(part), "{part}: {failed}");
        }
    }
}
