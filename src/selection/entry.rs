//! A table as the user names it.

use std::fmt;

/// `table`, `database.table`, `schema.table` or `database.schema.table`: which of the middle two is
/// meant shows only in the catalogs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    parts: Vec<String>,
}

impl Entry {
    /// An entry of these parts; none where they are not one to three, or one is empty.
    pub fn new(parts: Vec<String>) -> Option<Self> {
        let is_whole = (1..=3).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty());
        is_whole.then_some(Self { parts })
    }

    /// The table's own name.
    pub(super) fn table(&self) -> &str {
        self.parts.last().expect("an entry has a part")
    }

    /// What precedes it.
    pub(super) fn qualifiers(&self) -> &[String] {
        &self.parts[..self.parts.len() - 1]
    }

    /// The database that it may name.
    pub(super) fn database(&self) -> Option<&str> {
        self.qualifiers().first().map(String::as_str)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.parts.iter().enumerate() {
            let dot = if number == 0 { "" } else { "." };
            let is_plain = !part.contains(|letter: char| {
                letter.is_control() || letter.is_whitespace() || "\".,:".contains(letter)
            });
            if is_plain {
                write!(f, "{dot}{part}")?;
            } else {
                write!(f, "{dot}{part:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(parts: &[&str]) -> Option<Entry> {
        Entry::new(parts.iter().map(|&part| part.to_owned()).collect())
    }

    #[test]
    fn an_entry_has_one_to_three_parts_and_none_is_empty() {
        assert_eq!(entry(&["d", "S", "t"]).unwrap().to_string(), "d.S.t");
        assert_eq!(entry(&["a.b", "t"]).unwrap().to_string(), "\"a.b\".t");
        for wrong in [&[][..], &[""], &["a", ""], &["a", "b", "c", "d"]] {
            assert_eq!(entry(wrong), None);
        }
    }
}
