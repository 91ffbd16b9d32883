//! Single kinds of objects, each with what needs it: from server to server, `pg_dump` as the judge.

use std::collections::BTreeSet;

use seren_replicator::catalog;
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::ddl::{Options, render_script};
use seren_replicator::pg::ServerVersion;

use crate::support::{database, fresh_database, oracle, run};

const COLLATIONS: &str = r#"
    CREATE SCHEMA "S c";
    CREATE COLLATION "S c".phonebook (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
    CREATE COLLATION "S c"."any case" (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
    CREATE COLLATION "S c".posix (LC_COLLATE = 'C', LC_CTYPE = 'C.UTF-8');
    COMMENT ON COLLATION "S c".phonebook IS 'as in the book';
    CREATE DOMAIN "S c".name AS text COLLATE "S c"."any case";
    CREATE TABLE "S c".people (name "S c".name PRIMARY KEY, town text COLLATE "S c".phonebook);
    CREATE INDEX ON "S c".people (town COLLATE "S c".posix);
"#;

/// Copies what the scripts make from one database to another.
async fn arrives([from, to]: [u32; 2], scripts: &[&str]) {
    let (source, target) = (
        fresh_database(from, "kind").await,
        fresh_database(to, "kind").await,
    );
    for text in scripts {
        run(&source, text).await;
    }
    let (reader, writer) = (database(&source).await, database(&target).await);
    let catalog = catalog::load_catalog(&reader).await.unwrap();
    assert_eq!(catalog.unsupported, []);
    let roles = load_roles(&writer).await.unwrap().roles.into_keys();
    let options = Options::everything(writer.version(), roles.collect());
    let script = render_script(&catalog, &options).unwrap();
    for statement in script.pre_data.iter().chain(&script.post_data) {
        let done = writer.batch(&statement.sql).await;
        done.unwrap_or_else(|error| panic!("{:?}: {error}", statement.sql));
    }
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
}

#[tokio::test]
async fn collations_arrive_before_what_is_sorted_by_them_from_12_to_14() {
    arrives([12, 14], &[COLLATIONS]).await;
}

#[tokio::test]
async fn collations_arrive_with_rules_and_the_builtin_provider_within_17() {
    let more = r#"
        CREATE COLLATION "S c".tailored (PROVIDER = icu, LOCALE = 'und', RULES = '&V << w <<< W');
        CREATE COLLATION "S c".inner (PROVIDER = builtin, LOCALE = 'C.UTF-8');
    "#;
    arrives([17, 17], &[COLLATIONS, more]).await;
}

const AGGREGATES: &str = r#"
    CREATE SCHEMA "S a";
    CREATE TYPE "S a".state AS (total int, n int);
    CREATE FUNCTION "S a".add("S a".state, int) RETURNS "S a".state LANGUAGE sql
      AS 'SELECT (coalesce(($1).total, 0) + $2, coalesce(($1).n, 0) + 1)::"S a".state';
    CREATE FUNCTION "S a".mean("S a".state) RETURNS int LANGUAGE sql AS 'SELECT ($1).total / ($1).n';
    CREATE AGGREGATE "S a".average(value int) (SFUNC = "S a".add, STYPE = "S a".state, FINALFUNC = "S a".mean,
      FINALFUNC_MODIFY = READ_WRITE, SSPACE = 100, PARALLEL = SAFE);
    CREATE AGGREGATE "S a".count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
    CREATE AGGREGATE "S a"."least one"(int) (SFUNC = int4smaller, STYPE = int, SORTOP = <);
    CREATE AGGREGATE "S a".sums(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', COMBINEFUNC = int4pl,
      MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '0');
    CREATE AGGREGATE "S a".median(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
      FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
    CREATE AGGREGATE "S a".rank(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi,
      STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
    COMMENT ON AGGREGATE "S a".count(*) IS 'all of them';
    COMMENT ON AGGREGATE "S a".median(float8 ORDER BY anyelement) IS 'in the middle';
    REVOKE EXECUTE ON FUNCTION "S a".average(int) FROM PUBLIC;
    REVOKE EXECUTE ON FUNCTION "S a".count() FROM PUBLIC;
    CREATE TABLE "S a".t (n int);
    CREATE VIEW "S a".v AS SELECT "S a".average(n) FROM "S a".t;
"#;

#[tokio::test]
async fn aggregates_arrive_before_the_views_that_use_them_within_13() {
    arrives([13, 13], &[AGGREGATES]).await;
}

#[tokio::test]
async fn aggregates_arrive_before_the_views_that_use_them_within_18() {
    arrives([18, 18], &[AGGREGATES]).await;
}

const SEARCH: &str = r#"
    CREATE SCHEMA "S t";
    CREATE TEXT SEARCH DICTIONARY "S t"."no stops" (TEMPLATE = pg_catalog.snowball, LANGUAGE = 'english');
    CREATE TEXT SEARCH DICTIONARY "S t".plain (TEMPLATE = pg_catalog.simple, STOPWORDS = 'english', ACCEPT = false);
    CREATE TEXT SEARCH CONFIGURATION "S t"."En" (COPY = pg_catalog.english);
    ALTER TEXT SEARCH CONFIGURATION "S t"."En" ALTER MAPPING FOR asciiword, word WITH "S t".plain, "S t"."no stops", simple;
    ALTER TEXT SEARCH CONFIGURATION "S t"."En" DROP MAPPING FOR url;
    CREATE TEXT SEARCH CONFIGURATION "S t".bare (PARSER = pg_catalog.default);
    COMMENT ON TEXT SEARCH DICTIONARY "S t".plain IS 'd';
    COMMENT ON TEXT SEARCH CONFIGURATION "S t"."En" IS 'c';
    CREATE TABLE "S t".texts (body text, words tsvector GENERATED ALWAYS AS (to_tsvector('"S t"."En"', body)) STORED);
    CREATE INDEX ON "S t".texts USING gin (to_tsvector('"S t"."En"', body));
"#;

#[tokio::test]
async fn text_search_arrives_before_the_indexes_that_use_it_within_12() {
    arrives([12, 12], &[SEARCH]).await;
}

#[tokio::test]
async fn text_search_arrives_before_the_indexes_that_use_it_within_18() {
    arrives([18, 18], &[SEARCH]).await;
}

const POSTFIX: &str = r#"
    CREATE SCHEMA "S o";
    CREATE FUNCTION "S o".twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
    CREATE OPERATOR "S o".!! (LEFTARG = int, FUNCTION = "S o".twice);
    COMMENT ON OPERATOR "S o".!! (int, NONE) IS 'behind its operand';
"#;

#[tokio::test]
async fn operators_behind_their_operand_arrive_within_13() {
    arrives([13, 13], &[POSTFIX]).await;
}

#[tokio::test]
async fn operators_behind_their_operand_are_refused_by_14() {
    let source = fresh_database(13, "kind").await;
    run(&source, POSTFIX).await;
    let catalog = catalog::load_catalog(&database(&source).await)
        .await
        .unwrap();
    let options = Options::everything(ServerVersion::new(140_000), BTreeSet::new());
    let error = render_script(&catalog, &options).unwrap_err().to_string();
    assert_eq!(
        error,
        "postfix operators are unsupported on the target: operator S o.!!(integer, NONE)"
    );
}

/// No catalog says that the default needs a cast, nor that a view reads by one.
const QUIET_CASTS: &str = r#"
    CREATE SCHEMA "S c";
    CREATE TYPE "S c".mood AS ENUM ('sad', 'ok');
    CREATE TABLE "S c".rows (id int, mood "S c".mood);
    CREATE FUNCTION "S c".row_to_text("S c".rows) RETURNS text LANGUAGE sql AS 'SELECT $1.id::text';
    CREATE CAST ("S c".rows AS text) WITH FUNCTION "S c".row_to_text("S c".rows);
    CREATE CAST (text AS "S c".mood) WITH INOUT AS ASSIGNMENT;
    CREATE CAST (bytea AS text) WITHOUT FUNCTION AS IMPLICIT;
    ALTER TABLE "S c".rows ALTER mood SET DEFAULT 'ok'::text;
    CREATE VIEW "S c".v AS SELECT upper('\x41'::bytea), r::text FROM "S c".rows r;
"#;

#[tokio::test]
async fn casts_without_a_function_come_before_what_may_use_them() {
    arrives([17, 17], &[QUIET_CASTS]).await;
}

/// Members of extensions are created by the extension; users' objects that depend on them are created after it.
const OVER_EXTENSIONS: &str = r#"
    SET search_path = public;
    CREATE EXTENSION hstore;
    CREATE EXTENSION citext;
    CREATE EXTENSION btree_gist;
    CREATE EXTENSION bloom;
    CREATE EXTENSION isn;
    CREATE EXTENSION ltree;
    CREATE EXTENSION pg_trgm;
    CREATE EXTENSION dict_int;
    CREATE SCHEMA "S e";
    CREATE LANGUAGE plx HANDLER plpgsql_call_handler VALIDATOR plpgsql_validator;
    CREATE FUNCTION "S e".keys(hstore) RETURNS text[] IMMUTABLE LANGUAGE plx AS 'BEGIN RETURN akeys($1); END';
    CREATE CAST (hstore AS text[]) WITH FUNCTION "S e".keys(hstore);
    CREATE OPERATOR "S e".=== (FUNCTION = citext_eq, LEFTARG = citext, RIGHTARG = citext, COMMUTATOR = OPERATOR("S e".===));
    CREATE OPERATOR CLASS "S e".names FOR TYPE name USING bloom AS OPERATOR 1 =, FUNCTION 1 hashname(name);
    CREATE OPERATOR CLASS "S e".cities FOR TYPE citext USING btree FAMILY citext_ops AS STORAGE citext;
    CREATE TEXT SEARCH DICTIONARY "S e".numbers (TEMPLATE = intdict_template, MAXLEN = '4');
    CREATE TYPE "S e".span AS RANGE (SUBTYPE = citext);
    CREATE ACCESS METHOD bloom2 TYPE INDEX HANDLER blhandler;
    CREATE OPERATOR CLASS "S e".ints DEFAULT FOR TYPE int USING bloom2 AS OPERATOR 1 =, FUNCTION 1 hashint4(int);
    CREATE TABLE "S e".t (n int, c citext, b isbn, l ltree, s "S e".span, h hstore,
      EXCLUDE USING gist (n WITH =));
    CREATE INDEX ON "S e".t USING bloom2 (n);
    CREATE INDEX ON "S e".t USING bloom ((c::name) "S e".names);
    CREATE VIEW "S e".v AS SELECT h::text[] AS keys FROM "S e".t WHERE c OPERATOR("S e".===) 'a';
"#;

#[tokio::test]
async fn what_users_hang_on_extensions_arrives_within_12() {
    arrives([12, 12], &[OVER_EXTENSIONS]).await;
}

#[tokio::test]
async fn what_users_hang_on_extensions_arrives_within_18() {
    arrives([18, 18], &[OVER_EXTENSIONS]).await;
}
