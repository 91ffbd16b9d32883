//! SQL as a type. Text from outside enters only as [`Ident`](super::Ident) or [`Literal`], so a
//! name or a value can never end the statement that contains it.

use std::fmt;

use super::{Lsn, Oid};

/// A statement, or a piece of one, made of fixed text and typed parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sql(String);

/// What may be put into [`Sql`]. Parts are shared between threads while a statement is awaited.
pub trait Fragment: Sync {
    /// Appends the quoted form.
    fn write_sql(&self, out: &mut String);
}

impl Sql {
    /// A literal of our own source code.
    pub fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Text that a server deparsed from its catalogs (`pg_get_viewdef`, `format_type`, …) under
    /// an empty `search_path`. Only `catalog` and `ddl` have a reason to call this.
    pub fn deparsed(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Replaces each `{}` of the template with the next part; `{{` and `}}` are escaped braces.
    /// Called through [`sql!`](crate::sql), whose template is a literal.
    ///
    /// # Panics
    /// The number of parts differs from the number of `{}`: a mistake in our own code.
    pub fn build(template: &'static str, parts: &[&dyn Fragment]) -> Self {
        let mut out = String::with_capacity(template.len() + parts.len() * 24);
        let mut parts_left = parts.iter();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            match rest.as_bytes().get(at..at + 2) {
                Some(b"{}") => {
                    parts_left
                        .next()
                        .expect("a part for each {} of the template")
                        .write_sql(&mut out);
                }
                Some(b"{{") => out.push('{'),
                Some(b"}}") => out.push('}'),
                _ => panic!("a single brace in the template {template:?}"),
            }
            rest = &rest[at + 2..];
        }
        out.push_str(rest);
        assert!(
            parts_left.next().is_none(),
            "a {{}} for each part of the template {template:?}"
        );
        Self(out)
    }

    /// The pieces with a separator between them.
    pub fn join<T: Fragment>(pieces: impl IntoIterator<Item = T>, separator: &'static str) -> Self {
        let mut out = String::new();
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                out.push_str(separator);
            }
            piece.write_sql(&mut out);
        }
        Self(out)
    }

    /// Appends a piece.
    pub fn push<T: Fragment + ?Sized>(&mut self, piece: &T) {
        piece.write_sql(&mut self.0);
    }

    /// The text to send.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sql({})", self.0)
    }
}

impl Fragment for Sql {
    fn write_sql(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl<T: Fragment + ?Sized> Fragment for &T {
    fn write_sql(&self, out: &mut String) {
        (**self).write_sql(out);
    }
}

impl<T: Fragment> Fragment for Option<T> {
    fn write_sql(&self, out: &mut String) {
        if let Some(part) = self {
            part.write_sql(out);
        }
    }
}

/// A string constant. Valid for both values of `standard_conforming_strings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal<'a>(pub &'a str);

impl Fragment for Literal<'_> {
    fn write_sql(&self, out: &mut String) {
        if self.0.contains('\\') {
            out.push_str(" E");
        }
        out.push('\'');
        for part in self.0.chars() {
            if part == '\'' || part == '\\' {
                out.push(part);
            }
            out.push(part);
        }
        out.push('\'');
    }
}

macro_rules! plain_fragments {
    ($($type:ty),+) => {
        $(impl Fragment for $type {
            fn write_sql(&self, out: &mut String) {
                use fmt::Write as _;
                write!(out, "{self}").expect("a String takes all text");
            }
        })+
    };
}

plain_fragments!(u16, u32, u64, usize, i16, i32, i64, Oid);

impl Fragment for Lsn {
    fn write_sql(&self, out: &mut String) {
        Literal(&self.to_string()).write_sql(out);
    }
}

/// Builds [`Sql`](crate::pg::Sql) from a literal template and typed parts.
///
/// ```
/// use seren_replicator::{pg::{Ident, Literal}, sql};
/// let table = Ident::from_catalog("Orders");
/// let statement = sql!("COMMENT ON TABLE {} IS {}", table, Literal("it's"));
/// assert_eq!(statement.as_str(), r#"COMMENT ON TABLE "Orders" IS 'it''s'"#);
/// ```
#[macro_export]
macro_rules! sql {
    ($template:literal $(, $part:expr)* $(,)?) => {
        $crate::pg::Sql::build($template, &[$(&$part as &dyn $crate::pg::Fragment),*])
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Ident;

    #[test]
    fn parts_fill_the_template_in_order() {
        let built = sql!("SELECT {} + {{}} {}", 1_i32, Ident::from_catalog("a"));
        assert_eq!(built.as_str(), "SELECT 1 + {} \"a\"");
    }

    #[test]
    fn backslashes_make_an_escape_string_that_cannot_join_the_word_before() {
        assert_eq!(sql!("IS{}", Literal(r"a\'b")).as_str(), r"IS E'a\\''b'");
    }

    #[test]
    #[should_panic(expected = "a {} for each part")]
    fn a_part_without_a_place_is_a_bug() {
        let _ = sql!("SELECT 1", 2_i32);
    }

    #[test]
    fn pieces_are_joined() {
        let names = ["a", "b\"c"].map(Ident::from_catalog);
        assert_eq!(Sql::join(&names, ", ").as_str(), r#""a", "b""c""#);
    }
}
