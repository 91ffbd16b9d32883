//! From offsets in a text to lines and columns.

use crate::selection::Position;

/// Bytes between two counts of characters: a line can be as long as the file, and have many names.
const BLOCK: usize = 256;

/// The lines of a text.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// How many characters begin before each block of bytes.
    characters: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let starts = std::iter::once(0).chain(ends.map(|end| end + 1));
        let blocks = text.as_bytes().chunks(BLOCK);
        let characters = blocks.scan(0, |count, block| {
            let before = *count;
            *count += count_characters(block);
            Some(before)
        });
        Self {
            text,
            starts: starts.collect(),
            characters: characters.collect(),
        }
    }

    /// Returns the place of a byte. One behind the end is at the end, one within a character at its start.
    pub(super) fn locate(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        Position {
            line,
            column: self.count_before(offset) - self.count_before(start) + 1,
        }
    }

    /// How many characters begin before a byte.
    fn count_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        match self.characters.get(block) {
            Some(before) => before + count_characters(&self.text.as_bytes()[block * BLOCK..offset]),
            // The end of a text of whole blocks.
            None => count_characters(self.text.as_bytes()),
        }
    }
}

/// How many characters begin in these bytes of a text.
fn count_characters(bytes: &[u8]) -> usize {
    let is_first = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    bytes.iter().filter(is_first).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_as_editors_count_them() {
        let text = "a = 1\r\nü = 'é' x\n\nend";
        let lines = Lines::new(text);
        for (what, expected) in [("a =", "1:1"), ("ü", "2:1"), ("x", "2:9"), ("end", "4:1")] {
            let found = lines.locate(text.find(what).unwrap());
            assert_eq!(found.to_string(), expected, "{what}");
        }
        assert_eq!(lines.locate(text.len() + 9).to_string(), "4:4");
        assert_eq!(Lines::new("").locate(0).to_string(), "1:1");
        // Within the two bytes of the letter.
        assert_eq!(lines.locate(8).to_string(), "2:1");
    }

    #[test]
    fn long_lines_are_counted_in_blocks() {
        for letter in ["a", "é", "€", "\u{1F600}"] {
            let text = format!("\n{}", letter.repeat(BLOCK));
            let lines = Lines::new(&text);
            for (place, (offset, _)) in text.char_indices().skip(1).enumerate() {
                assert_eq!(lines.locate(offset).column, place + 1, "{letter} {offset}");
            }
            assert_eq!(lines.locate(text.len()).column, BLOCK + 1);
        }
    }
}
