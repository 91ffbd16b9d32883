use std::fmt;

use super::printable::Printable;
use super::sql::Fragment;

/// The longest identifier a server keeps, in bytes (`NAMEDATALEN` - 1).
const MAX_IDENTIFIER_BYTES: usize = 63;

/// A name as the catalog holds it: unquoted, any characters but NUL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

/// The text cannot be a name of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The server accepts no empty identifier.
    #[error("a name is empty")]
    Empty,
    /// NUL ends a string in the protocol.
    #[error("name {name:?} contains a NUL character")]
    Nul {
        /// The text given.
        name: String,
    },
    /// The server would truncate the name and thereby mean another object.
    #[error("name {name:?} is longer than 63 bytes")]
    TooLong {
        /// The text given.
        name: String,
    },
    /// Slots allow lower-case letters, digits and underscores only.
    #[error("slot name {name:?} may hold only lower-case letters, digits and underscores")]
    SlotCharacter {
        /// The text given.
        name: String,
    },
}

impl Ident {
    /// Takes a name as the catalog contains it, without quotes.
    ///
    /// # Errors
    /// The name is empty, longer than the server keeps, or holds a NUL.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        if name.is_empty() {
            Err(InvalidName::Empty)
        } else if name.contains('\0') {
            Err(InvalidName::Nul { name })
        } else if name.len() > MAX_IDENTIFIER_BYTES {
            Err(InvalidName::TooLong { name })
        } else {
            Ok(Self(name))
        }
    }

    /// A name that a server reported: valid by construction, regardless of its length limit.
    pub fn from_catalog(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Quotes always: which words need it differs between server versions.
impl Fragment for Ident {
    fn write_sql(&self, out: &mut String) {
        out.push('"');
        for part in self.0.chars() {
            if part == '"' {
                out.push('"');
            }
            out.push(part);
        }
        out.push('"');
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(&self.0).fmt(f)
    }
}

/// An object within a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    /// The schema (namespace).
    pub schema: Ident,
    /// The object's own name.
    pub name: Ident,
}

impl QualifiedName {
    /// A name from two names that a server reported.
    pub fn from_catalog(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: Ident::from_catalog(schema),
            name: Ident::from_catalog(name),
        }
    }
}

impl Fragment for QualifiedName {
    fn write_sql(&self, out: &mut String) {
        self.schema.write_sql(out);
        out.push('.');
        self.name.write_sql(out);
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A replication slot's name: `[a-z0-9_]{1,63}` (manual, "Replication Slots").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlotName(String);

impl SlotName {
    /// Checks a slot's name.
    ///
    /// # Errors
    /// The server would refuse the name.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = Ident::new(name)?.0;
        let valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if name.bytes().all(valid) {
            Ok(Self(name))
        } else {
            Err(InvalidName::SlotCharacter { name })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fragment for SlotName {
    fn write_sql(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// What a server has written of names and types, without the quotes that people do not need: between
/// majors it is asked to put every name in quotes.
pub fn readable(text: &str) -> String {
    if text.contains("\"\"") {
        return text.to_owned();
    }
    let is_plain = |name: &str| {
        let mut parts = name.chars();
        let is_first = |part: char| part.is_ascii_lowercase() || part == '_';
        parts.next().is_some_and(is_first)
            && parts.all(|part| is_first(part) || part.is_ascii_digit())
    };
    let pieces = text.split('"').enumerate();
    pieces
        .map(|(at, piece)| match at % 2 {
            1 if !is_plain(piece) => format!("\"{piece}\""),
            _ => piece.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;

    #[test]
    fn quotes_are_doubled_and_always_there() {
        let name = QualifiedName::from_catalog("s", "a\"; DROP TABLE t; --");
        assert_eq!(sql!("{}", name).as_str(), r#""s"."a""; DROP TABLE t; --""#);
    }

    #[test]
    fn control_characters_never_reach_the_screen() {
        assert_eq!(
            Ident::from_catalog("a\n\u{1b}[31mb").to_string(),
            "a\u{fffd}\u{fffd}[31mb"
        );
    }

    #[test]
    fn names_the_server_would_change_are_refused() {
        assert_eq!(Ident::new(""), Err(InvalidName::Empty));
        assert!(Ident::new("é".repeat(31)).is_ok());
        assert!(Ident::new("é".repeat(32)).is_err());
        assert!(SlotName::new("seren_app_01").is_ok());
        assert!(SlotName::new("Seren").is_err());
    }
}
