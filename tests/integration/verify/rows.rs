//! Rows and tables that are equal, differ or cannot be compared.

use seren_replicator::event::Events;
use seren_replicator::task::Scope;
use seren_replicator::verify::{
    Class, Mismatch, Outcome, TableReport, Verdict, compare_databases, exit_code,
};

use super::report::{assert_all_equal, classes, table};
use crate::support::pair::Pair;

/// A table per family of types, with the values at their edges.
const TYPES: &str = r#"
    CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
    CREATE TYPE pair AS (a text, b numeric);
    CREATE DOMAIN small AS int CHECK (VALUE < 10);
    CREATE TABLE numbers (a int2, b int8, c numeric, d float4, e float8, f money);
    INSERT INTO numbers VALUES
        (-32768, -9223372036854775808, 'NaN', 'NaN', 'NaN', '-92233720368547758.08'),
        (32767, 9223372036854775807, 1e-400, 1.1754944e-38, 4.9406564584124654e-324, 0),
        (0, 0, 1.10, '-0', '-0', '12.34'), (0, 0, 1.1, 'Infinity', '-Infinity', NULL);
    CREATE TABLE words (a text, b varchar(9), c char(9), d "char", e name, f bytea);
    INSERT INTO words VALUES ('', '', '', 'a', '', ''), (NULL, NULL, NULL, NULL, NULL, NULL),
        (E'a\tb\nc\rd\\N\\.\be\f\x0B', '\N', 'x', (-56)::"char", 'n', '\x00ff5c0a09'),
        ('é 漢 😀', 'ü', 'ß', ' ', '"', decode(repeat('00', 100000), 'hex'));
    CREATE TABLE times (a timestamptz, b timestamp, c date, d time, e timetz, f interval);
    INSERT INTO times VALUES
        ('infinity', '-infinity', 'infinity', '24:00', '24:00-15:59', '-178000000 years'),
        ('4713-01-01 00:00 BC', '294276-12-31 23:59:59.999999', '5874897-12-31', '0:00', '0:00+15:59',
         '1 mon -2 days +00:00:00.000001');
    CREATE TABLE documents (a json, b jsonb, c xml, d tsvector, e tsquery, f jsonpath);
    INSERT INTO documents VALUES
        ('{"a" :  1,"a":2}', '{"b": null, "a": [1.0]}', '<a b="c">&amp;</a>', 'fat:2A cat', 'fat & !cat',
         '$.a[*] ? (@ > 1)');
    CREATE TABLE shapes (a point, b circle, c polygon, d int[], e text[][], f int4range, g inet, h bit varying);
    INSERT INTO shapes VALUES
        ('(0.1,-0)', '<(1,1e-300),3>', '((0,0),(1,1),(1,0))', '[-1:1]={1,NULL,3}', '{{a,"b,c"},{NULL,"NULL"}}',
         'empty', '::1/64', B'');
    CREATE TABLE own (a mood, b pair, c small, d uuid, e pair[], f regclass, g oid, h pg_lsn);
    INSERT INTO own VALUES
        ('it''s "ok"', '("a,""b",)', 9, '00000000-0000-0000-0000-000000000000', ARRAY[ROW(NULL, 1)::pair],
         'numbers', 4294967295, 'FFFFFFFF/FFFFFFFF');
"#;

/// Settings that change what nearly every value of [`TYPES`] looks like.
const OTHER_SETTINGS: [&str; 8] = [
    "TimeZone = 'Asia/Tokyo'",
    "DateStyle = 'German'",
    "IntervalStyle = 'sql_standard'",
    "extra_float_digits = -10",
    "bytea_output = 'escape'",
    "xmlbinary = 'hex'",
    "quote_all_identifiers = on",
    "search_path = 'pg_catalog'",
];

#[tokio::test]
async fn every_type_is_equal_to_itself_whatever_the_settings() {
    let pair = Pair::new("types").await;
    pair.both(TYPES).await;
    for setting in OTHER_SETTINGS {
        pair.set_on_target(setting).await;
    }
    assert_all_equal(&pair.verify().await, 6);
}

#[tokio::test]
async fn every_type_is_equal_across_majors() {
    let pair = Pair::of_majors("majors", [12, 18]).await;
    pair.both(TYPES).await;
    assert_all_equal(&pair.verify().await, 6);
}

#[tokio::test]
async fn a_changed_value_of_any_type_is_found() {
    let pair = Pair::new("changed").await;
    pair.both(TYPES).await;
    for change in [
        "UPDATE numbers SET e = '0' WHERE e = '-0'",
        "UPDATE words SET a = NULL WHERE a = ''",
        "UPDATE times SET f = f + '1 microsecond' WHERE d = '0:00'",
        "UPDATE documents SET a = '{\"a\":1,\"a\":2}'",
        "UPDATE shapes SET d = '{1,NULL,3}'",
        "UPDATE own SET f = 'words'",
    ] {
        pair.on_target(change).await;
    }
    let report = pair.verify().await;
    assert_eq!(exit_code(&report), 1);
    assert_eq!(report.totals().different, 6, "{report:?}");
    let same_count = |table: &TableReport| {
        matches!(table.verdict, Verdict::Different { source, target }
            if source.rows == target.rows && source.digest != target.digest)
    };
    assert!(report.databases[0].tables().iter().all(same_count));
}

#[tokio::test]
async fn shifted_separators_and_duplicates_are_differences() {
    let pair = Pair::new("rows").await;
    pair.both("CREATE TABLE shifted (a text, b text); CREATE TABLE twice (a int); CREATE TABLE moved (a int)")
        .await;
    pair.on_source(
        "INSERT INTO shifted VALUES ('a|b', 'c'); INSERT INTO twice VALUES (1), (2); \
         INSERT INTO moved VALUES (1), (1), (2)",
    )
    .await;
    pair.on_target(
        "INSERT INTO shifted VALUES ('a', 'b|c'); INSERT INTO twice VALUES (1), (2), (2); \
         INSERT INTO moved VALUES (1), (2), (2)",
    )
    .await;
    let report = pair.verify().await;
    assert_eq!(report.totals().different, 3, "{report:?}");
}

#[tokio::test]
async fn columns_are_matched_by_name() {
    let pair = Pair::new("columns").await;
    pair.on_source(
        "CREATE TABLE shuffled (a int, \"B b\" text, g int GENERATED ALWAYS AS (a * 2) STORED); \
         CREATE TABLE lost (a int, b int); CREATE TABLE grown (a int); CREATE TABLE widened (a int)",
    )
    .await;
    pair.on_target(
        "CREATE TABLE shuffled (gone int, g int GENERATED ALWAYS AS (a * 2) STORED, \"B b\" text, a int); \
         ALTER TABLE shuffled DROP COLUMN gone; \
         CREATE TABLE lost (a int); CREATE TABLE grown (a int, b int); CREATE TABLE widened (a bigint)",
    )
    .await;
    pair.both(
        "INSERT INTO shuffled (a, \"B b\") VALUES (1, 'x'), (2, NULL); \
         INSERT INTO lost (a) VALUES (1); INSERT INTO grown (a) VALUES (1); INSERT INTO widened VALUES (1)",
    )
    .await;
    let report = pair.verify().await;
    let expected = [
        ("public.grown", Class::Equal),
        ("public.lost", Class::Different),
        ("public.shuffled", Class::Equal),
        ("public.widened", Class::Equal),
    ]
    .map(|(name, class)| (name.to_owned(), class));
    assert_eq!(classes(&report), expected);
    let lost = &table(&report, "public.lost").mismatches[..];
    assert!(matches!(lost, [Mismatch::MissingOnTarget(column)] if column.as_str() == "b"));
    assert!(matches!(
        table(&report, "public.lost").verdict,
        Verdict::Equal(_)
    ));
    let strict = pair.verify_strictly().await;
    assert_eq!(strict.totals().different, 3, "{strict:?}");
}

#[tokio::test]
async fn partitions_and_children_are_compared_one_by_one() {
    let pair = Pair::new("trees").await;
    pair.both(
        "CREATE TABLE root (a int, b text) PARTITION BY LIST (a); \
         CREATE TABLE one PARTITION OF root FOR VALUES IN (1); \
         CREATE TABLE rest PARTITION OF root DEFAULT; \
         CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent); \
         INSERT INTO root VALUES (1, 'x'), (2, 'y'); INSERT INTO parent VALUES (1); \
         INSERT INTO child VALUES (2, 3)",
    )
    .await;
    assert_all_equal(&pair.verify().await, 4);
    pair.on_target(
        "WITH moved AS (DELETE FROM ONLY parent RETURNING a) INSERT INTO child SELECT a FROM moved",
    )
    .await;
    let report = pair.verify().await;
    let different: Vec<_> = classes(&report)
        .into_iter()
        .filter(|(_, class)| *class == Class::Different)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(different, ["public.child", "public.parent"]);
}

#[tokio::test]
async fn rows_in_another_partition_are_not_lost() {
    let pair = Pair::new("moved").await;
    pair.both("CREATE TABLE root (a int, b text) PARTITION BY LIST (a)")
        .await;
    let partitions = |value| {
        format!(
            "CREATE TABLE one PARTITION OF root FOR VALUES IN ({value}); \
             CREATE TABLE rest (b text, a int); ALTER TABLE root ATTACH PARTITION rest DEFAULT"
        )
    };
    pair.on_source(&partitions(1)).await;
    pair.on_target(&partitions(2)).await;
    pair.both("INSERT INTO root VALUES (1, 'x'), (2, 'y'), (3, 'z')")
        .await;
    let report = pair.verify().await;
    assert_all_equal(&report, 2);
    assert!(
        matches!(table(&report, "public.one").verdict, Verdict::Moved { .. }),
        "{report:?}"
    );
    pair.on_target("DELETE FROM root WHERE a = 3").await;
    assert_eq!(exit_code(&pair.verify().await), 1);
}

#[tokio::test]
async fn tables_of_one_side_and_odd_names_are_listed() {
    let pair = Pair::new("sides").await;
    let odd = r#"CREATE SCHEMA "S.1 é"; CREATE TABLE "S.1 é"."a""b.c\ %s $1 '😀" ("select" int, "🙂" text)"#;
    pair.both(odd).await;
    pair.on_source("CREATE TABLE lost (a int)").await;
    pair.on_target("CREATE TABLE extra (a int)").await;
    let report = pair.verify().await;
    assert_eq!(exit_code(&report), 1);
    assert!(matches!(
        table(&report, "public.lost").verdict,
        Verdict::MissingOnTarget
    ));
    assert_eq!(
        table(&report, r#"S.1 é.a"b.c\ %s $1 '😀"#).class(false),
        Class::Equal
    );
    assert_eq!(
        report.databases[0].target_only()[0].to_string(),
        "public.extra"
    );
    pair.on_source("DROP TABLE lost").await;
    assert_eq!(exit_code(&pair.verify().await), 0);
    assert_eq!(exit_code(&pair.verify_strictly().await), 1);
}

#[tokio::test]
async fn of_an_extension_only_the_rows_of_its_users_are_compared() {
    let pair = Pair::new("extension").await;
    pair.both(
        "CREATE TABLE settings (a int, own bool); CREATE TABLE internals (a int); \
         ALTER EXTENSION plpgsql ADD TABLE settings; ALTER EXTENSION plpgsql ADD TABLE internals; \
         UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass::oid], \
         extcondition = ARRAY['WHERE own'] WHERE extname = 'plpgsql'; \
         INSERT INTO settings VALUES (1, true)",
    )
    .await;
    pair.on_target("INSERT INTO settings VALUES (2, false); INSERT INTO internals VALUES (3)")
        .await;
    let report = pair.verify().await;
    assert_all_equal(&report, 1);
    assert_eq!(report.totals().rows, 1);
    pair.on_target("INSERT INTO settings VALUES (4, true)")
        .await;
    assert_eq!(exit_code(&pair.verify().await), 1);
}

#[tokio::test]
async fn emptiness_is_compared_too() {
    let pair = Pair::new("empty").await;
    assert_all_equal(&pair.verify().await, 0);
    pair.both("CREATE TABLE none (a int); CREATE TABLE one (a int); CREATE TABLE without ()")
        .await;
    pair.both("INSERT INTO without DEFAULT VALUES; INSERT INTO without DEFAULT VALUES")
        .await;
    assert_all_equal(&pair.verify().await, 3);
    pair.on_source("INSERT INTO one VALUES (1)").await;
    let report = pair.verify().await;
    let one = &table(&report, "public.one").verdict;
    assert!(
        matches!(one, Verdict::Different { source, target } if (source.rows, target.rows) == (1, 0))
    );
    assert_eq!(report.totals().equal, 2);
}

#[tokio::test]
async fn a_database_that_the_target_lacks_differs() {
    let pair = Pair::new("lost").await;
    let nowhere = "seren_no_such_database";
    let mut options = pair.options();
    nowhere.clone_into(&mut options.databases[0].target);
    let report = compare_databases(&options, &Scope::detached())
        .await
        .unwrap();
    assert!(matches!(
        report.databases[0].outcome,
        Outcome::MissingOnTarget
    ));
    assert_eq!(exit_code(&report), 1);
    nowhere.clone_into(&mut options.databases[0].source);
    let report = compare_databases(&options, &Scope::detached())
        .await
        .unwrap();
    assert_eq!(
        exit_code(&report),
        5,
        "a source that is not there cannot be compared"
    );
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_not_equal() {
    let pair = Pair::new("hidden").await;
    pair.both(
        "CREATE TABLE open (a int); CREATE TABLE closed (a int); CREATE TABLE filtered (a int); \
         ALTER TABLE filtered ENABLE ROW LEVEL SECURITY; INSERT INTO filtered VALUES (1)",
    )
    .await;
    let reader = pair.reader(-1).await;
    pair.both(&format!("GRANT SELECT ON open, filtered TO {reader}"))
        .await;
    let report = compare_databases(&pair.options_as(&reader), &Scope::detached())
        .await
        .unwrap();
    let expected = [
        ("public.closed", Class::NotCompared),
        ("public.filtered", Class::NotCompared),
        ("public.open", Class::Equal),
    ]
    .map(|(name, class)| (name.to_owned(), class));
    assert_eq!(classes(&report), expected);
    assert_eq!(exit_code(&report), 5);
}

#[tokio::test]
async fn fewer_connections_than_jobs_suffice() {
    let pair = Pair::new("few").await;
    pair.both("CREATE TABLE a (a int); CREATE TABLE b (a int); CREATE TABLE c (a int)")
        .await;
    // Per side, one holds the snapshot and one reads.
    let reader = pair.reader(4).await;
    pair.both(&format!("GRANT SELECT ON a, b, c TO {reader}"))
        .await;
    let report = compare_databases(&pair.options_as(&reader), &Scope::detached())
        .await
        .unwrap();
    assert_all_equal(&report, 3);
}

#[tokio::test]
async fn different_encodings_hold_the_same_text() {
    let pair = Pair::new("encodings").await;
    let pair = pair.with_target_encoding("LATIN1").await;
    pair.both("CREATE TABLE t (a text); INSERT INTO t VALUES ('é'), ('ß')")
        .await;
    assert_all_equal(&pair.verify().await, 1);
    pair.on_target("UPDATE t SET a = 'è' WHERE a = 'é'").await;
    assert_eq!(exit_code(&pair.verify().await), 1);
}

#[tokio::test]
async fn a_value_of_three_hundred_megabytes_is_compared() {
    let pair = Pair::new("huge").await;
    pair.both(
        "CREATE TABLE huge (a text); ALTER TABLE huge ALTER a SET STORAGE EXTERNAL; \
         INSERT INTO huge VALUES (repeat(E'x\\n', 150 * 1024 * 1024))",
    )
    .await;
    assert_all_equal(&pair.verify().await, 1);
}

#[tokio::test]
async fn progress_is_told() {
    use seren_replicator::event::Event;

    let pair = Pair::new("events").await;
    pair.both("CREATE TABLE a (a int); INSERT INTO a VALUES (1)")
        .await;
    let (events, mut receiver) = Events::channel();
    let scope = Scope {
        events,
        ..Scope::detached()
    };
    compare_databases(&pair.options(), &scope).await.unwrap();
    drop(scope);
    let mut told = Vec::new();
    while let Some(event) = receiver.recv().await {
        told.push(event);
    }
    assert!(matches!(
        told.first(),
        Some(Event::VerifyPlanned { tables: 1, .. })
    ));
    assert!(matches!(
        told.last(),
        Some(Event::TableVerified {
            equal: Some(true),
            rows: 1,
            ..
        })
    ));
}
