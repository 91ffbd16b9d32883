//! Names of objects for people.

use std::fmt;

use crate::catalog::acl::{AclName, ObjectAcl};
use crate::pg::{Ident, Printable, QualifiedName, readable};

/// A name for people: `index public.i on public.t`. Control characters are replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    schema: Option<Ident>,
    name: String,
    detail: String,
    on: Option<QualifiedName>,
    word: &'static str,
}

impl Label {
    /// Something outside schemas.
    pub fn plain(word: &'static str, name: &Ident) -> Self {
        Self::text(word, name.as_str())
    }

    /// Something that has no name of its own, in the words that describe it.
    pub fn text(word: &'static str, text: &str) -> Self {
        Self {
            schema: None,
            name: text.to_owned(),
            detail: String::new(),
            on: None,
            word,
        }
    }

    /// Something within a schema.
    pub fn qualified(word: &'static str, name: &QualifiedName) -> Self {
        Self {
            schema: Some(name.schema.clone()),
            ..Self::plain(word, &name.name)
        }
    }

    /// Something that belongs to a relation and has no schema of its own.
    pub fn part(word: &'static str, name: &Ident, on: &QualifiedName) -> Self {
        Self {
            on: Some(on.clone()),
            schema: None,
            ..Self::plain(word, name)
        }
    }

    /// The privileges of an object.
    pub fn privileges(acl: &ObjectAcl) -> Self {
        const WORD: &str = "privileges on";
        match &acl.name {
            AclName::Plain(name) => Self::plain(WORD, name),
            AclName::Qualified(name) => Self::qualified(WORD, name),
            AclName::Routine(name, arguments) => {
                Self::qualified(WORD, name).with_detail(&format!("({})", arguments.as_str()))
            }
            AclName::Column(relation, column) => {
                Self::part("privileges on column", column, relation)
            }
        }
    }

    /// The same with the relation that it belongs to.
    #[must_use]
    pub fn on(self, relation: &QualifiedName) -> Self {
        Self {
            on: Some(relation.clone()),
            ..self
        }
    }

    /// The same with what distinguishes it from others of its name, e.g. `(integer)`.
    #[must_use]
    pub fn with_detail(self, detail: &str) -> Self {
        Self {
            detail: readable(detail),
            ..self
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.word)?;
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        write!(f, "{}{}", Printable(&self.name), Printable(&self.detail))?;
        match &self.on {
            Some(relation) => write!(f, " on {relation}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_the_object_and_where_it_belongs() {
        let table = QualifiedName::from_catalog("public", "t");
        let index = QualifiedName::from_catalog("public", "i\n");
        let label = Label::qualified("index", &index).on(&table);
        assert_eq!(label.to_string(), "index public.i\u{fffd} on public.t");
    }

    #[test]
    fn a_label_keeps_only_the_quotes_that_matter() {
        let name = QualifiedName::from_catalog("s", "f");
        let label = |detail: &str| {
            let label = Label::qualified("function", &name).with_detail(detail);
            label.to_string()
        };
        assert_eq!(
            label(r#"("a" "text", "My T"[])"#),
            r#"function s.f(a text, "My T"[])"#
        );
        assert_eq!(label(r#"("a""b")"#), r#"function s.f("a""b")"#);
    }
}
