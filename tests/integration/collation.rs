//! Collations of users, with what is sorted by them.

use seren_replicator::catalog;
use seren_replicator::catalog::load::roles::load_roles;
use seren_replicator::ddl::{Options, script};

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

async fn collations_arrive([from, to]: [u32; 2], more: &str) {
    let (source, target) = (
        fresh_database(from, "collation").await,
        fresh_database(to, "collation").await,
    );
    run(&source, COLLATIONS).await;
    run(&source, more).await;
    let (reader, writer) = (database(&source).await, database(&target).await);
    let catalog = catalog::load(&reader).await.unwrap();
    assert_eq!(catalog.unsupported, []);
    let roles = load_roles(&writer).await.unwrap().roles.into_keys();
    let options = Options::everything(writer.version(), roles.collect());
    let script = script(&catalog, &options).unwrap();
    for statement in script.pre_data.iter().chain(&script.post_data) {
        let done = writer.batch(&statement.sql).await;
        done.unwrap_or_else(|error| panic!("{:?}: {error}", statement.sql));
    }
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
}

#[tokio::test]
async fn collations_arrive_before_what_is_sorted_by_them_from_12_to_14() {
    collations_arrive([12, 14], "SELECT 1").await;
}

#[tokio::test]
async fn collations_arrive_with_rules_and_the_builtin_provider_within_17() {
    let more = r#"
        CREATE COLLATION "S c".tailored (PROVIDER = icu, LOCALE = 'und', RULES = '&V << w <<< W');
        CREATE COLLATION "S c".inner (PROVIDER = builtin, LOCALE = 'C.UTF-8');
    "#;
    collations_arrive([17, 17], more).await;
}
