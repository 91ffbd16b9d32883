//! What of a database takes part, as it is recorded and compared.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::database::Name;
use crate::selection::TableChoice;

/// What decides which objects and rows of a database are copied, and how. Names of hosts, passwords,
/// `--jobs` and the like are no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Its tables.
    pub tables: Chosen,
    /// The flags that change what is copied, as they are written.
    pub flags: BTreeSet<String>,
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

impl Chosen {
    /// The tables that are excluded, and those that alone are included.
    fn lists(&self) -> [Option<&BTreeSet<Name>>; 2] {
        match self {
            Self::AllBut(names) => [Some(names), None],
            Self::Only(names) => [None, Some(names)],
        }
    }
}

impl Selection {
    /// A digest that is equal for equal selections, regardless of the order in which they were written.
    ///
    /// # Panics
    /// Never: names and flags always have a JSON form.
    pub fn fingerprint(&self) -> String {
        let text = serde_json::to_vec(self).expect("names and flags have a JSON form");
        format!("{:016x}", xxh3_64(&text))
    }

    /// What this selection does that an earlier one did not, and the other way round, in words; none
    /// where they are equal.
    pub fn differences(&self, earlier: &Self) -> Vec<String> {
        let ([now_not, now_only], [was_not, was_only]) =
            (self.tables.lists(), earlier.tables.lists());
        let mut told = Vec::new();
        tell(&mut told, "excluded", was_not, now_not);
        tell(&mut told, "included", was_only, now_only);
        tell(&mut told, "with", Some(&earlier.flags), Some(&self.flags));
        if told.is_empty() && self != earlier {
            // An inclusion of no table against an exclusion of none.
            told.push("another choice of tables".to_owned());
        }
        told
    }
}

/// `now excluded: a, b` and `no longer excluded: c`.
fn tell<T: Ord + Display>(
    told: &mut Vec<String>,
    what: &str,
    was: Option<&BTreeSet<T>>,
    now: Option<&BTreeSet<T>>,
) {
    let none = BTreeSet::new();
    let (was, now) = (was.unwrap_or(&none), now.unwrap_or(&none));
    for (when, names) in [
        ("now", now.difference(was).collect::<Vec<_>>()),
        ("no longer", was.difference(now).collect()),
    ] {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            told.push(format!("{when} {what}: {}", names.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::QualifiedName;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> BTreeSet<QualifiedName> {
        names
            .iter()
            .map(|name| QualifiedName::from_catalog("public", *name))
            .collect()
    }

    fn selection(choice: &TableChoice, flags: &[&str]) -> Selection {
        Selection {
            tables: Chosen::from(choice),
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        }
    }

    fn all_but(excluded: &[&str]) -> Selection {
        selection(&TableChoice::AllBut(names(excluded)), &[])
    }

    #[test]
    fn everything_is_everything_but_nothing() {
        let all = selection(&TableChoice::All, &[]);
        assert_eq!(all.fingerprint(), all_but(&[]).fingerprint());
        assert!(all.differences(&all_but(&[])).is_empty());
    }

    #[test]
    fn each_change_is_named() {
        let (now, was) = (all_but(&["a", "b"]), all_but(&["b", "c"]));
        assert_eq!(
            now.differences(&was),
            ["now excluded: public.a", "no longer excluded: public.c"]
        );
        let only = selection(&TableChoice::Only(names(&["x"])), &["--no-owner"]);
        assert_eq!(
            only.differences(&was),
            [
                "no longer excluded: public.b, public.c",
                "now included: public.x",
                "now with: --no-owner"
            ]
        );
        let none = selection(&TableChoice::Only(names(&[])), &[]);
        assert_eq!(none.differences(&all_but(&[])).len(), 1);
    }

    fn selections() -> impl Strategy<Value = Selection> {
        let tables = proptest::collection::btree_set("[a-d]", 0..4);
        let flags = proptest::collection::btree_set("--[a-c]", 0..3);
        (any::<bool>(), tables, flags).prop_map(|(only, tables, flags)| {
            let name = |name: &String| Name::from(&QualifiedName::from_catalog("s", name.as_str()));
            let tables = tables.iter().map(name).collect();
            let tables = if only {
                Chosen::Only(tables)
            } else {
                Chosen::AllBut(tables)
            };
            Selection { tables, flags }
        })
    }

    proptest! {
        #[test]
        fn what_differs_is_told_and_what_is_equal_is_not(now in selections(), was in selections()) {
            let told = now.differences(&was);
            prop_assert_eq!(told.is_empty(), now == was);
            prop_assert_eq!(now.fingerprint() == was.fingerprint(), now == was);
        }
    }
}
