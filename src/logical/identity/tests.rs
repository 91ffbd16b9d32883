use super::*;
use crate::predicate::Predicate;
use crate::selection::DateSettings;

fn name(name: &str) -> QualifiedName {
    QualifiedName::from_catalog("s", name)
}

fn idents(names: &[&str]) -> Vec<Ident> {
    names
        .iter()
        .map(|name| Ident::from_catalog(*name))
        .collect()
}

/// A table with a primary key `id`.
fn keyed(oid: u32, table: &str) -> Candidate {
    Candidate {
        oid: Oid(oid),
        name: name(table),
        kind: RelKind::Table,
        persistence: Persistence::Permanent,
        root: None,
        identity: ReplicaIdentity::Default,
        key: Some(idents(&["id"])),
        key_generated: Vec::new(),
        identity_index: None,
        fitting: Some(Ident::from_catalog("t_pkey")),
        generated: Vec::new(),
        unequal: Vec::new(),
        is_owned: true,
    }
}

fn bare(oid: u32, table: &str) -> Candidate {
    Candidate {
        key: None,
        fitting: None,
        ..keyed(oid, table)
    }
}

/// A partitioned table and its leaves.
fn tree(leaves: Vec<Candidate>) -> Vec<Candidate> {
    let root = Candidate {
        kind: RelKind::PartitionedTable,
        root: Some(Oid(1)),
        ..keyed(1, "root")
    };
    let leaves = leaves.into_iter().map(|leaf| Candidate {
        root: Some(Oid(1)),
        ..leaf
    });
    [root].into_iter().chain(leaves).collect()
}

/// What tables are judged by, with names in the place of tables.
#[derive(Default)]
struct Case<'a> {
    version: u32,
    excluded: &'a [&'a str],
    insert_only: &'a [&'a str],
    filter: Option<RowFilter>,
    full: bool,
}

impl Case<'_> {
    fn judge(self, candidates: &[Candidate]) -> Published {
        let names = |tables: &[&str]| tables.iter().map(|table| name(table)).collect();
        let filters = self.filter.into_iter();
        judge(
            candidates,
            Judge {
                version: ServerVersion::new(self.version * 10_000),
                excluded: &names(self.excluded),
                hypertables: &BTreeSet::from([name("hyper")]),
                insert_only: &names(self.insert_only),
                filters: &filters.map(|one| (one.table.clone(), one)).collect(),
                make_full: self.full,
            },
        )
    }
}

fn judged_at(version: u32, candidates: &[Candidate], excluded: &[&str], full: bool) -> Published {
    let case = Case {
        version,
        excluded,
        full,
        ..Case::default()
    };
    case.judge(candidates)
}

fn judged(candidates: &[Candidate]) -> Published {
    judged_at(17, candidates, &[], false)
}

fn listed(published: &Published) -> Vec<String> {
    published.tables.iter().map(ToString::to_string).collect()
}

fn blocker(published: &Published) -> &Blocker {
    assert_eq!(published.blocked.len(), 1, "{published:?}");
    &published.blocked[0].blocker
}

fn remedies(published: &Published) -> Vec<&str> {
    let blocked = published.blocked.iter();
    blocked
        .flat_map(|one| one.remedies.iter().map(Sql::as_str))
        .collect()
}

#[test]
fn a_table_with_a_key_is_published_and_one_without_is_told_with_its_cures() {
    assert_eq!(listed(&judged(&[keyed(1, "a")])), ["s.a"]);
    let unique = Candidate {
        fitting: Some(Ident::from_catalog("u")),
        ..bare(2, "b")
    };
    let published = judged(&[unique]);
    assert_eq!(blocker(&published), &Blocker::NoKey);
    assert_eq!(
        remedies(&published),
        [
            r#"ALTER TABLE ONLY "s"."b" REPLICA IDENTITY USING INDEX "u""#,
            r#"ALTER TABLE ONLY "s"."b" REPLICA IDENTITY FULL"#
        ]
    );
}

#[test]
fn a_whole_row_that_cannot_be_compared_is_no_identity_and_no_cure() {
    let json = Candidate {
        unequal: idents(&["doc"]),
        ..bare(1, "a")
    };
    let published = judged_at(17, std::slice::from_ref(&json), &[], true);
    assert_eq!(blocker(&published), &Blocker::NoKey);
    assert!(remedies(&published).is_empty() && !published.blocked[0].full_helps);
    let full = Candidate {
        identity: ReplicaIdentity::Full,
        ..json
    };
    assert_eq!(
        blocker(&judged(&[full])),
        &Blocker::NoEquality(idents(&["doc"]))
    );
}

#[test]
fn generated_columns_in_a_key_block_always_and_in_whole_rows_since_18() {
    let key = Candidate {
        key_generated: idents(&["g"]),
        ..keyed(1, "a")
    };
    let generated = Blocker::Generated(idents(&["g"]));
    assert_eq!(blocker(&judged_at(12, &[key], &[], false)), &generated);
    let full = [Candidate {
        identity: ReplicaIdentity::Full,
        generated: idents(&["g"]),
        ..bare(1, "a")
    }];
    assert!(judged_at(17, &full, &[], false).blocked.is_empty());
    assert_eq!(blocker(&judged_at(18, &full, &[], false)), &generated);
}

#[test]
fn a_tree_is_published_by_its_root_and_its_leaves_must_agree() {
    assert_eq!(listed(&judged(&tree(vec![keyed(2, "l")]))), ["s.root"]);
    let full = Candidate {
        identity: ReplicaIdentity::Full,
        ..keyed(2, "l")
    };
    let published = judged(&tree(vec![full]));
    assert_eq!(blocker(&published), &Blocker::Differs(name("root")));
    assert_eq!(
        remedies(&published),
        [r#"ALTER TABLE ONLY "s"."l" REPLICA IDENTITY DEFAULT"#]
    );
    let lost = Candidate {
        identity: ReplicaIdentity::Index,
        ..bare(3, "m")
    };
    let both = judged(&tree(vec![keyed(2, "l"), lost]));
    assert_eq!(blocker(&both), &Blocker::LostIndex);
}

#[test]
fn a_tree_is_published_by_leaves_on_12_and_where_some_do_not_take_part() {
    let leaves = || tree(vec![keyed(2, "l"), keyed(3, "m")]);
    let listed_at = |version, excluded| listed(&judged_at(version, &leaves(), excluded, false));
    assert_eq!(listed_at(12, &[]), ["s.l", "s.m"]);
    assert_eq!(listed_at(17, &["m"]), ["s.l"]);
    let unlogged = Candidate {
        persistence: Persistence::Unlogged,
        ..keyed(3, "m")
    };
    let published = judged(&tree(vec![keyed(2, "l"), unlogged]));
    assert_eq!(listed(&published), ["s.l"]);
    assert_eq!(published.apart, [(name("m"), "unlogged")]);
}

#[test]
fn whole_rows_are_made_the_identity_of_a_root_and_every_leaf() {
    let leaf = Candidate {
        identity: ReplicaIdentity::Nothing,
        ..bare(2, "l")
    };
    let candidates = tree(vec![leaf, keyed(3, "m")]);
    let published = judged_at(17, &candidates, &[], true);
    assert!(published.blocked.is_empty(), "{published:?}");
    let changed: Vec<_> = published
        .identities
        .iter()
        .map(FormerIdentity::table)
        .collect();
    assert_eq!(changed, [name("root"), name("l"), name("m")]);
    assert!(!judged(&candidates).blocked.is_empty());
}

#[test]
fn hypertables_foreign_tables_and_tables_of_others_are_told() {
    assert_eq!(blocker(&judged(&[keyed(1, "hyper")])), &Blocker::Hypertable);
    let foreign = Candidate {
        kind: RelKind::ForeignTable,
        ..bare(1, "f")
    };
    let others = Candidate {
        is_owned: false,
        ..keyed(2, "o")
    };
    let published = judged(&[foreign, others]);
    assert_eq!(published.apart, [(name("f"), "foreign")]);
    assert_eq!(published.not_owned, [name("o")]);
    assert_eq!(
        judged_at(17, &[bare(1, "x")], &["x"], false),
        Published::default()
    );
}

#[test]
fn a_tree_with_a_blocked_partition_is_not_followed_as_a_whole() {
    let published = judged(&tree(vec![keyed(2, "one"), bare(3, "two")]));
    assert_eq!(published.blocked.len(), 1);
    assert_eq!(published.not_followed, BTreeSet::from([name("root")]));
    let published = judged(&[keyed(1, "one"), bare(2, "two")]);
    assert_eq!(published.not_followed, BTreeSet::from([name("two")]));
}

fn filter(table: &str, columns: &[&str]) -> RowFilter {
    RowFilter {
        written: "id > 1".to_owned(),
        predicate: Predicate::parse("id > 1").unwrap(),
        table: name(table),
        columns: idents(columns),
        not_publishable: None,
        dates: DateSettings {
            time_zone: "UTC".to_owned(),
            order: "MDY".to_owned(),
        },
    }
}

fn judged_with(
    version: u32,
    candidates: &[Candidate],
    excluded: &[&str],
    filter: RowFilter,
) -> Published {
    let case = Case {
        version,
        excluded,
        filter: Some(filter),
        ..Case::default()
    };
    case.judge(candidates)
}

fn judged_inserts(candidates: &[Candidate], insert_only: &[&str]) -> Published {
    let case = Case {
        version: 17,
        insert_only,
        ..Case::default()
    };
    case.judge(candidates)
}

#[test]
fn an_insert_only_table_needs_no_identity() {
    let nothing = Candidate {
        identity: ReplicaIdentity::Nothing,
        ..bare(2, "b")
    };
    let published = judged_inserts(&[bare(1, "a"), nothing, keyed(3, "c")], &["a", "b"]);
    assert!(published.blocked.is_empty() && published.not_followed.is_empty());
    assert_eq!(listed(&published), ["s.a", "s.b", "s.c"]);
    assert_eq!(
        published.insert_only,
        BTreeSet::from([name("a"), name("b")])
    );
    let hyper = judged_inserts(&[keyed(1, "hyper")], &["hyper"]);
    assert_eq!(blocker(&hyper), &Blocker::Hypertable);
    // No identity is changed for it either.
    let full = Case {
        version: 17,
        insert_only: &["a"],
        full: true,
        ..Case::default()
    };
    assert!(full.judge(&[bare(1, "a")]).identities.is_empty());
}

#[test]
fn the_filter_of_an_insert_only_table_reads_any_column() {
    let judged = |version, filter| {
        let case = Case {
            version,
            insert_only: &["a"],
            filter: Some(filter),
            ..Case::default()
        };
        case.judge(&[bare(1, "a")])
    };
    assert!(judged(17, filter("a", &["b"])).blocked.is_empty());
    let old = ServerVersion::new(140_000);
    assert_eq!(
        judged(14, filter("a", &["b"])).blocked[0].blocker,
        Blocker::FilterVersion(old)
    );
    let of_query = RowFilter {
        not_publishable: Some(NotPublishable::Query),
        ..filter("a", &["b"])
    };
    assert_eq!(
        judged(17, of_query).blocked[0].blocker,
        Blocker::Filter(NotPublishable::Query)
    );
}

#[test]
fn a_tree_of_which_some_are_insert_only_is_published_by_its_leaves() {
    let candidates = tree(vec![keyed(2, "one"), bare(3, "two")]);
    let whole = judged_inserts(&candidates, &["root", "one", "two"]);
    assert_eq!(listed(&whole), ["s.root"]);
    assert_eq!(whole.insert_only, BTreeSet::from([name("root")]));
    // A partition that was created since the rules were resolved.
    let newer = judged_inserts(&candidates, &["root", "one"]);
    assert_eq!(newer, whole);
    let part = judged_inserts(&candidates, &["two"]);
    assert_eq!(listed(&part), ["s.one", "s.two"]);
    assert_eq!(part.insert_only, BTreeSet::from([name("two")]));
    assert!(part.blocked.is_empty(), "{part:?}");
    // The rule of a partition precedes that of its root.
    let apart = Case {
        version: 17,
        excluded: &["root", "one"],
        insert_only: &["two"],
        ..Case::default()
    };
    let apart = apart.judge(&candidates);
    assert_eq!(listed(&apart), ["s.two"]);
    assert_eq!(apart.insert_only, part.insert_only);
}

#[test]
fn a_filter_reads_columns_of_the_identity_only() {
    let candidates = [keyed(1, "a")];
    let published = judged_with(17, &candidates, &[], filter("a", &["id"]));
    assert!(published.blocked.is_empty());
    assert!(published.filters.contains_key(&name("a")));
    let published = judged_with(17, &candidates, &[], filter("a", &["id", "b"]));
    assert_eq!(
        published.blocked[0].blocker,
        Blocker::FilterColumns(idents(&["b"]))
    );
    assert!(published.blocked[0].full_helps);
    let published = judged_with(14, &candidates, &[], filter("a", &["id"]));
    let old = ServerVersion::new(140_000);
    assert_eq!(published.blocked[0].blocker, Blocker::FilterVersion(old));
    let of_query = RowFilter {
        not_publishable: Some(NotPublishable::Query),
        ..filter("a", &["id"])
    };
    let published = judged_with(17, &candidates, &[], of_query);
    let query = Blocker::Filter(NotPublishable::Query);
    assert_eq!(published.blocked[0].blocker, query);
}

#[test]
fn a_tree_that_is_published_by_its_leaves_has_the_filter_of_its_root() {
    let candidates = tree(vec![keyed(2, "one"), keyed(3, "two"), keyed(4, "three")]);
    let whole = judged_with(17, &candidates, &[], filter("root", &["id"]));
    assert_eq!(whole.filters.keys().collect::<Vec<_>>(), [&name("root")]);
    let leaves = judged_with(17, &candidates, &["two"], filter("root", &["id"]));
    let filtered: Vec<_> = leaves.filters.keys().collect();
    assert_eq!(filtered, [&name("one"), &name("three")]);
}
