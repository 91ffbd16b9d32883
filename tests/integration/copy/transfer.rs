//! Tables that are copied as text: for each of them, binary COPY fails or changes values. The servers copy through files
//! that both can read, without our program.

use std::collections::BTreeSet;

use seren_replicator::catalog::load::transfer::{TextReason, Why, load_transfer};
use seren_replicator::connect::Session;
use seren_replicator::pg::{Literal, ServerVersion, Sql, SqlState};
use seren_replicator::sql;

use crate::support::{database, fresh_database};

async fn pair(majors: [u32; 2]) -> [Session; 2] {
    let [source, target] = majors;
    [
        database(&fresh_database(source, "transfer").await).await,
        database(&fresh_database(target, "transfer").await).await,
    ]
}

/// Made on both sides, on the target after other objects, so that no oid is the same.
const TABLES: &str = "
    CREATE SCHEMA x;
    CREATE TYPE x.mood AS ENUM ('sad', 'glad');
    CREATE TYPE x.plain AS (n int, t text);
    CREATE TYPE x.feeling AS (n int, m x.mood);
    CREATE TYPE x.pointer AS (n int, at regclass);
    CREATE DOMAIN x.pointers AS x.pointer;
    CREATE TYPE x.plains AS RANGE (subtype = x.plain);
    CREATE TYPE x.bare;
    CREATE FUNCTION x.bare_in(cstring) RETURNS x.bare LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
    CREATE FUNCTION x.bare_out(x.bare) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int4out';
    CREATE TYPE x.bare (INPUT = x.bare_in, OUTPUT = x.bare_out, INTERNALLENGTH = 4, PASSEDBYVALUE);
    CREATE TYPE x.sent;
    CREATE FUNCTION x.sent_in(cstring) RETURNS x.sent LANGUAGE internal STRICT IMMUTABLE AS 'textin';
    CREATE FUNCTION x.sent_out(x.sent) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'textout';
    CREATE FUNCTION x.sent_receive(internal) RETURNS x.sent LANGUAGE internal STRICT STABLE AS 'textrecv';
    CREATE FUNCTION x.sent_send(x.sent) RETURNS bytea LANGUAGE internal STRICT STABLE AS 'textsend';
    CREATE TYPE x.sent (INPUT = x.sent_in, OUTPUT = x.sent_out, RECEIVE = x.sent_receive, SEND = x.sent_send);
    CREATE DOMAIN x.bare_domain AS x.bare;
    CREATE TABLE x.bare_values (a x.bare);
    CREATE TABLE x.bare_deep (a x.bare_domain[]);
    CREATE TABLE x.sent_values (a x.sent);
    CREATE TABLE x.scalars (a int[], b x.mood, c x.plain, d int8range, e oidvector, f point, g name[]);
    CREATE TABLE x.reg (a regclass);
    CREATE TABLE x.deep (a x.pointers[]);
    CREATE TABLE x.moods (a x.mood[]);
    CREATE TABLE x.plain_array (a x.plain[]);
    CREATE TABLE x.feelings (a x.feeling);
    CREATE TABLE x.rows (a x.moods);
    CREATE TABLE x.acl (a aclitem);
    CREATE TABLE x.spans (a interval);
    CREATE TABLE x.ranges (a x.plains);
    CREATE TABLE x.computed (n int, a regclass GENERATED ALWAYS AS (n::oid::regclass) STORED);
";

const ROWS: &str = "
    INSERT INTO x.scalars VALUES ('{1,NULL}', 'glad', (1, 'a'), '[1,5)', '1 2', '(1,2)', '{a}');
    INSERT INTO x.reg VALUES ('x.moods'), ('pg_catalog.pg_class');
    INSERT INTO x.deep VALUES (ARRAY[(1, 'x.moods')::x.pointer::x.pointers]);
    INSERT INTO x.moods VALUES ('{glad,sad}');
    INSERT INTO x.plain_array VALUES (ARRAY[(1, 'a')::x.plain]);
    INSERT INTO x.feelings VALUES ((1, 'glad'));
    INSERT INTO x.rows SELECT t FROM x.moods t;
    INSERT INTO x.acl VALUES ('=r/postgres');
    INSERT INTO x.spans VALUES ('1 day');
    INSERT INTO x.ranges VALUES (x.plains((1, 'a'), (2, 'b')));
    INSERT INTO x.bare_values VALUES ('1');
    INSERT INTO x.bare_deep VALUES ('{1,2}');
    INSERT INTO x.sent_values VALUES ('a b');
    INSERT INTO x.computed VALUES (1259);
";

const NAMES: [&str; 14] = [
    "scalars",
    "reg",
    "deep",
    "moods",
    "plain_array",
    "feelings",
    "rows",
    "acl",
    "spans",
    "ranges",
    "computed",
    "bare_values",
    "bare_deep",
    "sent_values",
];

async fn run(session: &Session, text: &str) {
    session.batch(&Sql::deparsed(text)).await.unwrap();
}

async fn prepared(majors: [u32; 2]) -> [Session; 2] {
    let [source, target] = pair(majors).await;
    run(&source, TABLES).await;
    run(&source, ROWS).await;
    run(
        &target,
        "CREATE TYPE public.first AS ENUM ('a'); CREATE TABLE public.before (a int, b public.first)",
    )
    .await;
    run(&target, TABLES).await;
    [source, target]
}

/// The reasons by table, in the catalog's order of columns.
async fn reasons(source: &Session, target: ServerVersion) -> Vec<(String, Vec<TextReason>)> {
    let mut found = Vec::new();
    for (table, reasons) in load_transfer(source, target).await.unwrap() {
        let name = sql!("SELECT {}::regclass::text", table);
        let row = source.query_one(&name, &[]).await.unwrap();
        found.push((row.get::<_, String>(0), reasons));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

async fn tables(source: &Session, target: ServerVersion) -> BTreeSet<String> {
    reasons(source, target)
        .await
        .into_iter()
        .map(|(name, _)| name.trim_start_matches("x.").to_owned())
        .collect()
}

/// Copies a table through a file; what the target then holds, as text.
async fn copied(
    [source, target]: [&Session; 2],
    table: &str,
    format: &str,
) -> Result<Vec<String>, SqlState> {
    let path = std::env::temp_dir().join(format!("seren-transfer-{}-{table}", std::process::id()));
    let file = Sql::deparsed(sql!("{}", Literal(path.to_str().unwrap())).as_str());
    let columns = if table == "computed" { "(n)" } else { "" };
    let name = Sql::deparsed(format!("x.{table} {columns}"));
    let format = Sql::deparsed(format);
    let out = source
        .batch(&sql!("COPY {} TO {} ({})", name, file, format))
        .await;
    out.map_err(|error| error.sqlstate().unwrap())?;
    let into = target
        .batch(&sql!("COPY {} FROM {} ({})", name, file, format))
        .await;
    std::fs::remove_file(path).unwrap();
    into.map_err(|error| error.sqlstate().unwrap())?;
    let rows = read(target, table).await;
    run(target, &format!("TRUNCATE x.{table}")).await;
    rows
}

async fn read(session: &Session, table: &str) -> Result<Vec<String>, SqlState> {
    let query = format!("SELECT t::text FROM x.{table} t ORDER BY 1");
    let rows = session.rows(&Sql::deparsed(query)).await;
    let rows = rows.map_err(|error| error.sqlstate().unwrap())?;
    Ok(rows
        .iter()
        .map(|row| row.get(0).unwrap().to_owned())
        .collect())
}

/// Every table arrives as decided; in the other format those that must be text do not.
async fn decisions_are_needed_and_enough(majors: [u32; 2], text: &[&str]) {
    let [source, target] = prepared(majors).await;
    let as_text = tables(&source, target.version()).await;
    assert_eq!(as_text, text.iter().map(ToString::to_string).collect());
    for table in NAMES {
        let wanted = read(&source, table).await.unwrap();
        let binary = copied([&source, &target], table, "FORMAT binary").await;
        if as_text.contains(table) {
            assert_ne!(binary, Ok(wanted.clone()), "{table} in binary");
            assert_eq!(
                copied([&source, &target], table, "FORMAT text").await,
                Ok(wanted),
                "{table}"
            );
        } else {
            assert_eq!(binary, Ok(wanted), "{table}");
        }
    }
}

#[tokio::test]
async fn oids_of_objects_never_travel_in_binary() {
    let text = ["acl", "bare_deep", "bare_values", "deep", "reg"];
    decisions_are_needed_and_enough([17, 18], &text).await;
}

#[tokio::test]
async fn before_14_arrays_and_rows_of_users_types_travel_as_text() {
    let text = [
        "acl",
        "bare_deep",
        "bare_values",
        "deep",
        "feelings",
        "moods",
        "plain_array",
        "reg",
        "rows",
    ];
    decisions_are_needed_and_enough([12, 13], &text).await;
}

#[tokio::test]
async fn an_infinite_interval_is_refused_rather_than_changed_by_an_older_target() {
    let [source, target] = prepared([17, 12]).await;
    assert!(tables(&source, target.version()).await.contains("spans"));
    run(&source, "UPDATE x.spans SET a = 'infinity'").await;
    // Binary is taken without complaint and can never be read again.
    let binary = copied([&source, &target], "spans", "FORMAT binary").await;
    assert_eq!(binary.unwrap_err().as_str(), "22008");
    let text = copied([&source, &target], "spans", "FORMAT text").await;
    assert_eq!(text.unwrap_err().as_str(), "22007");
}

#[tokio::test]
async fn a_reason_names_column_type_and_part() {
    let [source, target] = prepared([18, 17]).await;
    let reasons = reasons(&source, target.version()).await;
    let (_, deep) = reasons.iter().find(|(name, _)| name == "x.deep").unwrap();
    let [reason] = &deep[..] else {
        panic!("{deep:?}")
    };
    assert_eq!(reason.column.as_str(), "a");
    assert_eq!(
        (&*reason.type_name, &*reason.part),
        ("x.pointers[]", "regclass")
    );
    assert_eq!(reason.why, Why::ObjectIdentifier);
}
