//! `verify` of tables whose rows also belong to other tables: partitions and children.

use seren_replicator::ui::{Report as _, Style};
use seren_replicator::verify::{Class, NOT_COVERED, Report, exit_code};

use crate::support::pair::Pair;

/// A tree of partitions two deep, and a child of two parents.
const TREES: &str = "
    CREATE TABLE root (a int, b int) PARTITION BY LIST (a);
    CREATE TABLE branch PARTITION OF root FOR VALUES IN (1) PARTITION BY LIST (b);
    CREATE TABLE leaf PARTITION OF branch FOR VALUES IN (1);
    CREATE TABLE rest PARTITION OF root DEFAULT;
    CREATE TABLE one (a int); CREATE TABLE two (a int);
    CREATE TABLE child () INHERITS (one, two);
    CREATE TABLE alone (a int);
    INSERT INTO root VALUES (1, 1), (2, 2); INSERT INTO child VALUES (1); INSERT INTO alone VALUES (1);";

fn different(report: &Report) -> Vec<String> {
    let tables = report.databases[0].tables().iter();
    tables
        .filter(|table| table.class(false) == Class::Different)
        .map(|table| table.name.to_string())
        .collect()
}

async fn lost_parents_are_found(pair: &Pair) {
    pair.both(TREES).await;
    assert_eq!(exit_code(&pair.verify().await), 0);
    for (change, undo, table, text) in [
        (
            "ALTER TABLE root DETACH PARTITION rest",
            "ALTER TABLE root ATTACH PARTITION rest DEFAULT",
            "public.rest",
            "on the target it is no partition or child of public.root",
        ),
        (
            "ALTER TABLE root DETACH PARTITION branch",
            "ALTER TABLE root ATTACH PARTITION branch FOR VALUES IN (1)",
            "public.leaf",
            "on the target it is no partition or child of public.root",
        ),
        (
            "ALTER TABLE child NO INHERIT two",
            "ALTER TABLE child INHERIT two",
            "public.child",
            "on the target it is no partition or child of public.two",
        ),
        (
            "ALTER TABLE alone INHERIT one",
            "ALTER TABLE alone NO INHERIT one",
            "public.alone",
            "only on the target it is a partition or child of public.one",
        ),
    ] {
        pair.on_target(change).await;
        let report = pair.verify().await;
        assert_eq!(exit_code(&report), 1, "{change}");
        assert_eq!(different(&report), [table], "{change}");
        let told = report.render_text(Style::PLAIN);
        assert!(told.contains(text), "{told}");
        let json = serde_json::to_value(report.body()).unwrap()["databases"][0].to_string();
        assert!(json.contains(text), "{json}");
        pair.on_target(undo).await;
    }
    assert_eq!(exit_code(&pair.verify().await), 0);
}

#[tokio::test]
async fn a_partition_that_is_detached_on_the_target_is_a_difference() {
    lost_parents_are_found(&Pair::new("parents").await).await;
}

#[tokio::test]
async fn a_partition_that_is_detached_on_the_target_is_a_difference_across_majors() {
    lost_parents_are_found(&Pair::of_majors("parents", [12, 18]).await).await;
}

#[tokio::test]
async fn a_report_says_what_it_does_not_cover() {
    let pair = Pair::new("uncovered").await;
    let report = pair.verify().await;
    let line = "- not covered: sequences, large objects, materialized views, foreign tables, definitions\n";
    assert!(report.render_text(Style::PLAIN).contains(line));
    let json = &serde_json::to_value(report.body()).unwrap()["databases"][0]["not_covered"];
    assert_eq!(json, &serde_json::json!(NOT_COVERED));
}
