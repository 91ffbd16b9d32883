//! A statement on one line that says exactly the same, for people who copy it.

use std::fmt::Write as _;

use crate::pg::Sql;

/// Line breaks between words become spaces. A constant or name that holds control characters, or
/// marks that reverse the direction of text, is written with escapes; so is a dollar-quoted body.
/// What servers deparse and we render holds no comments outside of bodies.
pub(super) fn on_one_line(sql: &Sql) -> Sql {
    let text = sql.as_str().trim();
    let mut line = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let token = token(rest, line.chars().next_back());
        let end = token.as_ref().map_or(first.len_utf8(), Token::end);
        match token {
            Some(token) if rest[..end].chars().any(is_hidden) => token.write(rest, &mut line),
            Some(_) => line.push_str(&rest[..end]),
            None if is_hidden(first) => line.push(' '),
            None => line.push(first),
        }
        rest = &rest[end..];
    }
    Sql::deparsed(line)
}

/// The same with every constant replaced by `'***'`: what it says, without what it must not show.
pub(super) fn without_constants(sql: &Sql) -> Sql {
    let text = sql.as_str().trim();
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let token = token(rest, shown.chars().next_back());
        let end = token.as_ref().map_or(first.len_utf8(), Token::end);
        match token {
            Some(Token::Name(_)) | None => shown.push_str(&rest[..end]),
            Some(_) => shown.push_str("'***'"),
        }
        rest = &rest[end..];
    }
    on_one_line(&Sql::deparsed(shown))
}

/// Whether a character does not show as itself.
fn is_hidden(part: char) -> bool {
    part.is_control() || matches!(part, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Something in quotes, by what is between them and where it ends.
enum Token {
    /// A constant without escapes.
    Plain(usize),
    /// A constant with escapes, which has an `E` before it.
    Escaped(usize),
    /// A name.
    Name(usize),
    /// A constant in dollar quotes of this length.
    Dollar(usize, usize),
}

/// The quoted thing that a text begins with, which follows that character.
fn token(text: &str, before: Option<char>) -> Option<Token> {
    match text.as_bytes()[0] {
        b'\'' if matches!(before, Some('E' | 'e')) => Some(Token::Escaped(closing(text, true))),
        b'\'' => Some(Token::Plain(closing(text, false))),
        b'"' => Some(Token::Name(closing(text, false))),
        b'$' if !before.is_some_and(|part| part.is_alphanumeric() || part == '_') => {
            let tag = &text[..=text[1..].find('$')? + 1];
            let name = &tag[1..tag.len() - 1];
            let is_tag = !name.starts_with(|part: char| part.is_ascii_digit())
                && name
                    .chars()
                    .all(|part| part.is_alphanumeric() || part == '_');
            let end = text[tag.len()..].find(tag).filter(|_| is_tag)?;
            Some(Token::Dollar(tag.len(), 2 * tag.len() + end))
        }
        _ => None,
    }
}

/// Where the quote that a text begins with ends; doubled ones are part of it.
fn closing(text: &str, has_escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if has_escapes && bytes[at] == b'\\' {
            at += 1;
        } else if bytes[at] == bytes[0] {
            if bytes.get(at + 1) != bytes.first() {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

impl Token {
    const fn end(&self) -> usize {
        match self {
            Self::Plain(end) | Self::Escaped(end) | Self::Name(end) | Self::Dollar(_, end) => *end,
        }
    }

    /// The same with escapes.
    fn write(&self, text: &str, line: &mut String) {
        match self {
            Self::Plain(end) => {
                line.push_str("E'");
                for part in text[1..end - 1].chars() {
                    escape(part, "\\", "\\u", line);
                }
                line.push('\'');
            }
            // What follows a backslash already needs none.
            Self::Escaped(end) => {
                let (mut inner, mut is_escaped) = (String::new(), false);
                for part in text[1..end - 1].chars() {
                    if is_escaped && is_hidden(part) {
                        inner.pop();
                    }
                    escape(part, "", "\\u", &mut inner);
                    is_escaped = part == '\\' && !is_escaped;
                }
                line.push('\'');
                line.push_str(&inner);
                line.push('\'');
            }
            Self::Name(end) => {
                line.push_str("U&\"");
                for part in text[1..end - 1].chars() {
                    escape(part, "\\", "\\", line);
                }
                line.push('"');
            }
            Self::Dollar(tag, end) => {
                line.push_str("E'");
                for part in text[*tag..end - tag].chars() {
                    if part == '\'' {
                        line.push('\'');
                    }
                    escape(part, "\\", "\\u", line);
                }
                line.push('\'');
            }
        }
    }
}

/// Writes a character; `backslash` goes before a backslash, `code` before four digits.
fn escape(part: char, backslash: &str, code: &str, out: &mut String) {
    match part {
        '\n' if code == "\\u" => out.push_str("\\n"),
        '\t' if code == "\\u" => out.push_str("\\t"),
        part if is_hidden(part) => {
            write!(out, "{code}{:04x}", u32::from(part)).expect("a String takes all text");
        }
        '\\' => {
            out.push_str(backslash);
            out.push(part);
        }
        part => out.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &'static str) -> String {
        on_one_line(&Sql::fixed(text)).as_str().to_owned()
    }

    #[test]
    fn line_breaks_between_words_go() {
        assert_eq!(
            line(" SELECT a,\n    'it''s' AS \"b\"\n\tFROM t"),
            "SELECT a,     'it''s' AS \"b\"  FROM t"
        );
    }

    #[test]
    fn what_quotes_hold_is_escaped_and_stays() {
        for (text, expected) in [
            ("SELECT 'a\nb\\''c'", r"SELECT E'a\nb\\''c'"),
            ("SELECT E'a\nb\\n\\''", r"SELECT E'a\nb\n\''"),
            ("SELECT E'a\\\nb'", r"SELECT E'a\nb'"),
            ("SELECT \"a\nb\\\"\"\"", r#"SELECT U&"a\000ab\\""""#),
            ("SELECT '\u{202e}\u{1b}'", r"SELECT E'\u202e\u001b'"),
            (
                "AS $_$-- it's\r\n\\1$1;\n$_$ X",
                r"AS E'-- it''s\u000d\n\\1$1;\n' X",
            ),
            ("SELECT $1\n+ $2 || 'x$$'", "SELECT $1 + $2 || 'x$$'"),
            ("AS $$plain$$\nX", "AS $$plain$$ X"),
        ] {
            assert_eq!(line(text), expected);
        }
    }
}
