//! Schemas: source, our script, target. `pg_dump` 18 reads both and must see no difference; and the
//! target, read again, must give the same script.

use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::catalog::{self, Catalog};
use seren_replicator::connect::{Purpose, Session};
use seren_replicator::ddl::{Options, Script, script};

use crate::support::{database, endpoint, fresh_database, oracle, run, text};

/// One family of objects, by name, as a script for `psql` with a variable per major.
struct Case {
    name: &'static str,
    sql: &'static str,
}

macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        const CASES: &[Case] = &[
            $(Case {
                name: stringify!($name),
                sql: include_str!(concat!("../cases/ddl/", stringify!($name), ".sql")),
            }),+
        ];
    };
}

cases!(
    constraints,
    inheritance,
    loops,
    names,
    partitions,
    privileges,
    routines,
    schemas,
    sequences,
    shop,
    tables,
    temporal,
    triggers,
    types,
    views,
);

/// `\if :v15` and the like ask for these.
fn variables(major: u32) -> String {
    let set = |version: u32| format!("\\set v{version} {}\n", major >= version);
    (13..=18).map(set).collect()
}

async fn source(case: &Case, major: u32) -> String {
    let url = fresh_database(major, "ddl").await;
    let script = format!(
        "{}SET client_min_messages = warning;\n{}",
        variables(major),
        case.sql
    );
    tokio::task::spawn_blocking(move || {
        oracle::psql(&url, &script);
        url
    })
    .await
    .unwrap()
}

/// The script that makes what a database holds, for the target of `writer`.
async fn read(reader: &Session, writer: &Session) -> (Catalog, Script) {
    reader
        .batch(&text("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        .await
        .unwrap();
    let catalog = catalog::load(reader).await.unwrap();
    reader.batch(&text("COMMIT")).await.unwrap();
    assert_eq!(catalog.unsupported, []);
    let roles = load_roles(writer).await.unwrap().roles.into_keys();
    let options = Options::everything(writer.version(), roles.collect());
    let script = script(&catalog, &options).unwrap();
    (catalog, script)
}

fn lines(script: &Script) -> Vec<&str> {
    let statements = script.pre_data.iter().chain(&script.post_data);
    statements.map(|statement| statement.sql.as_str()).collect()
}

/// Statements that stand in one script only, or in another place.
fn unlike(one: &[&str], other: &[&str]) -> Vec<String> {
    let missing = |from: &[&str], of: &[&str], side: &str| -> Vec<String> {
        let gone = from.iter().filter(|line| !of.contains(line));
        gone.map(|line| format!("only {side}: {line}")).collect()
    };
    let mut found = missing(one, other, "source");
    found.extend(missing(other, one, "target"));
    let first = one.iter().zip(other).find(|(a, b)| a != b);
    if let (true, Some((a, b))) = (found.is_empty(), first) {
        found.push(format!("other order: {a}\nwhere the target has {b}"));
    }
    found
}

/// Makes on one server what a case makes on another; both URLs.
async fn copy(case: &Case, [from, to]: [u32; 2]) -> (String, String) {
    let source = source(case, from).await;
    let target = fresh_database(to, "ddl").await;
    let reader = database(&source).await;
    let writer = endpoint(&target).session(Purpose::Build).await.unwrap();
    let (_, script) = read(&reader, &writer).await;
    for statement in script.pre_data.iter().chain(&script.post_data) {
        let done = writer.batch(&statement.sql).await;
        done.unwrap_or_else(|error| {
            panic!(
                "{} {from} to {to}: {}\n{error}",
                case.name,
                statement.sql.as_str()
            )
        });
    }
    let copied = database(&target).await;
    let (_, again) = read(&copied, &writer).await;
    if from == to {
        let moved = unlike(&lines(&script), &lines(&again));
        assert!(
            moved.is_empty(),
            "{} on {to} is no fixed point:\n{}",
            case.name,
            moved.join("\n")
        );
    }
    (source, target)
}

async fn arrives_within(major: u32) {
    let mut wrong = Vec::new();
    for case in CASES {
        let (source, target) = copy(case, [major, major]).await;
        let differing = tokio::task::spawn_blocking(move || oracle::schema_diff(&source, &target))
            .await
            .unwrap();
        if !differing.is_empty() {
            wrong.push(format!(
                "{} on {major}:\n{}",
                case.name,
                differing.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn every_family_arrives_within_12() {
    arrives_within(12).await;
}

#[tokio::test]
async fn every_family_arrives_within_15() {
    arrives_within(15).await;
}

#[tokio::test]
async fn every_family_arrives_within_17() {
    arrives_within(17).await;
}

#[tokio::test]
async fn every_family_arrives_within_18() {
    arrives_within(18).await;
}

/// Across majors servers print definitions differently, so a control database, restored by
/// `pg_dump | psql`, is what ours is compared with.
#[tokio::test]
async fn what_12_holds_arrives_on_18_as_pg_dump_would_bring_it() {
    let mut wrong = Vec::new();
    // `pg_dump`'s own script of the inheritance family fails on 18: a child's storage conflicts.
    for case in CASES.iter().filter(|case| case.name != "inheritance") {
        let (source, target) = copy(case, [12, 18]).await;
        let control = fresh_database(18, "control").await;
        let differing = tokio::task::spawn_blocking(move || {
            let dump = oracle::run("pg_dump", &["--schema-only", "--dbname", &source]);
            oracle::psql(&control, &dump);
            oracle::schema_diff(&control, &target)
        })
        .await
        .unwrap();
        if !differing.is_empty() {
            wrong.push(format!("{}:\n{}", case.name, differing.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn the_same_catalog_gives_the_same_script() {
    let url = source(&CASES[0], 17).await;
    let session = database(&url).await;
    let (_, one) = read(&session, &session).await;
    let (_, other) = read(&session, &session).await;
    assert_eq!(one, other);
}

#[tokio::test]
async fn every_statement_knows_its_step_and_every_step_what_it_needs() {
    let url = fresh_database(17, "ddl").await;
    let fill = "CREATE TABLE public.t (n int PRIMARY KEY, above int REFERENCES public.t);
                CREATE VIEW public.v AS SELECT n FROM public.t;
                CREATE MATERIALIZED VIEW public.m AS SELECT n FROM public.v;
                COMMENT ON VIEW public.v IS 'c';
                GRANT SELECT ON public.m TO PUBLIC;";
    run(&url, fill).await;
    let session = database(&url).await;
    let (_, script) = read(&session, &session).await;
    let statements: Vec<_> = script.pre_data.iter().chain(&script.post_data).collect();
    let mut said = Vec::new();
    for statement in &statements {
        let step = &script.steps[statement.step];
        let mut needs: Vec<String> = statements
            .iter()
            .filter(|other| step.needs.contains(&other.step))
            .map(|other| other.object.to_string())
            .collect();
        needs.dedup();
        said.push(format!("{} <- {}", statement.object, needs.join(", ")));
    }
    said.dedup();
    for expected in [
        "table public.t <- ",
        "view public.v <- table public.t",
        "materialized view public.m <- view public.v",
        "constraint t_pkey on public.t <- table public.t",
        "foreign key t_above_fkey on public.t <- table public.t, constraint t_pkey on public.t",
        "validation of foreign key t_above_fkey on public.t <- foreign key t_above_fkey on public.t",
        "view public.v <- view public.v",
        "privileges on public.m <- materialized view public.m",
    ] {
        assert!(
            said.iter().any(|line| line.starts_with(expected)),
            "{expected}: {said:#?}"
        );
    }
    let stages: Vec<_> = statements
        .iter()
        .map(|statement| script.steps[statement.step].stage)
        .collect();
    assert!(stages.is_sorted(), "{stages:?}");
}
