//! Large objects of all sizes are copied with their owners, privileges and comments, many at a time.

use std::collections::BTreeSet;

use seren_replicator::connect::{Purpose, Session};
use seren_replicator::ddl::Options;
use seren_replicator::pg::Ident;
use seren_replicator::snapshot::{
    Error, LargeObjectBatch, complete_large_object_batch, copy_large_object_batch,
    plan_large_objects,
};
use seren_replicator::sql;

use crate::support::{database, endpoint, fresh_database, fresh_name, run, text, url_as};

/// Every byte, and what surrounds it.
const OBJECTS: &str = "SELECT format('%s %s %s %s %s', m.oid, lomowner::regrole, lomacl, \
                       obj_description(m.oid, 'pg_largeobject'), md5(lo_get(m.oid))) \
                       FROM pg_largeobject_metadata m ORDER BY m.oid";

async fn objects(session: &Session) -> Vec<String> {
    let rows = session.rows(&text(OBJECTS)).await.unwrap();
    rows.iter()
        .map(|row| row.get(0).unwrap().to_owned())
        .collect()
}

struct Ends {
    reader: Session,
    writer: Session,
    options: Options,
}

/// Databases of one cluster, the source with what `sql` makes.
async fn ends(major: u32, sql: &str, roles: &[&str]) -> Ends {
    let source = fresh_database(major, "objects").await;
    run(&source, sql).await;
    let target = fresh_database(major, "objects").await;
    let writer = endpoint(&target).session(Purpose::Build).await.unwrap();
    let reader = endpoint(&source)
        .session(Purpose::Introspect)
        .await
        .unwrap();
    let begin = text("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    reader.batch(&begin).await.unwrap();
    let roles: BTreeSet<Ident> = roles.iter().copied().map(Ident::from_catalog).collect();
    let options = Options::everything(writer.version(), roles);
    Ends {
        reader,
        writer,
        options,
    }
}

/// All batches of few objects.
async fn batches(reader: &Session, writer: &Session, lanes: usize) -> Vec<LargeObjectBatch> {
    let page = plan_large_objects(reader, writer, lanes, 0).await.unwrap();
    assert_eq!(page.next, None);
    page.batches
}

/// Memory must not grow with the number of objects.
#[tokio::test]
async fn many_objects_are_listed_page_by_page_each_once() {
    let make = "SELECT count(lo_create(oid)) FROM generate_series(1, 40001, 2) AS g (oid)";
    let ends = ends(13, make, &["postgres"]).await;
    let (mut pages, mut objects, mut behind) = (0, 0, Some(0));
    while let Some(oid) = behind {
        let page = plan_large_objects(&ends.reader, &ends.writer, 2, oid)
            .await
            .unwrap();
        let count: usize = page.batches.iter().map(LargeObjectBatch::count).sum();
        let up_to = page.next.unwrap_or(u32::MAX);
        let expected = sql!(
            "SELECT count(*) FROM pg_largeobject_metadata WHERE oid > {} AND oid <= {}",
            i64::from(oid),
            i64::from(up_to)
        );
        let rows = ends.reader.rows(&expected).await.unwrap();
        assert_eq!(rows[0].get(0), Some(count.to_string().as_str()));
        assert!(count <= 10_000, "{count}");
        (pages, objects, behind) = (pages + 1, objects + count, page.next);
    }
    assert_eq!((pages, objects), (3, 20_001));
}

#[tokio::test]
async fn objects_of_all_sizes_arrive_with_owner_privileges_and_comment() {
    for major in [12, 18] {
        let role = fresh_name("keeper");
        let sql = format!(
            "CREATE ROLE {role}; \
             DO $$ BEGIN FOR oid IN 100001 .. 101000 LOOP \
               PERFORM lo_from_bytea(oid, convert_to(repeat('x', oid - 100001), 'UTF8')); \
               EXECUTE format('ALTER LARGE OBJECT %s OWNER TO {role}', oid); \
               EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO PUBLIC', oid); \
               EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', oid, 'it''s ' || oid); \
             END LOOP; END $$; \
             SELECT lo_create(7), lo_from_bytea(8, decode(repeat('01fe', 524288), 'hex')), \
                    lo_from_bytea(9, decode(repeat('0afe', 524289), 'hex')), \
                    lo_from_bytea(10, decode(repeat('0bfe0c', 1048577), 'hex')); \
             SELECT lo_from_bytea(11, ''), lo_put(11, 3000000, 'behind a gap')"
        );
        let ends = ends(major, &sql, &["postgres", &role]).await;
        let batches = batches(&ends.reader, &ends.writer, 2).await;
        assert!(batches.len() < 12, "{}", batches.len());
        assert_eq!(
            batches.iter().map(LargeObjectBatch::count).sum::<usize>(),
            1005
        );
        assert!(batches.is_sorted_by_key(|batch| std::cmp::Reverse(batch.bytes())));
        for batch in &batches {
            let copied = copy_large_object_batch(&ends.reader, &ends.writer, batch, &ends.options);
            assert_eq!(copied.await.unwrap(), Vec::<String>::new());
        }
        assert_eq!(objects(&ends.reader).await, objects(&ends.writer).await);
    }
}

#[tokio::test]
async fn an_object_that_the_target_refuses_is_named_and_nothing_of_it_is_made() {
    let make = "SELECT lo_from_bytea(oid, 'x') FROM generate_series(501, 520) AS g (oid)";
    let ends = ends(17, make, &["postgres"]).await;
    ends.writer
        .batch(&text("SELECT lo_from_bytea(507, 'mine')"))
        .await
        .unwrap();
    let batches = batches(&ends.reader, &ends.writer, 1).await;
    assert_eq!(batches.len(), 1);
    let copied = copy_large_object_batch(&ends.reader, &ends.writer, &batches[0], &ends.options);
    let error = copied.await.unwrap_err();
    assert!(
        matches!(error, Error::LargeObject { object: 507, .. }),
        "{error}"
    );
    let kept = text("SELECT convert_from(lo_get(507), 'UTF8')");
    let rows = ends.writer.rows(&kept).await.unwrap();
    assert_eq!(rows[0].get(0), Some("mine"));
    // The session continues.
    ends.writer
        .batch(&text("SELECT lo_unlink(507)"))
        .await
        .unwrap();
}

/// After a commit whose answer was lost.
#[tokio::test]
async fn a_batch_that_is_completed_tells_of_all_its_grants_that_the_target_cannot_hold() {
    let role = fresh_name("stranger");
    let sql = format!(
        "CREATE ROLE {role}; \
         SELECT lo_from_bytea(oid, 'x') FROM generate_series(601, 604) AS g (oid); \
         DO $$ BEGIN FOR oid IN 601 .. 604 LOOP \
           EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO {role}', oid); \
         END LOOP; END $$"
    );
    let ends = ends(17, &sql, &["postgres"]).await;
    let (reader, writer, options) = (&ends.reader, &ends.writer, &ends.options);
    let batch = batches(reader, writer, 1).await.remove(0);
    let copied = copy_large_object_batch(reader, writer, &batch, options).await;
    let told = copied.unwrap();
    assert_eq!(told.len(), 4, "{told:?}");
    let lose = text("SELECT lo_unlink(602)");
    writer.batch(&lose).await.unwrap();
    let completed = complete_large_object_batch(reader, writer, &batch, options).await;
    let mut again = completed.unwrap();
    again.sort();
    assert_eq!(again, told);
    let there = text("SELECT oid FROM pg_largeobject_metadata ORDER BY oid");
    let rows = writer.rows(&there).await.unwrap();
    assert_eq!(rows.len(), 4);
}

#[tokio::test]
async fn a_reader_of_objects_needs_no_more_than_the_right_to_read_them() {
    let role = fresh_name("reader");
    let sql = format!(
        "CREATE ROLE {role} LOGIN; SELECT lo_from_bytea(1, 'a'); GRANT SELECT ON LARGE OBJECT 1 TO {role}"
    );
    let source = fresh_database(17, "objects").await;
    run(&source, &sql).await;
    let url = url_as(&role, &source);
    let reader = endpoint(&url).session(Purpose::Introspect).await.unwrap();
    reader.batch(&text("BEGIN READ ONLY")).await.unwrap();
    let writer = database(&source).await;
    let batches = batches(&reader, &writer, 1).await;
    assert_eq!(batches[0].bytes(), 1);
}
