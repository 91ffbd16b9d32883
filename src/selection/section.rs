//! Sections of the configuration file, each with the rules of one database.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Position, TableChoice};

/// A section of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The database that it is for.
    pub database: String,
    /// Where it begins.
    pub position: Position,
}

impl Section {
    /// Refuses a database that the source does not have.
    pub(super) fn check(&self, existing: &BTreeSet<&str>) -> Result<(), Error> {
        if existing.contains(self.database.as_str()) {
            return Ok(());
        }
        Err(Error::UnknownSection {
            database: self.database.clone(),
            position: self.position,
            existing: existing.iter().map(|&name| name.to_owned()).collect(),
        })
    }

    /// What to report if its database is not selected.
    pub(super) fn note_unselected(
        &self,
        choices: &BTreeMap<String, TableChoice>,
    ) -> Option<String> {
        let Self { database, position } = self;
        (!choices.contains_key(database)).then(|| {
            format!(
                "the section of database {database} ({position} of the configuration file) has no effect: the \
                 database is not selected"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::Predicate;
    use crate::selection::{Entry, Offered, Resolved, RowsRule, Rule, RuleEntry, Rules};

    const ELSEWHERE: Position = Position { line: 9, column: 1 };

    /// `app` has `public.users` and `crm.users`; `crm` has `public.users` too.
    fn offered() -> BTreeMap<String, Vec<Offered>> {
        let app = vec![
            Offered::table("public", "users"),
            Offered::table("crm", "users"),
        ];
        let crm = vec![Offered::table("public", "users")];
        BTreeMap::from([("app".to_owned(), app), ("crm".to_owned(), crm)])
    }

    fn flag(text: &str, rule: Rule) -> RuleEntry {
        let entry = Entry::parse(text).unwrap();
        RuleEntry { entry, rule }
    }

    fn filed(database: &str, text: &str, rule: Rule) -> RuleEntry {
        let entry = Entry::parse(text).unwrap();
        let position = Position { line: 5, column: 2 };
        RuleEntry {
            entry: entry.at(position, Some(database)),
            rule,
        }
    }

    fn rules(entries: Vec<RuleEntry>) -> Rules {
        let sections = ["app", "crm"].map(|database| Section {
            database: database.to_owned(),
            position: ELSEWHERE,
        });
        Rules {
            entries,
            sections: sections.to_vec(),
        }
    }

    fn resolve(entries: Vec<RuleEntry>) -> Result<Resolved, Error> {
        let offered = offered();
        let choices = offered.keys().map(|name| (name.clone(), TableChoice::All));
        rules(entries).resolve(&offered, &choices.collect())
    }

    fn lines(resolved: &Resolved) -> Vec<String> {
        let databases = resolved.databases.iter();
        let lines = databases.flat_map(|(database, rules)| {
            let rules = rules.iter();
            rules.map(move |(name, rule)| {
                let rows = match rule.rows {
                    Some(RowsRule::None) => "schema only",
                    Some(RowsRule::All) => "all rows",
                    Some(RowsRule::Matching(_)) => "filter",
                    None => "",
                };
                let changes = rule.changes.map_or("", |_| "snapshot only");
                format!("{database}.{name}: {rows}{changes}")
            })
        });
        lines.collect()
    }

    #[test]
    fn a_name_in_a_section_is_of_its_database() {
        for (text, expected) in [
            ("users", "app.public.users: schema only"),
            ("crm.users", "app.crm.users: schema only"),
            ("app.crm.users", "app.crm.users: schema only"),
        ] {
            let resolved = resolve(vec![filed("app", text, Rule::SchemaOnly)]).unwrap();
            assert_eq!(lines(&resolved), [expected], "{text}");
            assert!(resolved.warnings.is_empty() && resolved.notes.is_empty());
        }
        let missing = resolve(vec![filed("crm", "crm.users", Rule::SchemaOnly)]);
        assert_eq!(
            missing.unwrap_err().to_string(),
            "no table crm.users (5:2 of the configuration file) in database crm; the nearest: crm.public.users"
        );
    }

    #[test]
    fn a_rule_of_the_command_line_replaces_that_of_the_file_on_its_table() {
        let exact = || filed("app", "app.public.users", Rule::SnapshotOnly);
        for (text, expected) in [
            // A name without database replaces rules in both.
            (
                "users",
                &[
                    "app.public.users: schema only",
                    "crm.public.users: schema only",
                ][..],
            ),
            ("app.public.users", &["app.public.users: schema only"]),
            // A schema of app, and not the database crm.
            (
                "crm.users",
                &[
                    "app.crm.users: schema only",
                    "app.public.users: snapshot only",
                ],
            ),
        ] {
            let given = || flag(text, Rule::SchemaOnly);
            for entries in [vec![given(), exact()], vec![exact(), given()]] {
                assert_eq!(lines(&resolve(entries).unwrap()), expected, "{text}");
            }
        }
        let resolved = resolve(vec![exact(), flag("users", Rule::SchemaOnly)]).unwrap();
        assert_eq!(
            resolved.notes,
            [
                "snapshot only (5:2 of the configuration file) has no effect on public.users in database app: the \
              command line has a rule for the table"
            ]
        );
    }

    #[test]
    fn a_rule_of_the_command_line_replaces_every_rule_of_the_file_on_its_table() {
        let predicate = |text: &str| Rule::Filter(Predicate::parse(text).unwrap());
        let filter = || filed("app", "users", predicate("id > 1"));
        let snapshot = || filed("app", "users", Rule::SnapshotOnly);
        let both = resolve(vec![filter(), snapshot()]).unwrap();
        assert_eq!(lines(&both), ["app.public.users: filtersnapshot only"]);
        for (rule, expected) in [
            (predicate("true"), "app.public.users: all rows"),
            (Rule::SchemaOnly, "app.public.users: schema only"),
        ] {
            let given = flag("app.public.users", rule);
            let resolved = resolve(vec![filter(), snapshot(), given]).unwrap();
            assert_eq!(lines(&resolved), [expected]);
            assert_eq!(resolved.notes.len(), 2);
        }
    }

    #[test]
    fn within_the_file_two_rules_contradict_each_other_unless_one_is_exact() {
        let loose = || filed("app", "users", Rule::SchemaOnly);
        let exact = filed("app", "app.public.users", Rule::SnapshotOnly);
        let resolved = resolve(vec![loose(), exact]).unwrap();
        assert_eq!(lines(&resolved), ["app.public.users: snapshot only"]);
        let conflict = resolve(vec![
            loose(),
            filed("app", "public.users", Rule::SnapshotOnly),
        ]);
        assert_eq!(
            conflict.unwrap_err().to_string(),
            "public.users (5:2 of the configuration file): two rules for table public.users in database app: schema \
             only and snapshot only; remove one"
        );
    }

    #[test]
    fn the_section_of_a_database_that_is_not_selected_is_a_note() {
        let offered = offered();
        let choices = BTreeMap::from([("app".to_owned(), TableChoice::All)]);
        let rules = rules(vec![filed("crm", "nobody", Rule::SchemaOnly)]);
        let resolved = rules.resolve(&offered, &choices).unwrap();
        assert!(resolved.databases.is_empty());
        assert_eq!(
            resolved.notes,
            [
                "the section of database crm (9:1 of the configuration file) has no effect: the database is not selected"
            ]
        );
    }

    #[test]
    fn the_section_of_a_database_that_does_not_exist_is_an_error() {
        let rules = rules(Vec::new());
        assert!(
            rules
                .check_sections(&BTreeSet::from(["app", "crm"]))
                .is_ok()
        );
        let refused = rules.check_sections(&BTreeSet::from(["app", "cram"]));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "no database \"crm\" on the source (section at 9:1 of the configuration file); there are: app, cram"
        );
    }
}
