//! Filters that are refused or fail: nothing is written, and nothing remains.

use crate::support::command::program;
use crate::support::route::{Route, common};
use crate::support::{run, url_as, value};

/// Filters that the command line refuses before any connection.
const USAGE: &[(&str, &str, &str)] = &[
    (
        "--table-filter",
        "t:true) TO PROGRAM 'x' --",
        "was not opened at character 5",
    ),
    (
        "--table-filter",
        "t:1; DROP TABLE t",
        "a semicolon is not allowed outside quotes at character 2",
    ),
    ("--table-filter", "t:id = $1", "a parameter is not allowed"),
    ("--table-filter", "t:note = 'x", "a quote is not closed"),
    (
        "--table-filter",
        "t:id /* x */ = 1",
        "a comment is not allowed",
    ),
    ("--table-filter", "t:", "an expression is missing"),
    ("--table-filter", "t", "is not [database.]table:predicate"),
    ("--time-filter", "t:at:0 days", "is no time window"),
    ("--time-filter", "t:at:-1 month", "is no time window"),
    ("--time-filter", "t:at:6 fortnights", "is no time window"),
    ("--time-filter", "t:at:1.5 hours", "is no time window"),
];

/// Filters that the source refuses.
const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "--table-filter",
        "t:nothing > 3",
        "column \"nothing\" does not exist (SQLSTATE 42703) at character 1",
    ),
    ("--table-filter", "t:id", "must be type boolean"),
    ("--table-filter", "t:id > 1 ORDER BY id", "syntax error"),
    ("--table-filter", "t:random() < 0.5", "volatile"),
    ("--table-filter", "t:writes()", "volatile"),
    (
        "--table-filter",
        "t:(SELECT pg_logical_emit_message(true, 'a', 'b')) IS NULL",
        "volatile",
    ),
    (
        "--table-filter",
        "t:at > 'yesterday'",
        "means the current time",
    ),
    (
        "--table-filter",
        "t:at > date 'today'",
        "means the current time",
    ),
    (
        "--table-filter",
        "t:age(at) < interval '1 year'",
        "age with one argument",
    ),
    (
        "--table-filter",
        "t:id IN (SELECT 1 WHERE now() > '2020-01-01')",
        "a query uses the current time",
    ),
    ("--table-filter", "t:1 / 0 = 1", "division by zero"),
    ("--table-filter", "v:id = 1", "is a view"),
    (
        "--table-filter",
        "p1:id = 1",
        "a row filter applies to a whole partitioned table",
    ),
    ("--table-filter", "nobody:true", "no table nobody"),
    (
        "--time-filter",
        "t:created:1 day",
        "the table has no column created; its columns of dates and timestamps: at",
    ),
    (
        "--time-filter",
        "t:number:1 day",
        "column number is of type bigint",
    ),
    ("--as-of", "soon", "\"soon\" is no time"),
    ("--as-of", "infinity", "it is not finite"),
];

#[tokio::test]
async fn bad_filters_change_nothing() {
    let route = common();
    let shop = "
        CREATE TABLE public.t (id int PRIMARY KEY, note text, at timestamptz, number bigint);
        CREATE VIEW public.v AS SELECT 1 AS id;
        CREATE TABLE public.p (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (0) TO (9);
        CREATE FUNCTION public.writes() RETURNS bool LANGUAGE sql AS
            'SELECT pg_logical_emit_message(false, ''x'', ''y'') IS NOT NULL';";
    let name = route.filled("bad", shop).await;
    for (flag, filter, text) in USAGE {
        let refused = route.command("init", &[&name], &["--yes", flag, filter]);
        refused.run().expect(2).assert_prints(&[text]);
    }
    for (flag, filter, text) in REFUSALS {
        let flags = match *flag {
            "--as-of" => vec!["--yes", "--time-filter", "t:at:1 day", flag, filter],
            _ => vec!["--yes", flag, filter],
        };
        let refused = route.command("init", &[&name], &flags).run().expect(1);
        refused.assert_prints(&[text]);
    }
    let twice = [
        "--yes",
        "--table-filter",
        "t:id > 1",
        "--time-filter",
        "t:at:1 day",
    ];
    let refused = route.command("init", &[&name], &twice).run().expect(1);
    refused.assert_prints(&["two rules for table public.t"]);
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

#[tokio::test]
async fn a_predicate_that_fails_on_a_row_names_table_and_predicate_and_leaves_nothing() {
    let route = common();
    let name = route
        .filled(
            "failing",
            "CREATE TABLE public.t (id int PRIMARY KEY, divisor int NOT NULL);
         INSERT INTO public.t SELECT g, 1 FROM generate_series(1, 50000) g;
         UPDATE public.t SET divisor = 0 WHERE id = 45000",
        )
        .await;
    let flags = ["--yes", "--no-sync", "--table-filter", "t:id / divisor > 3"];
    let failed = route.command("init", &[&name], &flags).run().expect(1);
    failed.assert_prints(&[
        "copy table public.t, rows where id / divisor > 3",
        "division by zero",
        "to find the row by its ctid",
    ]);
    let made = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(value(&route.target.url("postgres"), &made).await, "0");
}

#[tokio::test]
async fn a_filter_beside_values_that_are_names_is_refused() {
    let route = common();
    let name = route
        .filled(
            "names",
            "CREATE TABLE public.t (id int PRIMARY KEY, what regclass)",
        )
        .await;
    let flags = ["--yes", "--no-sync", "--table-filter", "t:id > 3"];
    let refused = route.command("init", &[&name], &flags).run().expect(1);
    refused.assert_prints(&["table public.t has a filter and column what of type regclass"]);
}

#[tokio::test]
async fn a_filter_that_reads_another_table_requires_the_privilege_to() {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let source = route.source.url("app");
    let tables = "
        CREATE ROLE narrow LOGIN;
        CREATE TABLE public.t (id int PRIMARY KEY);
        CREATE TABLE public.hidden (id int PRIMARY KEY);
        INSERT INTO public.t SELECT generate_series(1, 10);
        GRANT SELECT ON public.t TO narrow;";
    run(&source, tables).await;
    let from = url_as("narrow", &route.source.url("postgres"));
    let to = route.target.url("postgres");
    let servers = [
        "--source",
        &from,
        "--target",
        &to,
        "--include-databases",
        "app",
    ];
    let filter = [
        "--exclude-tables",
        "hidden",
        "--table-filter",
        "t:id IN (SELECT id FROM public.hidden)",
    ];
    let flags = ["--yes", "--no-sync", "--no-role-passwords"];
    let refused = program(&[&["init"], &servers[..], &filter, &flags].concat());
    refused
        .run()
        .expect(1)
        .assert_prints(&["permission denied for table hidden"]);
    let copied = "SELECT count(*) FROM pg_database WHERE datname = 'app'";
    assert_eq!(value(&to, copied).await, "0");
}
