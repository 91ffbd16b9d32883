//! Reads our Markdown files: paragraphs, list items and table cells.

use super::Passage;

/// The paragraphs, list items, headings and table cells of a document, without code blocks. Code spans stay.
pub(crate) fn passages(path: &str, text: &str) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let mut is_code = false;
    let mut is_open = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            is_code = !is_code;
            is_open = false;
            continue;
        }
        if is_code {
            continue;
        }
        let place = || format!("{path}:{}", index + 1);
        if trimmed.starts_with('|') {
            let cells = cells(trimmed).into_iter().map(|text| Passage {
                place: place(),
                text,
            });
            found.extend(cells);
            is_open = false;
            continue;
        }
        let body = trimmed.trim_start_matches(['>', ' ']);
        let starts_item = body.starts_with("- ") || body.split_once(". ").is_some_and(is_number);
        let is_heading = body.starts_with('#');
        if body.is_empty() {
            is_open = false;
            continue;
        }
        if is_open && !starts_item && !is_heading {
            if let Some(last) = found.last_mut() {
                last.text.push(' ');
                last.text.push_str(body);
            }
            continue;
        }
        found.push(Passage {
            place: place(),
            text: body.trim_start_matches(['#', '-', ' ']).to_owned(),
        });
        is_open = !is_heading;
    }
    found
}

fn is_number((number, _): (&str, &str)) -> bool {
    !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit())
}

/// The cells of a table's row; a rule between header and rows has none.
pub(crate) fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').trim_end_matches('|');
    if row
        .chars()
        .all(|part| matches!(part, '|' | '-' | ':' | ' '))
    {
        return Vec::new();
    }
    let row = row.replace("\\|", "\u{1}");
    let cell = |cell: &str| cell.trim().replace('\u{1}', "|");
    row.split('|').map(cell).collect()
}

/// The code spans of a text: what is between backticks.
pub(crate) fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A text with each code span replaced by one word.
pub(crate) fn without_code(text: &str) -> String {
    let part = |(index, part)| if index % 2 == 0 { part } else { "code" };
    text.split('`').enumerate().map(part).collect()
}

/// The sentences of a text.
pub(crate) fn sentences(text: &str) -> Vec<String> {
    let text = without_code(text).replace("**", "");
    let mut found = vec![String::new()];
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let last = found.last_mut().unwrap();
        last.push_str(word);
        last.push(' ');
        let ends = word.ends_with(['.', ':', ';', '?', '!']) || word.ends_with(".)");
        if ends && words.peek().is_some() {
            found.push(String::new());
        }
    }
    found
}

#[test]
fn paragraphs_items_and_cells_are_passages() {
    let text = "# Title\n\nOne\ntwo.\n- item\n  more\n- other\n\n| a | b |\n|---|---|\n| c `x` | d |\n```sh\ncode\n```\n";
    let found: Vec<_> = passages("x", text)
        .into_iter()
        .map(|one| one.text)
        .collect();
    assert_eq!(
        found,
        [
            "Title",
            "One two.",
            "item more",
            "other",
            "a",
            "b",
            "c `x`",
            "d"
        ]
    );
    assert_eq!(sentences("A b. C `d e`.").len(), 2);
    assert_eq!(code_spans("a `b` c `d`"), ["b", "d"]);
}
