//! The rules of tables, and which tables they apply to.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::RowFilter;
use super::known::{Found, Known, check_table, no_table};
use super::rule::{RowCondition, RowsRule, Rule, TableRule};
use super::{Entry, Error, ExcludedObjects, Offered, Origin, Section, TableChoice};
use crate::catalog::Catalog;
use crate::catalog::model::{Lineages, Table};
use crate::pg::QualifiedName;

/// A rule as the user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEntry {
    /// The table.
    pub entry: Entry,
    /// What is asked of it.
    pub rule: Rule,
}

/// All rules that the user gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rules.
    pub entries: Vec<RuleEntry>,
    /// The sections of the configuration file, also those without rules.
    pub sections: Vec<Section>,
}

/// The rules of one database, by table. One of a partitioned table holds for all its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRules<F = RowFilter>(BTreeMap<QualifiedName, TableRule<F>>);

impl<F> Default for TableRules<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Clone> TableRules<F> {
    /// Returns the rules of a table, given by its own name and then those of the partitioned tables above it: the
    /// nearest of each kind counts.
    pub fn of<'a>(&self, lineage: impl Iterator<Item = &'a QualifiedName>) -> TableRule<F> {
        let mut found = TableRule::default();
        for rule in lineage.filter_map(|name| self.0.get(name)) {
            found.rows = found.rows.or_else(|| rule.rows.clone());
            found.changes = found.changes.or(rule.changes);
        }
        found
    }
}

impl<F> TableRules<F> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All rules, by table.
    pub fn iter(&self) -> impl Iterator<Item = (&QualifiedName, &TableRule<F>)> {
        self.0.iter()
    }
}

impl TableRules {
    /// Returns the tables of a catalog that have a rule, with it.
    pub fn tables<'c>(&self, catalog: &'c Catalog) -> Vec<(&'c Table, TableRule)> {
        if self.is_empty() {
            return Vec::new();
        }
        let lineages = Lineages::new(catalog);
        let ruled = |table: &'c Table| {
            let rule = self.of(lineages.of(table).map(|one| &one.name));
            (rule != TableRule::default()).then_some((table, rule))
        };
        catalog.tables.iter().filter_map(ruled).collect()
    }

    /// Returns the tables of a catalog whose rows are not copied.
    pub fn without_rows<'c>(&self, catalog: &'c Catalog) -> impl Iterator<Item = &'c Table> {
        let ruled = self.tables(catalog).into_iter();
        ruled.filter_map(|(table, rule)| (rule.rows == Some(RowsRule::None)).then_some(table))
    }

    /// Returns the tables of a catalog of which only some rows are copied, with the filter.
    pub fn filtered<'c>(
        &self,
        catalog: &'c Catalog,
    ) -> impl Iterator<Item = (&'c Table, RowFilter)> {
        let ruled = self.tables(catalog).into_iter();
        ruled.filter_map(|(table, rule)| Some((table, rule.filter()?.clone())))
    }
}

impl TableRules<RowCondition> {
    /// The rules, of which none is a filter that the source has still to understand.
    pub fn without_filters(&self) -> TableRules {
        let rules = self.0.iter().map(|(table, rule)| {
            let rows = match &rule.rows {
                None | Some(RowsRule::Matching(_)) => None,
                Some(RowsRule::All) => Some(RowsRule::All),
                Some(RowsRule::None) => Some(RowsRule::None),
            };
            let changes = rule.changes;
            (table.clone(), TableRule { rows, changes })
        });
        rules.collect()
    }
}

impl<F> FromIterator<(QualifiedName, TableRule<F>)> for TableRules<F> {
    fn from_iter<I: IntoIterator<Item = (QualifiedName, TableRule<F>)>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

/// The part of a database that takes part, and the rules of its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableScope {
    /// Its tables.
    pub choice: TableChoice,
    /// Their rules.
    pub rules: TableRules,
    /// The objects that are excluded by name.
    pub objects: ExcludedObjects,
}

/// What the rules came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The rules of each database that has any.
    pub databases: BTreeMap<String, TableRules<RowCondition>>,
    /// What could have been meant otherwise.
    pub warnings: Vec<String>,
    /// Rules without effect.
    pub notes: Vec<String>,
}

/// A table of a database.
type Place<'a> = (&'a str, &'a QualifiedName);

/// A rule of a table, whether its entry names database, schema and table, and where it comes from.
#[derive(Clone, Copy, Debug)]
struct Placed<'a> {
    rule: &'a Rule,
    is_exact: bool,
    origin: Origin,
}

impl Rules {
    /// Rules that all come from the command line.
    pub fn of_command_line(entries: Vec<RuleEntry>) -> Self {
        Self {
            entries,
            sections: Vec::new(),
        }
    }

    /// The databases that rules may name. Those of sections are not among them.
    pub fn databases(&self) -> BTreeSet<&str> {
        let entries = self.entries.iter().map(|one| &one.entry);
        entries.filter_map(Entry::database).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some rows of a table are wanted, and others not.
    pub fn have_filters(&self) -> bool {
        let mut rules = self.entries.iter().map(|one| &one.rule);
        rules.any(|rule| matches!(rule, Rule::Filter(_) | Rule::TimeFilter(_)))
    }

    /// Refuses sections of databases that the source does not have.
    ///
    /// # Errors
    /// There is such a section.
    pub fn check_sections(&self, existing: &BTreeSet<&str>) -> Result<(), Error> {
        let mut sections = self.sections.iter();
        sections.try_for_each(|section| section.check(existing))
    }

    /// Returns the rules of the command line, then those of the file: these are replaced table by table.
    fn by_origin(&self) -> Vec<&RuleEntry> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|one| one.entry.origin() != Origin::CommandLine);
        entries
    }

    /// Finds the tables of all rules among the relations of the chosen databases. A rule of the command line replaces
    /// those of the file on its table. Of two rules of one origin that contradict each other the one that names
    /// database, schema and table counts.
    ///
    /// # Errors
    /// A rule matches nothing, or something that is no table, or contradicts another one; a row filter is on a
    /// single partition.
    pub fn resolve(
        &self,
        offered: &BTreeMap<String, Vec<Offered>>,
        choices: &BTreeMap<String, TableChoice>,
    ) -> Result<Resolved, Error> {
        let known = Known::new(offered);
        let unselected = self.sections.iter();
        let mut resolved = Resolved {
            notes: unselected
                .filter_map(|section| section.note_unselected(choices))
                .collect(),
            ..Resolved::default()
        };
        let mut placed: BTreeMap<Place<'_>, Vec<Placed<'_>>> = BTreeMap::new();
        for RuleEntry { entry, rule } in self.by_origin() {
            if entry
                .section()
                .is_some_and(|own| !choices.contains_key(own))
            {
                continue;
            }
            let found = find_ruled(entry, &known, &mut resolved.warnings);
            if found.is_empty() {
                return Err(no_table(entry, offered));
            }
            for (database, relation) in found {
                check_table(entry, (database, relation))?;
                check_partition(entry, rule, relation)?;
                if !takes(choices, database, relation) {
                    let name = &relation.name;
                    let origin = entry.origin();
                    resolved.notes.push(format!(
                        "{rule}{origin} has no effect on {name} in database {database}: the table is not selected"
                    ));
                    continue;
                }
                let one = Placed {
                    rule,
                    is_exact: entry.is_exact(),
                    origin: entry.origin(),
                };
                let place = (database, &relation.name);
                let others = placed.entry(place).or_default();
                match is_replaced(one, others) {
                    true => resolved.notes.push(note_replaced(place, one)),
                    false => place_rule(entry, place, one, others)?,
                }
            }
        }
        for ((database, table), rules) in placed {
            let of_database = resolved.databases.entry(database.to_owned()).or_default();
            let of_table = of_database.0.entry(table.clone()).or_default();
            rules.iter().for_each(|one| of_table.add(one.rule));
        }
        Ok(resolved)
    }
}

/// Whether a relation takes part.
fn takes(choices: &BTreeMap<String, TableChoice>, database: &str, relation: &Offered) -> bool {
    let choice = choices.get(database);
    let lineage = std::iter::once(&relation.name).chain(&relation.root);
    choice.is_some_and(|choice| choice.takes(lineage))
}

/// Whether the command line has a rule for the table of a rule of the file.
fn is_replaced(one: Placed<'_>, others: &[Placed<'_>]) -> bool {
    let is_given = |rule: &Placed<'_>| rule.origin == Origin::CommandLine;
    !is_given(&one) && others.iter().any(is_given)
}

fn note_replaced((database, table): Place<'_>, one: Placed<'_>) -> String {
    let Placed { rule, origin, .. } = one;
    format!(
        "{rule}{origin} has no effect on {table} in database {database}: the command line has a rule for the table"
    )
}

/// A row filter holds for all partitions: a publication sends their changes as those of the table at the top.
fn check_partition(entry: &Entry, rule: &Rule, relation: &Offered) -> Result<(), Error> {
    match (rule, &relation.root) {
        (Rule::Filter(_) | Rule::TimeFilter(_), Some(root)) => Err(Error::FilterOnPartition {
            entry: entry.clone(),
            root: root.clone(),
        }),
        (Rule::SchemaOnly | Rule::SnapshotOnly, _) | (_, None) => Ok(()),
    }
}

/// Adds a rule to those of a table, unless one that contradicts it goes before it.
fn place_rule<'a>(
    entry: &Entry,
    (database, table): Place<'_>,
    one: Placed<'a>,
    others: &mut Vec<Placed<'a>>,
) -> Result<(), Error> {
    let contradicting = others
        .iter()
        .filter(|other| one.rule.contradicts(other.rule));
    for other in contradicting {
        if one.is_exact == other.is_exact {
            return Err(Error::RulesConflict {
                entry: entry.clone(),
                database: database.to_owned(),
                table: table.clone(),
                rules: Box::new([other.rule, one.rule].map(ToString::to_string)),
            });
        }
        if other.is_exact {
            return Ok(());
        }
    }
    others.retain(|other| !one.rule.contradicts(other.rule));
    others.push(one);
    Ok(())
}

/// The relations that a rule's entry matches. Of `x.t`, a schema `x` goes before a database `x`.
fn find_ruled<'a>(entry: &Entry, known: &Known<'a>, warnings: &mut Vec<String>) -> Vec<Found<'a>> {
    let in_schema = |schema: &str| QualifiedName::from_catalog(schema, entry.table());
    known.find_entry(entry, |either| {
            let by_schema = known.find_everywhere(&in_schema(either));
            let by_database = known.find_in_database(either, &in_schema("public"));
            if by_schema.is_empty() {
                return by_database.into_iter().collect();
            }
            if let Some((database, relation)) = by_database
                && !by_schema
                    .iter()
                    .any(|found| std::ptr::eq(found.1, relation))
            {
                warnings.push(format!(
                    "{entry} is taken as schema {either}; write {database}.public.{} to mean the database {database}",
                    entry.table()
                ));
            }
            by_schema
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Ident, RelKind};
    use crate::predicate::{Predicate, Window};
    use crate::selection::TimeFilter;

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
            "users: two rules for table public.users in database app: schema only and snapshot only"
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
            [
                "schema only has no effect on public.log_1 in database app: the table is not selected"
            ]
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
}
