//! Marks of `CYCLE` clauses, which the server prints in a form that it does not read.
//!
//! A mark is a constant of the grammar (`AexprConst`): `text 'Y'`, not `'Y'::text`, as it is printed. Other
//! constants, as numbers and truth values, are printed as they are read.

use crate::pg::Sql;

/// A printed query whose marks can be read.
pub(super) fn with_readable_marks(query: &Sql) -> Sql {
    let text = query.as_str();
    let mut readable = String::new();
    let mut written = 0;
    let words = words(text);
    for window in words.windows(3) {
        // Marks are between these words of one clause.
        let [set, default, using] = window else {
            continue;
        };
        if (set.text, default.text, using.text) != ("TO", "DEFAULT", "USING") {
            continue;
        }
        let (mark, other) = (
            &text[set.end..default.start],
            &text[default.end..using.start],
        );
        if let (Some(mark), Some(other)) = (typed(mark), typed(other)) {
            for piece in [
                &text[written..set.end],
                " ",
                &mark,
                " DEFAULT ",
                &other,
                " ",
            ] {
                readable.push_str(piece);
            }
            written = using.start;
        }
    }
    if written == 0 {
        return query.clone();
    }
    readable.push_str(&text[written..]);
    Sql::deparsed(readable)
}

/// A keyword of `CYCLE` clauses with its place.
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

/// The words `TO`, `DEFAULT` and `USING` outside quotes, in order. The server prints keywords in upper
/// case and quotes identifiers that are not in lower case.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, part)) = rest.next() {
        if part == '\'' || part == '"' {
            skip_quoted(&mut rest, part);
        }
        let is_part = part.is_alphanumeric() || part == '_' || !part.is_ascii();
        match (is_part, start) {
            (true, None) => start = Some(at),
            (false, Some(begin)) => {
                words.push((begin, at));
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    let word = |(start, end): (usize, usize)| Word {
        text: &text[start..end],
        start,
        end,
    };
    let is_keyword = |word: &Word<'_>| matches!(word.text, "TO" | "DEFAULT" | "USING");
    words.into_iter().map(word).filter(is_keyword).collect()
}

/// Skips the rest of what a quote has opened; a doubled quote closes and opens it again.
fn skip_quoted(rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>, quote: char) {
    for (_, part) in rest.by_ref() {
        if part == quote {
            return;
        }
    }
}

/// `text 'Y'` of `'Y'::text`; None for anything else that is not read as it is printed.
fn typed(mark: &str) -> Option<String> {
    let mark = mark.trim();
    let Some((literal, of_type)) = mark.rsplit_once("'::") else {
        let is_plain = mark
            .chars()
            .all(|part| part.is_ascii_alphanumeric() || part == '.');
        return is_plain.then(|| mark.to_owned());
    };
    let is_literal = literal.starts_with('\'') || literal.starts_with("E'");
    let is_array = of_type.contains('[');
    (is_literal && !is_array).then(|| format!("{of_type} {literal}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(query: &str) -> String {
        with_readable_marks(&Sql::deparsed(query))
            .as_str()
            .to_owned()
    }

    #[test]
    fn marks_become_constants_of_the_grammar() {
        for (printed, read) in [
            (
                "CYCLE n SET hit TO 'Y'::text DEFAULT 'N'::text USING pth",
                "CYCLE n SET hit TO text 'Y' DEFAULT text 'N' USING pth",
            ),
            (
                "SET \"TO\" TO E'a\\\\'::s.mood DEFAULT 'it''s USING'::character varying(3) USING p",
                "SET \"TO\" TO s.mood E'a\\\\' DEFAULT character varying(3) 'it''s USING' USING p",
            ),
            (
                "SET hit TO 1 DEFAULT '-1'::integer USING p",
                "SET hit TO 1 DEFAULT integer '-1' USING p",
            ),
        ] {
            assert_eq!(readable(printed), read);
        }
    }

    #[test]
    fn whatever_else_stays() {
        for query in [
            "SELECT 'TO ''Y''::text DEFAULT ''N''::text USING'",
            "SET hit TO '{a}'::text[] DEFAULT '{}'::text[] USING p",
            "CYCLE n SET hit USING p",
        ] {
            assert_eq!(readable(query), query);
        }
    }
}
