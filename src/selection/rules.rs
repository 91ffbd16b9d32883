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

    /// Returns the rules of the command line, then those of the file, which are replaced table by table, then answers,
    /// which precede both.
    fn by_origin(&self) -> Vec<&RuleEntry> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|one| match one.entry.origin() {
            Origin::CommandLine => 0,
            Origin::File(_) => 1,
            Origin::Answer => 2,
        });
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
    matches!(one.origin, Origin::File(_)) && others.iter().any(is_given)
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
        (Rule::SchemaOnly | Rule::SnapshotOnly | Rule::InsertOnly, _) | (_, None) => Ok(()),
    }
}

/// Adds a rule to those of a table, unless one that contradicts it goes before it.
fn place_rule<'a>(
    entry: &Entry,
    (database, table): Place<'_>,
    one: Placed<'a>,
    others: &mut Vec<Placed<'a>>,
) -> Result<(), Error> {
    let is_answer = one.origin == Origin::Answer;
    let contradicting = others
        .iter()
        .filter(|other| !is_answer && one.rule.contradicts(other.rule));
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
#[path = "rules/tests.rs"]
mod tests;
