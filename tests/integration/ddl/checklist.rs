//! Every line of docs/schema.md is covered by the fixtures: one query for each line finds the object.

use std::collections::BTreeSet;

use crate::support::schema::merged_families;
use crate::support::{oracle, schema::Family};

const DOCS: &str = include_str!("../../../docs/schema.md");
const QUERIES: &str = include_str!("../../cases/checklist.sql");

/// The lines of the checklist: `- **kind**: property; property`, wrapped.
fn promised() -> BTreeSet<String> {
    let section = DOCS.split("## Checklist").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut promised = BTreeSet::new();
    for line in section.split("\n- **").skip(1) {
        let (kind, properties) = line.split_once("**: ").unwrap();
        let properties = properties.split_whitespace().collect::<Vec<_>>().join(" ");
        for property in properties.split("; ") {
            promised.insert(format!("{kind}: {property}"));
        }
    }
    promised
}

/// The statements that come before the queries, and each line of the checklist with its query.
fn queries() -> (String, Vec<(String, String)>) {
    let mut blocks = QUERIES.split("\n-- ");
    let head = blocks.next().unwrap().to_owned();
    let split = |block: &str| {
        let (name, query) = block.split_once('\n').unwrap();
        (name.to_owned(), query.trim().to_owned())
    };
    (head, blocks.map(split).collect())
}

/// The lines of the checklist that a family contains.
async fn contained(family: &Family) -> BTreeSet<String> {
    let source = family.source(18).await;
    let (mut script, queries) = queries();
    for (name, query) in queries {
        let question = format!("\nSELECT $${name}$$ WHERE EXISTS (SELECT FROM {query});");
        script.push_str(&question);
    }
    let found = tokio::task::spawn_blocking(move || oracle::psql(&source.url, &script));
    let found = found.await.unwrap();
    found.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_fixtures_contain_all_that_the_checklist_names() {
    let (_, queries) = queries();
    let asked: BTreeSet<String> = queries.into_iter().map(|(name, _)| name).collect();
    assert_eq!(promised(), asked);
    let mut found = BTreeSet::new();
    for family in merged_families() {
        found.extend(contained(&family).await);
    }
    let missing: Vec<_> = asked.difference(&found).collect();
    assert!(missing.is_empty(), "in no fixture: {missing:#?}");
}
