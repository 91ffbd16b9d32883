//! Where quoted tokens end.

use super::fault::FaultKind;

/// The end of a string constant whose quote is at `from`. A constant that continues after a line break has the
/// escapes of its beginning.
pub(super) fn find_text_end(text: &str, from: usize, escapes: bool) -> Result<usize, FaultKind> {
    let mut end = find_segment_end(text, from, escapes)?;
    while let Some(next) = find_continuation(&text[end..]) {
        end = find_segment_end(text, end + next, escapes)?;
    }
    Ok(end)
}

/// The end of what a quote at `from` begins; two in a row within mean one.
pub(super) fn find_quote_end(text: &str, from: usize, quote: char) -> Result<usize, FaultKind> {
    let mut letters = text[from + 1..].char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Ok(from + 1 + at + 1);
        }
    }
    Err(FaultKind::OpenQuote)
}

fn find_segment_end(text: &str, from: usize, escapes: bool) -> Result<usize, FaultKind> {
    if !escapes {
        return find_quote_end(text, from, '\'');
    }
    let mut letters = text[from + 1..].char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_none() => {
                return Ok(from + 1 + at + 1);
            }
            _ => {}
        }
    }
    Err(FaultKind::OpenQuote)
}

/// The place of the quote that continues a string constant: behind blanks with a line break.
fn find_continuation(rest: &str) -> Option<usize> {
    let at = rest.find(|letter: char| !letter.is_ascii_whitespace() && letter != '\x0b')?;
    let is_continued = rest[at..].starts_with('\'') && rest[..at].contains(['\n', '\r']);
    is_continued.then_some(at)
}

/// The end of a string constant in dollar quotes.
pub(super) fn find_dollar_quote_end(text: &str) -> Result<usize, FaultKind> {
    let close = text[1..].find('$').ok_or(FaultKind::Character('$'))?;
    let tag = &text[..close + 2];
    let name = &tag[1..tag.len() - 1];
    let is_name = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii());
    if !is_name || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(FaultKind::Character('$'));
    }
    let body = &text[tag.len()..];
    let end = body.find(tag).ok_or(FaultKind::OpenQuote)?;
    Ok(tag.len() + end + tag.len())
}
