//! Unusual names that PostgreSQL allows, for every kind of object that has a name.

use crate::support::oracle;
use crate::support::route::{Route, common};
use crate::support::run;

/// 63 bytes, the longest name there is, of which the last characters take four each.
const LONGEST: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc🐘🐘";

const NAMES: [&str; 14] = [
    "with-dash",
    "with blank",
    " around ",
    "with.dot",
    "with\"quote",
    "it's",
    "Capital",
    "1digit",
    "🐘",
    LONGEST,
    "select",
    "two\nlines",
    "per%20cent",
    "back\\slash,comma",
];

/// The parts of a name, each in double quotes.
fn quoted(parts: &[&str]) -> String {
    let quote = |part: &&str| format!("\"{}\"", part.replace('"', "\"\""));
    parts.iter().map(quote).collect::<Vec<_>>().join(".")
}

/// A schema, a table, its columns, an index, a sequence, an enum, a view and a function of each name.
fn objects(name: &str) -> String {
    let ident = quoted(&[name]);
    let label = name.replace('\'', "''");
    let [table, kind, view, sequence] =
        [name, "kind", "view", "numbers"].map(|part| quoted(&[name, part]));
    format!(
        "CREATE SCHEMA {ident};
         CREATE TYPE {kind} AS ENUM ('{label}');
         CREATE SEQUENCE {sequence};
         CREATE TABLE {table} ({ident} int PRIMARY KEY DEFAULT nextval('{literal}'), other {kind} CHECK (other = '{label}'));
         CREATE INDEX ON {table} (other, {ident});
         CREATE VIEW {view} AS SELECT {ident} FROM {table};
         CREATE FUNCTION {ident}.{ident}(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
         COMMENT ON COLUMN {table}.{ident} IS '{label}';
         INSERT INTO {table} ({ident}, other) SELECT n, '{label}' FROM generate_series(1, 10) n;
         SELECT setval('{literal}', 10);",
        literal = sequence.replace('\'', "''"),
    )
}

async fn source(route: &Route, database: &str) {
    route.create(database).await;
    for name in NAMES {
        run(&route.source.url(database), &objects(name)).await;
    }
}

fn arrived(route: &Route, databases: &[&str]) {
    for name in databases {
        let (source, target) = (route.source.url(name), route.target.url(name));
        assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
        assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    }
}

#[tokio::test]
async fn names_of_all_kinds_arrive_in_one_database() {
    let route = common();
    source(route, "all kinds").await;
    route.init("all kinds", &[]).run().expect(0);
    arrived(route, &["all kinds"]);
}

#[tokio::test]
async fn databases_of_such_names_pass_every_command() {
    let route = Route::of_majors([15, 15]);
    for name in NAMES {
        route.create(name).await;
        run(
            &route.source.url(name),
            "CREATE TABLE public.t AS SELECT 1 AS n",
        )
        .await;
    }
    let validated = route
        .command("validate", &NAMES, &["--no-sync"])
        .run()
        .expect(0);
    assert!(
        validated.stdout.contains("with-dash: create, 1 table"),
        "{}",
        validated.stdout
    );
    let copied = route
        .command("init", &NAMES, &["--yes", "--no-sync"])
        .run()
        .expect(0);
    assert!(
        copied.stderr.contains("\n🐘 "),
        "the estimate names it: {}",
        copied.stderr
    );
    arrived(&route, &NAMES);
    route.command("verify", &NAMES, &[]).run().expect(0);
}
