//! Where databases go.

use std::collections::BTreeMap;

/// The target's name of each database that gets another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseMap(BTreeMap<String, String>);

impl DatabaseMap {
    /// Adds a pair; false where the source's database has another target, or the target another
    /// source.
    pub fn add(&mut self, source: String, target: String) -> bool {
        let same = |(one, other): (&String, &String)| (*one == source) == (*other == target);
        let fits = self.0.iter().all(same);
        if fits {
            self.0.insert(source, target);
        }
        fits
    }

    /// The target's name of a database.
    pub fn target<'a>(&'a self, source: &'a str) -> &'a str {
        self.0.get(source).map_or(source, String::as_str)
    }

    /// The databases that get another name.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_may_be_repeated_and_not_contradicted() {
        let mut map = DatabaseMap::default();
        let mut add = |source: &str, target: &str| map.add(source.to_owned(), target.to_owned());
        assert!(add("a", "b") && add("a", "b") && add("c", "d"));
        assert!(!add("a", "e") && !add("f", "d"));
        assert_eq!((map.target("a"), map.target("x")), ("b", "x"));
    }
}
