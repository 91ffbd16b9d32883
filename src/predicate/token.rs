//! Splits an expression into tokens as the server's scanner does (PostgreSQL manual, 4.1 "Lexical Structure"),
//! and refuses what could end the expression.

use std::ops::Range;

use super::fault::{Fault, FaultKind};
use super::quote::{find_dollar_quote_end, find_quote_end, find_text_end};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key word or a name without quotes.
    Word,
    /// A name in double quotes.
    Quoted,
    Number,
    /// A string constant of any form.
    Text,
    Operator,
    /// `::`
    Cast,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    Comma,
    Dot,
    /// `:`, alone or in `:=`
    Colon,
}

impl Kind {
    /// Whether it begins what must be closed.
    pub(super) const fn opens(self) -> bool {
        matches!(self, Self::Open | Self::OpenBracket)
    }

    /// Whether it closes what was opened.
    pub(super) const fn closes(self) -> bool {
        matches!(self, Self::Close | Self::CloseBracket)
    }
}

/// A token, and its place in the text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// Characters of operators.
const OPERATOR: &str = "+-*/<>=~!@#%^&|`?";

/// An operator of several characters may end with `+` or `-` only if it has one of these.
const ENDS_WITH_SIGN: &str = "~!@#%^&|`?";

/// Splits a text.
///
/// # Errors
/// The text is no expression, or could end the statement that contains it.
pub(super) fn split_tokens(text: &str) -> Result<Vec<Token>, Fault> {
    if let Some(at) = text.find('\0') {
        return Err(fault(text, at, FaultKind::Nul));
    }
    let mut tokens = Vec::new();
    let mut open: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if is_blank(first) {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) =
            match_token(&text[at..], first).map_err(|kind| fault(text, at, kind))?;
        let token = Token {
            kind,
            span: at..at + length,
        };
        if kind.opens() {
            open.push(token.clone());
        }
        if kind.closes() {
            let opened = open.pop().map(|token| token.kind);
            if opened != Some(opening(kind)) {
                return Err(fault(text, at, FaultKind::NotOpened));
            }
        }
        at = token.span.end;
        tokens.push(token);
    }
    if let Some(token) = open.pop() {
        return Err(fault(text, token.span.start, FaultKind::NotClosed));
    }
    if tokens.is_empty() {
        return Err(fault(text, 0, FaultKind::Empty));
    }
    Ok(tokens)
}

fn fault(text: &str, at: usize, kind: FaultKind) -> Fault {
    let position = text[..at].chars().count() + 1;
    Fault { position, kind }
}

const fn opening(closing: Kind) -> Kind {
    if matches!(closing, Kind::Close) {
        Kind::Open
    } else {
        Kind::OpenBracket
    }
}

const fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn begins_name(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii()
}

fn continues_name(letter: char) -> bool {
    begins_name(letter) || letter.is_ascii_digit() || letter == '$'
}

/// The kind and the length of the token at the beginning of a text.
fn match_token(text: &str, first: char) -> Result<(Kind, usize), FaultKind> {
    let second = text[first.len_utf8()..].chars().next();
    Ok(match first {
        ';' => return Err(FaultKind::Semicolon),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        '[' => (Kind::OpenBracket, 1),
        ']' => (Kind::CloseBracket, 1),
        ',' => (Kind::Comma, 1),
        ':' if second == Some(':') => (Kind::Cast, 2),
        ':' if second == Some('=') => (Kind::Colon, 2),
        ':' => (Kind::Colon, 1),
        '.' if second.is_some_and(|letter| letter.is_ascii_digit()) => {
            (Kind::Number, measure_number(text))
        }
        '.' => (Kind::Dot, 1),
        '\'' => (Kind::Text, find_text_end(text, 0, false)?),
        '"' => (Kind::Quoted, find_quote_end(text, 0, '"')?),
        '$' if second.is_some_and(|letter| letter.is_ascii_digit()) => {
            return Err(FaultKind::Parameter);
        }
        '$' => (Kind::Text, find_dollar_quote_end(text)?),
        _ if first.is_ascii_digit() => (Kind::Number, measure_number(text)),
        _ if begins_name(first) => return match_word(text),
        _ if OPERATOR.contains(first) => (Kind::Operator, measure_operator(text)?),
        other => return Err(FaultKind::Character(other)),
    })
}

/// A word, or a string constant with a letter before it.
fn match_word(text: &str) -> Result<(Kind, usize), FaultKind> {
    let length = text
        .find(|letter| !continues_name(letter))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    let is_prefix = |prefix: &str| word.eq_ignore_ascii_case(prefix);
    if is_prefix("u") && rest.starts_with("&\"") {
        return Err(FaultKind::EscapedName);
    }
    if is_prefix("u") && rest.starts_with("&'") {
        return Ok((Kind::Text, find_text_end(text, 2, false)?));
    }
    let has_prefix = ["e", "b", "x", "n"].into_iter().any(is_prefix);
    if has_prefix && rest.starts_with('\'') {
        return Ok((Kind::Text, find_text_end(text, 1, is_prefix("e"))?));
    }
    Ok((Kind::Word, length))
}

/// A number ends before a letter that is no exponent, as it did before version 15: what follows is a token.
fn measure_number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes[from..].iter();
        from + rest
            .take_while(|byte| byte.is_ascii_digit() || **byte == b'_')
            .count()
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

fn measure_operator(text: &str) -> Result<usize, FaultKind> {
    let mut length = text
        .find(|letter| !OPERATOR.contains(letter))
        .unwrap_or(text.len());
    for comment in ["--", "/*"] {
        match text[..length].find(comment) {
            Some(0) => return Err(FaultKind::Comment),
            Some(at) => length = at,
            None => {}
        }
    }
    while length > 1
        && text[..length].ends_with(['+', '-'])
        && !text[..length].contains(|letter| ENDS_WITH_SIGN.contains(letter))
    {
        length -= 1;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let tokens = split_tokens(text).unwrap();
        tokens.into_iter().map(|one| &text[one.span]).collect()
    }

    fn refused(text: &str) -> (usize, FaultKind) {
        let fault = split_tokens(text).unwrap_err();
        (fault.position, fault.kind)
    }

    #[test]
    fn tokens_are_those_of_the_server() {
        let cases: [(&str, &[&str]); 14] = [
            ("a>=1", &["a", ">=", "1"]),
            ("a=-1", &["a", "=", "-", "1"]),
            ("a@-1", &["a", "@-", "1"]),
            ("x::int8[]", &["x", "::", "int8", "[", "]"]),
            ("'a''b' = E'it\\'s'", &["'a''b'", "=", "E'it\\'s'"]),
            ("'a\\' = b", &["'a\\'", "=", "b"]),
            ("$q$;--'$q$", &["$q$;--'$q$"]),
            ("$$'$$||a$b", &["$$'$$", "||", "a$b"]),
            ("\"we\"\"ird\".c", &["\"we\"\"ird\"", ".", "c"]),
            ("1.5e-3+.5", &["1.5e-3", "+", ".5"]),
            ("1e'x\\'y'", &["1", "e'x\\'y'"]),
            ("E'a'\n  'b\\'c'", &["E'a'\n  'b\\'c'"]),
            ("'a' 'b'", &["'a'", "'b'"]),
            ("größe > u&'d\\0061t'", &["größe", ">", "u&'d\\0061t'"]),
        ];
        for (text, tokens) in cases {
            assert_eq!(texts(text), tokens, "{text}");
        }
    }

    #[test]
    fn what_could_leave_the_expression_is_refused() {
        let cases = [
            ("", 1, FaultKind::Empty),
            (" \n", 1, FaultKind::Empty),
            ("true) TO PROGRAM 'x' --", 5, FaultKind::NotOpened),
            ("1; DROP TABLE t", 2, FaultKind::Semicolon),
            ("a -- b", 3, FaultKind::Comment),
            ("a /* b */", 3, FaultKind::Comment),
            ("a =-- b", 4, FaultKind::Comment),
            ("é = $1", 5, FaultKind::Parameter),
            ("a = 'b", 5, FaultKind::OpenQuote),
            ("a = E'b\\'", 5, FaultKind::OpenQuote),
            ("E'a'\n'b\\'", 1, FaultKind::OpenQuote),
            ("\"a = 1", 1, FaultKind::OpenQuote),
            ("$x$ a $y$", 1, FaultKind::OpenQuote),
            ("u&\"d\\0061t\" = 1", 1, FaultKind::EscapedName),
            ("(a = 1", 1, FaultKind::NotClosed),
            ("(a[1)]", 5, FaultKind::NotOpened),
            ("a\0", 2, FaultKind::Nul),
            ("a \\ b", 3, FaultKind::Character('\\')),
        ];
        for (text, position, kind) in cases {
            assert_eq!(refused(text), (position, kind), "{text:?}");
        }
    }
}
