//! Which databases of the source take part. Pure: names in, names out.
//!
//! Names are compared exactly with the catalog, without folding or patterns. A name that matches
//! nothing is an error, since a typing mistake must not narrow a migration silently.

use std::collections::BTreeSet;

/// The databases asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Databases {
    /// Every candidate but `postgres`, which takes part only when named.
    #[default]
    All,
    /// Exactly these.
    Only(Vec<String>),
    /// Every candidate but these and `postgres`.
    AllBut(Vec<String>),
}

/// The maintenance database that every cluster has.
const MAINTENANCE: &str = "postgres";

/// Why nothing can be selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name stands for no candidate.
    #[error(
        "no database {name:?} on the source that could be copied; there are: {}",
        list(candidates)
    )]
    Unknown {
        /// The name as given.
        name: String,
        /// What could have been named.
        candidates: Vec<String>,
    },
    /// Nothing is left to copy.
    #[error("no database is selected; the source offers: {}", list(candidates))]
    Empty {
        /// What could have been named.
        candidates: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

impl Databases {
    /// Chooses among `candidates`; the result is in name order.
    ///
    /// # Errors
    /// A name matches nothing, or nothing is left.
    pub fn choose(&self, candidates: &[String]) -> Result<Vec<String>, Error> {
        let offered: BTreeSet<&String> = candidates.iter().collect();
        let (Self::Only(named) | Self::AllBut(named)) = self else {
            return finish(
                offered.into_iter().filter(|name| *name != MAINTENANCE),
                candidates,
            );
        };
        if let Some(name) = named.iter().find(|name| !offered.contains(name)) {
            let candidates = candidates.to_vec();
            return Err(Error::Unknown {
                name: name.clone(),
                candidates,
            });
        }
        let wanted = |name: &&String| match self {
            Self::Only(named) => named.contains(name),
            Self::AllBut(named) => !named.contains(name) && *name != MAINTENANCE,
            Self::All => true,
        };
        finish(offered.into_iter().filter(wanted), candidates)
    }
}

fn finish<'a>(
    chosen: impl Iterator<Item = &'a String>,
    candidates: &[String],
) -> Result<Vec<String>, Error> {
    let chosen: Vec<String> = chosen.cloned().collect();
    if chosen.is_empty() {
        Err(Error::Empty {
            candidates: candidates.to_vec(),
        })
    } else {
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_maintenance_database_takes_part_only_when_named() {
        let offered = names(&["postgres", "b", "a"]);
        assert_eq!(Databases::All.choose(&offered).unwrap(), ["a", "b"]);
        assert_eq!(
            Databases::AllBut(names(&["b"])).choose(&offered).unwrap(),
            ["a"]
        );
        let only = Databases::Only(names(&["postgres", "a"]));
        assert_eq!(only.choose(&offered).unwrap(), ["a", "postgres"]);
    }

    #[test]
    fn a_name_that_matches_nothing_is_an_error_that_lists_the_candidates() {
        let error = Databases::Only(names(&["A"]))
            .choose(&names(&["a", "b"]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "no database \"A\" on the source that could be copied; there are: a, b"
        );
        assert!(
            Databases::AllBut(names(&["x"]))
                .choose(&names(&["a"]))
                .is_err()
        );
    }

    #[test]
    fn nothing_selected_is_an_error() {
        assert!(matches!(
            Databases::All.choose(&names(&["postgres"])),
            Err(Error::Empty { .. })
        ));
        assert!(
            Databases::AllBut(names(&["a"]))
                .choose(&names(&["a"]))
                .is_err()
        );
    }
}
