use super::*;
use crate::logical::{Mark, RunId, RunTag};
use crate::pg::Ident;

fn name(name: &str) -> QualifiedName {
    QualifiedName::from_catalog("s", name)
}

fn names(list: &[&str]) -> BTreeSet<QualifiedName> {
    list.iter().map(|one| name(one)).collect()
}

fn publication() -> FoundPublication {
    let mut found = FoundPublication::plain(Ident::from_catalog("p"), std::iter::empty());
    let run = RunId::new("1", "2");
    found.mark = Some(Mark::new(run, RunTag::new(), "app", "s", String::new()));
    found
}

fn seen(wanted: &[&str], on_target: &[(&str, bool)], unsubscribed: &[&str]) -> SeenTables {
    SeenTables {
        wanted: Some(Published {
            tables: names(wanted),
            ..Published::default()
        }),
        unsubscribed: names(unsubscribed),
        copies_filtered: true,
        on_target: on_target
            .iter()
            .map(|(table, has_rows)| (name(table), *has_rows))
            .collect(),
        ..SeenTables::default()
    }
}

#[test]
fn only_empty_tables_of_the_target_join() {
    let seen = seen(
        &["empty", "full", "missing"],
        &[("empty", false), ("full", true)],
        &[],
    );
    let additions = judge_additions(&publication(), &seen);
    assert_eq!(additions.published.tables, names(&["empty"]));
    assert!(additions.refreshes);
    let codes: Vec<_> = additions.findings.iter().map(|one| one.code).collect();
    assert_eq!(
        codes,
        [Code::TableNotSubscribed, Code::TableMissingOnTarget]
    );
}

#[test]
fn nothing_is_refreshed_beside_a_table_that_would_get_its_rows_twice() {
    let one = seen(&["empty"], &[("empty", false), ("full", true)], &["full"]);
    let additions = judge_additions(&publication(), &one);
    assert!(!additions.refreshes && additions.published.tables.is_empty());
    let other = seen(&[], &[("new", false)], &["new"]);
    assert!(judge_additions(&publication(), &other).refreshes);
    let nothing = seen(&[], &[], &[]);
    assert_eq!(
        judge_additions(&publication(), &nothing),
        Additions::default()
    );
}

#[test]
fn a_table_that_was_removed_from_the_publication_does_not_join_again() {
    let mut removed = seen(&["removed"], &[("removed", false)], &[]);
    removed.subscribed = names(&["removed"]);
    let additions = judge_additions(&publication(), &removed);
    assert!(additions.published.tables.is_empty() && !additions.refreshes);
    assert_eq!(additions.findings[0].level, Level::Error);
}

#[test]
fn a_table_whose_recorded_filter_is_not_given_does_not_join() {
    let mut filtered = seen(&["filtered"], &[("filtered", false)], &[]);
    filtered.unfiltered = names(&["filtered"]);
    let additions = judge_additions(&publication(), &filtered);
    assert!(additions.published.tables.is_empty());
    assert_eq!(additions.findings.len(), 1);
}

#[test]
fn somebody_elses_publication_is_not_changed() {
    let mut theirs = publication();
    theirs.mark = None;
    let seen = seen(&["new"], &[("new", false)], &[]);
    let additions = judge_additions(&theirs, &seen);
    assert!(additions.published.tables.is_empty() && !additions.refreshes);
    assert_eq!(additions.findings[0].code, Code::TableNotPublished);
}
