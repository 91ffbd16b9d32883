//! Objects that are excluded by name: what goes with them, and what never goes.

use crate::support::route::{Route, common, shared};
use crate::support::{run, value};

const APP: &str = "
    CREATE SCHEMA crm;
    CREATE TABLE public.users (id int PRIMARY KEY, email text, CONSTRAINT long CHECK (length(email) > 1));
    CREATE TABLE public.orders (id int PRIMARY KEY, by int CONSTRAINT placed REFERENCES public.users,
        at int, total int);
    CREATE TABLE public.base (n int, CONSTRAINT positive CHECK (n > 0));
    CREATE TABLE public.child () INHERITS (public.base);
    CREATE TABLE public.log (at int, CONSTRAINT small CHECK (at < 1000)) PARTITION BY RANGE (at);
    CREATE TABLE public.log_old PARTITION OF public.log FOR VALUES FROM (0) TO (100);
    CREATE INDEX log_at ON public.log (at);
    CREATE UNIQUE INDEX emails ON public.users (email);
    CREATE INDEX totals ON public.orders (total);
    CREATE FUNCTION crm.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION crm.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE FUNCTION crm.f(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE TRIGGER stamp BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION crm.stamp();
    CREATE TRIGGER stamp BEFORE INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION crm.stamp();
    CREATE TRIGGER stamp AFTER INSERT ON public.log FOR EACH ROW EXECUTE FUNCTION crm.stamp();
    CREATE VIEW crm.names AS SELECT email FROM public.users;
    CREATE VIEW crm.upper AS SELECT upper(email) AS email FROM crm.names;
    CREATE MATERIALIZED VIEW crm.summed AS SELECT sum(total) AS total FROM public.orders;
    CREATE INDEX ON public.orders (crm.f(total));
    INSERT INTO public.users VALUES (1, 'ann'), (2, 'bob');
    INSERT INTO public.orders VALUES (1, 1, 1, 5), (2, 2, 1, 6);
    INSERT INTO public.child VALUES (1);
    INSERT INTO public.log VALUES (1);";

/// Views, functions, triggers, indexes and constraints in the order of their names.
const OBJECTS: &str = "SELECT replace(string_agg(name, ' ' ORDER BY name COLLATE \"C\"), 'public.', '') FROM (
    SELECT relname::text AS name FROM pg_class WHERE relkind IN ('v', 'm', 'i', 'I') AND relnamespace IN
        ('public'::regnamespace, 'crm'::regnamespace)
    UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'crm'::regnamespace
    UNION ALL SELECT tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT conname || ' of ' || conrelid::regclass FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p')) objects";

async fn filled(route: &Route, hint: &str) -> String {
    let name = route.fresh(hint).await;
    run(&route.source.url(&name), APP).await;
    name
}

async fn excludes_by_name(majors: [u32; 2]) {
    let route = shared(majors);
    let name = filled(route, "without").await;
    let excluded = [
        "--exclude-objects",
        "crm.names,crm.f,users.stamp,emails,log_at,public.log.stamp,positive,small",
        "--exclude-objects",
    ];
    let by_table = format!("{name}.public.users.stamp");
    let flags = [&excluded[..2], &["--exclude-objects", &by_table]].concat();
    let wrong = route.init(&name, &flags).run().expect(1);
    wrong.assert_prints(&["no view, function, trigger, index or constraint users.stamp"]);

    let list = format!("crm.names,crm.f,{by_table},emails,log_at,public.log.stamp,positive,small");
    let done = route.init(&name, &["--exclude-objects", &list]).run();
    let done = done.expect(0);
    assert_eq!(
        value(&route.target.url(&name), OBJECTS).await,
        "crm.stamp() long of users orders_pkey orders_pkey of orders placed of orders stamp on orders summed totals \
         users_pkey users_pkey of users"
    );
    done.assert_prints(&[
        "excluded: view crm.names, function crm.f, trigger stamp on public.log, trigger stamp on public.users, index \
         log_at on public.log, index emails on public.users, constraint positive on public.base, constraint small on \
         public.log",
        "view crm.names: excluded",
        "view crm.upper: it depends on view crm.names, which is skipped",
        "function crm.f(integer): excluded",
        "index public.orders_f_idx on public.orders: it depends on function crm.f(integer), which is skipped",
    ]);
    route.command("verify", &[&name], &[]).run().expect(0);
}

#[tokio::test]
async fn excluded_objects_are_skipped_with_their_dependents_from_12_to_18() {
    excludes_by_name([12, 18]).await;
}

#[tokio::test]
async fn excluded_objects_are_skipped_with_their_dependents_on_17() {
    excludes_by_name([17, 17]).await;
}

#[tokio::test]
async fn a_key_is_excluded_with_the_foreign_keys_that_use_it() {
    let route = common();
    let name = filled(route, "keyless").await;
    let flags = ["--exclude-objects", "public.users.users_pkey"];
    let refused = route.replicate(&name, &flags).run().expect(1);
    refused.assert_prints(&[
        "table public.users: public.users_pkey is its replica identity; without it, UPDATE and DELETE cannot be \
         replicated",
    ]);
    route.init(&name, &flags).run().expect(0);
    let keys = "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
                 WHERE conrelid IN ('public.users'::regclass, 'public.orders'::regclass) AND contype IN ('p', 'f')";
    assert_eq!(value(&route.target.url(&name), keys).await, "orders_pkey");
}

#[tokio::test]
async fn what_is_never_excluded_is_refused_before_anything_is_written() {
    let route = common();
    let name = filled(route, "kept").await;
    let more = "
        CREATE TYPE crm.mood AS ENUM ('sad');
        CREATE FUNCTION crm.may(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true';
        CREATE FUNCTION crm.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';
        CREATE TABLE public.made (id int, twice int GENERATED ALWAYS AS (crm.twice(id)) STORED);
        CREATE POLICY own ON public.users USING (crm.may(id));
        ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;";
    run(&route.source.url(&name), more).await;
    for (list, code, text) in [
        ("users", 1, "table public.users in database"),
        ("crm.mood", 1, "type crm.mood in database"),
        ("own", 1, "policy own on public.users in database"),
        (
            "nmes",
            1,
            "no view, function, trigger, index or constraint nmes",
        ),
        (
            "public.child.positive",
            1,
            "is inherited from a parent table",
        ),
        (
            "crm.may",
            1,
            "policy own on public.users: it depends on function crm.may(integer), which therefore cannot be excluded",
        ),
        (
            "crm.twice",
            1,
            "column twice on public.made: it depends on function crm.twice(integer), which therefore cannot be",
        ),
        ("a.b.c.d.e", 2, "a.b.c.d.e is not object"),
        ("a,", 2, "empty"),
    ] {
        let refused = route.init(&name, &["--exclude-objects", list]).run();
        refused.expect(code).assert_prints(&[text]);
        let checked = route.command("validate", &[&name], &["--exclude-objects", list]);
        checked.run().expect(code).assert_prints(&[text]);
    }
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}
