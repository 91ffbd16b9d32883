//! Every command line that has been published: each does what it says, on two clusters of its own with the databases
//! that the lines name.

use tempfile::TempDir;

use crate::support::command::{Finished, program};
use crate::support::route::Route;
use crate::support::{run, value};

/// What is in `myapp`.
const MYAPP: &str = "
    SET search_path = public;
    CREATE SCHEMA analytics;
    CREATE TABLE users (id int PRIMARY KEY, name text);
    CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, created_at timestamptz, status text);
    CREATE TABLE logs (id int PRIMARY KEY, line text);
    CREATE TABLE cache (id int PRIMARY KEY);
    CREATE TABLE audit_logs (id int PRIMARY KEY, note text);
    CREATE TABLE metrics (id int, created_at timestamptz, PRIMARY KEY (id, created_at));
    CREATE TABLE billing_events (id int, event_time date, PRIMARY KEY (id, event_time));
    CREATE TABLE output (id int, series_time timestamptz, PRIMARY KEY (id, series_time));
    CREATE TABLE transactions (id int, status text, PRIMARY KEY (id, status));
    CREATE TABLE temp (id int PRIMARY KEY);
    CREATE TABLE analytics.large_table (id int PRIMARY KEY);
    CREATE TABLE analytics.evmlog_strides (id int PRIMARY KEY);
    INSERT INTO users SELECT g, 'u' FROM generate_series(1, 10) g;
    INSERT INTO orders SELECT g, 1 + g % 10, now() - g * interval '10 days', 'active' FROM generate_series(1, 20) g;
    INSERT INTO logs SELECT g, 'l' FROM generate_series(1, 10) g;
    INSERT INTO cache SELECT generate_series(1, 10);
    INSERT INTO audit_logs SELECT g, 'a' FROM generate_series(1, 10) g;
    INSERT INTO metrics SELECT g, now() - g * interval '30 days' FROM generate_series(0, 19) g;
    INSERT INTO billing_events SELECT g, current_date - g * 30 FROM generate_series(0, 19) g;
    INSERT INTO output SELECT g, now() - g * interval '30 days' FROM generate_series(0, 19) g;
    INSERT INTO transactions SELECT g, (ARRAY['active', 'pending', 'closed'])[1 + g % 3] FROM generate_series(0, 29) g;
    INSERT INTO temp SELECT generate_series(1, 10);
    INSERT INTO analytics.large_table SELECT generate_series(1, 10);
    INSERT INTO analytics.evmlog_strides SELECT generate_series(1, 10);";

/// What is in `analytics`.
const ANALYTICS: &str = "
    SET search_path = public;
    CREATE SCHEMA reporting;
    CREATE TABLE events (id int, created_at timestamptz, PRIMARY KEY (id, created_at));
    CREATE TABLE metrics (id int, created_at timestamptz, timestamp timestamptz, PRIMARY KEY (id, created_at, timestamp));
    CREATE TABLE temp_data (id int PRIMARY KEY);
    CREATE TABLE evmlog_strides (id int PRIMARY KEY);
    CREATE TABLE reporting.metrics (id int, status text, PRIMARY KEY (id, status));
    INSERT INTO events SELECT g, now() - g * interval '30 days' FROM generate_series(0, 19) g;
    INSERT INTO metrics SELECT g, now() - g * interval '30 days', now() - g * interval '60 days' FROM generate_series(0, 19) g;
    INSERT INTO temp_data SELECT generate_series(1, 10);
    INSERT INTO evmlog_strides SELECT generate_series(1, 10);
    INSERT INTO reporting.metrics SELECT g, (ARRAY['active', 'closed'])[1 + g % 2] FROM generate_series(0, 19) g;";

/// The clusters with `myapp`, `analytics`, `test` and `staging`.
async fn published() -> Route {
    let route = Route::of_majors([17, 18]);
    for (name, statements) in [
        ("myapp", MYAPP),
        ("analytics", ANALYTICS),
        ("test", "CREATE TABLE public.t (id int PRIMARY KEY)"),
        ("staging", "CREATE TABLE public.t (id int PRIMARY KEY)"),
    ] {
        route.create(name).await;
        run(&route.source.url(name), statements).await;
    }
    route
}

/// A line of the table, without the servers and without `--yes`; what must be true on the target: a database, a
/// question and its answer.
struct Line {
    arguments: &'static [&'static str],
    effects: &'static [(&'static str, &'static str, &'static str)],
}

/// The databases of the target that lines may create.
const DATABASES: &str =
    "SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_database
    WHERE datname IN ('myapp', 'analytics', 'test', 'staging')";

const INIT: &[Line] = &[
    Line {
        arguments: &[],
        effects: &[
            ("postgres", DATABASES, "analytics myapp staging test"),
            ("myapp", "SELECT count(*) FROM public.orders", "20"),
        ],
    },
    Line {
        arguments: &["--drop-existing"],
        effects: &[("postgres", DATABASES, "analytics myapp staging test")],
    },
    Line {
        arguments: &["--no-resume"],
        effects: &[("postgres", DATABASES, "analytics myapp staging test")],
    },
    Line {
        arguments: &["--include-databases", "myapp,analytics"],
        effects: &[("postgres", DATABASES, "analytics myapp")],
    },
    Line {
        arguments: &["--include-databases", "myapp,analytics", "--no-interactive"],
        effects: &[("postgres", DATABASES, "analytics myapp")],
    },
    Line {
        arguments: &["--exclude-databases", "test,staging"],
        effects: &[("postgres", DATABASES, "analytics myapp")],
    },
    Line {
        arguments: &[
            "--include-tables",
            "myapp.users,myapp.orders,analytics.events",
        ],
        effects: &[
            ("postgres", DATABASES, "analytics myapp"),
            ("myapp", TABLES, "orders users"),
            ("analytics", TABLES, "events"),
        ],
    },
    Line {
        arguments: &[
            "--exclude-tables",
            "myapp.logs,myapp.cache,analytics.temp_data",
        ],
        effects: &[
            (
                "myapp",
                "SELECT to_regclass('public.logs') IS NULL AND to_regclass('public.cache') IS NULL",
                "t",
            ),
            (
                "analytics",
                "SELECT to_regclass('public.temp_data') IS NULL",
                "t",
            ),
            ("myapp", "SELECT count(*) FROM public.users", "10"),
        ],
    },
    Line {
        arguments: &[
            "--schema-only-tables",
            "myapp.audit_logs,analytics.evmlog_strides",
        ],
        effects: &[
            ("myapp", "SELECT count(*) FROM public.audit_logs", "0"),
            // A schema of this name goes before the database.
            (
                "myapp",
                "SELECT count(*) FROM analytics.evmlog_strides",
                "0",
            ),
            (
                "analytics",
                "SELECT count(*) FROM public.evmlog_strides",
                "10",
            ),
        ],
    },
    Line {
        arguments: &["--schema-only-tables", "analytics.large_table,public.temp"],
        effects: &[
            ("myapp", "SELECT count(*) FROM analytics.large_table", "0"),
            ("myapp", "SELECT count(*) FROM public.temp", "0"),
        ],
    },
    Line {
        arguments: &["--schema-only-tables", "users", "--allow-orphans"],
        effects: &[("myapp", "SELECT count(*) FROM public.users", "0")],
    },
    Line {
        arguments: &["--schema-only-tables", "public.users", "--allow-orphans"],
        effects: &[("myapp", "SELECT count(*) FROM public.users", "0")],
    },
    Line {
        arguments: &[
            "--table-filter",
            "output:series_time >= NOW() - INTERVAL '6 months'",
            "--table-filter",
            "transactions:status IN ('active','pending')",
        ],
        effects: &[
            ("myapp", "SELECT count(*) FROM public.output", "7"),
            ("myapp", "SELECT count(*) FROM public.transactions", "20"),
        ],
    },
    Line {
        arguments: &[
            "--table-filter",
            "analytics.events:created_at > NOW() - INTERVAL '90 days'",
            "--table-filter",
            "reporting.metrics:status = 'active'",
        ],
        effects: &[
            ("analytics", "SELECT count(*) FROM public.events", "3"),
            ("analytics", "SELECT count(*) FROM reporting.metrics", "10"),
            ("analytics", "SELECT count(*) FROM public.metrics", "20"),
        ],
    },
    Line {
        arguments: &[
            "--time-filter",
            "metrics:created_at:6 months",
            "--time-filter",
            "billing_events:event_time:1 year",
        ],
        effects: &[
            ("myapp", "SELECT count(*) FROM public.metrics", "7"),
            ("myapp", "SELECT count(*) FROM public.billing_events", "13"),
            ("analytics", "SELECT count(*) FROM public.metrics", "7"),
        ],
    },
    Line {
        arguments: &["--time-filter", "analytics.metrics:timestamp:6 months"],
        effects: &[
            ("analytics", "SELECT count(*) FROM public.metrics", "4"),
            ("myapp", "SELECT count(*) FROM public.metrics", "20"),
        ],
    },
    Line {
        arguments: &[
            "--include-databases",
            "myapp,analytics",
            "--exclude-tables",
            "myapp.logs",
            "--schema-only-tables",
            "analytics.evmlog_strides",
            "--time-filter",
            "analytics.metrics:created_at:6 months",
        ],
        effects: &[
            ("postgres", DATABASES, "analytics myapp"),
            ("myapp", "SELECT to_regclass('public.logs') IS NULL", "t"),
            (
                "myapp",
                "SELECT count(*) FROM analytics.evmlog_strides",
                "0",
            ),
            ("analytics", "SELECT count(*) FROM public.metrics", "7"),
        ],
    },
];

/// The tables of a database outside of the server's schemas.
const TABLES: &str = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^pg_|information_schema'";

fn call(route: &Route, machine: &TempDir, command: &str, more: &[&str]) -> Finished {
    let urls = [&route.source, &route.target].map(|cluster| cluster.url("postgres"));
    let fixed = [command, "--source", &urls[0], "--target", &urls[1]];
    program(&[&fixed[..], more].concat()).state(machine).run()
}

/// Removes what a line has left on both servers.
async fn clear(route: &Route, machine: &TempDir) {
    call(route, machine, "teardown", &["--yes"]).expect(0);
    for name in ["myapp", "analytics", "test", "staging"] {
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        run(&route.target.url("postgres"), &drop).await;
    }
}

#[tokio::test]
async fn acceptance_47_every_published_line_of_init_does_what_it_says() {
    let route = published().await;
    for Line { arguments, effects } in INIT {
        let machine = tempfile::tempdir().unwrap();
        let done = call(
            &route,
            &machine,
            "init",
            &[arguments, &["--yes"][..]].concat(),
        );
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.all());
        for (database, question, answer) in *effects {
            let found = value(&route.target.url(database), question).await;
            assert_eq!(found, *answer, "{arguments:?}: {database}: {question}");
        }
        clear(&route, &machine).await;
    }
}

#[tokio::test]
async fn acceptance_47_every_published_line_of_validate_and_verify_has_the_same_scope() {
    let scope = [
        "--include-databases",
        "myapp",
        "--exclude-tables",
        "myapp.logs",
    ];
    let route = published().await;
    let machine = tempfile::tempdir().unwrap();
    let validated = call(
        &route,
        &machine,
        "validate",
        &["--include-databases", "myapp"],
    )
    .expect(0);
    validated.assert_prints(&["myapp: create"]);
    assert!(!validated.all().contains("analytics: create"));
    call(&route, &machine, "init", &[&scope[..], &["--yes"]].concat()).expect(0);
    let verified = call(&route, &machine, "verify", &scope).expect(0);
    verified.assert_prints(&["equal"]);
    // Without the exclusion the table is missing.
    call(
        &route,
        &machine,
        "verify",
        &["--include-databases", "myapp"],
    )
    .expect(1);
    clear(&route, &machine).await;
}
