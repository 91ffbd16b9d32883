//! A table as the user names it.

use std::fmt;

use super::origin::{Origin, Position};
use super::quoted::{quote_name, split_parts};
use crate::pg::QualifiedName;

/// `table`, `database.table`, `schema.table` or `database.schema.table`: which of the middle two is
/// meant shows only in the catalogs.
///
/// In a section of the configuration file it is the schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    parts: Box<[String]>,
    /// Where it is written, if not on the command line. In a box, because errors contain entries.
    place: Option<Box<Place>>,
}

/// Where an entry is written, if not on the command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In the configuration file.
    File {
        position: Position,
        /// The database of the section.
        section: Option<String>,
    },
    /// In an answer to a question.
    Answer,
}

impl Entry {
    /// An entry of these parts; none where they are not one to three, or one is empty.
    pub fn new(parts: Vec<String>) -> Option<Self> {
        let is_whole = (1..=3).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty());
        is_whole.then_some(Self {
            parts: parts.into(),
            place: None,
        })
    }

    /// Splits a name at dots outside double quotes; none where a quote is not closed, or the parts are no entry.
    pub fn parse(text: &str) -> Option<Self> {
        split_parts(text).and_then(Self::new)
    }

    /// The same entry, from the configuration file. In a section it names a table of this database.
    #[must_use]
    pub fn at(self, position: Position, section: Option<&str>) -> Self {
        let section = section.map(str::to_owned);
        Self {
            place: Some(Box::new(Place::File { position, section })),
            ..self
        }
    }

    /// The same entry, from an answer to a question.
    #[must_use]
    pub fn answered(self) -> Self {
        Self {
            place: Some(Box::new(Place::Answer)),
            ..self
        }
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        match self.place.as_deref() {
            Some(Place::File { position, .. }) => Origin::File(*position),
            Some(Place::Answer) => Origin::Answer,
            None => Origin::CommandLine,
        }
    }

    /// The database of its section.
    pub fn section(&self) -> Option<&str> {
        match self.place.as_deref()? {
            Place::File { section, .. } => section.as_deref(),
            Place::Answer => None,
        }
    }

    /// The name as a list takes it.
    pub fn quoted(&self) -> String {
        let parts = self.parts.iter().map(|part| quote_name(part));
        parts.collect::<Vec<_>>().join(".")
    }

    /// Whether it names database, schema and table.
    pub fn is_exact(&self) -> bool {
        self.parts.len() == 3
    }

    /// The database, if it names database, schema and table.
    pub fn exact_database(&self) -> Option<&str> {
        self.qualifiers()
            .first()
            .filter(|_| self.is_exact())
            .map(String::as_str)
    }

    /// Schema and table, as an entry of a section names them.
    pub fn name_in_section(&self) -> QualifiedName {
        let schema = match self.qualifiers() {
            [] => "public",
            [schema] | [_, schema, ..] => schema,
        };
        QualifiedName::from_catalog(schema, self.table())
    }

    /// Whether a rule of the command line with this name is certain to be for the table of a section's entry. Some names
    /// of two parts have a meaning only in a catalog.
    pub fn covers(&self, other: &Self) -> bool {
        let Some(database) = other.section() else {
            return false;
        };
        let is_same_table = self.name_in_section() == other.name_in_section();
        is_same_table && self.exact_database().is_none_or(|own| own == database)
    }

    /// Where its table is looked for, in messages.
    pub(super) fn scope(&self) -> String {
        match self.section() {
            Some(database) => format!("database {database}"),
            None => "the selected databases".to_owned(),
        }
    }

    /// The table's own name.
    pub(super) fn table(&self) -> &str {
        self.parts.last().expect("an entry has a part")
    }

    /// What precedes it.
    pub(super) fn qualifiers(&self) -> &[String] {
        &self.parts[..self.parts.len() - 1]
    }

    /// The database that it may name. One of a section names that of the section.
    pub(super) fn database(&self) -> Option<&str> {
        match self.section() {
            Some(_) => None,
            None => self.qualifiers().first().map(String::as_str),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parts(&self.parts, f)?;
        self.origin().fmt(f)
    }
}

/// Writes the parts of a name with dots between them, and quotes around those with special characters.
pub(super) fn write_parts(parts: &[String], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (number, part) in parts.iter().enumerate() {
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

    #[test]
    fn quotes_keep_dots() {
        assert_eq!(Entry::parse(r#" d ."a.b". t"#), entry(&["d", "a.b", "t"]));
        let written = entry(&["a.b", "c \"d\"", "t"]).unwrap();
        assert_eq!(written.quoted(), r#""a.b"."c ""d""".t"#);
        assert_eq!(Entry::parse(&written.quoted()), Some(written));
        for wrong in ["", ".t", "t.", "a..b", "a.b.c.d", "\"a", "\"\".t"] {
            assert_eq!(Entry::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_name_of_the_command_line_covers_that_of_a_section_where_no_catalog_can_decide() {
        let position = Position { line: 7, column: 3 };
        let filed = |text: &str| Entry::parse(text).unwrap().at(position, Some("app"));
        for (given, text, expected) in [
            ("users", "public.users", true),
            ("users", "crm.users", false),
            ("crm.users", "app.crm.users", true),
            ("app.crm.users", "crm.users", true),
            ("other.crm.users", "crm.users", false),
            // A database or a schema.
            ("app.users", "users", false),
        ] {
            let given = Entry::parse(given).unwrap();
            assert_eq!(given.covers(&filed(text)), expected, "{given} {text}");
            assert!(!filed(text).covers(&given));
        }
    }

    #[test]
    fn an_entry_of_the_file_shows_its_place_and_names_tables_of_its_section() {
        let position = Position { line: 7, column: 3 };
        let written = entry(&["s", "t"]).unwrap().at(position, Some("app"));
        assert_eq!(written.to_string(), "s.t (7:3 of the configuration file)");
        assert_eq!(written.database(), None);
        assert_eq!(written.scope(), "database app");
        for (parts, expected) in [
            (&["t"][..], "public.t"),
            (&["s", "t"], "s.t"),
            (&["app", "s", "t"], "s.t"),
        ] {
            let name = entry(parts).unwrap().name_in_section();
            assert_eq!(name.to_string(), expected);
        }
    }
}
