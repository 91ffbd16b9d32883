//! Keys and foreign keys are created with few reads and few locks on the target, and end with the same definition as on
//! the source.

use seren_replicator::connect::{Purpose, Session};
use seren_replicator::ddl::{Kind, Script};

use crate::support::schema::{copy, families, read};
use crate::support::{database, endpoint, fresh_database, run, text};

/// Every constraint and every trigger of one, without oids. `connoinherit` says nothing of keys, and
/// differs by whether a partition's key was made with its parent's or attached.
const KEYS: &str = "SELECT format('%s %s of %s: %s, parent %s %s, %s %s %s, index %s, triggers %s', \
       k.contype, k.conname, k.conrelid::regclass, pg_get_constraintdef(k.oid), p.conname, p.conrelid::regclass, \
       k.conislocal, k.coninhcount, k.convalidated, k.conindid::regclass, \
       (SELECT string_agg(format('%s %s %s %s', t.tgrelid::regclass, t.tgfoid::regproc, t.tgenabled, t.tgdeferrable), ', ' \
               ORDER BY t.tgrelid::regclass::text, t.tgfoid::regproc::text) \
          FROM pg_trigger t WHERE t.tgconstraint = k.oid)) \
  FROM pg_constraint k LEFT JOIN pg_constraint p ON p.oid = k.conparentid \
 WHERE k.connamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') \
 ORDER BY 1";

async fn lines(url: &str, sql: &str) -> Vec<String> {
    let rows = database(url).await.rows(&text(sql)).await.unwrap();
    let line = |row: &tokio_postgres::SimpleQueryRow| row.get(0).unwrap_or("").to_owned();
    rows.iter().map(line).collect()
}

/// Keys whose catalogs hold what `pg_dump` does not ask for end the same, too.
#[tokio::test]
async fn constraints_inherit_and_fire_as_on_the_source() {
    let families = families();
    let keys = families
        .iter()
        .find(|family| family.name == "keys")
        .unwrap();
    for majors in [[12, 12], [15, 15], [17, 17], [18, 18]] {
        let source = keys.source(majors[0]).await;
        let target = copy("keys", &source.url, majors).await;
        assert_eq!(
            lines(&source.url, KEYS).await,
            lines(&target, KEYS).await,
            "{majors:?}"
        );
    }
}

/// A target with what comes before the rows; its URL, a session, and the script.
async fn prepared(major: u32, sql: &str) -> (String, Session, Script) {
    let source = fresh_database(major, "keys").await;
    run(&source, sql).await;
    let target = fresh_database(major, "keys").await;
    let writer = endpoint(&target).session(Purpose::Build).await.unwrap();
    let (_, script) = read(&database(&source).await, &writer).await;
    for statement in &script.pre_data {
        writer.batch(&statement.sql).await.unwrap();
    }
    (target, writer, script)
}

const PARTITIONED: &str = "CREATE TABLE public.target (id int PRIMARY KEY); \
    CREATE TABLE public.root (id int, CONSTRAINT refers FOREIGN KEY (id) REFERENCES public.target) PARTITION BY RANGE (id); \
    CREATE TABLE public.leaf PARTITION OF public.root FOR VALUES FROM (0) TO (100)";

/// A row that violates the key: a scan of the rows would find it.
const FORBIDDEN: &str = "SET session_replication_role = replica; INSERT INTO public.leaf VALUES (7); \
                         SET session_replication_role = origin";

#[tokio::test]
async fn the_key_of_a_partitioned_table_adopts_its_leaves_without_a_look_at_rows() {
    for major in [12, 15, 17] {
        let (_, writer, script) = prepared(major, PARTITIONED).await;
        for statement in &script.post_data {
            if statement
                .sql
                .as_str()
                .contains("ALTER TABLE \"public\".\"root\"")
            {
                writer.batch(&text(FORBIDDEN)).await.unwrap();
            }
            writer.batch(&statement.sql).await.unwrap();
        }
        let again = text(
            "ALTER TABLE public.root DROP CONSTRAINT refers, \
             ADD CONSTRAINT refers FOREIGN KEY (id) REFERENCES public.target",
        );
        let error = writer.batch(&again).await.unwrap_err();
        assert_eq!(error.sqlstate().unwrap().to_string(), "23503", "{major}");
    }
}

#[tokio::test]
async fn a_key_of_a_partitioned_table_is_checked_apart_since_18() {
    let (_, writer, script) = prepared(18, PARTITIONED).await;
    let kinds = script.post_data.iter().map(|statement| statement.kind);
    let kinds: Vec<Kind> = kinds
        .filter(|kind| matches!(kind, Kind::ForeignKey | Kind::Validation))
        .collect();
    assert_eq!(kinds, [Kind::ForeignKey, Kind::Validation]);
    for statement in &script.post_data {
        if statement.kind == Kind::ForeignKey {
            writer.batch(&text(FORBIDDEN)).await.unwrap();
        }
        let done = writer.batch(&statement.sql).await;
        assert_eq!(done.is_err(), statement.kind == Kind::Validation);
    }
}

#[tokio::test]
async fn indexes_of_one_table_are_built_side_by_side_and_its_keys_scan_nothing() {
    for major in [12, 17, 18] {
        let table = "CREATE TABLE public.t (a int NOT NULL PRIMARY KEY, b int UNIQUE, c int); CREATE INDEX ON public.t (c)";
        let (target, writer, script) = prepared(major, table).await;
        let mut builders = Vec::new();
        for statement in script.post_data.iter().filter(|s| s.kind == Kind::Index) {
            let step = &script.steps[statement.step];
            assert!(step.locks.is_empty() && step.reads == step.scans && !step.scans.is_empty());
            let builder = endpoint(&target).session(Purpose::Build).await.unwrap();
            builder
                .batch(&text("SET lock_timeout = '10s'; BEGIN"))
                .await
                .unwrap();
            builder.batch(&statement.sql).await.unwrap();
            builders.push(builder);
        }
        assert_eq!(builders.len(), 3);
        for builder in builders {
            builder.batch(&text("COMMIT")).await.unwrap();
        }
        // A NULL that a look at the rows would find.
        let nullable = |is_not: bool| {
            text(&format!(
                "UPDATE pg_attribute SET attnotnull = {is_not} WHERE attrelid = 'public.t'::regclass AND attname = 'a'"
            ))
        };
        writer.batch(&nullable(false)).await.unwrap();
        writer
            .batch(&text("INSERT INTO public.t VALUES (NULL)"))
            .await
            .unwrap();
        writer.batch(&nullable(true)).await.unwrap();
        for statement in script
            .post_data
            .iter()
            .filter(|s| s.kind == Kind::Constraint)
        {
            let step = &script.steps[statement.step];
            assert!(step.scans.is_empty() && step.locks.len() == 1);
            writer.batch(&statement.sql).await.unwrap();
        }
    }
}
