//! Row filters: which rows are copied, published and compared, and which filters cannot be published.

use crate::support::route::{common, shared};
use crate::support::{run, value};

/// Tables whose rows have times of every kind; a partitioned one; generated and identity columns; one that is not
/// logged.
const SHOP: &str = "
    CREATE SCHEMA analytics;
    CREATE TABLE public.orders (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        status text NOT NULL,
        price int NOT NULL,
        gross int GENERATED ALWAYS AS (price * 2) STORED,
        created timestamptz NOT NULL);
    CREATE TABLE public.metrics (id int, at timestamp, day date, note text, PRIMARY KEY (id));
    CREATE TABLE analytics.events (id int, at timestamptz, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE analytics.events_old PARTITION OF analytics.events FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
    CREATE TABLE analytics.events_new PARTITION OF analytics.events FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
    CREATE UNLOGGED TABLE public.scratch (id int PRIMARY KEY);
    INSERT INTO public.orders (status, price, created)
        SELECT (ARRAY['active', 'pending', 'closed'])[1 + g % 3], g, now() - g * interval '1 day'
          FROM generate_series(0, 299) g;
    INSERT INTO public.metrics
        SELECT g, localtimestamp - g * interval '1 day', current_date - g, 'm' FROM generate_series(0, 299) g;
    INSERT INTO analytics.events
        SELECT g, now() - g * interval '30 days', 'e' FROM generate_series(0, 299) g;
    INSERT INTO public.scratch SELECT generate_series(1, 5);
    ALTER TABLE public.orders REPLICA IDENTITY FULL;
    ALTER TABLE public.metrics REPLICA IDENTITY FULL;";

/// A digest of the rows of a table that meet a condition.
fn digest(table: &str, condition: &str) -> String {
    format!(
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY id)), '') FROM {table} t WHERE {condition}"
    )
}

const FILTERS: [&str; 8] = [
    "--table-filter",
    "orders:status IN ('active', 'pending') AND price::numeric < 250",
    "--time-filter",
    "metrics:at:100 days",
    "--time-filter",
    "analytics.events:at:10 years",
    "--as-of",
    "2026-06-01 12:00:00+00",
];

async fn copies_what_filters_select(majors: [u32; 2], flags: &[&str]) {
    let route = shared(majors);
    let name = route.filled("filtered", SHOP).await;
    let zone = format!("ALTER DATABASE \"{name}\" SET timezone = 'America/New_York'");
    run(&route.source.url(&name), &zone).await;
    let machine = tempfile::tempdir().unwrap();
    let all = [&FILTERS[..], flags, &["--yes"]].concat();
    let done = route.command("init", &[&name], &all).state(&machine);
    let done = done.run().expect(0);
    done.assert_prints(&[
        "Filters use 2026-06-01 12:00:00+00 as the current time.",
        "only rows of public.metrics where \"at\" >= '2026-02-21 08:00:00'::pg_catalog.\"timestamp\"",
    ]);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    for (table, condition) in [
        (
            "public.orders",
            "status IN ('active', 'pending') AND price < 250",
        ),
        ("public.metrics", "at >= timestamp '2026-02-21 08:00:00'"),
        (
            "analytics.events",
            "at >= timestamptz '2016-06-01 12:00:00+00'",
        ),
        ("public.scratch", "true"),
    ] {
        let wanted = value(&source, &digest(table, condition)).await;
        assert_eq!(
            value(&target, &digest(table, "true")).await,
            wanted,
            "{table}"
        );
        assert!(!wanted.starts_with("0 "), "{table} would prove nothing");
    }
    let verified = route.command("verify", &[&name], &FILTERS).run().expect(0);
    verified.assert_prints(&["equal"]);
    run(&target, "DELETE FROM public.orders WHERE price = 3").await;
    let verified = route.command("verify", &[&name], &FILTERS).run().expect(1);
    verified.assert_prints(&["public.orders"]);
    let dropped = route.command("teardown", &[&name], &["--yes"]);
    dropped.state(&machine).run().expect(0);
}

#[tokio::test]
async fn acceptance_18_filters_select_the_same_rows_from_12_to_17() {
    copies_what_filters_select([12, 17], &["--no-sync"]).await;
}

#[tokio::test]
async fn acceptance_18_filters_select_the_same_rows_from_17_to_18() {
    copies_what_filters_select([17, 18], &["--snapshot-only-tables", "analytics.events"]).await;
}

#[tokio::test]
async fn acceptance_18_publication_and_copy_have_the_same_constant() {
    let route = shared([17, 18]);
    let name = route.filled("same", SHOP).await;
    let machine = tempfile::tempdir().unwrap();
    let flags = [
        "--yes",
        "--table-filter",
        "orders:created >= now() - interval '6 months' AND status <> 'closed'",
        "--time-filter",
        "metrics:day:1 month",
        "--snapshot-only-tables",
        "analytics.events",
    ];
    let done = route.command("init", &[&name], &flags).state(&machine);
    done.run().expect(0);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    // What the server publishes is what was copied: the rows that its own filter selects.
    for (table, text) in [("orders", "public.orders"), ("metrics", "public.metrics")] {
        let filter = format!(
            "SELECT pg_get_expr(prqual, prrelid) FROM pg_publication_rel WHERE prrelid = '{text}'::regclass"
        );
        let filter = value(&source, &filter).await;
        let wanted = value(&source, &digest(text, &filter)).await;
        assert_eq!(
            value(&target, &digest(text, "true")).await,
            wanted,
            "{table}: {filter}"
        );
    }
    // The state has the instant; elsewhere it must be given.
    let rules = &flags[1..];
    let verified = route.command("verify", &[&name], rules).state(&machine);
    verified.run().expect(0);
    let unknown = route.command("verify", &[&name], rules).run().expect(1);
    unknown.assert_prints(&["the time of the copy is not recorded here", "--as-of"]);
    // UPDATE and DELETE work on the source.
    run(
        &source,
        "UPDATE public.orders SET price = price + 1; DELETE FROM public.metrics WHERE id < 3",
    )
    .await;
    let dropped = route.command("teardown", &[&name], &["--yes"]);
    dropped.state(&machine).run().expect(0);
}

#[tokio::test]
async fn filters_that_cannot_be_published_are_all_named_and_nothing_is_written() {
    let route = shared([17, 18]);
    let shop = "
        CREATE TABLE public.orders (id int PRIMARY KEY, status text, created timestamptz);
        CREATE TABLE public.users (id int PRIMARY KEY);
        CREATE TABLE public.notes (id int PRIMARY KEY, note text);
        CREATE FUNCTION public.wanted(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 3';";
    let name = route.filled("blocked", shop).await;
    let flags = [
        "--yes",
        "--table-filter",
        "orders:status = 'active'",
        "--table-filter",
        "users:id IN (SELECT id FROM public.orders)",
        "--table-filter",
        "notes:wanted(id)",
    ];
    let refused = route.command("init", &[&name], &flags).run().expect(1);
    refused.assert_prints(&[
        "table public.orders has a filter on columns that are not in its replica identity: status",
        "ALTER TABLE ONLY \"public\".\"orders\" REPLICA IDENTITY FULL",
        "table public.users has a filter that cannot be published: it contains a query",
        "table public.notes has a filter that cannot be published: it calls function wanted",
    ]);
    let left = "SELECT count(*) FROM pg_publication";
    assert_eq!(value(&route.source.url(&name), left).await, "0");
    // The ways out: the whole row as identity, and tables without their later changes.
    let machine = tempfile::tempdir().unwrap();
    let more = [
        "--replica-identity-full",
        "--snapshot-only-tables",
        "users,notes",
    ];
    let done = route.command("init", &[&name], &[&flags[..], &more].concat());
    done.state(&machine).run().expect(0);
    let dropped = route.command("teardown", &[&name], &["--yes"]);
    dropped.state(&machine).run().expect(0);
    let identity = "SELECT relreplident FROM pg_class WHERE relname = 'orders'";
    assert_eq!(value(&route.source.url(&name), identity).await, "d");
}

#[tokio::test]
async fn a_filter_that_only_the_server_finds_unpublishable_leaves_nothing() {
    let route = shared([17, 18]);
    let shop =
        "CREATE TABLE public.orders (id int, created timestamptz, PRIMARY KEY (id, created));";
    let name = route.filled("mutable", shop).await;
    let flags = [
        "--yes",
        "--table-filter",
        "orders:created::date > '2026-01-01'",
    ];
    let refused = route.command("init", &[&name], &flags).run().expect(1);
    refused.assert_prints(&["the filter of table public.orders cannot be published"]);
    let left = "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())";
    assert_eq!(value(&route.source.url(&name), left).await, "0");
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

#[tokio::test]
async fn a_source_before_15_publishes_no_filters() {
    let route = shared([14, 18]);
    let name = route
        .filled("old", "CREATE TABLE public.t (id int PRIMARY KEY)")
        .await;
    let flags = ["--yes", "--table-filter", "t:id > 3"];
    let refused = route.command("init", &[&name], &flags).run().expect(1);
    refused.assert_prints(&[
        "Table-level predicates (table filters, time filters, or config file rules) require PostgreSQL 15+ on \
         the source so publications can use WHERE clauses; this source is 14",
    ]);
}

#[tokio::test]
async fn a_word_that_is_no_time_is_a_text() {
    let route = common();
    let name = route
        .filled(
            "words",
            "CREATE TABLE public.t (id int PRIMARY KEY, note text);
         INSERT INTO public.t VALUES (1, 'today'), (2, 'later')",
        )
        .await;
    let flags = ["--yes", "--no-sync", "--table-filter", "t:note = 'today'"];
    route.command("init", &[&name], &flags).run().expect(0);
    let rows = "SELECT string_agg(id::text, ' ') FROM public.t";
    assert_eq!(value(&route.target.url(&name), rows).await, "1");
}

/// Two tables of one schema and two databases with equal names; filters by name parts.
#[tokio::test]
async fn a_filter_is_of_the_table_that_its_name_means() {
    let route = common();
    let both = "
        CREATE SCHEMA other;
        CREATE TABLE public.t (id int PRIMARY KEY);
        CREATE TABLE other.t (id int PRIMARY KEY);
        INSERT INTO public.t SELECT generate_series(1, 10);
        INSERT INTO other.t SELECT generate_series(1, 10);";
    let one = route.filled("one", both).await;
    let two = route.filled("two", both).await;
    let exact = format!("{two}.public.t:id > 8");
    let flags = [
        "--yes",
        "--no-sync",
        "--table-filter",
        "t:id > 5",
        "--table-filter",
        "other.t:id > 7",
        "--table-filter",
        &exact,
    ];
    route.command("init", &[&one, &two], &flags).run().expect(0);
    let rows = "SELECT (SELECT count(*) FROM public.t) || ' ' || (SELECT count(*) FROM other.t)";
    assert_eq!(value(&route.target.url(&one), rows).await, "5 3");
    assert_eq!(value(&route.target.url(&two), rows).await, "2 3");
}

/// A parent and its children, both filtered so that no reference dangles; and a parent alone.
#[tokio::test]
async fn acceptance_19_references_to_rows_outside_a_filter_are_counted() {
    let route = common();
    let keys = "
        CREATE TABLE public.users (id int PRIMARY KEY, boss int REFERENCES public.users);
        CREATE TABLE public.orders (id int PRIMARY KEY, user_id int REFERENCES public.users, created timestamptz);
        INSERT INTO public.users SELECT g, NULL FROM generate_series(1, 10) g;
        UPDATE public.users SET boss = id - 1 WHERE id = 10;
        INSERT INTO public.orders SELECT g, 1 + g % 10, now() - g * interval '1 day' FROM generate_series(0, 99) g;";
    let name = route.filled("keys", keys).await;
    let flags = ["--yes", "--no-sync", "--table-filter", "users:id > 5"];
    let refused = route.command("init", &[&name], &flags).run().expect(1);
    refused.assert_prints(&[
        "FK-related table public.users is NOT being copied in full: 50 rows of public.orders refer to rows outside \
         its scope (orders_user_id_fkey)",
        "widen the filter of public.users",
    ]);
    let both = [
        "--yes",
        "--no-sync",
        "--table-filter",
        "orders:created > now() - interval '4 days 12 hours'",
        "--table-filter",
        "users:id IN (SELECT user_id FROM public.orders WHERE created > now() - interval '100 years') OR id = 9",
    ];
    // A query cannot use the current time: it is written as a constant.
    let refused = route.command("init", &[&name], &both).run().expect(1);
    refused.assert_prints(&["a query uses the current time"]);
    let both = [
        "--yes",
        "--no-sync",
        "--table-filter",
        "orders:user_id <= 4",
        "--table-filter",
        "users:id IN (SELECT user_id FROM public.orders WHERE user_id <= 4)",
    ];
    route.command("init", &[&name], &both).run().expect(0);
    let rows =
        "SELECT (SELECT count(*) FROM public.users) || ' ' || (SELECT count(*) FROM public.orders)";
    assert_eq!(value(&route.target.url(&name), rows).await, "4 40");
}

#[tokio::test]
async fn acceptance_19_orphans_are_allowed_and_the_key_stays_not_valid() {
    let route = common();
    let keys = "
        CREATE TABLE public.users (id int PRIMARY KEY);
        CREATE TABLE public.orders (id int PRIMARY KEY, user_id int REFERENCES public.users);
        INSERT INTO public.users SELECT generate_series(1, 10);
        INSERT INTO public.orders SELECT g, 1 + g % 10 FROM generate_series(0, 99) g;";
    let name = route.filled("orphans", keys).await;
    let flags = [
        "--yes",
        "--no-sync",
        "--allow-orphans",
        "--table-filter",
        "users:id > 5",
    ];
    route.command("init", &[&name], &flags).run().expect(0);
    let valid = "SELECT convalidated FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(value(&route.target.url(&name), valid).await, "f");
}
