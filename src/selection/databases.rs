//! Which databases of the source take part.

use std::collections::BTreeSet;

use super::Error;

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

impl Databases {
    /// Whether the database is to take part by its name.
    pub fn includes(&self, name: &str) -> bool {
        matches!(self, Self::Only(named) if named.iter().any(|one| one == name))
    }

    /// Whether the database is excluded by its name.
    pub fn excludes(&self, name: &str) -> bool {
        matches!(self, Self::AllBut(named) if named.iter().any(|one| one == name))
    }

    /// Without exclusions of databases that are no candidates anyway.
    #[must_use]
    pub fn without(&self, skipped: &BTreeSet<&str>) -> Self {
        match self {
            Self::All | Self::Only(_) => self.clone(),
            Self::AllBut(named) => {
                let named = named.iter().filter(|name| !skipped.contains(name.as_str()));
                Self::AllBut(named.cloned().collect())
            }
        }
    }

    /// Chooses among `candidates`, of which entries for tables name some; the result is in name
    /// order.
    ///
    /// # Errors
    /// A name matches nothing, or nothing is left.
    pub fn choose(
        &self,
        candidates: &[String],
        by_tables: &BTreeSet<&str>,
    ) -> Result<Vec<String>, Error> {
        let offered: BTreeSet<&String> = candidates.iter().collect();
        let named: &[String] = match self {
            Self::All => &[],
            Self::Only(named) | Self::AllBut(named) => named,
        };
        if let Some(name) = named.iter().find(|name| !offered.contains(name)) {
            let candidates = candidates.to_vec();
            return Err(Error::Unknown {
                name: name.clone(),
                candidates,
            });
        }
        let by_default = |name: &str| name != MAINTENANCE || by_tables.contains(name);
        let wanted = |name: &&String| match self {
            Self::Only(named) => named.contains(name),
            Self::AllBut(named) => !named.contains(name) && by_default(name),
            Self::All => by_default(name),
        };
        require_any(offered.into_iter().filter(wanted), candidates)
    }
}

fn require_any<'a>(
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

    fn choose(wanted: &Databases, offered: &[String]) -> Result<Vec<String>, Error> {
        wanted.choose(offered, &BTreeSet::new())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_maintenance_database_takes_part_only_when_named() {
        let offered = names(&["postgres", "b", "a"]);
        assert_eq!(choose(&Databases::All, &offered).unwrap(), ["a", "b"]);
        let but = Databases::AllBut(names(&["b"]));
        assert_eq!(choose(&but, &offered).unwrap(), ["a"]);
        let only = Databases::Only(names(&["postgres", "a"]));
        assert_eq!(choose(&only, &offered).unwrap(), ["a", "postgres"]);
        let by_tables = BTreeSet::from(["postgres"]);
        assert_eq!(but.choose(&offered, &by_tables).unwrap(), ["a", "postgres"]);
        let but = Databases::AllBut(names(&["postgres"]));
        assert_eq!(but.choose(&offered, &by_tables).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_name_that_matches_nothing_is_an_error_that_lists_the_candidates() {
        let only = Databases::Only(names(&["A"]));
        assert_eq!(
            choose(&only, &names(&["a", "b"])).unwrap_err().to_string(),
            "no database \"A\" on the source that could be copied; there are: a, b"
        );
        assert!(choose(&Databases::AllBut(names(&["x"])), &names(&["a"])).is_err());
    }

    #[test]
    fn nothing_selected_is_an_error() {
        assert!(matches!(
            choose(&Databases::All, &names(&["postgres"])),
            Err(Error::Empty { .. })
        ));
        assert!(choose(&Databases::AllBut(names(&["a"])), &names(&["a"])).is_err());
    }
}
