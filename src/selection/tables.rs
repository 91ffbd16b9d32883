//! Which tables of the chosen databases take part.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{Found, Known, Offered, check_table, no_table};
use super::{Entry, Error};
use crate::pg::QualifiedName;

/// The tables asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// Every table.
    #[default]
    All,
    /// Exactly these; databases without any of them are left alone.
    Only(Vec<Entry>),
    /// Every table but these.
    AllBut(Vec<Entry>),
}

/// The tables of one database that take part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TableChoice {
    /// Every table.
    #[default]
    All,
    /// Exactly these, with their partitions.
    Only(BTreeSet<QualifiedName>),
    /// Every table but these and their partitions.
    AllBut(BTreeSet<QualifiedName>),
}

impl TableChoice {
    /// Whether a table takes part, given by its own name and those of the partitioned tables above
    /// it.
    pub fn takes<'a>(&self, mut lineage: impl Iterator<Item = &'a QualifiedName>) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => lineage.any(|name| names.contains(name)),
            Self::AllBut(names) => !lineage.any(|name| names.contains(name)),
        }
    }
}

/// What the entries came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The databases that take part, each with its tables.
    pub databases: BTreeMap<String, TableChoice>,
    /// What could have been meant otherwise.
    pub warnings: Vec<String>,
}

/// The tables that entries match, by database.
type Chosen<'a> = BTreeMap<&'a str, BTreeSet<QualifiedName>>;

impl Tables {
    /// The databases that entries may name.
    pub fn databases(&self) -> BTreeSet<&str> {
        match self {
            Self::Only(entries) => entries.iter().filter_map(Entry::database).collect(),
            Self::All | Self::AllBut(_) => BTreeSet::new(),
        }
    }

    /// Finds what the entries match among the relations of the chosen databases.
    ///
    /// # Errors
    /// An entry matches nothing that could be selected.
    pub fn select(&self, offered: &BTreeMap<String, Vec<Offered>>) -> Result<Selected, Error> {
        let (Self::Only(entries) | Self::AllBut(entries)) = self else {
            let all = |name: &String| (name.clone(), TableChoice::All);
            return Ok(Selected {
                databases: offered.keys().map(all).collect(),
                warnings: Vec::new(),
            });
        };
        let is_inclusion = matches!(self, Self::Only(_));
        let known = Known::new(offered);
        let mut warnings = Vec::new();
        let mut chosen: Chosen<'_> = BTreeMap::new();
        for entry in entries {
            let found = find_relations(entry, &known, &mut warnings);
            if found.is_empty() {
                return Err(no_table(entry, offered));
            }
            for (database, relation) in found {
                check_selectable(entry, (database, relation), is_inclusion)?;
                let of_database = chosen.entry(database).or_default();
                of_database.insert(relation.name.clone());
            }
        }
        let databases = offered.keys().filter_map(|name| {
            let tables = chosen.remove(name.as_str());
            Some((name.clone(), choose_tables(tables, is_inclusion)?))
        });
        Ok(Selected {
            databases: databases.collect(),
            warnings,
        })
    }
}

/// The choice in a database by the tables that entries match; none where it takes no part.
fn choose_tables(
    tables: Option<BTreeSet<QualifiedName>>,
    is_inclusion: bool,
) -> Option<TableChoice> {
    match (tables, is_inclusion) {
        (Some(tables), true) => Some(TableChoice::Only(tables)),
        (Some(tables), false) => Some(TableChoice::AllBut(tables)),
        (None, true) => None,
        (None, false) => Some(TableChoice::All),
    }
}

/// The relations that an entry matches. Of `x.t`, a database `x` goes before a schema `x`.
fn find_relations<'a>(
    entry: &Entry,
    known: &Known<'a>,
    warnings: &mut Vec<String>,
) -> Vec<Found<'a>> {
    let in_schema = |schema: &str| QualifiedName::from_catalog(schema, entry.table());
    known.find_entry(entry, |either| {
        let by_schema = known.find_everywhere(&in_schema(either));
        let by_database = known
            .find_in_database(either, &in_schema("public"))
            .or_else(|| known.find_in_database(either, &in_schema(either)));
        let Some(found) = by_database else {
            return by_schema;
        };
        if by_schema.iter().any(|other| other.1.name != found.1.name) {
            warnings.push(format!(
                "{entry} is taken as {}.{}; write three parts to mean the schema {either}",
                found.0, found.1.name
            ));
        }
        vec![found]
    })
}

/// Whether a relation may be selected.
fn check_selectable(entry: &Entry, found: Found<'_>, is_inclusion: bool) -> Result<(), Error> {
    check_table(entry, found)?;
    match found.1.root.clone() {
        Some(root) if is_inclusion => Err(Error::PartitionAlone {
            entry: entry.clone(),
            root,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::RelKind;

    fn entry(text: &str) -> Entry {
        Entry::new(text.split('.').map(str::to_owned).collect()).unwrap()
    }

    /// `app` has `public.users`, `public.orders` and `sales.orders`; `sales` has `public.orders`.
    fn offered() -> BTreeMap<String, Vec<Offered>> {
        let app = vec![
            Offered::table("public", "users"),
            Offered::table("public", "orders"),
            Offered::table("sales", "orders"),
            Offered::table("sales", "lines"),
        ];
        let sales = vec![
            Offered::table("public", "orders"),
            Offered::table("sales", "only"),
        ];
        BTreeMap::from([("app".to_owned(), app), ("sales".to_owned(), sales)])
    }

    fn only(text: &str) -> Result<Selected, Error> {
        Tables::Only(vec![entry(text)]).select(&offered())
    }

    /// `database.schema.table` of all that is chosen.
    fn names(selected: &Selected) -> Vec<String> {
        let mut names = Vec::new();
        for (database, choice) in &selected.databases {
            let (TableChoice::Only(tables) | TableChoice::AllBut(tables)) = choice else {
                continue;
            };
            names.extend(tables.iter().map(|table| format!("{database}.{table}")));
        }
        names
    }

    #[test]
    fn an_entry_is_read_as_documented() {
        for (text, expected) in [
            ("users", &["app.public.users"][..]),
            ("orders", &["app.public.orders", "sales.public.orders"]),
            ("app.users", &["app.public.users"]),
            ("sales.only", &["sales.sales.only"]),
            ("sales.lines", &["app.sales.lines"]),
            ("app.sales.orders", &["app.sales.orders"]),
        ] {
            let selected = only(text).unwrap();
            assert_eq!(names(&selected), expected, "{text}");
            assert!(selected.warnings.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_database_goes_before_a_schema_with_a_warning() {
        let selected = only("sales.orders").unwrap();
        assert_eq!(names(&selected), ["sales.public.orders"]);
        assert_eq!(
            selected.warnings,
            [
                "sales.orders is taken as sales.public.orders; write three parts to mean the schema sales"
            ]
        );
    }

    #[test]
    fn an_inclusion_leaves_other_databases_out_and_an_exclusion_does_not() {
        let databases = |selected: Selected| selected.databases.into_keys().collect::<Vec<_>>();
        assert_eq!(databases(only("users").unwrap()), ["app"]);
        let but = Tables::AllBut(vec![entry("users")]).select(&offered());
        assert_eq!(but.as_ref().unwrap().databases["sales"], TableChoice::All);
        assert_eq!(databases(but.unwrap()), ["app", "sales"]);
    }

    #[test]
    fn what_cannot_be_selected_is_an_error() {
        assert_eq!(
            only("Users").unwrap_err().to_string(),
            "no table Users in the selected databases; the nearest: app.public.users"
        );
        assert!(only("other.public.users").is_err());
        let mut offered = offered();
        let app = offered.get_mut("app").unwrap();
        app[0].kind = RelKind::View;
        app[1].extension = Some("e".to_owned());
        app[3].root = Some(QualifiedName::from_catalog("sales", "all"));
        let only = |text: &str| Tables::Only(vec![entry(text)]).select(&offered);
        assert!(matches!(only("users"), Err(Error::NoTableByKind { .. })));
        assert!(matches!(only("app.orders"), Err(Error::OfExtension { .. })));
        assert!(matches!(
            only("sales.lines"),
            Err(Error::PartitionAlone { .. })
        ));
        let but = Tables::AllBut(vec![entry("sales.lines")]).select(&offered);
        assert_eq!(names(&but.unwrap()), ["app.sales.lines"]);
    }

    #[test]
    fn partitions_go_with_the_tables_above_them() {
        let [root, part, other] =
            ["root", "part", "other"].map(|n| QualifiedName::from_catalog("s", n));
        let only = TableChoice::Only(BTreeSet::from([root.clone()]));
        assert!(only.takes([&part, &root].into_iter()));
        assert!(!only.takes([&other].into_iter()));
        let but = TableChoice::AllBut(BTreeSet::from([root.clone()]));
        assert!(!but.takes([&part, &root].into_iter()));
        assert!(but.takes([&other].into_iter()));
    }
}
