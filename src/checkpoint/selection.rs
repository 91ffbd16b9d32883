//! What of a database takes part, as it is recorded and compared.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::name::Name;
use crate::pg::{Printable, QualifiedName};
use crate::selection::TableChoice;

/// What decides which objects and rows of a database are copied, and how. Hosts, passwords, the number of
/// workers and the like are no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Its tables.
    pub tables: Chosen,
    /// What is copied otherwise than by default.
    pub deviations: BTreeSet<Deviation>,
}

/// One way in which a copy is not the default one. Its form is part of the state file's: a change there is
/// a new version of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// Only definitions.
    SchemaOnly,
    /// Without publication and slot.
    NoReplication,
    /// Without owners.
    NoOwners,
    /// Without grants and default privileges.
    NoPrivileges,
    /// Without comments.
    NoComments,
    /// Without security labels.
    NoSecurityLabels,
    /// Without tablespaces.
    NoTablespaces,
    /// With what a managed service keeps for itself.
    ServiceObjects,
    /// A role has another name on the target.
    RoleMapped {
        /// Its name on the source.
        from: String,
        /// Its name on the target.
        to: String,
    },
    /// An extension is skipped.
    ExtensionSkipped(String),
    /// The database gets a locale of the target's system.
    Locale(String),
    /// Of a table only the definition is created.
    SchemaOnlyTable(Name),
    /// A table is copied and not replicated.
    SnapshotOnlyTable(Name),
    /// Of the later changes of a table only `INSERT` and `TRUNCATE` are replicated.
    InsertOnlyTable(Name),
    /// Of a table only the rows are copied and replicated that meet a predicate.
    FilteredTable {
        /// The table.
        table: Name,
        /// The predicate, with constants in the place of the current time.
        predicate: String,
    },
    /// Foreign keys to rows that are not copied stay `NOT VALID`.
    OrphansAllowed,
    /// An object is excluded by name, such as `view public.v`.
    ObjectExcluded(String),
}

impl Display for Deviation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemaOnly => f.write_str("definitions only"),
            Self::NoReplication => f.write_str("without replication"),
            Self::NoOwners => f.write_str("without owners"),
            Self::NoPrivileges => f.write_str("without privileges"),
            Self::NoComments => f.write_str("without comments"),
            Self::NoSecurityLabels => f.write_str("without security labels"),
            Self::NoTablespaces => f.write_str("without tablespaces"),
            Self::ServiceObjects => f.write_str("with objects of the managed service"),
            Self::RoleMapped { from, to } => {
                let [from, to] = [from, to].map(|name| Printable(name));
                write!(f, "role {from} as {to}")
            }
            Self::ExtensionSkipped(name) => {
                write!(f, "without extension {}", Printable(name))
            }
            Self::Locale(name) => write!(f, "locale {name}"),
            Self::SchemaOnlyTable(table) => write!(f, "schema only: {table}"),
            Self::SnapshotOnlyTable(table) => write!(f, "snapshot only: {table}"),
            Self::InsertOnlyTable(table) => write!(f, "insert only: {table}"),
            Self::FilteredTable { table, predicate } => {
                write!(f, "filtered: {table} by {}", Printable(predicate))
            }
            Self::OrphansAllowed => f.write_str("with orphans allowed"),
            Self::ObjectExcluded(object) => write!(f, "without {}", Printable(object)),
        }
    }
}

/// Which tables, resolved against the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// Every table but these.
    AllBut(BTreeSet<Name>),
    /// Exactly these.
    Only(BTreeSet<Name>),
}

impl From<&TableChoice> for Chosen {
    fn from(choice: &TableChoice) -> Self {
        match choice {
            TableChoice::All => Self::AllBut(BTreeSet::new()),
            TableChoice::AllBut(names) => Self::AllBut(names.iter().map(Name::from).collect()),
            TableChoice::Only(names) => Self::Only(names.iter().map(Name::from).collect()),
        }
    }
}

impl From<&Chosen> for TableChoice {
    fn from(chosen: &Chosen) -> Self {
        let names = |names: &BTreeSet<Name>| names.iter().map(QualifiedName::from).collect();
        match chosen {
            Chosen::AllBut(none) if none.is_empty() => Self::All,
            Chosen::AllBut(excluded) => Self::AllBut(names(excluded)),
            Chosen::Only(included) => Self::Only(names(included)),
        }
    }
}

impl Chosen {
    /// The tables that are excluded, and those that alone are included.
    fn listed_tables(&self) -> [Option<&BTreeSet<Name>>; 2] {
        match self {
            Self::AllBut(names) => [Some(names), None],
            Self::Only(names) => [None, Some(names)],
        }
    }
}

impl Selection {
    /// What this selection does that an earlier one did not, and the other way round, in words; none
    /// where they are equal.
    pub fn differences(&self, earlier: &Self) -> Vec<String> {
        let ([now_not, now_only], [was_not, was_only]) =
            (self.tables.listed_tables(), earlier.tables.listed_tables());
        let mut found = Vec::new();
        found.extend(compare_tables(" excluded:", was_not, now_not));
        found.extend(compare_tables(" included:", was_only, now_only));
        let (was, now) = (&earlier.deviations, &self.deviations);
        found.extend(compare_tables("", Some(was), Some(now)));
        if found.is_empty() && self != earlier {
            // An inclusion of no table against an exclusion of none.
            found.push("another choice of tables".to_owned());
        }
        found
    }
}

/// `now excluded: a, b` and `no longer excluded: c`.
fn compare_tables<T: Ord + Display>(
    what: &str,
    was: Option<&BTreeSet<T>>,
    now: Option<&BTreeSet<T>>,
) -> impl Iterator<Item = String> {
    let none = BTreeSet::new();
    let (was, now) = (was.unwrap_or(&none), now.unwrap_or(&none));
    let added = change_line("now", what, now.difference(was));
    let dropped = change_line("no longer", what, was.difference(now));
    added.into_iter().chain(dropped)
}

fn change_line(
    when: &str,
    what: &str,
    names: impl Iterator<Item = impl Display>,
) -> Option<String> {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    (!names.is_empty()).then(|| format!("{when}{what} {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> BTreeSet<QualifiedName> {
        names
            .iter()
            .map(|name| QualifiedName::from_catalog("public", *name))
            .collect()
    }

    fn selection(choice: &TableChoice, deviations: &[Deviation]) -> Selection {
        Selection {
            tables: Chosen::from(choice),
            deviations: deviations.iter().cloned().collect(),
        }
    }

    fn all_but(excluded: &[&str]) -> Selection {
        selection(&TableChoice::AllBut(names(excluded)), &[])
    }

    #[test]
    fn everything_is_everything_but_nothing() {
        let all = selection(&TableChoice::All, &[]);
        assert_eq!(all, all_but(&[]));
        assert!(all.differences(&all_but(&[])).is_empty());
    }

    #[test]
    fn each_change_is_named() {
        let (now, was) = (all_but(&["a", "b"]), all_but(&["b", "c"]));
        assert_eq!(
            now.differences(&was),
            ["now excluded: public.a", "no longer excluded: public.c"]
        );
        let only = selection(&TableChoice::Only(names(&["x"])), &[Deviation::NoOwners]);
        assert_eq!(
            only.differences(&was),
            [
                "no longer excluded: public.b, public.c",
                "now included: public.x",
                "now without owners"
            ]
        );
        let none = selection(&TableChoice::Only(names(&[])), &[]);
        assert_eq!(none.differences(&all_but(&[])).len(), 1);
    }

    fn selections() -> impl Strategy<Value = Selection> {
        let tables = proptest::collection::btree_set("[a-d]", 0..4);
        let deviation = "[a-c]".prop_map(Deviation::ExtensionSkipped);
        let deviations = proptest::collection::btree_set(deviation, 0..3);
        (any::<bool>(), tables, deviations).prop_map(|(only, tables, deviations)| {
            let name = |name: &String| Name::from(&QualifiedName::from_catalog("s", name.as_str()));
            let tables = tables.iter().map(name).collect();
            let tables = if only {
                Chosen::Only(tables)
            } else {
                Chosen::AllBut(tables)
            };
            Selection { tables, deviations }
        })
    }

    proptest! {
        #[test]
        fn what_differs_is_named_and_what_is_equal_is_not(now in selections(), was in selections()) {
            let found = now.differences(&was);
            prop_assert_eq!(found.is_empty(), now == was);
        }
    }
}
