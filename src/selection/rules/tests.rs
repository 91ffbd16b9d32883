use super::*;
use crate::pg::{Ident, RelKind};
use crate::predicate::{Predicate, Window};
use crate::selection::{ChangesRule, Position, TimeFilter};

/// `app` has `public.users`, `analytics.events` and a partitioned `public.log`; `analytics` has `public.events`
/// and `public.runs`.
fn offered() -> BTreeMap<String, Vec<Offered>> {
    let part = Offered {
        root: Some(QualifiedName::from_catalog("public", "log")),
        ..Offered::table("public", "log_1")
    };
    let log = Offered {
        kind: RelKind::PartitionedTable,
        ..Offered::table("public", "log")
    };
    let app = vec![
        Offered::table("public", "users"),
        Offered::table("analytics", "events"),
        log,
        part,
    ];
    let analytics = vec![
        Offered::table("public", "events"),
        Offered::table("public", "runs"),
    ];
    BTreeMap::from([("app".to_owned(), app), ("analytics".to_owned(), analytics)])
}

fn rule(text: &str, rule: Rule) -> RuleEntry {
    let entry = Entry::new(text.split('.').map(str::to_owned).collect()).unwrap();
    RuleEntry { entry, rule }
}

fn resolve(rules: Vec<RuleEntry>) -> Result<Resolved, Error> {
    let offered = offered();
    let choices = offered.keys().map(|name| (name.clone(), TableChoice::All));
    Rules::of_command_line(rules).resolve(&offered, &choices.collect())
}

fn schema_only(text: &str) -> RuleEntry {
    rule(text, Rule::SchemaOnly)
}

fn filter(text: &str, predicate: &str) -> RuleEntry {
    rule(text, Rule::Filter(Predicate::parse(predicate).unwrap()))
}

/// `database.schema.table: rule` of all that is ruled.
fn lines(resolved: &Resolved) -> Vec<String> {
    let databases = resolved.databases.iter();
    let lines = databases.flat_map(|(database, rules)| {
        rules.iter().map(move |(name, rule)| {
            let rows = match &rule.rows {
                None => "",
                Some(RowsRule::All) => "all rows",
                Some(RowsRule::None) => "schema only",
                Some(RowsRule::Matching(condition)) => &condition.to_string(),
            };
            let changes = rule.changes.map_or("", |_| "snapshot only");
            let joint = if rows.is_empty() || changes.is_empty() {
                ""
            } else {
                ", "
            };
            format!("{database}.{name}: {rows}{joint}{changes}")
        })
    });
    lines.collect()
}

#[test]
fn an_entry_is_read_as_documented() {
    for (text, expected) in [
        ("users", &["app.public.users: schema only"][..]),
        ("public.users", &["app.public.users: schema only"]),
        ("analytics.runs", &["analytics.public.runs: schema only"]),
        ("events", &["analytics.public.events: schema only"]),
        (
            "app.analytics.events",
            &["app.analytics.events: schema only"],
        ),
        ("log_1", &["app.public.log_1: schema only"]),
    ] {
        let resolved = resolve(vec![schema_only(text)]).unwrap();
        assert_eq!(lines(&resolved), expected, "{text}");
        assert!(resolved.warnings.is_empty(), "{text}");
    }
}

#[test]
fn a_schema_goes_before_a_database_with_a_warning() {
    let resolved = resolve(vec![schema_only("analytics.events")]).unwrap();
    assert_eq!(lines(&resolved), ["app.analytics.events: schema only"]);
    assert_eq!(
        resolved.warnings,
        [
            "analytics.events is taken as schema analytics; write analytics.public.events to mean the database analytics"
        ]
    );
}

#[test]
fn of_two_rules_on_one_table_the_exact_one_counts() {
    let (exact, loose) = (
        rule("app.public.users", Rule::SnapshotOnly),
        schema_only("users"),
    );
    for rules in [[exact.clone(), loose.clone()], [loose.clone(), exact]] {
        assert_eq!(
            lines(&resolve(rules.to_vec()).unwrap()),
            ["app.public.users: snapshot only"]
        );
    }
    let same = resolve(vec![loose.clone(), schema_only("public.users")]).unwrap();
    assert_eq!(lines(&same), ["app.public.users: schema only"]);
    let conflict = resolve(vec![loose, rule("users", Rule::SnapshotOnly)]);
    assert_eq!(
        conflict.unwrap_err().to_string(),
        "users: two rules for table public.users in database app: schema only and snapshot only; remove one"
    );
}

#[test]
fn a_rule_that_matches_nothing_is_an_error_and_one_on_an_excluded_table_a_note() {
    assert!(matches!(
        resolve(vec![schema_only("nobody")]),
        Err(Error::NoTable { .. })
    ));
    let offered = offered();
    let but = TableChoice::AllBut(BTreeSet::from([QualifiedName::from_catalog(
        "public", "log",
    )]));
    let choices = BTreeMap::from([("app".to_owned(), but)]);
    let rules = Rules::of_command_line(vec![schema_only("log_1")]);
    let resolved = rules.resolve(&offered, &choices).unwrap();
    assert!(resolved.databases.is_empty());
    assert_eq!(
        resolved.notes,
        ["schema only has no effect on public.log_1 in database app: the table is not selected"]
    );
}

#[test]
fn a_filter_combines_with_snapshot_only_and_with_nothing_else() {
    let both = vec![filter("users", "a > 1"), rule("users", Rule::SnapshotOnly)];
    assert_eq!(
        lines(&resolve(both).unwrap()),
        ["app.public.users: a > 1, snapshot only"]
    );
    let since = Rule::TimeFilter(TimeFilter {
        column: Ident::from_catalog("at"),
        window: Window::parse("1 day").unwrap(),
    });
    for other in [
        schema_only("users"),
        filter("users", "b"),
        rule("users", since),
    ] {
        let error = resolve(vec![filter("users", "a > 1"), other]).unwrap_err();
        assert!(matches!(error, Error::RulesConflict { .. }), "{error}");
    }
    let lifted = resolve(vec![
        filter("users", "a"),
        filter("app.public.users", "true"),
    ]);
    assert_eq!(lines(&lifted.unwrap()), ["app.public.users: all rows"]);
}

#[test]
fn a_filter_on_a_partition_is_refused_in_favour_of_the_root() {
    let error = resolve(vec![filter("log_1", "a")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "log_1: a row filter applies to a whole partitioned table; write it for public.log"
    );
}

#[test]
fn the_nearest_rule_of_a_partition_counts() {
    let [root, part] = ["log", "log_1"].map(|name| QualifiedName::from_catalog("public", name));
    let ruled = |rule: Rule| {
        let mut of_table = TableRule::default();
        of_table.add(&rule);
        of_table
    };
    let rules: TableRules<RowCondition> = [
        (root.clone(), ruled(Rule::SnapshotOnly)),
        (part.clone(), ruled(Rule::SchemaOnly)),
    ]
    .into_iter()
    .collect();
    let of_part = rules.of([&part, &root].into_iter());
    assert_eq!(of_part.rows, Some(RowsRule::None));
    assert!(of_part.changes.is_some());
    assert_eq!(rules.of([&root].into_iter()), ruled(Rule::SnapshotOnly));
    let none = TableRules::<RowCondition>::default();
    assert_eq!(none.of([&root].into_iter()), TableRule::default());
}

#[test]
fn an_answer_precedes_what_was_asked_of_changes_and_keeps_filters() {
    let filed = |text: &str, rule: Rule| RuleEntry {
        entry: Entry::parse(text)
            .unwrap()
            .at(Position { line: 1, column: 1 }, Some("app")),
        rule,
    };
    let filter = || Rule::Filter(Predicate::parse("id > 1").unwrap());
    let answer = RuleEntry {
        entry: Entry::parse("app.public.users").unwrap().answered(),
        rule: Rule::SnapshotOnly,
    };
    for given in [
        vec![filed("users", filter()), filed("users", Rule::InsertOnly)],
        vec![
            rule("users", filter()),
            rule("app.public.users", Rule::InsertOnly),
        ],
    ] {
        let entries = given.into_iter().chain([answer.clone()]);
        let rules = Rules::of_command_line(entries.collect());
        let offered = offered();
        let choices = offered.keys().map(|name| (name.clone(), TableChoice::All));
        let resolved = rules.resolve(&offered, &choices.collect()).unwrap();
        let name = QualifiedName::from_catalog("public", "users");
        let found = resolved.databases["app"].of(std::iter::once(&name));
        assert_eq!(found.changes, Some(ChangesRule::None));
        assert!(
            matches!(found.rows, Some(RowsRule::Matching(_))),
            "{found:?}"
        );
    }
}
