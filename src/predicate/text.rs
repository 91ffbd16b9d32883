//! A text that is safe to put into a statement as one expression.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::fault::Fault;
use super::moment::SPECIAL_LITERALS;
use super::token::{Kind, Token, split_tokens};
use crate::pg::{Fragment, Sql};

/// A boolean expression of the user. As a [`Fragment`] it is in parentheses, which it cannot leave.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Predicate(String);

/// The words of a predicate that could be names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Names in the form in which the catalog has them.
    pub names: BTreeSet<String>,
    /// Names before an opening parenthesis: functions, unless the name is a key word or a type.
    pub calls: BTreeSet<String>,
}

impl Predicate {
    /// Checks a text.
    ///
    /// # Errors
    /// The text is no single expression: quotes or parentheses are open, or it has a comment, a semicolon or a
    /// parameter.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        split_tokens(text)?;
        Ok(Self(text.trim().to_owned()))
    }

    /// The text, without parentheses.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it selects every row: the word `true`.
    pub fn is_true(&self) -> bool {
        self.0.eq_ignore_ascii_case("true")
    }

    pub(super) fn tokens(&self) -> Vec<Token> {
        split_tokens(&self.0).expect("the text was checked")
    }

    /// The words that could be names of columns, tables, types or functions.
    pub fn words(&self) -> Words {
        let tokens = self.tokens();
        let mut words = Words::default();
        for (place, token) in tokens.iter().enumerate() {
            let Some(name) = catalog_name(&self.0, token) else {
                continue;
            };
            let is_call = tokens
                .get(place + 1)
                .is_some_and(|next| next.kind == Kind::Open);
            if is_call {
                words.calls.insert(name.clone());
            }
            words.names.insert(name);
        }
        words
    }

    /// Whether it may use the row as a value, by the table's name alone or with `.*`.
    pub fn reads_whole_row(&self, table: &str) -> bool {
        let tokens = self.tokens();
        let is_whole = |place: usize| {
            let is_name = catalog_name(&self.0, &tokens[place]).is_some_and(|name| name == table);
            let kind = |ahead: usize| tokens.get(place + ahead).map(|token| token.kind);
            let is_part = place > 0 && tokens[place - 1].kind == Kind::Dot;
            let names_column =
                kind(1) == Some(Kind::Dot) && matches!(kind(2), Some(Kind::Word | Kind::Quoted));
            is_name && !is_part && !names_column && kind(1) != Some(Kind::Open)
        };
        (0..tokens.len()).any(is_whole)
    }

    /// Whether it contains a query of its own.
    pub fn has_query(&self) -> bool {
        let tokens = self.tokens();
        let mut words = tokens.iter().filter(|token| token.kind == Kind::Word);
        words.any(|token| self.0[token.span.clone()].eq_ignore_ascii_case("select"))
    }

    /// The places of string constants that mean the current time if they become a date or a time.
    pub fn special_literals(&self) -> Vec<Range<usize>> {
        let tokens = self.tokens().into_iter();
        let texts = tokens.filter(|token| token.kind == Kind::Text);
        let special = texts.filter(|token| is_special(&self.0[token.span.clone()]));
        special.map(|token| token.span).collect()
    }

    /// The predicate, in parentheses, with a parameter in the place of a constant.
    pub fn with_parameter(&self, place: &Range<usize>) -> Sql {
        let (before, after) = (&self.0[..place.start], &self.0[place.end..]);
        Sql::deparsed(format!("({before}$1{after})"))
    }

    /// The predicate with other texts in some places, which are in their order.
    ///
    /// # Errors
    /// The result is no predicate.
    pub fn replace(&self, places: &[(Range<usize>, String)]) -> Result<Self, Fault> {
        let mut text = String::with_capacity(self.0.len());
        let mut from = 0;
        for (place, replacement) in places {
            text.push_str(&self.0[from..place.start]);
            text.push_str(replacement);
            from = place.end;
        }
        text.push_str(&self.0[from..]);
        Self::parse(&text)
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Predicate({})", self.0)
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fragment for Predicate {
    fn write_sql(&self, out: &mut String) {
        out.push('(');
        out.push_str(&self.0);
        out.push(')');
    }
}

/// A name as the catalog has it: folded unless it is quoted.
pub(super) fn catalog_name(text: &str, token: &Token) -> Option<String> {
    let text = &text[token.span.clone()];
    if token.kind == Kind::Word {
        return Some(text.to_ascii_lowercase());
    }
    (token.kind == Kind::Quoted).then(|| text[1..text.len() - 1].replace("\"\"", "\""))
}

fn is_special(literal: &str) -> bool {
    let mut words = literal.split(|letter: char| !letter.is_ascii_alphabetic());
    words.any(|word| {
        let mut special = SPECIAL_LITERALS.into_iter();
        special.any(|name| word.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;

    fn predicate(text: &str) -> Predicate {
        Predicate::parse(text).unwrap()
    }

    #[test]
    fn a_predicate_stands_in_parentheses() {
        let any = predicate(" a = 1 OR b ");
        assert_eq!(
            sql!("WHERE c AND {}", any).as_str(),
            "WHERE c AND (a = 1 OR b)"
        );
        assert!(predicate("TRUE").is_true() && !any.is_true());
    }

    #[test]
    fn words_are_names_of_the_catalog() {
        let words = predicate("Created > now() AND \"Odd\"\"Name\" = 'text' AND f (x)").words();
        let names: Vec<&str> = words.names.iter().map(String::as_str).collect();
        assert_eq!(names, ["Odd\"Name", "and", "created", "f", "now", "x"]);
        let calls: Vec<&str> = words.calls.iter().map(String::as_str).collect();
        assert_eq!(calls, ["f", "now"]);
    }

    #[test]
    fn constants_of_the_current_time_are_found() {
        let found = predicate("a > 'now' AND b = 'known' AND c > date 'Yesterday' AND d = e'x'");
        let texts: Vec<&str> = found
            .special_literals()
            .into_iter()
            .map(|place| &found.text()[place])
            .collect();
        assert_eq!(texts, ["'now'", "'Yesterday'"]);
    }

    #[test]
    fn places_are_replaced_and_the_result_is_checked() {
        let any = predicate("a > now() AND b");
        let replaced = any.replace(&[(4..9, "'x'".to_owned())]).unwrap();
        assert_eq!(replaced.text(), "a > 'x' AND b");
        assert!(any.replace(&[(4..9, "'x".to_owned())]).is_err());
    }

    #[test]
    fn the_row_as_a_whole_is_seen() {
        for (text, is_whole) in [
            ("t IS NOT NULL", true),
            ("t.* IS NOT NULL", true),
            ("f(\"t\")", true),
            ("t.a > 1", false),
            ("s.t > 1", false),
            ("t(a)", false),
        ] {
            assert_eq!(predicate(text).reads_whole_row("t"), is_whole, "{text}");
        }
    }

    #[test]
    fn a_query_within_is_seen() {
        assert!(predicate("id IN (SELECT a FROM b)").has_query());
        assert!(!predicate("\"select\" = 'select'").has_query());
    }
}
