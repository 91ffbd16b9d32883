//! Reads Rust files as far as people read them: doc comments, other comments and string literals.

/// What a piece of text is in a Rust file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `///` or `//!`.
    Doc,
    /// `//`.
    Comment,
    /// Between quotes.
    Literal,
}

/// A comment or a string literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) part: Part,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The comments and string literals of a file. Comments in a row are one piece; indentation after a line's end in a
/// literal is one blank. Unit tests at the end are not read.
pub(crate) fn pieces(source: &str) -> Vec<Piece> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut lexer = Lexer {
        rest: source,
        line: 1,
        found: Vec::new(),
    };
    while lexer.step() {}
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Piece>,
}

impl Lexer<'_> {
    /// Reads one token; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            self.read_comment();
        } else if first == '"' {
            self.read_literal();
        } else if let Some(hashes) = raw_hashes(self.rest) {
            self.read_raw(hashes);
        } else if first == '\'' {
            self.skip_character();
        } else if first.is_alphanumeric() || first == '_' {
            let end = self
                .rest
                .find(|part: char| !part.is_alphanumeric() && part != '_');
            self.advance(end.unwrap_or(self.rest.len()));
        } else {
            self.advance(first.len_utf8());
        }
        true
    }

    fn advance(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn read_comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let comment = &self.rest[..end];
        let doc = comment
            .strip_prefix("///")
            .or_else(|| comment.strip_prefix("//!"));
        let (part, text) = match doc {
            Some(text) => (Part::Doc, text.trim()),
            None => (Part::Comment, comment[2..].trim()),
        };
        let follows = |last: &&mut Piece| {
            last.part == part
                && last.line + last.text.matches('\n').count() + 1 == self.line
                && !text.is_empty()
        };
        match self.found.last_mut().filter(follows) {
            Some(last) => {
                last.text.push('\n');
                last.text.push_str(text);
            }
            None => self.push(part, text.to_owned()),
        }
        self.advance(end);
    }

    fn push(&mut self, part: Part, text: String) {
        let line = self.line;
        self.found.push(Piece { part, line, text });
    }

    fn read_literal(&mut self) {
        let mut end = 1;
        let bytes = self.rest.as_bytes();
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = self.rest[1..end].replace("\\\n", " ").replace("\\n", " ");
        self.push(Part::Literal, text);
        self.advance(end + 1);
    }

    fn read_raw(&mut self, hashes: usize) {
        let open = hashes + 2;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = self.rest[open..].find(&close).unwrap() + open;
        let text = self.rest[open..end].to_owned();
        self.push(Part::Literal, text);
        self.advance(end + close.len());
    }

    /// A character literal, or only the mark of a lifetime.
    fn skip_character(&mut self) {
        let mut parts = self.rest.char_indices().skip(1);
        let bytes = match parts.next() {
            Some((_, '\\')) => parts
                .skip(1)
                .find(|(_, part)| *part == '\'')
                .map(|(at, _)| at + 1),
            Some(_) => parts
                .next()
                .filter(|(_, part)| *part == '\'')
                .map(|(at, _)| at + 1),
            None => None,
        };
        self.advance(bytes.unwrap_or(1));
    }
}

/// How many hashes a raw literal has that starts here.
fn raw_hashes(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

#[test]
fn comments_and_literals_are_found() {
    let source = "//! One\n//! two\nfn f<'a>(c: char) { g('\"', '\\'', \"a \\\"b\\\" \\\n   c\"); } // why\nlet r = r#\"raw \"x\"\"#;\n#[cfg(test)]\nmod tests {\n\"no\" }";
    let texts: Vec<_> = pieces(source)
        .into_iter()
        .map(|piece| (piece.part, piece.text))
        .collect();
    assert_eq!(
        texts,
        [
            (Part::Doc, "One\ntwo".to_owned()),
            (Part::Literal, "a \\\"b\\\"     c".to_owned()),
            (Part::Comment, "why".to_owned()),
            (Part::Literal, "raw \"x\"".to_owned()),
        ]
    );
}
