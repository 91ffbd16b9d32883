//! Rules: what of a table's rows is copied, and whether its changes are replicated.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::known::{Found, Known, check_table, no_table};
use super::{Entry, Error, Offered, TableChoice};
use crate::catalog::Catalog;
use crate::catalog::model::{Lineages, Table};
use crate::pg::QualifiedName;

/// What a rule asks of a table that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableRule {
    /// Its definition is created; no rows are copied, and no changes replicated.
    SchemaOnly,
    /// Its rows are copied at the snapshot; later changes are not replicated.
    SnapshotOnly,
}

impl fmt::Display for TableRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SchemaOnly => "schema only",
            Self::SnapshotOnly => "snapshot only",
        })
    }
}

/// A rule as the user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEntry {
    /// The table.
    pub entry: Entry,
    /// What is asked of it.
    pub rule: TableRule,
}

/// All rules that the user gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<RuleEntry>);

/// The rules of one database, by table. One of a partitioned table holds for all its partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRules(BTreeMap<QualifiedName, TableRule>);

impl TableRules {
    /// Returns the rule of a table, given by its own name and then those of the partitioned tables above it: the
    /// nearest counts.
    pub fn of<'a>(
        &self,
        mut lineage: impl Iterator<Item = &'a QualifiedName>,
    ) -> Option<TableRule> {
        lineage.find_map(|name| self.0.get(name)).copied()
    }

    /// Returns the tables of a catalog that have a rule, with it.
    pub fn tables<'c>(&self, catalog: &'c Catalog) -> Vec<(&'c Table, TableRule)> {
        if self.is_empty() {
            return Vec::new();
        }
        let lineages = Lineages::new(catalog);
        let ruled = |table: &'c Table| {
            let rule = self.of(lineages.of(table).map(|one| &one.name))?;
            Some((table, rule))
        };
        catalog.tables.iter().filter_map(ruled).collect()
    }

    /// Returns the tables of a catalog whose rows are not copied.
    pub fn without_rows<'c>(&self, catalog: &'c Catalog) -> impl Iterator<Item = &'c Table> {
        let ruled = self.tables(catalog).into_iter();
        ruled.filter_map(|(table, rule)| (rule == TableRule::SchemaOnly).then_some(table))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All rules, by table.
    pub fn iter(&self) -> impl Iterator<Item = (&QualifiedName, TableRule)> {
        self.0.iter().map(|(name, rule)| (name, *rule))
    }
}

impl FromIterator<(QualifiedName, TableRule)> for TableRules {
    fn from_iter<I: IntoIterator<Item = (QualifiedName, TableRule)>>(rules: I) -> Self {
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
}

/// What the rules came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The rules of each database that has any.
    pub databases: BTreeMap<String, TableRules>,
    /// What could have been meant otherwise.
    pub warnings: Vec<String>,
    /// Rules without effect.
    pub notes: Vec<String>,
}

/// A rule of a table, and whether its entry names database, schema and table.
#[derive(Clone, Copy, Debug)]
struct Placed {
    rule: TableRule,
    is_exact: bool,
}

impl Rules {
    /// The databases that rules may name.
    pub fn databases(&self) -> BTreeSet<&str> {
        let entries = self.0.iter().map(|one| &one.entry);
        entries.filter_map(Entry::database).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds the tables of all rules among the relations of the chosen databases. Of two rules on one table the one
    /// that names database, schema and table counts.
    ///
    /// # Errors
    /// A rule matches nothing, or something that is no table, or contradicts another one.
    pub fn resolve(
        &self,
        offered: &BTreeMap<String, Vec<Offered>>,
        choices: &BTreeMap<String, TableChoice>,
    ) -> Result<Resolved, Error> {
        let known = Known::new(offered);
        let mut resolved = Resolved::default();
        let mut placed: BTreeMap<(&str, &QualifiedName), Placed> = BTreeMap::new();
        for RuleEntry { entry, rule } in &self.0 {
            let found = find_ruled(entry, &known, &mut resolved.warnings);
            if found.is_empty() {
                return Err(no_table(entry, offered));
            }
            for (database, relation) in found {
                check_table(entry, (database, relation))?;
                if !takes(choices, database, relation) {
                    let name = &relation.name;
                    resolved.notes.push(format!(
                        "{rule} has no effect on {name} in database {database}: the table is not selected"
                    ));
                    continue;
                }
                let one = Placed {
                    rule: *rule,
                    is_exact: entry.qualifiers().len() == 2,
                };
                let place = (database, &relation.name);
                let counts = match placed.get(&place) {
                    Some(other) => counts_before(entry, place, one, *other)?,
                    None => true,
                };
                if counts {
                    placed.insert(place, one);
                }
            }
        }
        for ((database, table), Placed { rule, .. }) in placed {
            let rules = resolved.databases.entry(database.to_owned()).or_default();
            rules.0.insert(table.clone(), rule);
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

/// Whether a rule replaces another one on the same table.
fn counts_before(
    entry: &Entry,
    (database, table): (&str, &QualifiedName),
    one: Placed,
    other: Placed,
) -> Result<bool, Error> {
    if one.rule == other.rule || one.is_exact != other.is_exact {
        return Ok(one.is_exact && !other.is_exact);
    }
    Err(Error::RulesConflict {
        entry: entry.clone(),
        database: database.to_owned(),
        table: table.clone(),
        rules: [other.rule, one.rule],
    })
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
    use crate::pg::RelKind;

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

    fn rule(text: &str, rule: TableRule) -> RuleEntry {
        let entry = Entry::new(text.split('.').map(str::to_owned).collect()).unwrap();
        RuleEntry { entry, rule }
    }

    fn resolve(rules: Vec<RuleEntry>) -> Result<Resolved, Error> {
        let offered = offered();
        let choices = offered.keys().map(|name| (name.clone(), TableChoice::All));
        Rules(rules).resolve(&offered, &choices.collect())
    }

    fn schema_only(text: &str) -> RuleEntry {
        rule(text, TableRule::SchemaOnly)
    }

    /// `database.schema.table: rule` of all that is ruled.
    fn lines(resolved: &Resolved) -> Vec<String> {
        let databases = resolved.databases.iter();
        let lines = databases.flat_map(|(database, rules)| {
            rules
                .iter()
                .map(move |(name, rule)| format!("{database}.{name}: {rule}"))
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
            rule("app.public.users", TableRule::SnapshotOnly),
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
        let conflict = resolve(vec![loose, rule("users", TableRule::SnapshotOnly)]);
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
        let rules = Rules(vec![schema_only("log_1")]);
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
    fn the_nearest_rule_of_a_partition_counts() {
        let [root, part] = ["log", "log_1"].map(|name| QualifiedName::from_catalog("public", name));
        let rules: TableRules = [
            (root.clone(), TableRule::SnapshotOnly),
            (part.clone(), TableRule::SchemaOnly),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            rules.of([&part, &root].into_iter()),
            Some(TableRule::SchemaOnly)
        );
        assert_eq!(rules.of([&root].into_iter()), Some(TableRule::SnapshotOnly));
        assert_eq!(TableRules::default().of([&root].into_iter()), None);
    }
}
