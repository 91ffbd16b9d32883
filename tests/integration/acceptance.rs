//! Items of the acceptance list that no other test shows whole, by their number. `cargo test acceptance_` runs all of
//! the list.

use serde_json::Value;

use crate::support::command::{Finished, program};
use crate::support::route::{Route, common, shared};
use crate::support::{run, value};

/// Tables of equal names in two schemas.
const SHOP: &str = "
    CREATE SCHEMA other;
    CREATE TABLE public.orders (id int PRIMARY KEY, note text);
    CREATE TABLE public.logs (id int PRIMARY KEY, note text);
    CREATE TABLE other.logs (id int PRIMARY KEY, note text);
    INSERT INTO public.orders SELECT g, repeat('o', 100) FROM generate_series(1, 2000) g;
    INSERT INTO public.logs SELECT g, repeat('l', 100) FROM generate_series(1, 2000) g;
    INSERT INTO other.logs SELECT g, repeat('l', 100) FROM generate_series(1, 2000) g;
    ANALYZE public.orders, public.logs, other.logs;";

/// The plan of a database as `validate` reports it.
fn planned(route: &Route, name: &str, flags: &[&str]) -> Value {
    let flags = [flags, &["--output", "json"]].concat();
    let done = route.command("validate", &[name], &flags).run().expect(0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    report["databases"][0].clone()
}

const TABLES: &str =
    "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY schemaname, tablename)
      FROM pg_tables WHERE schemaname IN ('public', 'other')";

#[tokio::test]
async fn acceptance_15_names_of_three_parts_hold_in_plan_copy_publication_and_verify() {
    let route = shared([17, 18]);
    let name = route.filled("parts", SHOP).await;
    let item = |rest: &str| format!("{name}.{rest}");
    let exact = item("public.logs");
    let excluded = ["--exclude-tables", &exact];
    let short = item("logs");
    // `db.public.t` and `db.t` are the same.
    let plan = planned(route, &name, &excluded);
    assert_eq!(plan, planned(route, &name, &["--exclude-tables", &short]));
    let whole = planned(route, &name, &[]);
    let numbers = |plan: &Value| (plan["tables"].as_u64(), plan["estimated_bytes"].as_u64());
    let ((tables, bytes), (all, all_bytes)) = (numbers(&plan), numbers(&whole));
    assert_eq!((tables, all), (Some(2), Some(3)));
    assert!(bytes < all_bytes, "{plan} {whole}");

    let machine = tempfile::tempdir().unwrap();
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    let published = "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY schemaname) FROM pg_publication_tables";
    let included = [item("public.orders"), item("other.logs")].join(",");
    for flags in [excluded, ["--include-tables", &included]] {
        let confirmed = [&flags[..], &["--yes", "--drop-existing"]].concat();
        let done = route.command("init", &[&name], &confirmed).state(&machine);
        done.run().expect(0);
        assert_eq!(value(&target, TABLES).await, "other.logs public.orders");
        assert_eq!(value(&source, published).await, "other.logs public.orders");
        let strict = [&flags[..], &["--strict"]].concat();
        route.command("verify", &[&name], &strict).run().expect(0);
    }
    let gone = route.command("teardown", &[&name], &["--yes"]);
    gone.state(&machine).run().expect(0);
}

#[tokio::test]
async fn acceptance_16_a_filter_of_one_part_is_inert_where_there_is_no_such_table() {
    let route = common();
    let with = route.filled("with", SHOP).await;
    let without = route.filled("without",
        "CREATE TABLE public.orders (id int PRIMARY KEY); INSERT INTO public.orders VALUES (1), (2)",
    )
    .await;
    let exact = format!("{with}.other.logs");
    let flags = [
        "--yes",
        "--no-sync",
        "--table-filter",
        "logs:id <= 500",
        "--exclude-tables",
        &exact,
        "--schema-only-tables",
        "other.logs",
    ];
    let done = route.command("init", &[&with, &without], &flags);
    done.run().expect(0).assert_prints(&[&format!(
        "schema only has no effect on other.logs in database {with}: the table is not selected"
    )]);
    let rows = "SELECT count(*) FROM public.logs";
    assert_eq!(value(&route.target.url(&with), rows).await, "500");
    let rows = "SELECT count(*) FROM public.orders";
    assert_eq!(value(&route.target.url(&without), rows).await, "2");
}

/// Two tables with keys to each other and to themselves, computed columns and a sequence that has been used.
const CYCLE: &str = "
    CREATE TABLE public.a (
        id int PRIMARY KEY, b int, a int REFERENCES public.a,
        twice int GENERATED ALWAYS AS (id * 2) STORED,
        number bigint GENERATED ALWAYS AS IDENTITY);
    CREATE TABLE public.b (id int PRIMARY KEY, a int REFERENCES public.a);
    INSERT INTO public.a (id, b, a) SELECT g, g, 1 FROM generate_series(1, 100) g;
    INSERT INTO public.b SELECT g, g FROM generate_series(1, 100) g;
    ALTER TABLE public.a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES public.b;";

#[tokio::test]
async fn acceptance_20_filtered_tables_with_cyclic_keys_and_computed_columns_arrive() {
    let route = shared([17, 18]);
    let name = route.filled("cycle", CYCLE).await;
    let both = [
        "--yes",
        "--no-sync",
        "--table-filter",
        "a:id <= 40",
        "--table-filter",
        "b:id <= 40",
    ];
    route.command("init", &[&name], &both).run().expect(0);
    let (source, target) = (route.source.url(&name), route.target.url(&name));
    let rows = |condition: &str| {
        format!(
            "SELECT md5(string_agg(one::text || two::text, ',' ORDER BY id)) FROM public.a AS one JOIN public.b AS two USING (id) {condition}"
        )
    };
    assert_eq!(
        value(&target, &rows("")).await,
        value(&source, &rows("WHERE id <= 40")).await
    );
    let valid = "SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(value(&target, valid).await, "t");
    run(&target, "INSERT INTO public.a (id) VALUES (1000)").await;
    let continued = "SELECT number > 100 FROM public.a WHERE id = 1000";
    assert_eq!(value(&target, continued).await, "t");
    // Of one alone, the other's references would dangle.
    let one = [
        "--yes",
        "--no-sync",
        "--drop-existing",
        "--table-filter",
        "a:id <= 40",
    ];
    let refused = route.command("init", &[&name], &one).run().expect(1);
    refused.assert_prints(&["60 rows of public.b refer to rows outside its scope (b_a_fkey)"]);
}

#[tokio::test]
async fn acceptance_22_verify_and_the_estimate_follow_the_rules() {
    let route = shared([17, 18]);
    let name = route.filled("follow", SHOP).await;
    let rules = [
        "--table-filter",
        "orders:id <= 1000",
        "--schema-only-tables",
        "logs,other.logs",
    ];
    let bytes = |flags: &[&str]| {
        planned(route, &name, flags)["estimated_bytes"]
            .as_u64()
            .unwrap()
    };
    let half = ["--table-filter", "orders:id <= 1000"];
    let (whole, narrowed) = (bytes(&[]), bytes(&half));
    assert!(narrowed < whole, "{narrowed} {whole}");
    assert!(bytes(&rules) < narrowed - whole / 2, "{narrowed} {whole}");
    let confirmed = [&rules[..], &["--yes", "--no-sync"]].concat();
    route.command("init", &[&name], &confirmed).run().expect(0);
    route.command("verify", &[&name], &rules).run().expect(0);
    route.command("verify", &[&name], &[]).run().expect(1);
    run(
        &route.target.url(&name),
        "CREATE TABLE public.more (id int)",
    )
    .await;
    let verified = route.command("verify", &[&name], &rules).run().expect(0);
    verified.assert_prints(&[&format!("{name}.public.more: only on the target")]);
    let strict = [&rules[..], &["--strict"]].concat();
    route.command("verify", &[&name], &strict).run().expect(1);
    run(
        &route.target.url(&name),
        "INSERT INTO public.orders VALUES (1001, 'x')",
    )
    .await;
    let verified = route.command("verify", &[&name], &rules).run().expect(1);
    verified.assert_prints(&["public.orders"]);
}

/// Nothing listens there: a connection would fail with another exit code.
const NOWHERE: &str = "postgresql://u@127.0.0.1:1/x";

#[test]
fn acceptance_43_predicates_that_leave_their_expression_end_before_a_connection() {
    for predicate in [
        "true) TO PROGRAM 'x' --",
        "true) TO PROGRAM 'x' (--",
        "1; DROP TABLE t",
        "note = 'x",
        "note = E'x\\'",
        "\"id = 1",
        "note = $tag$x",
        "(id = 1",
        "id = 1)",
        "id = 1 -- all",
        "id /* x */ = 1",
        "id = $1",
        "",
        "  ",
    ] {
        let filter = format!("t:{predicate}");
        for command in ["validate", "init", "verify"] {
            let arguments = [
                command,
                "--source",
                NOWHERE,
                "--target",
                NOWHERE,
                "--table-filter",
                &filter,
            ];
            program(&arguments).run().expect(2);
        }
    }
}

/// A database of which the target refuses an index, whose function has become volatile.
const REFUSED: &str = "
    CREATE FUNCTION public.g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE TABLE public.t (n int PRIMARY KEY);
    CREATE INDEX by_g ON public.t (public.g(n));
    INSERT INTO public.t SELECT generate_series(1, 10);
    ALTER FUNCTION public.g(int) VOLATILE;";

/// A command line for each exit code, without the servers. What needs a signal, a lock or clusters of its own is
/// elsewhere: 5, 130 and 143, and `demo`.
const CODES: &[(&[&str], i32)] = &[
    (&["validate", "--no-sync"], 0),
    (&["validate", "--no-sync", "--include-tables", "nobody"], 1),
    (&["validate", "--include-tables", "a..b"], 2),
    (&["init", "--yes", "--no-sync"], 1),
    (
        &[
            "init",
            "--yes",
            "--no-sync",
            "--drop-existing",
            "--skip-failed-objects",
        ],
        7,
    ),
    (
        &[
            "init",
            "--yes",
            "--no-sync",
            "--drop-existing",
            "--exclude-objects",
            "by_g",
        ],
        0,
    ),
    (
        &["init", "--yes", "--dry-run", "--drop-existing", "--no-sync"],
        0,
    ),
    (
        &[
            "init",
            "--yes",
            "--include-tables",
            "t",
            "--exclude-tables",
            "t",
        ],
        2,
    ),
    (&["verify"], 0),
    (&["verify", "--table-filter", "t:n > 5"], 1),
    (&["verify", "--table-filter", "t:n >"], 1),
    (&["verify", "--unknown"], 2),
    (&["teardown", "--yes"], 0),
    (&["teardown", "--yes", "--run", "nothing"], 1),
    (&["teardown", "--bad"], 2),
    (&["config", "show"], 0),
    (&["config", "show", "--jobs", "x"], 2),
];

#[tokio::test]
async fn acceptance_41_every_exit_code_has_its_report() {
    let route = common();
    for output in ["text", "json"] {
        let name = route.filled("codes", REFUSED).await;
        for (words, code) in CODES {
            let (command, more) = words.split_first().unwrap();
            let more = [more, &["--output", output]].concat();
            let finished = match *command {
                "config" => program(&[&["config"], &more[..]].concat()).run(),
                command => route.command(command, &[&name], &more).run(),
            };
            check_streams(&finished.expect(*code), words, output);
        }
        // A server that does not answer.
        let source = route.source.url("postgres");
        let ends = [
            "teardown", "--yes", "--source", &source, "--target", NOWHERE,
        ];
        let only = ["--include-databases", &name, "--output", output];
        let finished = program(&[&ends[..], &only].concat()).run();
        check_streams(&finished.expect(6), &ends, output);
    }
}

/// Standard output is empty or the report, and no stream has escape codes.
fn check_streams(finished: &Finished, words: &[&str], output: &str) {
    assert!(
        !finished.all().contains('\u{1b}'),
        "{words:?}: {}",
        finished.all()
    );
    if output == "json" {
        let object: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", finished.stdout));
        assert_eq!(object["exit_code"], finished.code, "{words:?}");
        assert_eq!(object["ok"], finished.code == 0, "{words:?}");
        assert_eq!(object["error"].is_null(), finished.code == 0, "{words:?}");
    } else if finished.code == 2 {
        assert_eq!(finished.stdout, "", "{words:?}");
    }
}
