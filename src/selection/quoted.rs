//! Names as users write them in lists: double quotes keep separators and blanks.

/// The first item and what follows its separator; `None` when a quote is not closed.
pub fn next_item(text: &str, separator: char) -> Option<(String, Option<&str>)> {
    let (item, after) = cut(text, separator)?;
    Some((unquoted(item), after))
}

/// The text up to the first separator outside double quotes, trimmed, and what follows it; `None`
/// when a quote is not closed.
pub fn cut(text: &str, separator: char) -> Option<(&str, Option<&str>)> {
    let mut quoted = false;
    for (at, part) in text.char_indices() {
        if part == '"' {
            quoted = !quoted;
        } else if part == separator && !quoted {
            let after = &text[at + part.len_utf8()..];
            return Some((text[..at].trim(), Some(after)));
        }
    }
    (!quoted).then_some((text.trim(), None))
}

/// An item without its quotes; two in a row within mean one.
pub fn unquoted(item: &str) -> String {
    let mut name = String::with_capacity(item.len());
    let mut quoted = false;
    let mut parts = item.chars().peekable();
    while let Some(part) = parts.next() {
        if part != '"' {
            name.push(part);
        } else if quoted && parts.next_if_eq(&'"').is_some() {
            name.push('"');
        } else {
            quoted = !quoted;
        }
    }
    name
}

/// The parts of a name, split at dots outside double quotes; `None` when a quote is not closed.
pub fn split_parts(name: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = Some(name);
    while let Some(text) = rest {
        let (part, after) = next_item(text, '.')?;
        parts.push(part);
        rest = after;
    }
    Some(parts)
}

/// A part of a name as a list takes it: in double quotes where it would be split or trimmed.
pub fn quote_name(name: &str) -> String {
    let is_plain = name.trim() == name && !name.contains(['"', '.', ',', ':']) && !name.is_empty();
    match is_plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_is_one_item() {
        for name in ["t", "a.b", "c,\"d", " x ", "é:1", "\""] {
            for separator in ['.', ',', ':'] {
                let quoted = quote_name(name);
                assert_eq!(next_item(&quoted, separator), Some((name.to_owned(), None)));
            }
        }
        assert_eq!(quote_name("my-app"), "my-app");
    }

    #[test]
    fn a_quote_that_is_not_closed_is_no_item() {
        assert_eq!(cut("a\".b", '.'), None);
        assert_eq!(cut(" a . b", '.'), Some(("a", Some(" b"))));
    }
}
